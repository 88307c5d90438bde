"""A journal that was damaged: told with line and byte, readable around it, never overwritten,
repaired into a copy.
"""

import json
import random
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from agenthpo.budget import Budget
from agenthpo.errors import StudyError
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.repair import repair
from agenthpo.session import begin, go_on
from agenthpo.studies import find_study
from agenthpo.taskfile.reading import load_task
from calling import agenthpo

TASK = """\
name: toy
objective: {metric: score, direction: minimize}
train: {function: "train:main"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
  n: {type: int, low: 1, high: 9, default: 3}
budget: {trials: 5}
"""
FOLDER = Path(".agenthpo/toy")
JOURNAL = FOLDER / "journal.log"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished study of five trials, to be copied."""
    import os

    folder, before = tmp_path_factory.mktemp("whole"), Path.cwd()
    os.chdir(folder)
    try:
        Path("task.yaml").write_text(TASK)
        Path("train.py").write_text("def main(params):\n    return params['x']\n")
        begin(load_task("task.yaml"), FOLDER)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(autouse=True)
def _copied(whole):
    shutil.copytree(whole, ".", dirs_exist_ok=True)


def read():
    with ExperienceLog.open(FOLDER, space=None, read_only=True) as log:
        return log.trials(), log.damage, log.direction, log.meta


def damage(at, value):
    data = bytearray(JOURNAL.read_bytes())
    data[at] = value
    JOURNAL.write_bytes(data)


@pytest.mark.parametrize("part", range(4))
def test_a_changed_byte_is_told_and_loses_nothing_in_silence(part):
    rng, data = random.Random(part), JOURNAL.read_bytes()
    trials, _, direction, meta = read()
    for _ in range(100):
        at, value = rng.randrange(len(data)), rng.randrange(256)
        if data[at] == value:
            continue
        JOURNAL.write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
        found, said, now, then = read()
        assert (now, replace(then, trials=0)) == (direction, replace(meta, trials=0))
        differ = [t.number for t, was in zip(found, trials, strict=False) if t != was]
        assert all(found[n].outcome is None or not found[n].proposal.params for n in differ), (
            f"another result at {at}: {value}"
        )
        assert [t.number for t in found] == list(range(len(found)))
        if said:
            line = data[:at].count(b"\n") + 1
            # a line end in place of a line's first byte leaves an empty line, and what is damaged
            # is the next one
            line += value == ord("\n") and data[:at][-1:] in (b"", b"\n")
            assert re.search(rf"journal.log is damaged in line {line}, byte \d+ \(", said)
        else:  # the last line's end alone was changed
            assert at == len(data) - 1
        before = JOURNAL.read_bytes()
        if said:
            for write in (lambda: go_on(FOLDER), lambda: begin(load_task("task.yaml"), FOLDER)):
                with pytest.raises(StudyError, match=r"is damaged|exists; resume it"):
                    write()
            assert JOURNAL.read_bytes() == before


def test_what_is_repaired_is_a_copy_that_can_be_gone_on_with():
    data = JOURNAL.read_bytes()
    lines = data.splitlines(keepends=True)
    third = next(i for i, line in enumerate(lines) if b'"number":2' in line)
    told = next(
        i for i, line in enumerate(lines) if b'"op_code":6,' in line and b'"trial_id":3' in line
    )
    outcome = next(
        i for i, line in enumerate(lines) if b'{"outcome":' in line and b'"trial_id":3' in line
    )
    for i in (third, told, outcome):
        lines[i] = lines[i][:40] + b"\x00" + lines[i][41:]
    JOURNAL.write_bytes(b"".join(lines))
    trials = read()[0]
    assert [bool(t.proposal.params) for t in trials] == [True, True, False, True, True]
    assert trials[2].outcome.error == f"its line {third + 1} of the journal is damaged"
    repaired = repair(FOLDER)
    assert JOURNAL.read_bytes() == b"".join(lines)
    assert (repaired.folder.name, repaired.lost, repaired.unfinished) == (
        "toy-repaired-1",
        (2,),
        (3,),
    )
    assert len(repaired.damages) == 3
    Path("train.py").write_text("def main(params):\n    return params['x']\n")
    stopped = go_on(repaired.folder, limits=Budget(6))
    assert [t.value for t in stopped.trials][:2] == [t.value for t in trials[:2]]
    assert [t.number for t in stopped.trials] == list(range(6))
    assert repair(repaired.folder).folder is None
    assert repair(FOLDER).folder.name == "toy-repaired-2"


def test_lines_whose_break_was_lost_are_both_whole():
    data, trials = JOURNAL.read_bytes(), read()[0]
    for at in [i for i, byte in enumerate(data) if byte == 10][:-1]:
        JOURNAL.write_bytes(data[:at] + b"~" + data[at + 1 :])
        found, said, _, _ = read()
        assert found == trials
        assert said


def test_a_line_end_in_the_middle_of_a_line_makes_no_trial_of_it():
    data, trials = JOURNAL.read_bytes(), read()[0]
    lines = data.splitlines(keepends=True)
    for place, line in enumerate(lines):
        begins = sum(map(len, lines[:place]))
        # most of all the lines that begin a trial
        for at in range(begins + 1, begins + len(line) - 1, 4 if b'"op_code":4' in line else 53):
            JOURNAL.write_bytes(data[:at] + b"\n" + data[at + 1 :])
            found, said, _, _ = read()
            assert said
            assert [t.number for t in found] == [t.number for t in trials], at
            differ = [t for t, was in zip(found, trials, strict=True) if t != was]
            assert len(differ) <= 1, (at, differ)
            assert all(t.outcome is None or not t.proposal.params for t in differ), (at, differ)


@pytest.mark.parametrize(
    "left",
    [
        b"\x00" * 5000 + b"\n",
        b"[1]\n" * 10,
        b'{"op_code": 99}\n',
        b'{"op_code": 4, "study_id": 0}\n',
    ],
)
def test_a_journal_of_which_nothing_is_whole_is_a_sentence_and_kept(left):
    JOURNAL.write_bytes(left)
    for use in (
        read,
        lambda: go_on(FOLDER),
        lambda: begin(load_task("task.yaml"), FOLDER),
        lambda: repair(FOLDER),
    ):
        with pytest.raises(StudyError, match="is damaged in line 1"):
            use()
    assert JOURNAL.read_bytes() == left


def test_a_journal_without_checksums_is_read_and_its_damage_no_traceback():
    data = re.sub(rb',"crc":"[0-9a-f]{8}"', b"", JOURNAL.read_bytes())
    JOURNAL.write_bytes(data)
    assert read()[1] == ""
    rng = random.Random(1)
    for _ in range(300):
        at = rng.randrange(len(data))
        JOURNAL.write_bytes(data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :])
        try:
            read()
        except StudyError:
            continue


def test_reading_writes_nothing():
    JOURNAL.write_bytes(JOURNAL.read_bytes() + b'{"torn')
    for file in FOLDER.glob("*.lock"):
        file.unlink()
    before = {file: file.stat().st_mtime_ns for file in FOLDER.rglob("*")}, JOURNAL.read_bytes()
    read()
    assert (
        {file: file.stat().st_mtime_ns for file in FOLDER.rglob("*")},
        JOURNAL.read_bytes(),
    ) == before


def test_a_study_of_another_program_in_its_place_is_kept():
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    shutil.rmtree(FOLDER)
    FOLDER.mkdir()
    storage = JournalStorage(JournalFileBackend(str(JOURNAL)))
    study = optuna.create_study(storage=storage, study_name="theirs")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    before = JOURNAL.read_bytes()
    with pytest.raises(StudyError, match="holds a study of another program"):
        begin(load_task("task.yaml"), FOLDER)
    assert JOURNAL.read_bytes() == before


def test_a_damaged_study_beside_does_not_stop_another():
    JOURNAL.write_bytes(b"\x00\n")
    begin(load_task("task.yaml").with_budget(Budget(trials=1)), Path(".agenthpo/other"))
    assert find_study("other").name == "other"
    with pytest.raises(StudyError, match="there is no study 'third'; there are other, toy"):
        find_study("third")


def test_the_command_warns_and_repairs():
    damage(JOURNAL.read_bytes().index(b'"number":2'), 7)
    shown = agenthpo("show", "toy", code=0)
    assert "is damaged in line" in shown.stderr
    assert "5 of 5 trials" in shown.stdout
    repaired = agenthpo("repair", "toy", code=0).stdout
    assert "Lost: trial 2\n" in repaired
    assert "The repaired copy is" in repaired
    assert agenthpo("show", "toy-repaired-1", code=0).stderr == ""
    assert "there is nothing to repair" in agenthpo("repair", "toy-repaired-1", code=0).stdout


@pytest.mark.parametrize("left", ['{"op_code":6,"wor', "x" * 200_000, '{"op_code":3}'])
def test_what_a_killed_driver_left_is_cut_before_another_one_writes(whole, left):
    space = load_task("task.yaml").space
    with ExperienceLog.open(FOLDER, space=space, shared=True) as ours:
        # while ours is at work, another one dies in the middle of a write
        with JOURNAL.open("a") as journal:
            journal.write(left)
        with ours.deciding():
            ours.keep_meta(replace(ours.meta, name="after it"))
        with ExperienceLog.open(FOLDER, space=space, shared=True) as third:
            assert third.meta.name == "after it" and not third.damage
            assert len(third.trials()) == len(ours.trials()) == 5
    lines = JOURNAL.read_text().splitlines()
    assert left not in lines and all("crc" in json.loads(line) for line in lines)
    assert read()[1] == ""
