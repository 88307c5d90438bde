"""``agenthpo mcp`` and ``agenthpo skill``: for the coding agent beside the user."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import typer

from agenthpo.codec import to_json
from agenthpo.errors import TaskError
from agenthpo.operations.place import checked_by
from agenthpo.skills import HOMES, install
from agenthpo.text.install_hints import install_words
from agenthpo.text.printing import say

__all__ = ["install_client", "install_skill", "serve"]

TOKEN = "AGENTHPO_MCP_TOKEN"


def serve(root: Path, by: str | None, port: int | None) -> None:
    """Serve the operations over standard input and output, or on a port of this machine.

    :raises TaskError: where the package mcp is missing, or the folder is.
    """
    if not root.is_dir():
        raise TaskError(f"--root {root} is no folder; name the project's")
    try:
        import mcp  # noqa: F401 said here in a sentence, if it is missing
    except ImportError:
        command = install_words("mcp", "mcp")
        raise TaskError(f"the MCP server needs the package mcp; get it by: {command}") from None
    from agenthpo.mcp.server import make_server
    from agenthpo.mcp.serving import serve_http, serve_stdio

    os.chdir(root)
    server = make_server(Path.cwd(), by and checked_by(by))
    if port is None:
        if sys.stdin.isatty():
            say(
                "This serves a coding agent, which starts it itself; set that up by: "
                "agenthpo mcp --install claude (or codex, cursor, vscode). Ctrl-C ends it.",
                error=True,
            )
        serve_stdio(server)
        return
    token = os.environ.get(TOKEN) or secrets.token_urlsafe(24)
    said = f"its token is that of {TOKEN}" if os.environ.get(TOKEN) else f"its token is {token}"
    say(f"http://127.0.0.1:{port}/mcp; {said}. Ctrl-C ends it.", error=True)
    serve_http(server, port=port, token=token)


def install_client(client: str, root: Path, *, agreed: bool, as_json: bool) -> int:
    """Show what is written for a client, and write it where a person agrees."""
    from agenthpo.mcp.clients import change_for, write

    change = change_for(client, root)
    facts = {"client": client, "file": str(change.file), "text": change.text}
    if not change.is_needed:
        _tell(facts, f"{change.file} has it already.", was_written=False, as_json=as_json)
        return 0
    if not as_json:
        say(f"{change.file} will be {'made' if change.is_new else 'changed to'}:", change.text)
    if not agreed and not (sys.stdin.isatty() and typer.confirm("Write it?")):
        say(f"Nothing was written; say --yes to write {change.file}.", error=True)
        return 2
    write(change)
    words = f"Written. Start {client} in {root.resolve()} and ask it to tune your script."
    _tell(facts, words, was_written=True, as_json=as_json)
    return 0


def _tell(facts: dict[str, str], words: str, *, was_written: bool, as_json: bool) -> None:
    if as_json:
        print(to_json({**facts, "written": was_written}))
    else:
        say(words)


def install_skill(to: Path | None, *, as_json: bool) -> None:
    """Copy the skill to where agents find it, and say where that is."""
    folder = install(to or Path(HOMES["claude"]))
    if as_json:
        print(to_json({"skill": str(folder)}))
        return
    others = ", ".join(f"{home} ({name})" for name, home in HOMES.items() if name != "claude")
    say(f"The skill is in {folder}.")
    if to is None:
        say(f"Claude Code finds it there. Others look in {others}: agenthpo skill install --to DIR")
