"""Draw a study as a terminal shows it: ``python docs/picture.py STUDY docs/study.svg``."""

import io
import os
import subprocess
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 118


def main(study: str, target: str) -> None:
    """Write what ``agenthpo show STUDY`` prints to ``target``, an SVG."""
    command = [sys.executable, "-m", "agenthpo", "show", study]
    env = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    shown = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ agenthpo show digits", style="bold"))
    console.print(Text.from_ansi(shown))
    console.save_svg(target, title="AgentHPO")


if __name__ == "__main__":
    main(*sys.argv[1:])
