"""A model's name, parsed once: what kind of model it means, and how much of it is a name of its
own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["EMBEDDED", "NONE", "REPLAY", "ModelKind", "ModelName", "parse_model"]

NONE = "none"
"""The name that means no language model."""
EMBEDDED, REPLAY = "local:", "replay:"
ModelKind = Literal["none", "embedded", "file", "replay", "remote"]


@dataclass(frozen=True)
class ModelName:
    """Which model a name means.

    ``text`` is the name as it is written and recorded. ``own`` is the rest of it: an embedded
    model's name in the catalogue, a file's path, a study, or the name by which a provider or server
    knows the model.
    """

    text: str
    kind: ModelKind
    own: str
    provider: str = ""
    """Of a remote model: ``openai``, ``anthropic`` …; empty where the name has none."""
    base_url: str | None = None
    """The OpenAI-compatible server that has a remote model."""

    @property
    def is_none(self) -> bool:
        """Whether it means no model."""
        return self.kind == "none"

    @property
    def is_embedded(self) -> bool:
        """Whether it runs inside this process."""
        return self.kind in ("embedded", "file")

    @property
    def is_free(self) -> bool:
        """Whether asking it costs no money."""
        return self.kind != "remote"


def parse_model(text: str, base_url: str | None = None) -> ModelName:
    """Return what ``text`` means: none, ``local:NAME``, ``local:PATH.gguf``, ``replay:STUDY``, or
    ``PROVIDER:MODEL``.

    With ``base_url``, it is the name of a model on that server, whatever it looks like; none and a
    replay stay what they are.
    """
    if text == NONE:
        return ModelName(text, "none", "")
    if text.startswith(REPLAY):
        return ModelName(text, "replay", text.removeprefix(REPLAY))
    if text.startswith(EMBEDDED) and base_url is None:
        own = text.removeprefix(EMBEDDED)
        return ModelName(text, "file" if "/" in own or own.endswith(".gguf") else "embedded", own)
    provider, has_provider, own = text.partition(":")
    if not has_provider:
        return ModelName(text=text, kind="remote", own=text, provider="", base_url=base_url)
    return ModelName(text=text, kind="remote", own=own, provider=provider, base_url=base_url)
