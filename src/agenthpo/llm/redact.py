"""Take secrets out of text before it leaves the machine: keys, tokens, passwords in URLs, home folders, and what the environment calls secret.

What replaces a secret says of which kind it was. Better one word too many than a key: but a hyperparameter's range must stay readable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agenthpo.llm.around import Around
from agenthpo.llm.client import Form, Message, Reply

__all__ = ["Redacting", "redact"]

_NAMES = r"(?:api|access|secret|private|auth|account|client|encryption|signing|storage|master|service)?[_-]?(?:key|token|secret|credential|signature)s?"
_VALUE = r"""(?:"[^"\n]{6,}"|'[^'\n]{6,}'|(?=[^\s"',;&]*[A-Za-z])(?=[^\s"',;&]*[0-9+/=_])[^\s"',;&]{8,})"""
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)),
    ("token", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.?[\w-]*")),
    (
        "key",
        re.compile(
            r"\b(?:sk|pk|rk)[-_](?:[a-z]+[-_])*[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic, Stripe
            r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}"  # Amazon, Google
            r"|\bgh[opsur]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"  # GitHub, GitLab
            r"|\bhf_[A-Za-z0-9]{20,}|\br8_[A-Za-z0-9]{20,}|\bgsk_[A-Za-z0-9]{20,}|\bxai-[A-Za-z0-9]{20,}"  # Hugging Face, Replicate, Groq, xAI
            r"|\bxox[abeoprs]-[\w-]{10,}|\bnpm_[A-Za-z0-9]{20,}|\bpypi-[\w-]{20,}|\bdop_v1_[a-f0-9]{20,}|\bSG\.[\w-]{16,}\.[\w-]{16,}"
        ),
    ),
    ("token", re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]{8,}|(?<=\bbasic )[A-Za-z0-9+/=]{12,}")),
    ("password", re.compile(r"(?<=://)[^\s/:@]*:[^\s/@]+(?=@)")),
    ("secret", re.compile(rf"(?i)(?<=[?&])(?:{_NAMES}|sig|pwd|password)=[^\s&#\"']+")),
    ("password", re.compile(r"""(?i)\b[\w-]*(?:password|passwd|passphrase|pwd)["']?\s*[=:]\s*(?:"[^"\n]+"|'[^'\n]+'|[^\s"',;]+)""")),
    ("secret", re.compile(rf"""(?i)\b(?:[a-z0-9]+[_-])*{_NAMES}["']?\s*[=:]\s*{_VALUE}""")),
)
_HOMES = re.compile(r"(?<![\w.~])(?:/home/|/Users/|[A-Za-z]:\\+Users\\+)[^\s/\\:\"'<>|]+")
_SECRET_VARIABLE = re.compile(r"(?i)(?:key|token|secret|password|passwd|credentials?)$")
_SHORTEST = 8


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return ``text`` without secrets; ``environment`` tells the user's own."""
    for name, value in environment.items():
        if len(value) >= _SHORTEST and _SECRET_VARIABLE.search(name) and not os.path.isabs(value):
            text = text.replace(value, f"[{name}]")
    for kind, pattern in _PATTERNS:
        text = pattern.sub(f"[{kind}]", text)
    home = str(Path.home())
    if len(home) > 1:
        text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
    return _HOMES.sub("~", text)


class Redacting(Around):
    """A model that is never told a secret."""

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Ask the model, without the secrets in ``messages``."""
        return self._llm.ask(_without_secrets(messages), form, seed=seed)

    def prepare(self, messages: Sequence[Message]) -> None:
        """Let the model prepare, on the words it will be sent."""
        self._llm.prepare(_without_secrets(messages))


def _without_secrets(messages: Sequence[Message]) -> list[Message]:
    return [replace(message, text=redact(message.text)) for message in messages]
