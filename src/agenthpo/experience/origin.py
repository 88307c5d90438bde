"""Whether a study was made by this user here: a seal over its identity, by a secret that stays in
the user's folder.

A study that came from elsewhere is data. What it names (a command, a class to import, a server to
ask) is run by nobody's leave but the user's.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from agenthpo.files import make_folder, read_regular, write_whole

__all__ = ["is_made_here", "seal"]

_BYTES = 32


def seal(identity: str) -> str:
    """Return the seal of a study; empty where the user's folder cannot be written, so that it is
    nobody's.
    """
    secret = _secret(make=True)
    return hmac.new(secret, identity.encode(), "sha256").hexdigest() if secret else ""


def is_made_here(identity: str, given: str) -> bool:
    """Return whether the seal ``given`` with a study of that identity is this user's."""
    secret = _secret(make=False)
    if not secret:
        return False
    ours = hmac.new(secret, identity.encode(), "sha256").hexdigest()
    return hmac.compare_digest(ours.encode(), given.encode())


def _secret(*, make: bool) -> bytes:
    path = Path(
        os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state", "agenthpo", "seal"
    )
    try:
        return read_regular(path)
    except OSError:
        if not make:
            return b""
    try:
        make_folder(path.parent)
        aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        write_whole(aside, secrets.token_bytes(_BYTES))
        # another process may make it at the same time, and the first one's counts
        with suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
        return read_regular(path)
    except OSError:
        return b""
