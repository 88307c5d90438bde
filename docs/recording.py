"""Record a first minute with AgentHPO: ``python docs/recording.py docs/first-minute.svg``.

A script from a package's own examples, which nobody here wrote, is fetched from PyPI, drafted,
tried and tuned; what the terminal shows becomes an SVG in which the lines appear as they came.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
from public_scripts import fetched

WIDTH = 118
PACKAGE, VERSION = "scikit-learn", "1.9.1"
SCRIPT = "examples/ensemble/plot_gradient_boosting_regression.py"
SHORTEST_S, LONGEST_S = 0.03, 1.2
"""Between two lines: the recording is not to be waited for."""
_LINE = re.compile(r'clip-path="url\(#[\w-]+-line-(\d+)\)"')


def main(target: str) -> None:
    """Fetch the script, run the three commands, and write the recording to ``target``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = fetched(PACKAGE, VERSION, SCRIPT, folder)
        lines = [(0.0, f"$ # {PACKAGE} {VERSION}, {SCRIPT}")]
        for words in (
            ["init", script.name],
            ["check", "task.yaml", "--try", "--for", "2m"],
            ["run", "task.yaml", "--model", "none", "--trials", "8"],
        ):
            lines.append((1.0, f"$ agenthpo {' '.join(words)}"))
            lines += _shown(words, folder)
    Path(target).write_text(_svg(lines), encoding="utf-8")


def _shown(words: list[str], folder: Path) -> list[tuple[float, str]]:
    """Return what a command prints, each line with the seconds since the one before."""
    env = {
        **os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "MPLBACKEND": "agg",
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "agenthpo", *words],
        cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines, last = [], time.monotonic()
    for line in process.stdout:
        now = time.monotonic()
        lines.append((now - last, line.rstrip("\n")))
        last = now
    if process.wait() != 0:
        raise SystemExit("\n".join(text for _, text in lines))
    return lines


def _svg(lines: list[tuple[float, str]]) -> str:
    """Draw the lines as a terminal shows them, each from its time on."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    starts, clock = list[float](), 0.0
    for pause, text in lines:
        clock += min(max(pause, SHORTEST_S), LONGEST_S)
        shown = Text.from_ansi(text)
        if text.startswith("$ "):
            shown.stylize("bold")
        starts += [clock] * len(console.render_lines(shown))
        console.print(shown)
    svg = console.export_svg(title="AgentHPO")

    def timed(match: re.Match[str]) -> str:
        start = starts[min(int(match[1]), len(starts) - 1)]
        return f'{match[0]} style="animation: come .01s {start:.2f}s both"'

    come = "@keyframes come { from { opacity: 0 } to { opacity: 1 } }"
    return _LINE.sub(timed, svg).replace("<style>", f"<style>\n    {come}\n", 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
