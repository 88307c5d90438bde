"""A study that came from elsewhere is data: nothing that it names is run, imported, asked or
overwritten without the user's word.
"""

import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agenthpo.budget import Budget
from agenthpo.errors import AgentHPOError, StudyError
from agenthpo.experience.log import ExperienceLog
from agenthpo.llm.recorded import Recorded
from agenthpo.llm.replay import ReplayLLM
from agenthpo.session import begin, go_on
from agenthpo.taskfile.reading import load_task
from agenthpo.text.install_hints import install_words
from calling import agenthpo
from studies import shown

TASK = """\
name: toy
objective: {metric: score, direction: maximize}
train: {command: "{python} train.py {x}", metrics: {score: "score {number}"}}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
budget: {trials: 2}
"""
FOLDER = Path(".agenthpo/toy")


@pytest.fixture
def foreign(monkeypatch, tmp_path):
    """A study of somebody else: made with another seal."""
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text(
        "import sys\nopen('ran', 'a').write('x')\nprint('score', sys.argv[1])\n"
    )
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    begin(load_task("task.yaml"), FOLDER)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "mine"))
    Path("ran").unlink()


def change_meta(**changes):
    with ExperienceLog.open(FOLDER, space=load_task("task.yaml").space) as log:
        log.keep_meta(replace(log.meta, **changes))


def test_its_command_is_named_and_run_only_where_it_is_trusted(foreign):
    done = agenthpo("resume", "toy", "--trials", "3", code=2)
    assert "was not made here, and runs the command" in done.stderr
    assert str(Path("task.yaml").resolve()) in done.stderr
    assert "say --trust if you mean it" in done.stderr
    assert not Path("ran").exists()
    with pytest.raises(StudyError, match="was not made here"):
        go_on(FOLDER, limits=Budget(3))
    agenthpo("resume", "toy", "--trials", "3", "--trust", code=0)
    assert Path("ran").read_text() == "x"


class Typed(io.StringIO):
    """A person at a terminal who types this."""

    def isatty(self):
        return True


@pytest.mark.parametrize(("answer", "code"), [("n\n", 2), ("", 2), ("y\n", 0)])
def test_a_person_is_asked_and_a_no_is_a_sentence(foreign, answer, code, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Typed(answer))
    done = agenthpo("resume", "toy", "--trials", "3", code=code)
    assert "was not made here, and runs the command" in done.stdout
    assert ("say --trust if you mean it" in done.stderr) is (code == 2)
    assert Path("ran").exists() is (code == 0)


def test_its_proposer_and_its_server_are_named_and_left_alone(foreign):
    Path("evil.py").write_text("open('imported', 'w').close()\nclass Sampler: pass\n")
    change_meta(proposer="evil:Sampler", base_url="http://me:hunter2@evil.example/v1", model="toy")
    sys.path.insert(0, os.getcwd())
    try:
        said = agenthpo("resume", "toy", "--trials", "3", code=2).stderr
    finally:
        sys.path.remove(os.getcwd())
    assert "imports the proposer 'evil:Sampler'" in said
    assert "sends prompts to http://me@evil.example/v1" in said
    assert "hunter2" not in said
    assert not Path("imported").exists()


def test_it_is_shown_and_ones_own_goes_on_unasked(foreign, monkeypatch, tmp_path):
    assert len(shown()) == 2
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    agenthpo("resume", "toy", "--trials", "3", code=0)


def test_to_show_a_study_makes_no_database_and_no_table(foreign, tmp_path):
    victim = tmp_path / "victim.db"
    for url in (f"sqlite:///{victim}", f"sqlite:///{tmp_path}/no/such/folder/x.db"):
        (FOLDER / "storage.json").write_text(json.dumps({"url": url, "study": "toy"}))
        agenthpo("show", "toy", code=2)
    assert not victim.exists()
    victim.write_bytes(b"")
    (FOLDER / "storage.json").write_text(json.dumps({"url": f"sqlite:///{victim}", "study": "toy"}))
    agenthpo("show", "toy", code=2)
    assert victim.read_bytes() == b""


@pytest.mark.parametrize("name", ["driver.lock", "journal.log.lock", "llm.jsonl", "storage.json"])
def test_links_in_its_folder_are_not_followed(foreign, name):
    Path("victim").write_text("untouched")
    (FOLDER / name).unlink(missing_ok=True)
    (FOLDER / name).symlink_to(Path("victim").resolve())
    try:
        go_on(FOLDER, limits=Budget(3), trusted=True)
    except AgentHPOError as problem:
        assert "\n" not in str(problem)
    assert Path("victim").read_text() == "untouched"


GOOD = {
    "form": "x",
    "seed": 1,
    "messages": [],
    "model": "m",
    "allowance": 1,
    "holds_to_grammar": True,
    "reply": "r",
    "data": 1,
    "repairs": [],
}
GOOD["usage"] = {
    "requests": 1,
    "input_tokens": 1,
    "output_tokens": 1,
    "seconds": 0.1,
    "cost_usd": None,
}


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "[" * 100_000,
        "{}",
        "[1]",
        json.dumps({**GOOD, "usage": {"a": 1}}),
        json.dumps({**GOOD, "usage": None}),
        json.dumps({**GOOD, "messages": 3}),
        json.dumps({**GOOD, "model": 3}),
        json.dumps({**GOOD, "repairs": None}),
        json.dumps({k: v for k, v in GOOD.items() if k != "reply"}),
    ],
)
def test_a_hostile_record_of_exchanges_is_a_sentence(entry):
    Path("llm.jsonl").write_text(entry + "\n")
    with pytest.raises(AgentHPOError, match=r"there is no exchange with a model in llm\.jsonl"):
        ReplayLLM(Path("llm.jsonl"))
    Path("llm.jsonl").write_text(entry + "\n" + json.dumps(GOOD) + "\n")
    assert ReplayLLM(Path("llm.jsonl")).name == "m"


def test_a_record_that_is_a_link_is_not_appended_to():
    class Silent:
        name, allowance, holds_to_grammar = "silent", 700, True

        def ask(self, messages, form, *, seed=0):
            from agenthpo.errors import LLMFailure

            raise LLMFailure("no")

    from agenthpo.llm.client import Form

    Path("victim").write_text("untouched")
    Path("llm.jsonl").symlink_to("victim")
    with pytest.raises(OSError, match=r"symbolic|ELOOP|loop"):
        Recorded(Silent(), Path("llm.jsonl")).ask([], Form("x", {}, ""))
    assert Path("victim").read_text() == "untouched"


class Installed:
    def __init__(self, origin):
        self.origin = origin

    def read_text(self, name):
        return self.origin


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (
            {"url": "file:///home/me/agent%20hpo", "dir_info": {"editable": True}},
            "pip install -e '/home/me/agent hpo[remote]'",
        ),
        (
            {"url": "file:///home/me/agenthpo", "dir_info": {}},
            "pip install '/home/me/agenthpo[remote]'",
        ),
        (
            {"url": "file:///tmp/agenthpo-1-py3-none-any.whl", "archive_info": {}},
            "pip install '/tmp/agenthpo-1-py3-none-any.whl[remote]'",
        ),
        (
            {"url": "https://h/a.git", "vcs_info": {"vcs": "git"}},
            "pip install 'agenthpo[remote] @ git+https://h/a.git'",
        ),
        (None, "pip install 'agenthpo[remote]'"),
    ],
)
def test_a_hint_names_this_copy_and_no_package_of_a_stranger(origin, words, monkeypatch):
    monkeypatch.setattr(
        "agenthpo.text.install_hints.distribution",
        lambda name: Installed(origin and json.dumps(origin)),
    )
    assert install_words("remote", "x") == words
