"""A trial on another machine, which may not see the trial's folder."""

import io
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from agenthpo.command.resolve import RUN_FOLDER
from agenthpo.records import Outcome, RunFolder, RunSpec
from agenthpo.training import elsewhere
from agenthpo.training.elsewhere import Lost, Returned, announce, keep, run_order
from agenthpo.training.outcome import load_outcome

SCRIPT = """\
import os, sys
from pathlib import Path
print("in", os.getcwd(), "for", os.environ["AGENTHPO_TRIAL_DIR"], os.environ["OUT"])
Path(sys.argv[1], "weights").write_text(Path("data.txt").read_text())
print("acc: 0.5")
"""


def spec(tmp_path, **given):
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    (project / "train.py").write_text(SCRIPT)
    (project / "data.txt").write_text("42")
    workdir = str(tmp_path / "study/trials/0003")
    fields = {
        "trial": 3,
        "params": {"x": 1},
        "workdir": workdir,
        "metric": "acc",
        "command": (sys.executable, "train.py", workdir),
        "cwd": str(project),
        "env": {"OUT": f"{workdir}/out"},
        **given,
    }
    return RunSpec(**fields)


def test_a_machine_that_sees_the_folder_runs_the_trial_in_it(tmp_path):
    order = announce(spec(tmp_path))
    outcome = keep(order, run_order(order))
    assert outcome.value == 0.5
    found = {path.name for path in Path(order.spec.workdir).iterdir()}
    assert {"weights", "run.log", "outcome.json"} <= found and "seen-from-here" not in found


@pytest.mark.parametrize("folder", [False, True])
def test_what_another_machine_does_not_see_is_run_there_and_its_files_come_back(
    tmp_path, folder, monkeypatch
):
    own = spec(tmp_path)
    if folder:
        own = replace(
            own,
            cwd=f"{own.workdir}/{RUN_FOLDER}",
            run_folder=RunFolder(str(tmp_path / "project"), None),
        )
    order = announce(own)
    # as another machine has it: no study, and the project where it was shipped to
    far = tmp_path / "far"
    (tmp_path / "project").rename(far)
    order = replace(order, sign="another one")
    monkeypatch.chdir(far)
    points = []
    returned = run_order(order, points.append)
    assert not Path(own.workdir, "run.log").exists()
    outcome = keep(order, returned)
    assert outcome.value == 0.5 and [p.values for p in points] == [{"acc": 0.5}]
    log = Path(own.workdir, "run.log").read_text()
    assert own.workdir not in log and "agenthpo-" in log and "/0003/out" in log
    assert Path(own.workdir, "weights").read_text() == "42"
    assert load_outcome(Path(own.workdir), own.owner) == outcome


def test_a_python_that_is_not_there_is_the_machines_own(tmp_path):
    order = announce(spec(tmp_path, command=("/nowhere/bin/python3", "-c", "print('acc: 1')")))
    assert run_order(replace(order, sign="another one")).outcome.value == 1


def test_files_that_would_leave_the_folder_do_not(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../evil"), io.BytesIO())
    order = announce(spec(tmp_path))
    for files in (packed.getvalue(), b"no archive"):
        with pytest.raises(Lost, match="cannot be unpacked"):
            keep(order, Returned(Outcome("complete", 0.5), files))
    assert not (tmp_path / "study/trials/evil").exists()


def test_large_files_stay_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(elsewhere, "_MOST_BYTES", 5000)
    order = announce(spec(tmp_path))
    (tmp_path / "project/data.txt").write_text("x" * 6000)
    keep(order, run_order(replace(order, sign="another one")))
    found = {path.name for path in Path(order.spec.workdir).iterdir()}
    assert "run.log" in found and "weights" not in found
