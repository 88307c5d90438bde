"""The story in a model's words: what it says is looked up, sentence by sentence."""

import pytest

from agenthpo.errors import LLMFailure
from agenthpo.reporting.gather import evidence_of
from agenthpo.reporting.making import report
from agenthpo.reporting.told import told_by
from agenthpo.testing import ScriptedLLM
from calling import agenthpo
from report_studies import make_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study") / "toy", 20)


def scripted(story):
    return ScriptedLLM({"story": story}, name="gpt-5")


GOOD = (
    "Trial 0 is the default. Raising lr was tried in trials 1 and 4. The search ended with trial "
    "19. Trial 2 reached 0.123456. Everything is better now. Trial 99 was the best."
)


def test_what_is_not_in_the_evidence_is_left_out(folder):
    evidence = evidence_of(folder)
    found, words = told_by(scripted(GOOD), evidence)
    assert [s.text for s in found.story] == [
        "Trial 0 is the default.",
        "Raising lr was tried in trials 1 and 4.",
        "The search ended with trial 19.",
    ]
    assert [s.trials for s in found.story] == [(0,), (1, 4), (19,)]
    assert "3 sentences were left out" in words


@pytest.mark.parametrize("story", ["", "All is well.", "Trial 7 had 0.5551. Trial 99 won.", None])
def test_a_story_that_is_not_borne_out_stays_the_rules(folder, story):
    evidence = evidence_of(folder)
    found, words = told_by(scripted(story), evidence)
    assert found.story == evidence.story and "by rules" in words


def test_it_is_no_longer_than_promised(folder):
    evidence = evidence_of(folder)
    found, _ = told_by(scripted("Trial 1 was tried and so on and on. " * 60), evidence)
    assert sum(len(s.text.split()) for s in found.story) <= 200


def test_a_small_model_is_not_asked(folder, smollm2):
    evidence = evidence_of(folder)
    found, words = told_by(smollm2, evidence)
    assert found == evidence and "too small" in words


def test_a_model_that_fails_leaves_the_rules(folder):
    evidence = evidence_of(folder)
    found, words = told_by(ScriptedLLM(LLMFailure("no route"), name="gpt-5"), evidence)
    assert found == evidence and "no route" in words


def test_the_command_takes_a_model(folder):
    done = agenthpo("report", folder, "--format", "md", "--model", "local:smollm2", code=0)
    assert "The story is by" in done.stderr and "### What was learnt" in done.stdout
    assert "What was learnt" in report(folder, "md")
    assert agenthpo("report", folder, "--model", "nobody:knows").returncode == 2
