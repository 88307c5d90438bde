"""Take secrets out of text before it leaves the machine: keys, tokens, passwords in URLs, home
folders, and what the environment calls secret.

What replaces a secret says of which kind it was. Better one word too many than a key: but a
hyperparameter's range must stay readable. The rules of ``detect-secrets`` stand beside our own
where it is installed. Every pattern takes time that grows with the text alone.
"""

from __future__ import annotations

import functools
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["redact", "redactor"]

_NAMES = (
    r"(?:api|access|secret|private|auth|account|client|encryption|signing|storage|master|service|shared|webhook|refresh|id|bot|deploy)?"
    r"[_-]?(?:key|token|secret|credential|signature)s?"
)
_PASS = r"(?:password|passwd|passphrase|passcode|pwd)"
_VALUE = (
    r"""(?:"[^"\n]{6,400}"|'[^'\n]{6,400}'"""
    r"""|(?=[^\s"',;&]{0,400}[A-Za-z])(?=[^\s"',;&]{0,400}[0-9+/=!@#$%^*])[^\s"',;&]{8,400})"""
)
_ANY = r"""(?:"[^"\n]{1,400}"?|'[^'\n]{1,400}'?|[^\s"',;]{1,400})"""
_LETTERS = r"[A-Za-z]{16,200}(?![\w.-])"
"""A token of letters alone; no word that stands after ``token:`` is as long."""
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private key",
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z "
            r"]{0,40}PRIVATE KEY-----|-{0,5}\Z|)"
        ),
    ),
    ("token", re.compile(r"\beyJ[\w-]{8,2000}\.[\w-]{8,4000}\.?[\w-]{0,2000}")),
    (
        "key",
        re.compile(
            # OpenAI, Anthropic, Stripe
            r"\b(?:sk|pk|rk|whsec)[-_](?:[a-z]{1,20}[-_]){0,4}[A-Za-z0-9_-]{16,400}"
            # Amazon, Google
            r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,80}|\bya29\.[\w-]{20,400}"
            # GitHub, GitLab
            r"|\bgh[opsur]_[A-Za-z0-9]{20,255}|\bgithub_pat_\w{20,255}|\bgl[a-z]{2,6}-[\w-]{16,255}"
            r"|\b(?:hf|r8|gsk|npm|tfp|nvapi|pplx|sq0[a-z]{3}|lsv2_[a-z]{2}|shp(?:at|ss|ca|pa)|rubygems|dckr_pat|figd|fly|FlyV1|tskey)"
            r"[_-][A-Za-z0-9_-]{16,255}|\bxai-[A-Za-z0-9]{20,255}"
            r"|\bxox[abeoprs]-[\w-]{10,255}|\bpypi-[\w-]{20,400}|\bdo[opr]_v1_[a-f0-9]{20,128}|\bSG\.[\w-]{16,80}\.[\w-]{16,80}"
            r"|\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b|\bkey-[0-9a-f]{32}\b|\b[0-9a-f]{32}-us[0-9]{1,2}\b|\bAC[0-9a-f]{32}\b"
        ),
    ),
    (
        "webhook",
        re.compile(
            r"(?i)https?://(?:hooks\.slack\.com/|(?:\w+\.)?discord(?:app)?\.com/api/webhooks/|[\w.-]{1,80}webhook\.office\.com/"
            r"|api\.telegram\.org/bot|hooks\.zapier\.com/|[\w.-]{1,80}\.logic\.azure\.com|maker\.ifttt\.com/|open\.feishu\.cn/open-apis/bot/"
            r"|[\w.-]{1,80}/(?:\w{1,40}/){0,4}webhooks?/)[^\s\"'<>]{1,400}"
        ),
    ),
    ("cookie", re.compile(r"(?i)\b(?:set-)?cookies?[\"']?\s{0,4}[:=]\s{0,4}[^\n]{1,4000}")),
    (
        "cookie",
        re.compile(
            r"(?i)\b(?:session(?:_?id|_?token)|sid|connect\.sid|phpsessid|jsessionid|csrf(?:_?token)?|xsrf-token|_xsrf)=[^\s;\"']{8,400}"
        ),
    ),
    (
        "token",
        re.compile(
            r"(?i)(?<=\bbearer )[\w.~+/=-]{8,4000}|(?<=\bbasic "
            r")[A-Za-z0-9+/=]{12,400}|(?<=\bdigest )[^\n]{12,400}"
        ),
    ),
    (
        "token",
        re.compile(
            r"(?i)(?<=authorization: )(?!bearer |basic |digest |\[)[^\s\"',]{8,400}(?: "
            r"[^\s\"',]{8,400})?"
        ),
    ),
    ("password", re.compile(r"(?<=://)[^\s/:@\"'<>]{0,100}:[^\s\"'<>]{1,200}(?=@[\w\[])")),
    (
        "token",
        re.compile(
            r"(?<=://)(?=[^\s/@]{0,200}[0-9_-])[A-Za-z0-9_.~%-]{12,200}(?=(?::[\w-]{0,40})?@)"
        ),
    ),
    (
        "secret",
        re.compile(
            rf"(?i)(?<=[?&])(?:{_NAMES}|sig|pwd|pass|password|code|auth)=[^\s&#\"']{{1,400}}"
        ),
    ),
    (
        "password",
        re.compile(rf"(?i)\b[\w-]{{0,60}}{_PASS}[\"']?\s{{0,4}}(?:[=:]|=>)\s{{0,4}}{_ANY}"),
    ),
    (
        "password",
        re.compile(
            rf"\b(?:[A-Z0-9]{{1,40}}_){{0,6}}PASS[\"']?\s{{0,2}}=\s{{0,2}}(?![0-9.]+\b){_ANY}"
        ),
    ),
    (
        "password",
        re.compile(
            rf"(?i)\b[\w-]{{1,60}}[_-]pass[\"']?\s{{0,2}}[=:]\s{{0,2}}(?![0-9.]+\b|true\b|false\b)(?:{_VALUE}|[^\s\"',;]{{6,400}})"
        ),
    ),
    (
        "secret",
        re.compile(
            r"(?i)(?:^|(?<=[\s\"'\[(,]))(?:--?[\w-]{0,40}(?:token|password|passwd|secret|api[_-]?key|auth[_-]?key|access[_-]?key|credentials?)|-p(?=[\"'\s]))"
            r"(?:[\"']\s{0,4},\s{0,4}[\"']|\s{1,4}|=)[\"']?(?![0-9.]{1,12}(?:[\s\"']|$)|true\b|false\b|none\b|--?[a-z])[^\s\"',]{6,400}"
        ),
    ),
    (
        "secret",
        re.compile(
            rf"(?i)\b(?:[a-z0-9]{{1,40}}[_-]){{0,6}}{_NAMES}[\"']?\s{{0,4}}(?:[=:]|=>)\s{{0,4}}(?:{_VALUE}|{_LETTERS})"
        ),
    ),
    (
        "secret",
        re.compile(
            r"(?i)\b[\w-]{0,60}(?:connection[_-]?string|conn[_-]?str|dsn|sas)[\"']?\s{0,2}=\s{0,2}(?:\"[^\"\n]{6,400}\"|[^\s\"]{6,400})"
        ),
    ),
    (
        "secret",
        re.compile(r"(?i)\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=[^\s;\"']{8,400}"),
    ),
    (
        "login",
        re.compile(
            r"(?i)\bmachine\s{1,4}\S{1,200}\s{1,4}login\s{1,4}\S{1,200}\s{1,4}password\s{1,4}\S{1,200}"
        ),
    ),
)
_HOMES = re.compile(
    r"(?<![\w.~])(?:/home/|/Users/|[A-Za-z]:\\{1,4}Users\\{1,4})[^\s/\\:\"'<>|]{1,200}"
)
_SECRET_VARIABLE = re.compile(
    r"(?i)(?:key|token|secret|pass|password|passwd|passphrase|pwd|credentials?|dsn|auth|cookie|webhook(?:_url)?|"
    r"connection_string|conn_str|sas|(?:database|db|redis|mongo(?:db)?|postgres|amqp|broker|celery_broker|storage)_(?:url|uri)|"
    r"(?:key|token|secret|pass|password|pwd)_\w{1,20})$"
)
_NO_SECRET_VARIABLE = re.compile(
    r"(?i)^(?:OLD)?PWD$|KEY_?(?:FILE|PATH|ID)$|PUBLIC_KEY|SSH_AUTH_SOCK"
)
_SHORTEST = 6
_URL_PASSWORD = re.compile(r"://[^\s/:@]{0,100}:(.{1,200})@[\w\[]")
_RANDOM = re.compile(r"(?<![\w+/=.-])[A-Za-z0-9+/_-]{32,400}={0,2}(?![\w+/=-])")
_HAS_KINDS = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"))
_RANDOM_BITS = 4.2
"""Bits a character from which on a text of letters and digits is random: words and names in
CamelCase have less.
"""
_FOREIGN = frozenset(
    {
        "Public IP (ipv4)",
        "Basic Auth Credentials",
        "Private Key",
        "Azure Storage Account access key",
        "NPM tokens",
        "JSON Web Token",
    }
)
"""Kinds of detect-secrets that are none here, or that are told better or faster above."""


def redact(text: str, environment: Mapping[str, str] = os.environ, *, quick: bool = False) -> str:
    """Return ``text`` without secrets; ``environment`` tells the user's own.

    ``quick`` is for what stays on this machine for now: our own rules alone, without the time it
    takes to load the others.
    """
    return redactor(environment, quick=quick)(text)


def redactor(
    environment: Mapping[str, str] = os.environ, *, quick: bool = False
) -> Callable[[str], str]:
    """Return ``redact`` for many texts: the environment is read once."""
    secrets = sorted(_of_environment(environment), key=lambda pair: -len(pair[0]))
    rules = (*_PATTERNS, *(() if quick else _kept_rules()))
    home = str(Path.home())
    at_home = re.compile(rf"{re.escape(home)}(?![\w.-])") if len(home) > 1 else None

    def redacted(text: str) -> str:
        for secret, name in secrets:
            text = text.replace(secret, f"[{name}]")
        for kind, pattern in rules:
            text = pattern.sub(functools.partial(_named, kind), text)
        text = _RANDOM.sub(lambda match: "[key]" if _is_random(match[0]) else match[0], text)
        if at_home is not None:
            text = at_home.sub("~", text)
        return _HOMES.sub("~", text)

    return redacted


def _named(kind: str, match: re.Match[str]) -> str:
    """Return what stands instead of a secret; what was told by name already stays, and so does the
    space before.
    """
    found = match[0]
    if re.search(r"\[[\w ]{1,40}\]\"?'?$", found):
        return found
    return f"{found[: len(found) - len(found.lstrip())]}[{kind}]"


def _of_environment(environment: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return the values that the environment calls secret, and the passwords in its addresses, each
    with its variable.
    """
    found = set()
    for name, value in environment.items():
        if (
            len(value) >= _SHORTEST
            and _SECRET_VARIABLE.search(name)
            and not _NO_SECRET_VARIABLE.search(name)
            and not os.path.isabs(value)
        ):
            found.add((value, name))
        if (inside := _URL_PASSWORD.search(value)) and len(inside[1]) >= _SHORTEST - 2:
            found.add((inside[1], name))
    return found


def _is_random(text: str) -> bool:
    """Return whether ``text`` is as random as a key: lower and upper case and digits, and no word
    or path.
    """
    digits = sum(character.isdigit() for character in text)
    if digits < max(2, len(text) / 20):  # a name in CamelCase
        return False
    if (
        not all(kind.search(text) for kind in _HAS_KINDS)
        or text.count("/") > len(text) / 12
        or text.count("_") + text.count("-") > 4
    ):
        return False
    return (
        -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
        >= _RANDOM_BITS
    )


@functools.cache
def _kept_rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the rules of detect-secrets, where it is installed (it is where models are asked over
    a network).
    """
    try:
        from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    except ImportError:
        return ()
    kinds: dict[str, Any] = get_mapping_from_secret_type_to_class()
    return tuple(
        ("key", pattern)
        for kind, plugin in sorted(kinds.items())
        if kind not in _FOREIGN
        for pattern in getattr(plugin, "denylist", None) or ()
    )
