"""The evidence of a study: what it says has to be in the trials."""

import json
from pathlib import Path

import jsonschema
import pytest

from agenthpo.experience.requests import Request, add_request
from agenthpo.reporting.gather import evidence_of
from agenthpo.reporting.making import report, report_schema
from agenthpo.reporting.narrative import MOST_WORDS
from calling import agenthpo
from report_studies import EVIL, SPACE, make_study


@pytest.fixture(scope="module")
def thirty(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study") / "toy", 30)


def test_the_answer_is_that_of_best(thirty):
    found = evidence_of(thirty)
    answer = found.answer
    values = {t.number: t.value for t in found.trials if t.value is not None}
    assert values[answer.best] == max(values.values()) == answer.value
    assert answer.gain == pytest.approx(answer.value - values[0])
    assert answer.test == pytest.approx(answer.value - 0.01)
    assert not answer.is_certified and "Not certified" in answer.sure
    assert "One more hour" in answer.next_hour and answer.noise
    assert not answer.is_noise_measured and "if another seed moves" in answer.next_hour
    assert answer.cost.trials == 30 and answer.cost.failed == 4
    assert answer.ended == "all 30 trials of the budget are done"


def test_importance_claims_and_calibration(thirty):
    found = evidence_of(thirty)
    assert found.matters[0].name == "lr"
    # a parameter that only some configurations have costs no trial its say
    assert {m.name for m in found.matters} == set(SPACE)
    (claims,) = found.claims
    claimed = [t for t in found.trials if t.claim and t.value is not None]
    assert (claims.name, claims.claimed) == ("lr", len(claimed))
    assert claims.share == next(m.share for m in found.matters if m.name == "lr")
    by_who = {c.who: c for c in found.calibration}
    assert all(c.inside == c.judged for c in by_who.values())
    assert all(c.mean_error == pytest.approx(-0.01) for c in by_who.values())
    assert found.contour and (found.contour.x, found.contour.y) == tuple(
        m.name for m in found.matters[:2]
    )
    best = found.answer.value
    assert found.random and found.random.low <= found.random.value <= found.random.high
    assert found.random.value < best + 0.1


def test_failures_have_their_causes(thirty):
    found = evidence_of(thirty)
    assert sum(f.count for f in found.failures) == 4
    assert all("RuntimeError" in f.cause and "RuntimeError" in f.example for f in found.failures)


def test_the_json_fits_its_schema(thirty):
    validator = jsonschema.Draft202012Validator(report_schema())
    validator.validate(json.loads(report(thirty, "json")))
    empty = make_study("empty", 0)
    validator.validate(json.loads(report(empty, "json")))


@pytest.mark.parametrize("count", [0, 1, 3, 12])
def test_small_studies_have_evidence(count):
    found = evidence_of(make_study("toy", count))
    assert len(found.trials) == count and (found.answer.best is None) == (count == 0)
    assert found.story


def test_a_study_in_which_all_failed():
    found = evidence_of(make_study("toy", 9, failing=lambda i: True))
    assert found.answer.best is None and found.answer.cost.failed == 9
    assert "has given a value" in found.answer.sure
    assert not found.matters and not found.edges and found.contour is None


def test_the_story_is_short_and_names_its_trials(thirty):
    story = evidence_of(thirty).story
    assert len(story) >= 3 and sum(len(s.text.split()) for s in story) <= MOST_WORDS
    numbers = set(range(30))
    assert all(set(s.trials) <= numbers for s in story)
    assert sum(bool(s.trials) for s in story) >= len(story) - 1


def test_a_value_at_the_end_of_its_range_is_told():
    from agenthpo.experience.log import ExperienceLog
    from agenthpo.records import Analysis, Outcome, Proposal
    from agenthpo.taskfile.space import parse_space
    from report_studies import SPACE

    folder = make_study("toy", 5)
    with ExperienceLog.open(folder, space=parse_space(SPACE)) as log:
        params = {"lr": 1e-4, "width": 128, "opt": "adam", "epochs": 25}
        trial = log.start(Proposal(params, "engine"))
        log.finish(trial, Outcome("complete", 5.0), Analysis("completed"))
    edges = {e.name: e for e in evidence_of(folder).edges}
    assert set(edges) == {"lr", "width"}
    assert edges["lr"].way == "downwards" and "widen lr downwards" in edges["lr"].words
    assert edges["width"].way == "upwards"


def test_a_gain_that_is_luck_of_the_validation_set_is_warned_of():
    usual = evidence_of(make_study("usual", 20)).gap
    assert usual and not usual.grows and "as is usual here (0.01 in the middle)" in usual.words
    gaps = lambda i, value: 0.01 + 0.001 * (i % 3)  # noqa: E731
    best = evidence_of(make_study("lucky", 20, worse=gaps)).answer.best
    found = evidence_of(
        make_study("lucky2", 20, worse=lambda i, value: 0.2 if i == best else gaps(i, value))
    )
    # the toy is the same one, by its seed
    assert found.answer.best == best and found.gap and found.gap.grows
    assert "0.2 worse than its validation value" in found.gap.words and "luck" in found.gap.words
    assert found.gap.words in report(Path("lucky2"), "md")
    assert evidence_of(make_study("few", 3)).gap is None


def test_a_page_is_opened_where_there_is_a_browser(thirty, monkeypatch):
    import webbrowser

    shown, there = [], True
    monkeypatch.setattr(webbrowser, "open", lambda url: shown.append(url) or there)
    agenthpo("report", thirty, "-o", "page.html", "--open", code=0)
    assert shown == [Path("page.html").resolve().as_uri()]
    there = False
    done = agenthpo("report", thirty, "-o", "page.html", "--open", code=0)
    assert "no browser was found; open file:///" in done.stderr


def test_texts_are_cleaned_and_secrets_are_not_in_it(monkeypatch):
    monkeypatch.setenv("MY_API_TOKEN", "s3cr3t-and-long-enough")
    folder = make_study("toy", 8, texts=(*EVIL, "the token is s3cr3t-and-long-enough"))
    add_request(folder, Request("note", "me", is_person=True, text="s3cr3t-and-long-enough"))
    text = report(folder, "json")
    assert "s3cr3t" not in text and "\\u001b" not in text and "\\u202e" not in text
    assert "s3cr3t" not in report(folder, "md") and "s3cr3t" not in report(folder, "html")


def test_nothing_is_written_by_reading(thirty):
    before = {p: p.stat().st_mtime_ns for p in thirty.rglob("*")}
    evidence_of(thirty)
    assert {p: p.stat().st_mtime_ns for p in thirty.rglob("*")} == before


def test_the_command(thirty, tmp_path):
    done = agenthpo("report", thirty, "-o", "page.html", code=0)
    assert done.stdout.strip() == "page.html" and "<!doctype html>" in Path("page.html").read_text()
    assert json.loads(agenthpo("report", thirty, "--format", "json", code=0).stdout)["form"] == 2
    assert agenthpo("report", thirty, "--format", "md", code=0).stdout.startswith("## toy: acc 0.")
    assert json.loads(agenthpo("report", "--schema", code=0).stdout)["properties"]["form"]


def test_show_has_the_course_what_matters_and_what_differs(thirty, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    lines = agenthpo("show", thirty, code=0).stdout.splitlines()
    (course,) = (line for line in lines if line.startswith("Course:"))
    assert "█" in course and "▁" in course
    table = lines[1 : lines.index(course)]
    assert all(len(line) <= 100 for line in table)
    assert sum("lr=0.01 width=32" in line for line in table) == 1
    assert sum("opt=adam" in line for line in table) == 1
    (matters,) = (line for line in lines if line.startswith("What matters: "))
    assert matters.startswith("What matters: lr ") and " to " in matters
    small = make_study("small", 2)
    assert "Course:" not in agenthpo("show", small, code=0).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no study is named"),
        (("nowhere",), "there is no study 'nowhere'"),
        (("{}", "--format", "pdf"), "must be html, md or json"),
        (("{}", "--format", "md", "--watch"), "leave --format out"),
        (("{}", "-o", "no/such/folder.html"), "cannot be written"),
    ],
)
def test_a_wrong_command_is_a_sentence(thirty, words, said):
    done = agenthpo("report", *(w.format(thirty) for w in words))
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
