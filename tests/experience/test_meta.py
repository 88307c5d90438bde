"""Studies that earlier versions wrote can be read and resumed: ``first`` without checksums and
identity, ``second`` with both.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agenthpo as package
from agenthpo.budget import Budget
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta, decode_meta, encode_meta
from calling import agenthpo

OLD = Path(__file__).parent / "old_studies"
SPACE = {
    "x": {"type": "float", "low": 0, "high": 1, "default": 0.5},
    "kind": {"type": "categorical", "values": ["a", "b"], "default": "a"},
}


def score(params):
    return -((params["x"] - 0.3) ** 2) + (0.1 if params["kind"] == "b" else 0)


@pytest.fixture(params=["first", "second"])
def study(request):
    folder = Path(".agenthpo", request.param)
    folder.mkdir(parents=True)
    shutil.copy(OLD / f"{request.param}.jsonl", folder / "journal.log")
    return folder


def test_a_study_of_an_earlier_version_is_shown_with_all_it_says(study):
    shown = json.loads(agenthpo("show", study, "--json", code=0).stdout)
    assert [t["source"] for t in shown["trials"]] == ["default", "engine", "engine"]
    assert (
        shown["study"]["incumbent"] == 2
        and shown["study"]["seed"] == 7
        and shown["study"]["budget"]["trials"] == 3
    )
    assert shown["study"]["direction"] == "maximize"


def test_a_study_of_an_earlier_version_is_resumed(study):
    with ExperienceLog.open(study, space=None, read_only=True) as log:
        before = log.trials()
    options = {
        "direction": "maximize",
        "metric": "score",
        "trials": 5,
        "study": study.name,
        "model": "none",
        "resume": True,
    }
    result = package.tune(score, SPACE, **options, on_event=None)
    assert list(result.trials[:3]) == before and len(result.trials) == 5
    with ExperienceLog.open(study, space=None, read_only=True) as log:
        assert log.meta.trials == 5 and log.meta.seed == 7


@given(
    st.builds(
        StudyMeta,
        id=st.text(),
        trials=st.integers(1, 99),
        base_url=st.none() | st.text(),
        budget=st.builds(Budget),
    )
)
def test_what_a_study_was_begun_with_survives_its_record(meta):
    assert decode_meta(json.loads(json.dumps(encode_meta(meta)))) == meta


def test_what_a_later_version_says_beside_is_kept():
    meta = decode_meta({"seed": 3, "certificate": [1, 2]})
    assert meta.beside == {"certificate": [1, 2]}
    assert encode_meta(replace(meta, seed=4)) == {
        **encode_meta(StudyMeta(seed=4)),
        "certificate": [1, 2],
    }


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"direction": "up"}, "its direction is 'up'"),
        ({"budget": [1]}, r"its budget.* is \[1\]"),
        ({"model": None}, "its model is None"),
        ({"record": "ab"}, "its record is 'ab'"),
        ({"beside": 3}, ""),
    ],
)
def test_what_is_of_another_kind_is_refused_with_its_field(said, words):
    if not words:
        assert decode_meta(said).beside == said
        return
    with pytest.raises(ValueError, match=words):
        decode_meta(said)
