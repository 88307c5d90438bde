"""What a study survives: kills, torn files, full disks, folders that cannot be written, a changed
task.
"""

import errno
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

import agenthpo
from agenthpo.budget import Budget
from agenthpo.errors import StudyError
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.storage import noted_place
from agenthpo.session import begin, go_on
from agenthpo.taskfile.reading import load_task
from agenthpo.training.runner import run as train

TASK = """\
name: toy
objective: {metric: score, direction: maximize}
train: {command: "sh train.sh {x} {n}", metrics: {score: "score {number}"}}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
  n: {type: int, low: 1, high: 9, default: 3}
budget: {trials: 250}
"""
SCRIPT = """\
echo score $1
basename $AGENTHPO_TRIAL_DIR >> completed
"""
FOLDER = Path(".agenthpo/toy")


@pytest.fixture(autouse=True)
def _task():
    Path("task.yaml").write_text(TASK)
    Path("train.sh").write_text(SCRIPT)


def trials(folder=FOLDER):
    with ExperienceLog.open(folder, space=None, read_only=True) as log:
        return log.trials()


@pytest.mark.parametrize(("kills", "storage"), [("50", []), ("5", ["sqlite:///studies.db"])])
def test_fifty_kills_lose_no_finished_trial(kills, storage):
    killing = Path(__file__).parent.parent / "killing.py"
    done = subprocess.run(
        [sys.executable, str(killing), kills, "7", *storage],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["killed"] == int(kills)
    assert [t.number for t in trials()] == list(range(said["finished"]))
    here = str(Path.cwd())
    left = [
        p.pid
        for p in psutil.process_iter(["cmdline"])
        if "train.sh" in (p.info["cmdline"] or []) and _cwd(p) == here
    ]
    assert left == []


def _cwd(process):
    try:
        return process.cwd()
    except psutil.Error:
        return None


def run(trials=3, folder=FOLDER, **options):
    task = load_task("task.yaml").with_budget(Budget(trials=trials))
    return begin(task, folder, **options)


@pytest.mark.parametrize("storage", [None, "sqlite:///studies.db"])
def test_a_study_is_the_same_in_a_journal_and_in_a_database(storage, monkeypatch):
    first = run(3, storage=storage)
    monkeypatch.chdir(FOLDER)
    stopped = go_on(Path("."), limits=Budget(5))
    assert stopped.trials[:3] == first.trials
    assert [t.number for t in stopped.trials] == list(range(5))
    os.chdir("../..")
    with pytest.raises(StudyError, match=r"the study .agenthpo/toy exists; resume it"):
        run(3)


def test_a_database_that_cannot_be_opened_or_has_the_name_is_a_sentence():
    with pytest.raises(
        StudyError, match=r"the storage nosql://me@host/x cannot be opened .*; fix --storage"
    ):
        run(storage="nosql://me:secret@host/x")
    run(1, storage="sqlite:///a.db")
    with pytest.raises(StudyError, match=r"has a study 'toy' already; name another one by --study"):
        run(1, folder=Path("other/toy"), storage="sqlite:///a.db")


@pytest.mark.parametrize("storage", [None, "sqlite:///studies.db"])
def test_optuna_dashboard_opens_both(storage):
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna_dashboard import wsgi

    run(2, storage=storage)
    opened = (
        RDBStorage(storage)
        if storage
        else JournalStorage(JournalFileBackend(str(FOLDER / "journal.log")))
    )
    app, status = wsgi(opened), []
    environment = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/api/studies",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    body = b"".join(
        app({**environment, "wsgi.errors": sys.stderr}, lambda s, headers, *_: status.append(s))
    )
    assert status == ["200 OK"]
    assert "toy" in str(json.loads(body))


def test_a_torn_last_line_of_the_journal_is_cut():
    run(2)
    whole = (FOLDER / "journal.log").read_bytes()
    for cut in (b'{"op_code": 5, "wor', b"\xff\xfe", b"{" * 100):
        (FOLDER / "journal.log").write_bytes(whole + cut)
        assert len(trials()) == 2
    assert len(go_on(FOLDER, limits=Budget(3)).trials) == 3


@pytest.mark.parametrize("left", [b"", b"{", None])
def test_what_was_killed_before_it_had_begun_is_no_study(left):
    FOLDER.mkdir(parents=True)
    if left is None:  # an Optuna study without our words
        run(1)
        lines = (FOLDER / "journal.log").read_bytes().splitlines(keepends=True)
        left = lines[0]
    (FOLDER / "journal.log").write_bytes(left)
    with pytest.raises(StudyError, match="there is no study in"):
        trials()
    assert len(run(2).trials) == 2


LAUNCHER = """\
import subprocess, sys
subprocess.run([sys.executable, "inner.py", sys.argv[1]], start_new_session=True)
"""
INNER = """\
import os, pathlib, sys, time
import agenthpo
first = not pathlib.Path("again").exists()
for step in range(1000 if first else 3):
    agenthpo.report(step=step, score=9.0 if first else float(sys.argv[1]))
    time.sleep(0.02)
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's death"
)
def test_what_outlived_its_driver_adds_nothing():
    Path("task.yaml").write_text(
        TASK.replace("sh train.sh {x} {n}", f"{sys.executable} launch.py {{x}} {{n}}")
    )
    Path("launch.py").write_text(LAUNCHER)
    Path("inner.py").write_text(INNER)
    command = [sys.executable, "-m", "agenthpo", "run", ".", "--model", "none"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        reports = FOLDER / "trials/0000/metrics.jsonl"
        _wait_for(lambda: reports.exists() and reports.read_text().count("\n") > 2)
        supervisor = next(
            p
            for p in psutil.Process(process.pid).children()
            if any("supervisor" in word for word in p.cmdline())
        )
        supervisor.suspend()  # else it may end what it started before it is killed itself
        process.kill()
        supervisor.kill()
    assert len(_inner()) == 1, "the launcher ends, what it started goes on"
    Path("again").touch()
    stopped = go_on(FOLDER, limits=Budget(2))
    assert _inner() == []
    assert stopped.trials[0].outcome.curves == {"score": ((0.0, 0.5), (1.0, 0.5), (2.0, 0.5))}


def _inner():
    here = str(Path.cwd())
    return [
        p
        for p in psutil.process_iter(["cmdline"])
        if "inner.py" in (p.info["cmdline"] or []) and _cwd(p) == here
    ]


def _wait_for(claim):
    for _ in range(400):
        if claim():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


@pytest.mark.parametrize("storage", [None, "sqlite:///studies.db"])
def test_trials_of_a_study_that_is_gone_are_put_aside_and_never_counted(storage):
    run(3, storage=storage)
    for file in (FOLDER / "journal.log", Path("studies.db"), FOLDER / "storage.json"):
        file.unlink(missing_ok=True)
    for saved in FOLDER.glob("trials/*/outcome.json"):
        saved.write_text(saved.read_text().replace('"value": 0', '"value": 7'))
    heard = []
    assert all(t.value < 1 for t in run(3, on_event=heard.append).trials)
    assert (
        "held trials of an earlier study; they were moved to .agenthpo/toy/earlier-1"
        in heard[0].hint
    )
    assert len(list(FOLDER.glob("earlier-1/trials/*/outcome.json"))) == 3
    assert len(Path("completed").read_text().split()) == 6


def test_an_edited_script_is_another_training():
    run(1)
    with ExperienceLog.open(FOLDER, space=load_task("task.yaml").space) as log:
        left = log.start(agenthpo_proposal({"x": 0.25, "n": 9}))
        task, identity = load_task("task.yaml"), log.identity
    spec = task.spec(
        1, left.proposal.params, seed=0, workdir=(FOLDER / "trials/0001").resolve(), study=identity
    )
    assert train(spec).value == 0.25
    Path("train.sh").write_text("echo score 0.75\n")
    assert [t.value for t in go_on(FOLDER, limits=Budget(2)).trials][1] == 0.75


def moved_task(folder):
    os.chdir(folder)
    return load_task("task.yaml")


def test_a_project_with_its_database_may_be_moved_and_copied(tmp_path):
    Path("a").mkdir()
    for name in ("task.yaml", "train.sh"):
        Path(name).rename(Path("a", name))
    moved_task("a")
    run(2, storage="sqlite:///studies.db")
    os.chdir("..")
    shutil.copytree("a", "copy")
    Path("a").rename("moved")
    for folder in ("moved", "copy"):
        os.chdir(tmp_path / folder)
        assert len(go_on(FOLDER, limits=Budget(4)).trials) == 4
    os.chdir(tmp_path / "copy")
    go_on(FOLDER, limits=Budget(6))
    assert (len(trials()), len(trials(tmp_path / "moved" / FOLDER))) == (6, 4)


def test_a_copy_that_shares_its_database_with_the_original_is_refused():
    run(2, storage=f"sqlite:///{Path('studies.db').absolute()}")
    shutil.copytree(FOLDER, "other/.agenthpo/toy")
    with pytest.raises(
        StudyError, match=r"is a copy of .*\.agenthpo/toy, and both have their trials in sqlite:"
    ):
        go_on(Path("other/.agenthpo/toy"), task=load_task("task.yaml"), limits=Budget(3))
    assert len(go_on(FOLDER, limits=Budget(3)).trials) == 3
    shutil.rmtree(FOLDER)
    assert (
        len(
            go_on(Path("other/.agenthpo/toy"), task=load_task("task.yaml"), limits=Budget(4)).trials
        )
        == 4
    )


def test_another_studys_database_is_refused(tmp_path):
    run(2, storage="sqlite:///studies.db")
    Path("other").mkdir()
    run(1, folder=Path("other/toy"), storage="sqlite:///other.db")
    shutil.copy("other.db", "studies.db")
    with pytest.raises(StudyError, match="holds another study 'toy'"):
        trials()


@pytest.mark.parametrize("what", ["gone", "empty", "text", "half"])
def test_a_changed_database_is_never_made_anew(what):
    run(2, storage="sqlite:///studies.db")
    data = Path("studies.db").read_bytes()
    Path("studies.db").unlink()
    if what != "gone":
        Path("studies.db").write_bytes(
            {"empty": b"", "text": b"no database\n" * 100, "half": data[: len(data) // 2]}[what]
        )
    before = Path("studies.db").read_bytes() if what != "gone" else None
    for use in (trials, lambda: go_on(FOLDER, limits=Budget(3)), lambda: run(3)):
        with pytest.raises(StudyError, match=r"studies.db|storage of the study"):
            use()
    assert (Path("studies.db").read_bytes() if Path("studies.db").exists() else None) == before


def test_a_damaged_database_is_read_or_a_sentence():
    run(3, storage="sqlite:///studies.db")
    data, rng = Path("studies.db").read_bytes(), random.Random(3)
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(20):
            damaged[rng.randrange(len(data))] = rng.randrange(256)
        Path("studies.db").write_bytes(damaged)
        try:
            trials()
        except StudyError as problem:
            assert "\n" not in str(problem)


@pytest.mark.parametrize(
    "noted",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"url": 1, "study": "toy"}',
        b'{"url": "nonsense", "study": "toy"}',
        b'{"study": "toy"}',
        b"[" * 100000,
        b'{"url": "sqlite:///no/such/folder.db", "study": "toy", "more": 1}',
        b'{"url": "nosql://x", "study": "toy"}',
        b"\xff",
    ],
)
def test_what_is_noted_of_a_database_may_be_anything(noted):
    run(1, storage="sqlite:///studies.db")
    (FOLDER / "storage.json").write_bytes(noted)
    with pytest.raises(StudyError, match=r"does not say where|cannot be opened|is not there"):
        trials()
    assert not Path("no").exists()


@contextmanager
def mounted(folder, *options):
    """A small file system of its own; it needs the right to mount one."""
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run(
            [mount, "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True
        ).returncode
        != 0
    ):
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_a_sentence():
    with mounted(Path("small"), "-o", "size=400k") as small:
        folder = small / "toy"
        fill = small / "fill"
        run(2, folder=folder)
        before = trials(folder)
        file = os.open(fill, os.O_CREAT | os.O_WRONLY)
        with pytest.raises(OSError, match="No space"):
            while True:
                os.write(file, b"x" * 4096)
        os.close(file)
        with pytest.raises(
            StudyError,
            match=r"cannot be written \(No space left on device\); free some space and resume "
            r"with: agenthpo resume",
        ):
            go_on(folder, limits=Budget(6), task=load_task("task.yaml"))
        fill.unlink()
        stopped = go_on(folder, limits=Budget(6), task=load_task("task.yaml"))
        assert stopped.trials[:2] == tuple(before)
        assert [t.number for t in stopped.trials] == list(range(6))


def test_a_full_or_locked_database_is_a_sentence_and_the_study_goes_on():
    with mounted(Path("small"), "-o", "size=400k") as small:
        run(2, storage="sqlite:///small/s.db?timeout=0.3")
        assert noted_place(FOLDER).url == f"sqlite:///{small.resolve()}/s.db?timeout=0.3"
        fill = os.open(small / "fill", os.O_CREAT | os.O_WRONLY)
        with pytest.raises(OSError, match="No space"):
            while True:
                os.write(fill, b"x" * 4096)
        os.close(fill)
        with pytest.raises(
            StudyError,
            match=r"the storage of .*toy failed \(.*(full|disk).*; free it, or give it room, "
            r"and resume with: agenthpo",
        ):
            go_on(FOLDER, limits=Budget(60))
        (small / "fill").unlink()
        before = len(trials())
        with closing(sqlite3.connect(small / "s.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StudyError, match="database is locked"):
                go_on(FOLDER, limits=Budget(before + 2))
            with pytest.raises(
                StudyError, match=r"database is locked\); wait for the program that has it"
            ):
                trials()
        assert len(go_on(FOLDER, limits=Budget(before + 2)).trials) == before + 2


@pytest.mark.parametrize("code", ["EIO", "ESTALE", "EFBIG", "ENOLCK", "ENOSYS"])
def test_whatever_the_system_refuses_is_a_sentence(code, monkeypatch):
    run(1)
    number = getattr(errno, code)

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr("fcntl.flock", refuse)
        with pytest.raises(
            StudyError,
            match=rf"cannot be written \({os.strerror(number)}\); .*resume with: agenthpo resume",
        ):
            go_on(FOLDER, limits=Budget(2))
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", refuse)
        with pytest.raises(StudyError, match=r"resume with: agenthpo resume"):
            go_on(FOLDER, limits=Budget(2))
    assert len(go_on(FOLDER, limits=Budget(2)).trials) == 2


def test_a_folder_that_cannot_be_written_is_a_sentence():
    with mounted(Path("small"), "-o", "size=400k") as small:
        run(1, folder=small / "toy")
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        assert len(trials(small / "toy")) == 1, "a study can still be shown"
        with pytest.raises(
            StudyError,
            match=r"cannot be written \(Read-only file system\); make its folder writable",
        ):
            go_on(small / "toy", limits=Budget(2), task=load_task("task.yaml"))
        with pytest.raises(
            StudyError,
            match=r"cannot be written \(Read-only file system\); make its folder writable",
        ):
            run(1, folder=small / "new")


@pytest.mark.parametrize("storage", [None, "sqlite:///studies.db"])
def test_a_changed_space_keeps_the_trials_that_fit_and_says_so(storage):
    run(4, storage=storage, seed=1)
    fit = sum(t.proposal.params["n"] == 3 for t in trials())
    assert fit < 4
    Path("task.yaml").write_text(
        TASK.replace("low: 1, high: 9, default: 3", "values: [3, 20, 21]").replace("{n}", "{n} {z}")
    )
    Path("task.yaml").write_text(
        Path("task.yaml")
        .read_text()
        .replace("  n:", "  z: {type: bool, default: false, when: {n: 20}}\n  n:")
    )
    heard = []
    stopped = go_on(FOLDER, limits=Budget(8), on_event=heard.append)
    assert (
        f"{fit} of 4 trials fit and are built upon; {4 - fit} lie outside, and are only shown."
        in heard[0].hint
    )
    assert [t.number for t in stopped.trials] == list(range(8))
    assert all(t.proposal.params["n"] in (3, 20, 21) for t in stopped.trials[4:])
    heard.clear()
    go_on(FOLDER, limits=Budget(9), on_event=heard.append)
    assert heard[0].hint == ""


def test_what_was_running_when_the_space_changed_is_given_up():
    run(1)
    with ExperienceLog.open(FOLDER, space=load_task("task.yaml").space) as log:
        log.start(agenthpo_proposal({"x": 0.25, "n": 9}))
    Path("task.yaml").write_text(TASK.replace("high: 9", "high: 5"))
    stopped = go_on(FOLDER, limits=Budget(3))
    assert stopped.trials[1].outcome.error == "the search space changed before it ended"
    assert [t.number for t in stopped.trials] == [0, 1, 2]


def agenthpo_proposal(params):
    from agenthpo.records import Proposal

    return Proposal(params, "engine")


def test_what_another_program_added_is_reported():
    import optuna

    run(1, storage="sqlite:///studies.db")
    study = optuna.load_study(study_name="toy", storage="sqlite:///studies.db")
    study.enqueue_trial({"x": 0.1, "n": 2})
    study.tell(
        study.ask(
            {
                "x": optuna.distributions.FloatDistribution(0.0, 1.0),
                "n": optuna.distributions.IntDistribution(1, 9),
            }
        ),
        0.75,
    )
    study.ask()
    stopped = go_on(FOLDER, limits=Budget(5))
    assert [t.number for t in stopped.trials] == list(range(5))
    assert (stopped.trials[1].value, stopped.trials[1].proposal.params) == (
        0.75,
        {"x": 0.1, "n": 2},
    )
    assert stopped.trials[2].outcome.error == "another program left it running"


def test_an_edited_budget_is_the_studys():
    run(2)
    Path("task.yaml").write_text(TASK.replace("trials: 250", "trials: 4, patience: 99"))
    assert len(go_on(FOLDER).trials) == 4
    assert len(go_on(FOLDER, limits=Budget(5)).trials) == 5
    assert len(go_on(FOLDER).trials) == 5, (
        "what the command line said stays until the file is edited again"
    )
    Path("task.yaml").write_text(TASK.replace("trials: 250", "trials: 6"))
    with ExperienceLog.open(FOLDER, space=None, read_only=True) as log:
        assert log.meta.budget.patience == 99
    assert len(go_on(FOLDER).trials) == 6


def test_a_changed_direction_is_refused():
    run(1)
    Path("task.yaml").write_text(TASK.replace("maximize", "minimize"))
    with pytest.raises(
        StudyError, match=r"objective.direction is minimize, but was maximize .* cannot be compared"
    ):
        go_on(FOLDER, limits=Budget(2))


def test_a_torn_line_of_the_exchanges_does_not_swallow_the_next():
    from agenthpo.llm.recorded import Recorded

    path = Path("llm.jsonl")
    path.write_text('{"whole": 1}\n{"torn": ')
    Recorded(_Silent(), path)
    assert path.read_text().endswith('{"torn": \n')


class _Silent:
    name, allowance, holds_to_grammar = "silent", 700, True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once_and_nothing_is_left(number):
    Path("train.sh").write_text(
        "trap '' TERM INT\necho started > started\nsleep 600 & wait\nsleep 600\n"
    )
    command = [sys.executable, "-m", "agenthpo", "run", ".", "--model", "none"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        for _ in range(400):
            if Path("started").exists():
                break
            time.sleep(0.05)
        process.send_signal(number)
        time.sleep(0.5)
        process.send_signal(number)
        _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "agenthpo resume .agenthpo/toy" in said
    here = str(Path.cwd())
    for _ in range(200):
        left = [
            p
            for p in psutil.process_iter(["cmdline"])
            if "600" in (p.info["cmdline"] or []) and _cwd(p) == here
        ]
        if not left:
            break
        time.sleep(0.05)
    assert left == []
    assert agenthpo.__version__
