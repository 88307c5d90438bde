"""Studies over one another: who is ahead, and how sure that is over seeds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agenthpo.budget import Budget
from agenthpo.errors import StudyError
from agenthpo.experience.meta import StudyMeta
from agenthpo.reporting.comparing import compared
from agenthpo.reporting.page import comparison_page
from agenthpo.trials import course
from calling import agenthpo
from report_studies import make_study
from studies import shown

META = StudyMeta(
    id="1", name="toy", metric="acc", direction="maximize", proposer="engine", model="none",
    budget=Budget(trials=9),
)  # fmt: skip


@pytest.fixture
def several(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i, count in enumerate((9, 10, 11)):
        make_study(f"a{i}", count, meta=META)
        make_study(f"b{i}", count + 3, meta=replace(META, proposer="hybrid", model="local:x<b>"))
    return [Path(f"{name}{i}") for name in "ab" for i in range(3)]


def test_groups_are_of_one_proposer_and_model(several):
    found = compared(several)
    assert [g.name for g in found.groups] == ["engine", "hybrid, local:x<b>"]
    assert [len(g.studies) for g in found.groups] == [3, 3]
    one = found.groups[0]
    assert len(one.mean) == 9
    assert all(
        low <= mean <= high for low, mean, high in zip(one.low, one.mean, one.high, strict=True)
    )
    assert list(one.mean) == sorted(one.mean)
    (pair,) = found.pairs
    assert pair.trials == 9 and pair.low <= pair.ahead <= pair.high
    assert pair.ahead == pytest.approx(one.mean[8] - found.groups[1].mean[8])


def test_each_for_itself_is_the_study_itself(several):
    found = compared(several[:2], each=True)
    values = [t["value"] for t in shown("./a0") if t["value"] is not None]
    assert found.groups[0].mean[-1] == max(values) and found.pairs[0].low is None
    assert found.groups[0].low == found.groups[0].mean


def test_other_objectives_and_empty_studies_are_sentences(several):
    make_study("other", 3, meta=replace(META, metric="loss"))
    make_study("empty", 0, meta=META)
    for folders, said in (
        ([several[0]], "two studies or more"),
        ([several[0], Path("other")], "the same objective"),
        ([several[0], Path("empty")], "leave it out"),
    ):
        with pytest.raises(StudyError, match=said):
            compared(folders)


def test_the_command_and_its_page(several):
    done = agenthpo("compare", *several, "-o", "page.html", code=0)
    assert "after 5" in done.stdout and "engine is " in done.stdout and " to " in done.stdout
    html = Path("page.html").read_text()
    assert "local:x&lt;b&gt;" in html and "x<b>" not in html
    told = json.loads(agenthpo("compare", *several, "--json", code=0).stdout)
    assert len(told["groups"]) == 2
    assert agenthpo("compare", "a0", "nowhere").returncode == 2
    assert len(comparison_page(compared(several))) < 3_000_000


def test_courses_begin_before_the_first_value(tmp_path):
    make_study(tmp_path / "late", 9, failing=lambda i: i < 4, meta=META)
    make_study(tmp_path / "other", 9, meta=META)
    found = compared([tmp_path / "late", tmp_path / "other"], each=True)
    assert len(found.groups[0].mean) == 9 and course([], "maximize") == ([], [])
