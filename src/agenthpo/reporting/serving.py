"""A study's page on this machine, as the study grows."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from agenthpo.errors import AgentHPOError
from agenthpo.experience.finding import study_signs

__all__ = ["Server"]


class Server:
    """Serves the page on the loopback address, below a path that nobody can guess: other pages in
    the browser, and other people on the machine, may ask any port.
    """

    def __init__(self, folder: Path, make: Callable[[str], str]) -> None:
        """:param make: makes the page; it is given what the page is a picture of."""
        self._folder, self._make = folder, make
        self._lock = threading.Lock()
        self._made: tuple[str, str] = ("", "")
        token = secrets.token_urlsafe(16)
        server = self

        class Handler(BaseHTTPRequestHandler):
            """Answers for the page and for whether there is news."""

            def do_GET(self) -> None:
                host = (self.headers.get("Host") or "").rpartition(":")[0]
                if host not in ("127.0.0.1", "localhost"):  # a name that was turned to this machine
                    self._answer(403, "text/plain", "not here")
                elif self.path == f"/{token}/":
                    try:
                        self._answer(200, "text/html; charset=utf-8", server.page())
                    except AgentHPOError as problem:
                        self._answer(500, "text/plain; charset=utf-8", str(problem))
                elif self.path == f"/{token}/news":
                    self._answer(200, "text/plain", server.sign())
                else:
                    self._answer(404, "text/plain", "nothing here")

            def _answer(self, status: int, kind: str, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("X-Content-Type-Options", "nosniff")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: what is asked is the page itself."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/{token}/"
        """Where it is."""

    def sign(self) -> str:
        """Return what is another one as soon as something was added to the study."""
        return hashlib.sha256(repr(study_signs(self._folder)).encode()).hexdigest()[:16]

    def page(self) -> str:
        """Return the page of the study as it is now; it is made once for each state."""
        with self._lock:
            now = self.sign()
            if self._made[0] != now:
                self._made = (now, self._make(now))
            return self._made[1]

    def serve(self) -> None:
        """Serve until ``close`` is called or the process is interrupted."""
        self._http.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Let the port go."""
        self._http.shutdown()
        self._http.server_close()
