"""How much of a prompt a model takes, by its window where that is known; no network is asked."""

from __future__ import annotations

from agenthpo.llm.client import EMBEDDED_ALLOWANCE, REMOTE_ALLOWANCE, WIDE_ALLOWANCE
from agenthpo.llm.model_class import WEAK, class_of
from agenthpo.llm.names import parse_model
from agenthpo.llm.prices import window_of

__all__ = ["allowance_of"]

_SHARE = 5
"""A prompt beside its head is at most this part of the window: thinking and reply need room."""


def allowance_of(name: str, base_url: str | None = None) -> int:
    """Return how many tokens a prompt for the model ``name`` may hold beside its unchanging head.

    A fifth of the window where that is known, between 1,000 and 12,000. Where it is not, 12,000
    for a model of a strong class. All others have 3,000 at most: a small model loses its way in
    more, and a server of one's own may have been started with a small window.
    """
    named = parse_model(name, base_url)
    if named.is_embedded:
        return EMBEDDED_ALLOWANCE
    window = window_of(name, base_url)
    kind = class_of(name, embedded=False)
    is_wide = kind == "strong" and base_url is None if window is None else kind not in WEAK
    most = WIDE_ALLOWANCE if is_wide else REMOTE_ALLOWANCE
    return most if window is None else min(max(window // _SHARE, 1000), most)
