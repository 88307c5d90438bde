"""The operations by the command line: each with JSON that fits its schema, mistakes as a
sentence.
"""

import json
import shutil
import time
from pathlib import Path

import jsonschema
import pytest

from agenthpo.operations.registry import OPERATIONS, schemas
from calling import agenthpo

GOOD = json.dumps({"x": 0.95, "y": 6, "z": "a", "w": 0.5})
EXPECTED = json.dumps({"value": 0.75, "low": 0.7, "high": 0.8})
WORDS = ("--rationale", "more x", "--hypothesis", "x helps", "--expected", EXPECTED)
CALLS = {
    "check_task": ("task.yaml", "--seconds", "5"),
    "open_study": ("task.yaml", "--trials", "9"),
    "briefing": ("toy",),
    "propose": ("toy", "--params", GOOD, *WORDS),
    "run": ("toy",),
    "wait": ("toy", "--seconds", "40"),
    "analyse": ("toy", "1"),
    "verdict": ("toy", "--final"),
}


@pytest.fixture
def study(played, tmp_path, monkeypatch):
    shutil.copytree(played, tmp_path / "study")
    monkeypatch.chdir(tmp_path / "study")


def test_every_operation_answers_in_json_that_fits_its_schema(study, monkeypatch):
    by_name = {schema["name"]: schema for schema in json.loads(agenthpo("agent", "schema").stdout)}
    assert list(by_name) == [operation.name for operation in OPERATIONS]
    called = {"draft_task"}

    def fits(name, *words, code=0):
        done = agenthpo("agent", name.replace("_", "-"), *words, "--json")
        if done.returncode == code == 0:
            jsonschema.validate(json.loads(done.stdout), by_name[name]["output"])
            assert done.stderr == "" or name == "wait"
            called.add(name)
        return done

    for name, words in CALLS.items():
        done = fits(name, *words)
        assert done.returncode == 0, done
    assert json.loads(done.stdout)["test"] == 0.1234567
    Path("new").mkdir()
    Path("new/train.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\n"
        "p.add_argument('--lr', type=float, default=0.1)\nloss = p.parse_args().lr\n"
        "print('val_loss:', loss)\n"
    )
    assert fits("draft_task", "new/train.py").returncode == 0
    # what trains, and what waits, in another study
    monkeypatch.setenv("PAUSE", "0.5")
    fits("open_study", "task.yaml", "--study", "second")
    waiting = json.loads(fits("propose", "second", "--params", GOOD, *WORDS).stdout)["id"]
    fits("run", "second", "--engine")
    deadline = time.monotonic() + 30
    while fits("stop", "second", "0", "--why", "slow", code=0).returncode:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert fits("veto", "second", waiting).returncode == 0
    assert called == set(by_name)
    monkeypatch.setenv("PAUSE", "0")
    while not json.loads(fits("wait", "second", "--seconds", "20").stdout)["done"]:
        pass


def test_every_schema_is_one_and_every_input_is_explained():
    for schema in schemas():
        jsonschema.Draft202012Validator.check_schema(schema["input"])
        jsonschema.Draft202012Validator.check_schema(schema["output"])
        assert 20 < len(schema["description"]) < 400, schema["name"]
        assert "`" not in schema["description"]
        for name, each in schema["input"]["properties"].items():
            assert each["description"], (schema["name"], name)


def test_without_json_the_answers_are_lines_for_people(study):
    assert agenthpo("agent", "briefing", "toy", code=0).stdout.startswith("# toy: maximize acc\n")
    said = agenthpo("agent", "propose", "toy", "--params", GOOD, *WORDS, "--by", "codex").stdout
    assert "id: r4\n" in said and "changed:\n    x 0.9 -> 0.95\n" in said
    said = agenthpo("agent", "verdict", "toy").stdout
    assert "  - source: agent claude\n" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("propose", "toy", "--params", "{x", *WORDS), "--params is no JSON"),
        (("propose", "toy", "--params", "[1]", *WORDS), "must be a JSON object"),
        (("propose", "toy", "--params", '{"x": 9}', *WORDS), "x must lie from 0 to 1, not 9"),
        (("briefing", "gone"), "there is no study"),
        (("briefing", "toy", "--by", "a\nb"), "is no name"),
        (("briefing",), "Missing argument 'STUDY'"),
        (("fly",), "No such command 'fly'"),
        (("check-task", "/etc/passwd"), "lies outside"),
    ],
)
def test_a_mistake_is_a_sentence_and_exit_code_2(study, words, said):
    done = agenthpo("agent", *words, code=2)
    assert said in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_people_enqueue_pin_note_and_veto_and_show_tells_it(study):
    queued = json.loads(agenthpo("enqueue", "toy", "y=8", "z=b", "--json", "--by", "ann").stdout)
    assert queued["id"] == "r4" and "z=b" in queued["says"]
    agenthpo("pin", "toy", "w=0.25", "--by", "ann", code=0)
    agenthpo("note", "toy", "trial 2 had a bad split", "--trial", "2", "--by", "ann", code=0)
    shown = agenthpo("show", "toy", code=0).stdout
    assert "Pinned: w=0.25" in shown and "r4 of ann waits" in shown
    assert "Note (ann): trial 2 had a bad split" in agenthpo("show", "toy", "2", code=0).stdout
    said = json.loads(agenthpo("show", "toy", "--json").stdout)["study"]
    assert said["pins"] == {"w": 0.25} and [r["kind"] for r in said["requests"]][-3:] == [
        "try",
        "pin",
        "note",
    ]
    agenthpo("veto", "toy", "r4", "--why", "no", code=0)
    agenthpo("pin", "toy", "--off", "w", code=0)
    assert "Pinned" not in agenthpo("show", "toy", code=0).stdout
    for words, wrong in ((("y",), "is not NAME=VALUE"), (("q=1",), "q is not a parameter")):
        assert wrong in agenthpo("enqueue", "toy", *words, code=2).stderr


def test_a_run_heeds_what_a_person_enqueued_before_it(study):
    agenthpo("enqueue", "toy", "y=9", "--by", "ann", code=0)
    agenthpo("pin", "toy", "z=b", "--by", "ann", code=0)
    agenthpo("resume", "toy", "--trials", "6", code=0)
    trials = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]
    assert [t["source"] for t in trials[4:]] == ["engine", "engine"]  # the pin holds it back
    assert all(t["params"]["z"] == "b" for t in trials[4:])
    agenthpo("pin", "toy", "--off", "z", code=0)
    agenthpo("resume", "toy", "--trials", "7", code=0)
    last = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"][-1]
    assert (last["source"], last["by"], last["params"]["y"]) == ("human", "ann", 9)


def test_help_of_the_whole_command_imports_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys; sys.argv = ['agenthpo', '--help']\n"
        "from agenthpo.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print('optuna' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.rstrip().endswith("False")


def test_a_study_from_python_has_the_same_operations(tmp_path, played):
    import agenthpo as package

    shutil.copytree(played, tmp_path / "copy")
    study = package.Study(tmp_path / "copy", by="ann", trials=8)
    assert Path(study.name).name == "toy"
    offered = {operation.name for operation in OPERATIONS}
    assert offered - {"draft_task", "check_task", "open_study"} <= set(dir(study))
    study.pin({"z": "b"})
    assert "pinned by a person: z=b" in study.briefing().text
    study.unpin("z")
    study.veto(study.enqueue({"y": 1}).id)
    with pytest.raises(package.AgentHPOError, match="no configuration waits"):
        study.run()
    assert study.analyse(1).state == "complete" and study.verdict(final=True).test == 0.1234567
