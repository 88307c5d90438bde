import subprocess
import sys
from pathlib import Path

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
    said = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout.split()
    assert int(said[0]) < 40, "MB that the reader grew by"
    assert said[1:] == ["1000", "0.999"]
