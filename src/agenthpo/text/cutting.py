"""Texts that are too long, cut so that no half of a secret is left at their end."""

from __future__ import annotations

import functools
import re

from agenthpo.text.redaction import redact

__all__ = ["cut", "safe_start"]

_BEYOND = 1000
"""Characters beyond a cut that are looked at: a secret that begins before it ends there."""
_SUSPECT = re.compile(r"[=:]|//|--|[A-Za-z0-9+/_.-]{12}|(?i:bearer|basic|cookie|private|password)")
"""What every secret has something of; plain words are not looked at any closer."""


def cut(text: str, most: int) -> str:
    """Return the first ``most`` characters of ``text``, from which secrets were taken first: half
    of one is none that could be told.
    """
    return text if len(text) <= most else safe_start(text, most)[:most]


def safe_start(text: str, most: int) -> str:
    """Return the beginning of ``text`` without secrets, so much of it that ``most`` characters can
    be cut from it.
    """
    return _redacted(text[: most + _BEYOND])


@functools.lru_cache(maxsize=4096)
def _redacted(text: str) -> str:
    """Return ``text`` without secrets; a study asks for the same ones at each of its prompts."""
    return redact(text) if _SUSPECT.search(text) else text
