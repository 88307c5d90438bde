"""What to expect of a language model before it has shown anything, by its name alone."""

from __future__ import annotations

import re
from typing import Literal

from agenthpo.llm.client import Mannered

__all__ = ["WEAK", "ModelClass", "class_of", "is_weak"]

ModelClass = Literal["strong", "unknown", "small", "embedded"]
WEAK: tuple[ModelClass, ...] = ("small", "embedded")
"""Those whose ideas cost more trials than they gain, and whose words are held to more."""
_STRONG = re.compile(
    r"gpt-[5-9]|\bo[3-9]\b|opus|sonnet|gemini-\d[\d.]*-pro|grok-[4-9]|deepseek|kimi|qwen3-max|mistral-large",
    re.IGNORECASE,
)
_SMALL = re.compile(r"(?<![\d.])([0-9]|1[0-4])(\.\d+)?b\b|nano|mini|tiny|flash-lite", re.IGNORECASE)
"""By name: up to 14 thousand million weights, or what its maker calls small."""


def class_of(name: str, *, embedded: bool) -> ModelClass:
    """Return the class of the model ``name``: what to expect of it before its first trial."""
    if embedded:
        return "embedded"
    if _SMALL.search(name):
        return "small"
    return "strong" if _STRONG.search(name) else "unknown"


def is_weak(llm: Mannered) -> bool:
    """Return whether ``llm`` is small or embedded."""
    return class_of(llm.name, embedded=llm.holds_to_grammar) in WEAK
