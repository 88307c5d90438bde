"""The configuration by which a client starts our server, in the project's folder."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from agenthpo.errors import TaskError
from agenthpo.files import write_whole

__all__ = ["CLIENTS", "Change", "change_for", "write"]

CLIENTS = {
    "claude": (".mcp.json", "mcpServers"),
    "codex": (".codex/config.toml", "mcp_servers"),
    "cursor": (".cursor/mcp.json", "mcpServers"),
    "vscode": (".vscode/mcp.json", "servers"),
}
"""Each client's file in the project, and the key of its servers there."""
_NAME = "agenthpo"


@dataclass(frozen=True)
class Change:
    """A client's file as it is to be."""

    client: str
    file: Path
    text: str
    is_new: bool
    """Whether the file is not there yet."""
    is_needed: bool
    """Whether it differs from what is there."""


def change_for(client: str, root: Path) -> Change:
    """Return the change to the file of ``client`` in the folder ``root`` that adds our server; what
    else stands there is kept.

    :raises TaskError: for a client that is not known, or a file that cannot be read.
    """
    if client not in CLIENTS:
        raise TaskError(f"--install {client} is not known; known are {', '.join(CLIENTS)}")
    name, key = CLIENTS[client]
    file = root / name
    try:
        before = file.read_text("utf-8") if file.exists() else ""
    except (OSError, ValueError) as problem:
        raise TaskError(f"{file} cannot be read ({problem}); see to it") from None
    text = (
        _with_toml(file, before, key)
        if file.suffix == ".toml"
        else _with_json(file, before, key, client)
    )
    return Change(client, file, text, is_new=not file.exists(), is_needed=text != before)


def write(change: Change) -> None:
    """Write a change.

    :raises TaskError: where that fails.
    """
    try:
        change.file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(change.file, change.text.encode())
        change.file.chmod(0o644)
    except OSError as problem:
        raise TaskError(f"{change.file} cannot be written: {problem.strerror}") from None


def _server() -> dict[str, Any]:
    return {"command": sys.executable, "args": ["-P", "-m", "agenthpo", "mcp"]}


def _with_json(file: Path, before: str, key: str, client: str) -> str:
    entry = {**({"type": "stdio"} if client == "vscode" else {}), **_server()}
    try:
        found = json.loads(before) if before.strip() else {}
        servers = found.setdefault(key, {})
        servers[_NAME] = entry
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise TaskError(
            f"{file} cannot be read as JSON, perhaps because of comments; add by hand under "
            f"{key}: {json.dumps({_NAME: entry})}"
        ) from None
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _with_toml(file: Path, before: str, key: str) -> str:
    # its own limits are 10 and 60 seconds
    entry = {**_server(), "startup_timeout_sec": 60, "tool_timeout_sec": 120}
    try:
        found = tomlkit.parse(before)
        servers = found.setdefault(key, tomlkit.table(is_super_table=True))
        table = tomlkit.table()
        table.update(entry)
        servers[_NAME] = table
        return tomlkit.dumps(found)
    except (TOMLKitError, AttributeError, TypeError, ValueError):
        raise TaskError(
            f"{file} cannot be read as TOML; add a table [{key}.{_NAME}] by hand: {entry}"
        ) from None
