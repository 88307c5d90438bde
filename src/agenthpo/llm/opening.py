"""From a model's name to a model, or to its manner alone; what it needs is imported only when it is
opened.
"""

from __future__ import annotations

from agenthpo.llm.client import LLM, Manner
from agenthpo.llm.names import parse_model
from agenthpo.llm.windows import allowance_of

__all__ = ["manner_of", "open_model"]


def manner_of(name: str, *, base_url: str | None = None) -> Manner:
    """Return how the model ``name`` is to be asked; it is neither opened nor looked for."""
    embedded = parse_model(name, base_url).is_embedded
    return Manner(name, allowance_of(name, base_url), embedded)


def open_model(
    name: str,
    *,
    base_url: str | None = None,
    timeout_s: float | None = None,
    temperature: float | None = None,
) -> LLM:
    """Return the model ``name``: ``local:…`` for an embedded one, else a pydantic-ai name such as
    ``openai:gpt-5``.

    With ``base_url``, it is the model of that name on an OpenAI-compatible server.

    :param timeout_s: seconds that a remote model has to answer; 120 without it, and 600 for one
        that is known to think first.
    :param temperature: how freely it draws its words, from 0 to 2; the model's own without it.
    :raises ModelError: if it cannot be used at all.
    """
    if parse_model(name, base_url).is_embedded:
        from agenthpo.llm.catalogue import locate
        from agenthpo.llm.embedded import EmbeddedLLM

        return EmbeddedLLM(name, locate(name), temperature=temperature)
    from agenthpo.llm.remote import open_remote

    return open_remote(name, base_url=base_url, timeout_s=timeout_s, temperature=temperature)
