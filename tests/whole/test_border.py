"""What others wrote reaches a terminal, a prompt and a table as words: nothing of it moves,
colours, hides or crashes.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from agenthpo.experience.log import ExperienceLog
from agenthpo.records import Analysis, Outcome, Proposal
from agenthpo.session import begin
from agenthpo.taskfile.reading import load_task
from agenthpo.text.cleaning import clean, clean_line
from agenthpo.text.event_lines import TextLines
from agenthpo.text.printing import clean_console
from calling import agenthpo

EVIL = (
    "\x1b]52;c;ZXZpbA==\x07\x1b]0;owned\x07\x1b[2J\x9b31m\u202etxt\u2066\x00\x08[bold "
    "red]:smile: relu:100:50 [/val]"
)
TASK = """\
name: toy
objective: {metric: "loss[/val]", direction: minimize}
train: {command: "{python} train.py {x} {act}", metrics: {"loss[/val]": "loss {number}"}}
space:
  x: {type: float, low: 0, high: 1, default: 0.5, about: "[/bold] :100:"}
  act: {type: categorical, values: ["relu:100:50", "[red]tanh[/]"], default: "relu:100:50"}
budget: {trials: 3}
"""


def is_harmless(text):
    return not any(c in text for c in "\x1b\x9b\x07\x08\x00\u202e\u2066") and not any(
        0x80 <= ord(c) < 0xA0 for c in text
    )


@pytest.fixture
def study():
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text(
        f"import sys\nprint({EVIL!r}, file=sys.stderr)\nprint('loss', sys.argv[1])\n"
    )
    heard = []
    begin(load_task("task.yaml"), Path(".agenthpo/toy"), on_event=heard.append)
    with ExperienceLog.open(Path(".agenthpo/toy"), space=load_task("task.yaml").space) as log:
        proposal = Proposal(
            {"x": 0.25, "act": "relu:100:50"}, "creator", EVIL, EVIL, note=EVIL, model=EVIL
        )
        outcome = Outcome("failed", error=EVIL, log_tail=EVIL)
        log.finish(
            log.start(proposal),
            outcome,
            Analysis("crashed", (EVIL,), EVIL, EVIL, author=EVIL, note=EVIL),
        )
    return heard


@given(st.text())
def test_what_is_cleaned_is_harmless_and_stays_as_it_is(text):
    cleaned = clean(text)
    assert is_harmless(cleaned)
    assert clean(cleaned) == cleaned
    cleaned.encode()


@pytest.mark.parametrize("text", ["plain", "naïve café 日本語 😀", "a\tb\nc", "loss[/val] :100:"])
def test_what_a_person_can_read_stays(text):
    assert clean(text) == text


def test_escape_sequences_go_with_all_they_say():
    assert clean(EVIL) == "txt[bold red]:smile: relu:100:50 [/val]"
    assert clean("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\") == "click"
    assert clean("\ud83d\ude00 \ud800") == "😀 \ufffd"
    assert clean_line("a\r\nb\x1bc") == "a b"


def test_show_in_every_form_is_harmless_and_shows_what_was_written(study):
    for words in (
        ["show", "toy"],
        ["show", "toy", "3"],
        ["show", "toy", "--csv"],
        ["show", "toy", "--json"],
        ["show", "toy", "3", "--json"],
    ):
        done = agenthpo(*words, code=0)
        assert is_harmless(done.stdout + done.stderr), words
        assert "loss[/val]" in done.stdout or "--csv" in words or "--json" in words
    assert "relu:100:50" in agenthpo("show", "toy", code=0).stdout
    assert "relu:100:50" in agenthpo("best", "toy", code=0).stdout
    assert "[red]tanh[/]" in agenthpo("check", "task.yaml", code=0).stdout


def test_plain_lines_of_a_run_are_harmless(study, capsys):
    face = TextLines()
    for event in study:
        face(event)
    said = capsys.readouterr().out
    assert is_harmless(said)
    assert "loss[/val]" in said


def test_a_rich_console_takes_data_as_characters():
    import io

    out = io.StringIO()
    console = clean_console(file=out, width=100, force_terminal=False)
    console.print(EVIL)
    console.print(Text(EVIL))
    assert out.getvalue().count("[bold red]:smile: relu:100:50 [/val]") == 2
    assert is_harmless(out.getvalue())


def test_a_reader_that_ends_first_is_met_without_a_word(study):
    for words in (["show", "toy", "--json"], ["show", "toy"], ["schema"]):
        line = f"{sys.executable} -m agenthpo {' '.join(words)} | true"
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
        assert done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])
def test_a_terminal_that_closes_stops_cleanly_and_says_how_to_resume(number):
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text(
        "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)\n"
    )
    command = [sys.executable, "-m", "agenthpo", "run", ".", "--model", "none"]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        for _ in range(400):
            if Path("started").exists():
                break
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Interrupted. Resume with: agenthpo resume .agenthpo/toy" in said


def test_commands_to_paste_are_quoted():
    Path("my task's").mkdir()
    os.chdir("my task's")
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text("raise SystemExit(1)")
    done = agenthpo("run", "task.yaml", "--model", "none", "--trials", "1", code=3)
    os.chdir("..")
    assert "Study: .agenthpo/toy" in done.stdout or done.returncode == 3
    again = agenthpo("run", "my task's/task.yaml", "--model", "none", code=2)
    assert (
        """agenthpo resume "my task's/.agenthpo/toy\"""" in again.stderr
        or "agenthpo resume 'my task'" in again.stderr
    )
    assert json.dumps(again.stderr)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_nobody_else_may_read_what_a_study_keeps(study):
    folder = Path(".agenthpo/toy")
    assert folder.stat().st_mode & 0o077 == 0
    loose = [file for file in folder.rglob("*") if file.is_file() and file.stat().st_mode & 0o077]
    assert loose == []
