import json
import subprocess
import sys
from pathlib import Path

import agenthpo
from agenthpo.script import in_trial


def test_run_by_hand_config_gives_the_defaults_and_report_prints(capsys):
    assert agenthpo.config(lr=0.1) == {"lr": 0.1}
    agenthpo.report(step=1, acc=0.5)
    assert json.loads(capsys.readouterr().out) == {"step": 1.0, "acc": 0.5}


def test_config_reads_and_report_writes_in_a_trial(tmp_path):
    (tmp_path / "params.json").write_text('{"lr": 0.01, "layers": 3}')
    with in_trial(str(tmp_path)):
        assert agenthpo.config(lr=0.1, momentum=0.9) == {"lr": 0.01, "layers": 3, "momentum": 0.9}
        agenthpo.report(acc=1)
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {"acc": 1.0}


def modules_after(code):
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(said.stdout.split())


def test_importing_for_report_brings_in_next_to_nothing():
    brought = modules_after("import agenthpo; agenthpo.report") - modules_after("pass")
    assert "agenthpo.script" in brought
    assert len(brought) < 15
    assert not brought & {"typing", "json", "optuna", "pydantic", "rich", "typer"}


def test_the_public_names_are_these():
    assert agenthpo.__all__ == [
        "AgentHPOError",
        "Budget",
        "Optimizer",
        "Result",
        "Study",
        "__version__",
        "config",
        "report",
        "tune",
    ]
    assert all(hasattr(agenthpo, name) for name in agenthpo.__all__)
    assert Path(agenthpo.__file__).name == "__init__.py"
