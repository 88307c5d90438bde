"""Check what would be released: build it, check its metadata, and use the wheel as a newcomer does.

    python docs/release_check.py [FOLDER]

The wheel is installed into a fresh environment in FOLDER (a temporary one without it), away from
this checkout, and runs the README's first example: its script, its task file, its commands.
"""

import re
import shlex
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def main(folder: Path) -> None:
    """Build into ``dist/``, check, install and run; the first step that fails ends it."""
    dist = folder / "dist"
    run(sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT))
    built = sorted(map(str, dist.iterdir()))
    run(sys.executable, "-m", "twine", "check", "--strict", *built)
    wheel = next(path for path in built if path.endswith(".whl"))
    home = folder / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin/python"
    run(str(python), "-m", "pip", "install", "--quiet", wheel, "scikit-learn")
    project = folder / "first"
    project.mkdir()
    for name, text in example(README.read_text(encoding="utf-8")).items():
        (project / name).write_text(text)
    for command in commands(README.read_text(encoding="utf-8")):
        run(str(python), "-m", *shlex.split(command), cwd=project)
    print(f"{Path(wheel).name} is fit to be released; it was built in {dist}")


def example(text: str) -> dict[str, str]:
    """Return the README's script and task file by their names."""
    script = re.search(r"```py\n(.*?)```", text, re.DOTALL)
    task = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    if script is None or task is None:
        raise SystemExit(f"{README} has no script (```py) or no task file (```yaml) to run")
    return {"train.py": script[1], "task.yaml": task[1]}


def commands(text: str) -> list[str]:
    """Return the commands that the README runs on them, without the prompt."""
    console = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    found = re.findall(r"^\$ (agenthpo .*)$", console[1], re.MULTILINE) if console else []
    if not found:
        raise SystemExit(f"{README} shows no commands (```console) to run")
    return found


def run(*command: str, cwd: Path | None = None) -> None:
    """Run ``command`` and show it; a failure ends the check with its exit code."""
    print(f"$ {shlex.join(command)}", flush=True)
    done = subprocess.run(command, cwd=cwd, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).absolute())
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder))
