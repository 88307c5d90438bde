"""The examples as a user runs them: the real script, a real model, the command line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from studies import ROOT

EXAMPLES = ROOT / "examples"


def tuned(example, changes, *arguments):
    """Run a copy of an example, its task changed to be quick, and return its study as ``show
    --json`` prints it.
    """
    shutil.copytree(EXAMPLES / example, example, ignore=shutil.ignore_patterns(".agenthpo"))
    task = Path(example, "task.yaml")
    for old, new in changes.items():
        assert old in task.read_text()
        task.write_text(task.read_text().replace(old, new))
    for command in (["run", example, *arguments], ["show", example, "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "agenthpo", *command],
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_digits_by_two_agents_and_the_engine(smollm2):
    study = tuned("digits", {"high: 60,": "high: 25,"}, "--model", "local:smollm2", "--trials", "3")
    trials = study["trials"]
    assert trials[0]["source"] == "default"
    # the model is asked from its first turn on, but spends no trial on ideas of its own
    assert trials[1]["mode"] in ("choice", "by position")
    assert (trials[1]["source"] == "creator") == (trials[1]["mode"] == "choice")
    assert trials[1]["usage"]["requests"] == 3  # the choice in two orders, and the insight
    assert "engine" in {t["source"] for t in trials}
    assert trials[0]["value"] > 0.9
    assert all(t["state"] == "complete" for t in trials)
    # nothing changed in the default, so that there is nothing to find words for
    assert trials[0]["analysis"]["said"] == trials[0]["usage"]["requests"] == 0
    assert trials[1]["analysis"]["said"] >= 1
    # on a busy machine a sentence may take longer than a training, and is not waited for again
    slow = "longer than a training" in trials[2]["analysis"]["note"]
    assert trials[2]["analysis"]["said"] >= 1 or slow
    assert all(t["rationale"] for t in trials[1:])
    prompts = Path("digits/.agenthpo/digits/llm.jsonl").read_text()
    assert "test_accuracy" not in prompts
    told = json.loads(prompts.splitlines()[-1])["messages"][1]["text"]
    for trial in trials[1:2]:
        # what the Executor wrote, where it passed, is in the later prompts; the rules' is not
        is_told = trial["analysis"]["insight"][:60] in told
        assert is_told == (trial["analysis"]["author"] != "rules")


def test_the_readmes_first_example_is_the_one_that_runs():
    readme = (EXAMPLES.parent / "README.md").read_text()
    for name in ("train.py", "task.yaml"):
        assert (EXAMPLES / "first" / name).read_text() in readme
    study = tuned("first", {"trials: 12": "trials: 2"}, "--model", "none")
    assert [t["state"] for t in study["trials"]] == ["complete"] * 2
    assert f"{study['trials'][0]['value']:.4f}" in readme  # the default's
