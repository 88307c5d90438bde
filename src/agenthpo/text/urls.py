"""Addresses as they may be shown, and whether one stays on this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["is_open_to_others", "shown_url"]


def shown_url(url: str) -> str:
    """Return ``url`` without the password, or the token instead of a user, that it may hold.

    >>> shown_url("postgresql://me:pass@host/db")
    'postgresql://me@host/db'
    """
    scheme, separator, rest = url.partition("://")
    inside, at, place = rest.rpartition("@")  # the last one: a password may hold any character
    user, has_password, _ = inside.partition(":")
    if at and not has_password and scheme.startswith("http"):
        user = "***"
    return f"{scheme}{separator}{user}{at}{place}"


def is_open_to_others(url: str) -> bool:
    """Return whether what is sent to ``url`` can be read on its way: plain HTTP to another
    machine.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme != "http" or host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True
