import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from agenthpo.records import RunSpec
from agenthpo.training.outcome import load_outcome
from agenthpo.training.runner import run


def script(code, **fields):
    Path("train.py").write_text(textwrap.dedent(code))
    spec = {
        "trial": 0,
        "params": {"lr": 0.1},
        "workdir": str(Path("trial").resolve()),
        "metric": "acc",
        "cwd": str(Path.cwd()),
    }
    return RunSpec(**{**spec, "command": (sys.executable, "train.py"), **fields})


def wait_for(claim, seconds=20):
    for _ in range(int(seconds / 0.05)):
        if claim():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def running(word):
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if (
            word in (process.info["cmdline"] or [])
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ):
            found.append(process.pid)
    return found


def test_a_run_reads_its_config_and_reports():
    points = []
    spec = script(
        """
        import agenthpo
        lr = agenthpo.config()["lr"]
        for epoch in range(3):
            agenthpo.report(step=epoch, acc=lr * epoch, test_acc=lr + epoch)
        print("done")
        """,
        test_metric="test_acc",
    )
    outcome = run(spec, points.append)
    assert (outcome.status, outcome.value, outcome.step, outcome.test_value) == (
        "complete",
        0.2,
        2.0,
        2.1,
    )
    assert outcome.curves == {"acc": ((0.0, 0.0), (1.0, 0.1), (2.0, 0.2))}
    assert [p.step for p in points] == [0, 1, 2]
    assert outcome.log_tail == "done"
    assert load_outcome(Path("trial"), spec.owner) == outcome


def test_a_run_with_an_outcome_is_not_run_again():
    spec = script("open('ran', 'a').write('x'); print('{\"acc\": 1}')")
    assert run(spec) == run(spec)
    assert Path("ran").read_text() == "x"


@pytest.mark.parametrize(
    "other",
    [
        {"study": "b"},
        {"trial": 1},
        {"params": {"lr": 0.2}},
        {"params": {"lr": 0.1, "x": None}},
        {"seed": 1},
        {"script": "c"},
    ],
)
def test_an_outcome_answers_for_nothing_but_what_it_is_of(other):
    spec = script("open('ran', 'a').write('x'); print('{\"acc\": 1}')", study="a", script="d")
    run(spec)
    run(replace(spec, **other))
    assert Path("ran").read_text() == "xx"


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b'{"status": "comp',
        b"[1]",
        b'{"status": "complete", "value": 0.9, "curves": {}}',
        b"\xff",
    ],
)
def test_what_is_no_outcome_of_ours_answers_for_nothing(left):
    Path("trial").mkdir()
    Path("trial/outcome.json").write_bytes(left)
    assert run(script("print('{\"acc\": 1}')")).value == 1


def test_best_counts_and_brings_the_test_value_of_the_same_step():
    code = """
        for e, (a, t) in enumerate([(.1, 5), (.9, 6), (.3, 7)]):
            print(f"epoch {e}: val acc {a} test acc {t}")
        """
    outcome = run(
        script(
            code,
            at="best",
            test_metric="test",
            patterns={"acc": "val acc {number}", "test": "test acc {number}"},
        )
    )
    assert (outcome.value, outcome.step, outcome.test_value) == (0.9, 1.0, 6.0)


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("raise ValueError('bad batch size')", "failed", "exit code 1: ValueError: bad batch size"),
        (
            "print('{\"acc\": 1}'); print('lost the GPU'); raise SystemExit(3)",
            "failed",
            "exit code 3 after reporting acc 1: lost the GPU",
        ),
        ("print('hello')", "failed", "without reporting acc; call agenthpo.report()"),
        (
            "import agenthpo; agenthpo.report(val_acc=1)",
            "failed",
            "without reporting acc; it reported val_acc",
        ),
        ("print('{\"acc\": NaN}')", "diverged", "acc ended as nan"),
        ("import os; os.kill(os.getpid(), 11)", "failed", "killed by signal 11 (SIGSEGV)"),
        (
            "import os, signal; os.system('exit 0'); raise SystemExit(128 + 9)",
            "failed",
            "killed by signal 9 (SIGKILL), which is often",
        ),
        ("raise MemoryError('no 8 GB')", "oom", "out of memory: MemoryError: no 8 GB"),
        ("print(input())", "failed", "EOFError"),
    ],
)
def test_a_script_that_misbehaves_is_an_outcome_with_its_cause(code, status, words):
    outcome = run(script(code))
    assert outcome.status == status
    assert words in outcome.error
    assert outcome.value is None


OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ([OOM], "oom"),
        (
            [
                "RuntimeError: CUDA error: out of memory",
                "CUDA kernel errors might be asynchronously reported.",
                "For debugging pass X=1",
            ],
            "oom",
        ),
        (
            [
                "terminate called after throwing an instance of 'std::bad_alloc'",
                "  what():  std::bad_alloc",
                "Aborted",
            ],
            "oom",
        ),
        (
            [
                OOM,
                "",
                "The above exception was the direct cause of the following exception:",
                "",
                "RuntimeError: step failed",
            ],
            "oom",
        ),
        ([OOM, "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:"], "oom"),
        (
            [
                f"{OOM}; trying half the batch",
                "epoch 1",
                "Traceback (most recent call last):",
                "  File x",
                "KeyError: 'weights'",
            ],
            "failed",
        ),
        ([f"warning: {OOM}", "ValueError: bad learning rate"], "failed"),
        (
            ["cache: out of memory, going without", *(f"epoch {i}" for i in range(8)), "done"],
            "failed",
        ),
        (["error: out of memory for the cache", "error: no such file"], "failed"),
    ],
)
def test_only_the_last_error_makes_it_out_of_memory(said, status):
    outcome = run(script(f"import sys; print({chr(10).join(said)!r}); sys.exit(1)"))
    assert outcome.status == status
    assert outcome.error.startswith("out of memory: " if status == "oom" else "exit code 1: ")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("sys.exit(1)", "complete"),
        ("os.kill(os.getpid(), 9)", "failed"),
        ("os._exit(137)", "failed"),
    ],
)
def test_an_exit_code_after_the_metric_is_ignored_where_the_task_says_so(code, status):
    text = f"import os, sys; print('{{\"acc\": 0.9}}', flush=True); {code}"
    assert run(script(text)).status == "failed"
    ignoring = script(text, ignores_exit_code=True, workdir=str(Path("other").resolve()))
    assert run(ignoring).status == status
    assert (
        run(
            script(
                "raise SystemExit(1)", ignores_exit_code=True, workdir=str(Path("third").resolve())
            )
        ).error
        == "exit code 1"
    )


def test_a_program_that_cannot_be_started_is_an_outcome():
    assert "cannot be started: No such file" in run(script("", command=("./no-such-thing",))).error


@pytest.mark.parametrize("lines", [1, 20, 25, 41, 5000])
def test_the_first_lines_of_a_log_are_kept_apart_from_the_last(lines):
    outcome = run(
        script(
            f"""
            import agenthpo
            for i in range({lines}):
                print("line", i, "token=hunter2hunter2" if i == 3 else "")
            agenthpo.report(acc=1)
            """
        )
    )
    head, tail = outcome.log_head.splitlines(), outcome.log_tail.splitlines()
    numbers = [int(line.split()[1]) for line in head + tail]
    first = max(0, lines - 20)
    assert numbers == [*range(min(20, first)), *range(first, lines)]
    assert "hunter2" not in outcome.log_head + outcome.log_tail
    assert load_outcome(Path("trial"), script("").owner) == outcome


def test_a_metric_that_never_comes_is_told_with_the_lines_most_like_it():
    outcome = run(
        script("print('epoch 1'); print('Val Accuracy: 0.9'); print('lr 0.1')", metric="val_acc")
    )
    assert (
        "the lines most like it are 'Val Accuracy: 0.9'; put a pattern with {number} "
        "into train.metrics" in outcome.error
    )


def test_what_a_run_was_is_told_in_full():
    failed = run(script("import agenthpo; agenthpo.report(b=1, a=2); raise SystemExit(3)"))
    assert (failed.exit_code, failed.status) == (3, "failed")
    assert failed.duration_s > 0
    assert failed.peak_mb > 1
    other = run(
        script("import agenthpo; agenthpo.report(b=1, a=2)", workdir=str(Path("other").resolve()))
    )
    assert other.error == "the script ended without reporting acc; it reported a, b"
    assert (other.exit_code, other.log_tail, other.warnings, dict(other.taken)) == (0, "", (), {})
    lines = "print('Accuracy 0.5'); print('acc@1 0.25')"
    alike = run(script(lines, metric="val_acc", workdir=str(Path("third").resolve()))).error
    assert alike.startswith(
        "the script ended without reporting val_acc; the lines most like it are '"
    )
    assert alike.count("' | '") == 1


def test_a_metrics_file_is_read():
    code = (
        "import os; open(os.environ['AGENTHPO_TRIAL_DIR'] + '/h.csv', "
        "'w').write('epoch,acc,test\\n1,0.5,0.4\\n2,0.6,0.7\\n')"
    )
    outcome = run(script(code, metrics_file=str(Path("trial/h.csv").resolve()), test_metric="test"))
    assert (outcome.value, outcome.step, outcome.test_value) == (0.6, 2.0, 0.7)
    assert outcome.curves["acc"] == ((1.0, 0.5), (2.0, 0.6))


@pytest.mark.parametrize(
    ("cell", "unread"),
    [("0,853", True), ("1_000", True), ("1.5M", True), ("", False), ("n/a", False), ("0.7", False)],
)
def test_a_cell_that_is_no_whole_number_is_quoted(cell, unread):
    text = f"epoch;acc;note\n1;0.5;3x\n2;{cell};7,5\n"
    code = f"import os; open(os.environ['AGENTHPO_TRIAL_DIR'] + '/h.csv', 'w').write({text!r})"
    outcome = run(script(code, metrics_file=str(Path("trial/h.csv").resolve())))
    assert (outcome.status == "failed") is unread
    assert (
        f"the column acc of h.csv holds '{cell}', which is not a whole number; write it as"
        in outcome.error
    ) is unread


@pytest.mark.parametrize(
    ("code", "at", "test"),
    [
        ("for v in (1, 3, 2): print('acc', v)\nprint('test', 9)", "last", 9.0),
        ("for v in (1, 3, 2): print('acc', v)\nprint('test', 9)", "best", None),
        ("for v in (1, 3, 2): print('acc', v, 'test', 10 * v)", "best", 30.0),
        ("for v in (1, 3, 2): print('test', 10 * v); print('acc', v)", "best", 30.0),
        ("for v in (1, 3, 2): print('acc', v); print('test', 10 * v)", "best", 30.0),
        (
            "for v in (1, 2, 3, 4):\n  print('acc', v)\n  if v % 2 == 0: print('test', 10 * v)",
            "last",
            None,
        ),
        (
            "for v in (1, 2, 3, 4):\n  print('acc', v)\n  if v in (1, 2): print('test', "
            "10 * v)\nprint('test 9'); print('test 8')",
            "last",
            None,
        ),
        ("for v in (1, 3, 2): print('acc', v, *(['test', 7] if v == 3 else []))", "best", 7.0),
        ("for v in (1, 3, 2): print('acc', v, *(['test', 7] if v == 1 else []))", "best", None),
        ("print('test', 9)\nfor v in (1, 2, 3): print('acc', v)", "last", None),
        ("print('acc', 1); print('test', 9); print('acc', 2); print('acc', 3)", "last", None),
        ("print('acc', 1); print('acc', 2); print('test', 9); print('acc', 3)", "last", 9.0),
        ("print('test', 9); print('acc', 1)", "last", 9.0),
        (
            "import agenthpo as a\nfor v in (1, 3, 2): a.report(step=v, test=10 * v); "
            "a.report(step=v, acc=v)",
            "best",
            30.0,
        ),
        (
            "import agenthpo as a\nfor v in (1, 3, 2): a.report(step=v, test=v); "
            "a.report(step=v, acc=v); a.report(step=v, test=5 * v)",
            "best",
            15.0,
        ),
        (
            "import agenthpo as a\nfor v in (1, 3, 2): a.report(step=v, acc=v); v == 1 "
            "and a.report(step=v, test=7)",
            "best",
            None,
        ),
        (
            "import agenthpo as a\nfor v in (1, 3, 2): a.report(step=v, acc=v); "
            "a.report(test=7 + v)",
            "best",
            None,
        ),
        ("import agenthpo as a\nfor v in (1, 3, 2): a.report(acc=v, test=7 + v)", "best", 10.0),
    ],
)
def test_the_test_value_is_that_of_the_same_step_or_none(code, at, test):
    outcome = run(
        script(
            code,
            patterns={"acc": "acc {number}", "test": "test {number}"},
            test_metric="test",
            at=at,
        )
    )
    assert outcome.test_value == test


def test_output_as_scripts_write_it_is_read():
    out = (
        b"\r 50%|##  | acc 0.1\r100%|####| acc 0.2\n"
        + b"x" * 3_000_000
        + b"\r\n\xff\xfe\x00\n\x1b[1macc\x1b[0m 3e-1\r\nacc 0.\b\b\b\bc nan\b\b\b0.5"
    )
    outcome = run(
        script(f"import sys; sys.stderr.buffer.write({out!r})", patterns={"acc": "acc {number}"})
    )
    assert [value for _, value in outcome.curves["acc"]][:3] == [0.1, 0.2, 0.3]
    assert outcome.value == 0.5


def test_a_pattern_that_cuts_numbers_fails_the_trial():
    outcome = run(script("print('acc 0.91')", patterns={"acc": r"acc (\d)"}))
    assert outcome.status == "failed"
    assert "write {number} there" in outcome.error


STUBBORN = """
    import signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)", sys.argv[1]])
    print("started", flush=True)
    time.sleep(600)
    """


def test_the_time_limit_ends_the_whole_group(tmp_path):
    mark = f"mark-{os.getpid()}-timeout"
    outcome = run(script(STUBBORN, command=(sys.executable, "train.py", mark), timeout_s=1.0))
    assert outcome.status == "timeout"
    assert "time limit of 1.0s" in outcome.error
    wait_for(lambda: not running(mark))


def test_what_a_script_leaves_in_the_background_ends_with_it():
    mark = f"mark-{os.getpid()}-left"
    code = (
        'import subprocess, sys; subprocess.Popen([sys.executable, "-c", "import time; '
        'time.sleep(600)", sys.argv[1]]); print(\'{"acc": 1}\')'
    )
    assert run(script(code, command=(sys.executable, "train.py", mark))).value == 1
    wait_for(lambda: not running(mark))


DAEMON = """
    import os, sys, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]])
        os._exit(0)
    os.wait()
    print('{"acc": 1}', flush=True)
    """


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux lets a process adopt the orphans below it"
)
def test_a_daemon_that_left_its_session_ends_with_the_trial():
    mark = f"mark-{os.getpid()}-daemon"
    assert run(script(DAEMON, command=(sys.executable, "train.py", mark))).value == 1
    wait_for(lambda: not running(mark))


HUNGRY = """
    import os, time
    if os.fork() == 0:
        held = bytearray(150_000_000)
        time.sleep(60)
    time.sleep(60)
    """


def test_the_memory_limit_counts_the_children():
    outcome = run(script(HUNGRY, memory_mb=120, timeout_s=30))
    assert (outcome.status, outcome.error) == (
        "oom",
        "stopped at its memory limit of 120 MB, its children included",
    )
    assert outcome.peak_mb > 120


SHARING = """
    import os, time
    held = bytearray(b"x" * 60_000_000)
    for _ in range(4):
        if os.fork() == 0:
            time.sleep(1.5)
            os._exit(0)
    time.sleep(1.2)
    print('{"acc": 1}')
    """


def test_memory_that_forked_workers_share_counts_once():
    assert run(script(SHARING, memory_mb=200)).status == "complete"


def test_a_silent_script_is_stopped():
    said = "import time; print('begun', flush=True); time.sleep(60)"
    outcome = run(script(said, silence_s=0.5, timeout_s=30))
    assert (outcome.status, outcome.error) == (
        "timeout",
        "stopped since it had written nothing for 0.5s",
    )
    silent = run(script(said, timeout_s=1.2, workdir=str(Path("other").resolve())))
    assert "it had written nothing for the last" in silent.error


def test_a_script_may_change_its_folder():
    code = "import os, agenthpo; os.chdir('/'); agenthpo.report(acc=agenthpo.config()['lr'])"
    assert run(script(code)).value == 0.1


DRIVER = """
    import json, sys
    from agenthpo.records import RunSpec
    from agenthpo.training.runner import run
    run(RunSpec(**json.loads(sys.argv[1])))
    """


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_training_outlives_its_driver(number):
    mark = f"mark-{os.getpid()}-{number}"
    spec = script(STUBBORN, command=(sys.executable, "train.py", mark))
    arguments = [sys.executable, "-c", textwrap.dedent(DRIVER), json.dumps(vars(spec))]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, start_new_session=True) as driver:
        wait_for(
            lambda: Path("trial/run.log").exists()
            and "started" in Path("trial/run.log").read_text()
        )
        # the training, its child, and the supervisor that was given the command
        wait_for(lambda: len(running(mark)) == 3)
        driver.send_signal(number)
        driver.communicate(timeout=30)
    wait_for(lambda: not running(mark))
    assert not Path("trial/outcome.json").exists()


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's death"
)
def test_a_training_whose_supervisor_was_killed_ends_and_is_an_outcome():
    mark = f"mark-{os.getpid()}-supervisor"
    spec = script(
        "import time; print('started', flush=True); time.sleep(600)",
        command=(sys.executable, "train.py", mark),
    )
    outcomes = []
    driver = threading.Thread(target=lambda: outcomes.append(run(spec)))
    driver.start()
    wait_for(
        lambda: Path("trial/run.log").exists() and "started" in Path("trial/run.log").read_text()
    )
    wait_for(lambda: len(running(mark)) == 2)
    os.kill(
        next(
            pid
            for pid in running(mark)
            if "supervisor.py" in Path(f"/proc/{pid}/cmdline").read_text()
        ),
        signal.SIGKILL,
    )
    driver.join(timeout=30)
    wait_for(lambda: not running(mark))
    assert (outcomes[0].status, outcomes[0].error) == ("failed", "its supervisor was killed")


def test_a_value_is_seen_while_the_training_runs():
    seen = threading.Event()
    spec = script(
        """
        import pathlib, time
        print('{"acc": 1}')
        while not pathlib.Path("go").exists():
            time.sleep(0.02)
        """,
        timeout_s=20,
    )
    outcome = run(spec, lambda point: (seen.set(), Path("go").touch()))
    assert seen.is_set()
    assert outcome.status == "complete"


def test_a_function_runs_in_this_process():
    import agenthpo

    def objective(params):
        agenthpo.report(step=1, acc=params["lr"])
        return {"acc": 0.5}

    outcome = run(script("", function=objective))
    assert outcome.curves["acc"] == ((1.0, 0.1), (1.0, 0.5))
    assert outcome.value == 0.5
    assert (
        run(script("", function=lambda p: 1 / 0, workdir=str(Path("other").resolve()))).error
        == "ZeroDivisionError: division by zero"
    )


LAUNCHER = """
    import subprocess, sys
    subprocess.run([sys.executable, "inner.py", *sys.argv[1:]], start_new_session=True)
    """
INNER = """
    import os, sys, time, agenthpo
    while True:
        agenthpo.report(acc=float(agenthpo.config()["lr"]))
        print("reported", flush=True)
        time.sleep(0.02)
    """


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's death"
)
def test_what_a_launcher_started_ends_with_its_supervisor():
    mark = f"mark-{os.getpid()}-launcher"
    Path("inner.py").write_text(textwrap.dedent(INNER))
    spec = script(LAUNCHER, command=(sys.executable, "train.py", mark))
    outcomes = []
    driver = threading.Thread(target=lambda: outcomes.append(run(spec)))
    driver.start()
    wait_for(lambda: Path("trial/metrics.jsonl").exists())
    os.kill(
        next(
            pid
            for pid in running(mark)
            if "supervisor.py" in Path(f"/proc/{pid}/cmdline").read_text()
        ),
        signal.SIGKILL,
    )
    driver.join(timeout=30)
    assert running(mark) == []
    assert outcomes[0].error == "its supervisor was killed"


def test_a_report_of_another_attempt_is_passed_over():
    other = r'{"acc": 9, "agenthpo_attempt": "a/0/another"}'
    outcome = run(
        script(
            f"""
            import os, agenthpo
            agenthpo.report(step=1, acc=0.5)
            with open(os.environ["AGENTHPO_TRIAL_DIR"] + "/metrics.jsonl", "a") as file:
                file.write('{other}\\n')
            """
        )
    )
    assert outcome.curves == {"acc": ((1.0, 0.5),)}


def test_every_attempt_has_its_own_files():
    spec = script("import agenthpo; agenthpo.report(acc=1); print('first')")
    run(spec)
    assert run(replace(spec, seed=1)).curves == {"acc": ((0.0, 1.0),)}
    kept = Path("trial/attempt-1")
    assert kept.joinpath("run.log").read_text() == "first\n"
    assert {path.name for path in kept.iterdir()} == {"run.log", "metrics.jsonl", "outcome.json"}


WAYS = {
    "no log": "os.remove('run.log')",
    "log is a folder": "os.remove('run.log'); os.mkdir('run.log')",
    "log is a FIFO": "os.remove('run.log'); os.mkfifo('run.log')",
    "log is a link": "os.remove('run.log'); os.symlink('../victim', 'run.log')",
    "log is emptied": "open('run.log', 'w').close()",
    "report is a FIFO": "os.mkfifo('metrics.jsonl')",
    "report is a folder": "os.mkdir('metrics.jsonl')",
    "report is a link": "os.symlink('../victim', 'metrics.jsonl')",
    "outcome is a folder": "os.makedirs('outcome.json/deep')",
    "outcome is a FIFO": "os.mkfifo('outcome.json')",
    "outcome is a link": "os.symlink('../victim', 'outcome.json')",
    "outcome is torn": "open('outcome.json', 'w').write('{')",
    "parameters are a folder": "os.remove('params.json'); os.mkdir('params.json')",
    "no folder": "shutil.rmtree(os.getcwd())",
    "folder is a file": "shutil.rmtree(os.getcwd()); os.chdir('..'); open('trial', 'w').close()",
    "folder is a link": "shutil.rmtree(os.getcwd()); os.chdir('..'); os.symlink('elsewhere', "
    "'trial')",
    "folder has another name": "os.rename(os.getcwd(), '../other' + os.environ['AGENTHPO_SEED'])",
    "folder may not be written": "os.chmod('.', 0o500)",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_script_may_do_as_it_likes_to_its_folder(way):
    Path("victim").write_text("untouched")
    Path("elsewhere").mkdir()
    code = (
        f"import os, shutil; os.chdir(os.environ['AGENTHPO_TRIAL_DIR']); {WAYS[way]}; "
        f"print('{{\"acc\": 0.5}}')"
    )
    spec = script(code, timeout_s=20)
    assert run(spec).value == 0.5
    assert Path("victim").read_text() == "untouched"
    again = run(replace(spec, seed=1))
    assert again.value == 0.5
    assert Path("victim").read_text() == "untouched"
    assert load_outcome(Path("trial"), replace(spec, seed=1).owner) == again
    assert list(Path("elsewhere").iterdir()) == []
