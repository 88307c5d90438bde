"""Whether a study was made by this user here: a seal over its identity, by a secret that stays in the user's folder.

A study that came from elsewhere is data. What it names (a command, a class to import, a server to ask) is run by nobody's leave but the
user's.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path
from typing import Any

from agenthpo.files import make_folder, read_regular, write_whole

__all__ = ["is_made_here", "seal"]

_BYTES = 32


def seal(identity: str) -> str:
    """Return the seal of a study; empty where the user's folder cannot be written, so that it is nobody's."""
    secret = _secret(make=True)
    return hmac.new(secret, identity.encode(), "sha256").hexdigest() if secret else ""


def is_made_here(meta: dict[str, Any]) -> bool:
    """Tell whether what is kept with a study bears this user's seal."""
    secret, given = _secret(make=False), meta.get("seal")
    if not secret or not isinstance(given, str):
        return False
    return hmac.compare_digest(hmac.new(secret, str(meta.get("id", "")).encode(), "sha256").hexdigest(), given)


def _secret(*, make: bool) -> bytes:
    path = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state", "agenthpo", "seal")
    try:
        return read_regular(path)
    except OSError:
        if not make:
            return b""
    try:
        make_folder(path.parent)
        write_whole(path, secrets.token_bytes(_BYTES))
        return read_regular(path)
    except OSError:
        return b""
