"""Have two tools of others look at the MCP server: ``python docs/inspect_mcp.py``.

The Inspector's command line lists and calls tools over standard input and output. The conformance
suite speaks to the server on a port; its scenarios that need tools of its own are left out. Both
come from npm, so Node.js 20 is needed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import uvicorn

from agenthpo.mcp.server import make_server

ROOT = Path(__file__).parent.parent
INSPECTOR, CONFORMANCE = (
    "@modelcontextprotocol/inspector@2.12.0",
    "@modelcontextprotocol/conformance@0.1.11",
)
SCENARIOS = (
    "server-initialize",
    "ping",
    "tools-list",
    "resources-list",
    "prompts-list",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
)
PORT = 8766
LOOKED_AT = (
    ("tools/list",),
    ("prompts/list",),
    ("resources/list",),
    ("resources/templates/list",),
    ("tools/call", "--tool-name", "open_study", "--tool-arg", "task=task.yaml"),
    ("tools/call", "--tool-name", "briefing", "--tool-arg", "study=digits"),
)


def main() -> int:
    """Run both, print a line a check, and return how many failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        for file in ("train.py", "task.yaml"):
            shutil.copy(ROOT / "examples/digits" / file, name)
        server = [sys.executable, "-P", "-m", "agenthpo", "mcp", "--root", name]
        for method, *rest in LOOKED_AT:
            words = ["npx", "-y", INSPECTOR, "--cli", *server, "--method", method, *rest]
            done = subprocess.run(words, capture_output=True, text=True, timeout=180)
            good = done.returncode == 0 and not json.loads(done.stdout).get("isError")
            failed += not good
            print(f"inspector    {method} {' '.join(rest)}: {'passed' if good else done.stderr}")
        app = make_server(Path(name)).streamable_http_app(host="127.0.0.1")
        settings = uvicorn.Config(app, host="127.0.0.1", port=PORT, log_level="error")
        threading.Thread(target=uvicorn.Server(settings).run, daemon=True).start()
        time.sleep(2)
        for scenario in SCENARIOS:
            url = f"http://127.0.0.1:{PORT}/mcp"
            words = ["npx", "-y", CONFORMANCE, "server", "--url", url, "--scenario", scenario]
            done = subprocess.run(words, capture_output=True, text=True, timeout=180, cwd=name)
            failed += done.returncode != 0
            said = [line for line in done.stdout.splitlines() if line.startswith("Passed:")]
            print(f"conformance  {scenario}: {said[0] if said else done.stderr[-500:]}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
