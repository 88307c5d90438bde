"""Bounds on what a server may send: a reply that never ends, or that unpacks to gigabytes, is
refused while it comes.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from agenthpo.llm.remote_failures import Unreadable

__all__ = ["MOST_BYTES", "bound"]

MOST_BYTES = 4_000_000
_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def bound(model: Any) -> None:
    """Bound the replies to the HTTP client of a pydantic-ai ``model``, where it has one that we
    know how to reach.
    """
    http: Any = getattr(getattr(model, "client", None), "_client", None)
    hooks = getattr(http, "event_hooks", None)
    if isinstance(hooks, dict):
        http.event_hooks = {
            "request": [*hooks.get("request", []), _plain],
            "response": [*hooks.get("response", []), _bounded],
        }


async def _plain(request: Any) -> None:
    request.headers["accept-encoding"] = "identity"


async def _bounded(response: Any) -> None:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", *_WINDOWS):
        raise Unreadable(f"the reply is packed by {encoding[:20]}, which was not asked for")
    unpack = zlib.decompressobj(_WINDOWS[encoding]) if encoding in _WINDOWS else None
    if unpack:
        del response.headers["content-encoding"]
        response.headers.pop("content-length", None)
    base: Any = import_module(type(response).__module__.split(".")[0]).AsyncByteStream
    inner = response.stream

    class Stream(base):  # type: ignore[misc]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            raw = whole = 0
            async for chunk in inner:
                raw += len(chunk)
                try:
                    data = (
                        chunk
                        if unpack is None
                        else unpack.decompress(chunk, MOST_BYTES + 1 - whole)
                    )
                except zlib.error:
                    raise Unreadable("the reply cannot be unpacked") from None
                whole += len(data)
                if max(raw, whole) > MOST_BYTES:
                    raise Unreadable(f"the reply is longer than {MOST_BYTES // 1_000_000} MB")
                yield data

        async def aclose(self) -> None:
            await inner.aclose()

    response.stream = Stream()
