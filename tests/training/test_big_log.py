import subprocess
import sys
from pathlib import Path

from agenthpo.events import Reading
from agenthpo.session import begin
from agenthpo.taskfile.reading import load_task

CODE = """
import resource, sys
from agenthpo.training.metrics import MetricReader
from agenthpo.training.runner import _Reader
from agenthpo.records import RunSpec
spec = RunSpec(0, {}, ".", "acc", patterns={"acc": "acc {number}"})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reader = _Reader(spec, lambda point: None)
reader.poll(final=True)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(grown // 1024, len(reader.metrics.curve("acc")), reader.metrics.curve("acc")[-1][1])
"""


def test_a_log_of_100_mb_is_read_in_constant_memory():
    line = b"2026-11-25 12:00:00 some module: a line of chatter that nobody reads, of a hundred and some characters or so\n"
    with Path("run.log").open("wb") as file:
        for i in range(1000):
            file.write(line * 1000 + b"acc 0.%d\n" % i)
    assert Path("run.log").stat().st_size > 100_000_000
    said = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True
    ).stdout.split()
    assert int(said[0]) < 40, "MB that the reader grew by"
    assert said[1:] == ["1000", "0.999"]


def test_a_long_log_is_told_as_it_is_read(monkeypatch, capsys):
    from agenthpo.text.event_lines import TextLines
    from agenthpo.training import runner

    monkeypatch.setattr(runner, "_BEHIND", 1_000_000)
    monkeypatch.setattr(runner, "_TELL_S", 0.0)
    Path("task.yaml").write_text(
        "name: toy\nobjective: {metric: acc, direction: maximize}\nbudget: {trials: 1}\n"
        "train: "
        "{command: '{python} train.py {x}', metrics: {acc: 'acc {number}'}}\nspace: "
        "{x: {type: float, low: 0, high: 1, default: 0.5}}\n"
    )
    Path("train.py").write_text(
        "import sys; sys.stdout.write(('chatter ' * 20 + '\\n') * 100_000); "
        "print('acc', sys.argv[1])"
    )
    heard = []
    face = TextLines()
    begin(
        load_task("task.yaml"),
        Path(".agenthpo/toy"),
        on_event=lambda event: (heard.append(event), face(event)),
    )
    told = [event for event in heard if isinstance(event, Reading)]
    assert told
    assert all(0 < event.done < event.total for event in told)
    assert "reading its log: " in capsys.readouterr().out
    assert heard[-1].incumbent.value == 0.5
