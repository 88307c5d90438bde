"""The server on a port under its token, what is written for clients, and the skill."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import anyio
import httpx2 as httpx
import psutil
import pytest
from mcp.client.streamable_http import streamable_http_client
from skills_ref.validator import validate

from agenthpo.skills import HOMES, how_to
from calling import agenthpo
from mcp import Client

ROOT = Path(__file__).parents[2]
SKILL = ROOT / "skills" / "agenthpo"


@pytest.fixture(scope="module")
def served(played, tmp_path_factory):
    """A server on a port, and its process."""
    folder = tmp_path_factory.mktemp("served") / "project"
    shutil.copytree(played, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "agenthpo",
            "mcp",
            "--root",
            folder,
            "--http",
            str(port),
        ],
        env={**os.environ, "AGENTHPO_MCP_TOKEN": "wonderful"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield port, process.pid
    process.terminate()
    assert process.wait(20) in (0, 130)
    assert "its token is that of AGENTHPO_MCP_TOKEN" in process.stderr.read()
    process.stderr.close()


def test_on_a_port_only_who_has_the_token_is_answered(served):
    url = f"http://127.0.0.1:{served[0]}/mcp"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "wonderful"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, b"{}", headers), timeout=20)
        assert refused.value.code == 401 and b"Bearer TOKEN" in refused.value.read()
        refused.value.close()

    async def session():
        headers = {"Authorization": "Bearer wonderful"}
        async with (
            httpx.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            result = await client.call_tool("briefing", {"study": "toy"})
            return result.content[0].text

    assert anyio.run(session).startswith("# toy: maximize acc")


def test_a_port_is_open_to_this_machine_alone(served):
    port, pid = served
    listening = [c for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"]
    assert [(c.laddr.ip, c.laddr.port) for c in listening] == [("127.0.0.1", port)]


@pytest.mark.parametrize("client", ["claude", "codex", "cursor", "vscode"])
def test_a_clients_file_gets_our_server_and_keeps_the_others(client):
    shown = agenthpo("mcp", "--install", client, code=2)
    assert "say --yes to write" in shown.stderr and "agenthpo" in shown.stdout
    assert [p for p in Path().rglob("*") if p.is_file()] == []
    written = json.loads(agenthpo("mcp", "--install", client, "--yes", "--json", code=0).stdout)
    file = Path(written["file"])
    text = file.read_text()
    assert text == written["text"] and written["written"]
    again = json.loads(agenthpo("mcp", "--install", client, "--json", code=0).stdout)
    assert again["written"] is False
    if client == "codex":
        server = tomllib.loads(text)["mcp_servers"]["agenthpo"]
        assert server["tool_timeout_sec"] == 120
        file.write_text("# mine\nmodel = 'x'\n\n[mcp_servers.other]\ncommand = 'o'\n")
        agenthpo("mcp", "--install", client, "--yes", code=0)
        kept = tomllib.loads(file.read_text())
        assert file.read_text().startswith("# mine\nmodel") and kept["mcp_servers"]["other"]
    else:
        key = "servers" if client == "vscode" else "mcpServers"
        server = json.loads(text)[key]["agenthpo"]
        file.write_text(json.dumps({key: {"other": {"command": "o"}}, "mine": [1]}))
        agenthpo("mcp", "--install", client, "--yes", code=0)
        kept = json.loads(file.read_text())
        assert kept["mine"] == [1] and set(kept[key]) == {"other", "agenthpo"}
    done = subprocess.run(
        [server["command"], *server["args"], "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and "Serve a coding agent" in done.stdout


@pytest.mark.parametrize(
    ("client", "file", "text"),
    [
        ("claude", ".mcp.json", "{ // mine\n}"),
        ("claude", ".mcp.json", "[1]"),
        ("vscode", ".vscode/mcp.json", '{"servers": 3}'),
        ("codex", ".codex/config.toml", "[a\n"),
        ("codex", ".codex/config.toml", "mcp_servers = 3\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_and_says_what_to_add(client, file, text):
    Path(file).parent.mkdir(exist_ok=True)
    Path(file).write_text(text)
    done = agenthpo("mcp", "--install", client, "--yes", code=2)
    assert "by hand" in done.stderr and Path(file).read_text() == text


def test_mistakes_of_the_server_are_sentences(monkeypatch):
    assert "no folder" in agenthpo("mcp", "--root", "gone", code=2).stderr
    assert "known are claude" in agenthpo("mcp", "--install", "emacs", code=2).stderr
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert "needs the package mcp; get it by: pip install" in agenthpo("mcp", code=2).stderr


def test_the_skill_is_valid_and_short():
    assert validate(SKILL) == []
    text = (SKILL / "SKILL.md").read_text()
    assert len(text) < 8000
    for part in ("references/ranges.md", "references/reading.md", "references/claims.md"):
        assert part in text and (SKILL / part).stat().st_size < 4000
    assert how_to().startswith("# Tune a training script") and "agenthpo agent" not in how_to()


def test_the_skill_is_installed_and_renewed_and_replaces_nothing_of_others(tmp_path):
    for home in HOMES.values():
        agenthpo("skill", "install", "--to", home, code=0)
        assert validate(Path(home, "agenthpo")) == []
    Path(".claude/skills/agenthpo/references/old.md").write_text("old")
    said = json.loads(agenthpo("skill", "install", "--json", code=0).stdout)
    assert said == {"skill": ".claude/skills/agenthpo"}
    assert not Path(".claude/skills/agenthpo/references/old.md").exists()
    Path("others/agenthpo").mkdir(parents=True)
    Path("others/agenthpo/SKILL.md").write_text("---\nname: something\n---\n")
    assert "is not this skill" in agenthpo("skill", "install", "--to", "others", code=2).stderr
    Path("file").write_text("")
    assert "cannot be written" in agenthpo("skill", "install", "--to", "file", code=2).stderr


TRAIN = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.001, help="step size")
parser.add_argument("--batch_size", type=int, default=32)
args = parser.parse_args()
for epoch in range(4):
    print(f"epoch {epoch} val_accuracy {0.5 + args.lr - args.batch_size / 1e4 - 0.1 / (epoch + 1):.4f}")
"""


def test_the_commands_of_the_skill_run_as_they_stand():
    Path("train.py").write_text(TRAIN)
    text = (SKILL / "SKILL.md").read_text()
    (block,) = [part.split("```")[0] for part in text.split("```bash\n")[1:]]
    commands = block.strip().splitlines()
    assert len(commands) > 8
    for command in commands:
        name, *words = shlex.split(command)
        assert name == "agenthpo"
        done = agenthpo(*words, code=0)
        while "wait" in words and "done: true" not in done.stdout:
            done = agenthpo(*words, code=0)
        if "analyse" in words:
            assert "insight: A larger step helped." in done.stdout
    assert "gain: " in done.stdout


def test_what_the_skill_names_exists():
    offered = agenthpo("agent", "--help", code=0).stdout
    for name in ("draft_task", "check_task", "open_study", "briefing", "propose", "verdict"):
        assert f"`{name}`" in how_to() and name.replace("_", "-") in offered
