"""Serve the operations: to a client that starts us, or on this machine's own network under a
token.
"""

from __future__ import annotations

import hmac
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.mcpserver import MCPServer

__all__ = ["Guarded", "serve_http", "serve_stdio"]

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
_HOST = "127.0.0.1"


def serve_stdio(server: MCPServer[Any]) -> None:
    """Serve the client at the other end of standard input and output until it closes them."""
    server.run("stdio")
    # a call that waits in a thread must not hold the process; what it asked for stands
    sys.stdout.flush()
    os._exit(0)


def serve_http(server: MCPServer[Any], *, port: int, token: str) -> None:
    """Serve on a port of this machine, which others cannot reach, whoever has the token."""
    import uvicorn

    app = Guarded(server.streamable_http_app(host=_HOST), token)
    uvicorn.run(app, host=_HOST, port=port, log_level="warning")


class Guarded:
    """An application that answers only requests with the token."""

    def __init__(self, app: Asgi, token: str) -> None:
        self._app, self._wanted = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request; the start and the end of the application are not for anybody."""
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._wanted):
                headers = [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain")]
                start = {"type": "http.response.start", "status": 401, "headers": headers}
                await send(start)
                words = b"send the token that agenthpo mcp printed: Authorization: Bearer TOKEN\n"
                await send({"type": "http.response.body", "body": words})
                return
        elif scope["type"] != "lifespan":
            return
        await self._app(scope, receive, send)
