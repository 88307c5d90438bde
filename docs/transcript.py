"""Write a coding agent's session: ``python docs/transcript.py docs/agent-transcript.md``.

A scripted agent stands in for the language model. It talks to ``agenthpo mcp`` through the SDK's
client over standard input and output, begins with the untouched script of ``examples/digits``, and
is killed with its server in the middle; another client goes on.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
import psutil

from mcp import Client, StdioServerParameters

ROOT = Path(__file__).parent.parent
LONGEST = 1800
HEAD = """# A coding agent's session

Made by `make transcript`: a scripted agent over a real MCP connection, from the untouched script
of `examples/digits` to the verdict. In the middle its server is killed while a trial trains, and
another client goes on. Long answers are cut at "…".
"""


class Session:
    """A client's calls and their answers, as Markdown."""

    def __init__(self, client: Client, lines: list[str]) -> None:
        self.client, self.lines = client, lines

    async def call(self, name: str, *, whole: bool = False, **given: Any) -> Any:
        """Call a tool, keep what went in and what came out, and return the answer."""
        result = await self.client.call_tool(name, given)
        text = result.content[0].text
        facts = result.structured_content
        shown = text if name == "briefing" or result.is_error else compact(facts)
        cut = shown if whole or len(shown) <= LONGEST else shown[:LONGEST] + "\n…"
        self.lines += [
            f"**{name}** `{json.dumps(given)}`",
            "",
            f"```{'json' if shown is not text else 'text'}",
            cut,
            "```",
            f"({len(text):,} characters{', refused' * bool(result.is_error)})",
            "",
        ]
        return facts


def compact(facts: Any) -> str:
    """Return JSON with a line a field, and a pair of numbers on one."""
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    return re.sub(r"\[\s+(-?[\d.e-]+),\s+(-?[\d.e-]+)\s+\](,?)\s*", r"[\1, \2]\3 ", text)


def server(folder: Path) -> StdioServerParameters:
    """Return how a client starts the server."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "agenthpo", "mcp", "--by", "scripted-agent"],
        cwd=str(folder),
        env=dict(os.environ),
    )


def say(lines: list[str], text: str) -> None:
    """Add a paragraph."""
    lines += [text, ""]


async def first(folder: Path, lines: list[str]) -> None:
    """Draft, check, open, propose and run; then the server is killed."""
    async with Client(server(folder)) as client:
        at = Session(client, lines)
        say(lines, "## The first client")
        await at.call("draft_task", script="train.py")
        say(lines, "The agent adds what it knows of the script, and sets the budget.")
        task = folder / "task.yaml"
        text = task.read_text().replace("budget: {trials: 20}", "budget: {trials: 8}")
        text = text.replace(
            "space:\n", "space:\n  epochs: {type: int, low: 5, high: 60, default: 20}\n"
        )
        task.write_text(text)
        await at.call("check_task", task="task.yaml")
        await at.call("open_study", task="task.yaml", study="digits")
        await at.call("briefing", study="digits", whole=True)
        await at.call("propose", study="digits", params={"learning_rate": 1.0}, base=0,
                      rationale="Faster.", hypothesis="It learns faster.",
                      expected={"value": 0.97, "low": 0.95, "high": 0.99})  # fmt: skip
        say(lines, "That lay outside the space. One step back:")
        await at.call("propose", study="digits", params={"learning_rate": 0.01}, base=0,
                      rationale="Twenty epochs leave the default step no time to converge.",
                      hypothesis="A step ten times as large converges within twenty epochs.",
                      expected={"value": 0.97, "low": 0.955, "high": 0.985})  # fmt: skip
        await at.call("run", study="digits")
        await anyio.sleep(2.5)
        say(lines, "Here the server is killed, with the client that has asked for a trial.")
        for child in psutil.Process().children():
            child.kill()


async def second(folder: Path, lines: list[str]) -> None:
    """Take up what the first client left, to the verdict."""
    async with Client(server(folder)) as client:
        at = Session(client, lines)
        say(lines, "## Another client")
        say(lines, "The trial went on without anybody; a call that comes again runs nothing twice.")
        while not (await at.call("wait", study="digits", seconds=20))["done"]:
            pass
        await at.call("analyse", study="digits", trial=1,
                      insight="The larger step paid. It reached 0.999 of everything.")  # fmt: skip
        say(lines, "The second sentence of the insight names a number that is nowhere in the "
                   "evidence, and was left out.")  # fmt: skip
        await at.call("briefing", study="digits", whole=True)
        await at.call("propose", study="digits", params={"hidden_size": 128, "epochs": 35}, base=1,
                      rationale="The curve was still rising, and the model is small.",
                      hypothesis="More capacity and time bring the last half percent.",
                      expected={"value": 0.98, "low": 0.97, "high": 0.99})  # fmt: skip
        await at.call("run", study="digits")
        await at.call("wait", study="digits", seconds=45)
        say(lines, "The agent has no better idea and leaves the rest to the engine.")
        await at.call("run", study="digits", engine=True, trials=5)
        while not (await at.call("wait", study="digits", seconds=45))["done"]:
            pass
        await at.call("verdict", study="digits")
        say(
            lines,
            "The budget was spent, so that the test metric was told. Nothing is run after it.",
        )
        await at.call("run", study="digits", engine=True)


def main(target: str) -> None:
    """Play the session and write it to ``target``."""
    lines = [HEAD]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "digits")
        folder.mkdir()
        shutil.copy(ROOT / "examples/digits/train.py", folder)
        try:
            anyio.run(first, folder, lines)
        except BaseException as problem:  # whatever a client makes of a server that is gone
            if isinstance(problem, KeyboardInterrupt | AssertionError):
                raise
        anyio.run(second, folder, lines)
        text = "\n".join(lines).replace(str(folder.resolve()), "PROJECT")
    Path(target).write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
