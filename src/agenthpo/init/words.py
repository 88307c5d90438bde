"""The words by which a script is read, from ``words.toml``, which a person can read and extend."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

__all__ = ["words"]


def words(kind: str) -> frozenset[str]:
    """Return the words of a kind.

    >>> "seed" in words("never")
    True
    """
    return frozenset(_all()[kind].split())


@cache
def _all() -> dict[str, str]:
    text = resources.files("agenthpo.init").joinpath("words.toml").read_text("utf-8")
    return tomllib.loads(text)
