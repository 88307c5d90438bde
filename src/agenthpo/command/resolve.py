"""How a configuration reaches a script: the words of its command, its environment, its
configuration file.

The value the script gets is the value that is recorded, in every way in. What a value holds is
never read again.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from agenthpo.command.option_style import (
    BARE,
    JSON_TEXT,
    LEFT_OUT,
    LISTS,
    REPEATED,
    SEVERAL,
    WITH_COMMAS,
    write_option,
    write_word,
)
from agenthpo.records import Params
from agenthpo.script import PARAMS_FILE
from agenthpo.space import Space
from agenthpo.structured import is_structured

__all__ = [
    "CONFIG_YAML",
    "RUN_FOLDER",
    "config_text",
    "fill",
    "literal",
    "placeholders",
    "quotes_at",
    "resolve_command",
    "resolve_env",
]

CONFIG_YAML, RUN_FOLDER = "params.yaml", "files"
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^\W\d][\w.-]*)\}")
_NEGATIVE = re.compile(r"-[0-9]+|-[0-9]*\.[0-9]+")
"""What argparse takes for a negative number, and not for an option."""
_INNER_SHELL = re.compile(r"\b(?:eval|ssh)\s|\b(?:ba|da|z|k)?sh\s[^|;&]{0,80}?-[a-z]{0,5}c\s")
_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_KEY_MARKS = re.compile(r"[\\()\[\]{}:=,\s]")
_NO_TEXT = {"true", "false", "null", "nan", "inf", "none"}
"""Words that would not be read as text."""
_EXPONENT_ONLY = re.compile(r"^(-?\d+)(e)")


def placeholders(text: str) -> list[str]:
    """Return the names in braces; doubled braces stand for themselves."""
    return [match[1] for match in _PLACEHOLDER.finditer(text) if match[1]]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with its placeholders replaced once."""
    return _PLACEHOLDER.sub(lambda m: values[m[1]] if m[1] else m[0][0], text)


def resolve_command(
    words: tuple[str, ...],
    space: Space,
    params: Params,
    *,
    shell: bool = False,
    styles: Mapping[str, str] | None = None,
    seed: int,
    workdir: Path,
) -> tuple[str, ...]:
    """Return the command's words with the placeholders filled in, each value within one word
    whatever it holds.

    A value that starts with a dash is joined to the option before it, ``--shift=-0.5`` or ``-s-x``,
    unless that takes several. A parameter that is inactive vanishes together with its option: both
    ``--momentum {momentum}`` and ``--momentum={momentum}`` do. ``{flags}`` and ``{overrides}`` hold
    the parameters that have no placeholder of their own; ``styles`` says how the first writes true,
    false, null and lists. A list is JSON text in ``{name}``, or as its style writes it. In a
    ``shell`` line, a single word for the shell, values are quoted
    and an inactive one is the empty word.
    """
    styles = styles or {}
    values = _values(params, seed=seed, workdir=workdir) | {
        name: write_word(value, styles[name])
        for name, value in params.items()
        if (value is None or isinstance(value, bool)) and name in styles
    }
    lists = {
        name: [_exact(each) for each in value]
        for name, value in params.items()
        if isinstance(value, list | tuple) and styles.get(name) in (SEVERAL, WITH_COMMAS)
    }
    values |= {name: ",".join(each) for name, each in lists.items() if styles[name] == WITH_COMMAS}
    several = {f"{{{name}}}": each for name, each in lists.items() if styles[name] == SEVERAL}
    inactive = set(space.names) - set(params)
    named = {name for word in words for name in placeholders(word)}
    rest = {name: value for name, value in params.items() if name not in named}
    every = several | {"{flags}": _flags(rest, styles), "{overrides}": _overrides(rest)}
    if shell:
        texts = values | dict.fromkeys(inactive, "")
        joined = {word[1:-1]: shlex.join(each) for word, each in every.items()}
        return (*_shell(), _filled_line(words[0], texts, joined))
    resolved: list[str] = []
    for place, word in enumerate(words):
        if word in every:
            resolved += every[word]
        elif not inactive & set(placeholders(word)):
            value = fill(word, values)
            following = "".join(words[place + 1 : place + 2])
            takes_more = (
                bool(following) and not following.startswith("-") and following not in every
            )
            if (
                word != value
                and value.startswith("-")
                and _is_bare_option(resolved[-1:])
                and not takes_more
            ):
                resolved[-1] += f"={value}"  # argparse takes a word such as -x for an option
            elif (
                word != value
                and value.startswith("-")
                and not _NEGATIVE.fullmatch(value)
                and _is_short_option(resolved[-1:])
            ):
                resolved[-1] += value
            else:
                resolved.append(value)
        elif word.startswith("{") and resolved and resolved[-1].startswith("-"):
            resolved.pop()
    return tuple(resolved)


def resolve_env(
    env: Mapping[str, str], params: Params, *, seed: int, workdir: Path
) -> dict[str, str]:
    """Return the environment's variables with the placeholders filled in; one that holds an
    inactive parameter is left out.
    """
    values = _values(params, seed=seed, workdir=workdir)
    return {
        name: fill(text, values)
        for name, text in env.items()
        if set(placeholders(text)) <= set(values)
    }


def config_text(params: Params) -> str:
    """Return ``params`` as JSON that a reader of YAML 1.1 (PyYAML) reads to the same values and
    types as well.
    """
    pairs = ",\n".join(f"  {_quoted(name)}: {literal(value)}" for name, value in params.items())
    return f"{{\n{pairs}\n}}\n"


def quotes_at(line: str) -> dict[int, str]:
    """Return for each placeholder in a shell line, by its place, the quotes that it stands in:
    ``'``, ``"`` or none.

    :raises ValueError: for one that stands where a value would be executed whatever its quotes: in
        a command substitution within
        quotes, between backticks, in quotes for an inner shell (``sh -c "…"``), or after a
        here-document has begun.
    """
    places = {m.start(): m for m in _PLACEHOLDER.finditer(line) if m[1]}
    found = {}
    quote = ""
    place = 0
    inner = line.find("<<")
    while inner >= 0 and line[inner : inner + 3] == "<<<":
        inner = line.find("<<", inner + 3)
    ticks, depth = False, 0
    while place < len(line):
        character = line[place]
        if place in places:
            nested = bool(quote) and _INNER_SHELL.search(line[:place]) is not None
            if ticks or nested or (depth and quote == '"') or (0 <= inner < place):
                raise ValueError(places[place][0])
            found[place] = quote
            place = places[place].end()
            continue
        if character == "\\" and quote != "'":
            place += 1
        elif character == "'" and quote != '"':
            quote = "" if quote else "'"
        elif character == '"' and quote != "'":
            quote = "" if quote else '"'
        elif character == "`" and quote != "'":
            ticks = not ticks
        elif quote == '"' and line[place : place + 2] == "$(":
            depth += 1
        elif quote == '"' and character == ")" and depth:
            depth -= 1
        place += 1
    return found


def _filled_line(line: str, values: Mapping[str, str], joined: Mapping[str, str]) -> str:
    """Return a shell line with its placeholders filled in, each value as text alone, whatever
    quotes it stands in.
    """
    quotes = quotes_at(line)

    def put(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0][0]
        quote = quotes[match.start()]
        value = joined[match[1]] if match[1] in joined else values[match[1]]
        if quote == "'":
            return value.replace("'", "'\\''")
        if quote == '"':
            return re.sub(r'[\\$`"]', lambda m: "\\" + m[0], value)
        return value if match[1] in joined else shlex.quote(value)

    return _PLACEHOLDER.sub(put, line)


@functools.cache
def _shell() -> tuple[str, ...]:
    """Return how to run a line by a shell in which a pipe fails with its first part: ``train.py |
    tee log`` must not hide a crash.
    """
    for shell in (("sh",), ("bash", "--posix")):
        command = (*shell, "-o", "pipefail", "-c")
        if (
            shutil.which(shell[0])
            and subprocess.run([*command, "true"], capture_output=True).returncode == 0
        ):
            return command
    return ("sh", "-c")


def _is_bare_option(words: list[str]) -> bool:
    return bool(words) and words[0].startswith("--") and len(words[0]) > 2 and "=" not in words[0]


def _is_short_option(words: list[str]) -> bool:
    return bool(words) and re.fullmatch(r"-[A-Za-z]", words[0]) is not None


def _values(params: Params, *, seed: int, workdir: Path) -> dict[str, str]:
    own = {
        "config_file": str(workdir / PARAMS_FILE),
        "config_yaml": str(workdir / CONFIG_YAML),
        "trial_dir": str(workdir),
        "seed": str(seed),
        "python": sys.executable,
    }
    return {name: _exact(value) for name, value in params.items()} | own


def _exact(value: Any) -> str:
    """Return a value as a word: floats without loss, ``true``, ``false`` and ``null`` as JSON and
    YAML have them.

    Negative numbers have no exponent: argparse takes ``-2e-05`` for an option, ``-0.00002`` for a
    number.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if is_structured(value):
        return json.dumps(value, ensure_ascii=False)
    text = str(value)
    if isinstance(value, float) and value < 0 and "e" in text:
        text = format(Decimal(text), "f")
        return text if "." in text else f"{text}.0"
    return text


def _flags(params: Params, styles: Mapping[str, str]) -> list[str]:
    """Return ``--name value`` for every parameter, true, false and null in the parameter's
    style.
    """
    words: list[str] = []
    for name, value in params.items():
        if value is None or isinstance(value, bool):
            style = styles.get(name, "")
            style = style if style not in ("", *LISTS) else BARE if value else LEFT_OUT
            words += write_option(name, value, style)
        elif isinstance(value, list | tuple) and styles.get(name, JSON_TEXT) != JSON_TEXT:
            words += _listed(name, [_exact(each) for each in value], styles[name])
        else:
            words += _option(name, _exact(value))
    return words


def _listed(name: str, texts: list[str], style: str) -> list[str]:
    """Return the words that give the option ``name`` a list."""
    if style == REPEATED:
        return [word for text in texts for word in (f"--{name}", text)]
    return [f"--{name}", *texts] if style == SEVERAL else _option(name, ",".join(texts))


def _option(name: str, text: str) -> list[str]:
    # `--lr=-1` rather than `--lr -1`: a value that starts with a dash must not be read as an option
    return [f"--{name}={text}"] if text.startswith("-") else [f"--{name}", text]


def _overrides(params: Params) -> list[str]:
    """Return ``name=value`` for every parameter, as Hydra and OmegaConf read it back.

    https://hydra.cc/docs/advanced/override_grammar/basic
    """
    return [f"{name}={_override(value)}" for name, value in params.items()]


def _override(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(_override(each) for each in value)}]"
    if isinstance(value, dict):
        # a key has no quotes
        pairs = (f"{_KEY_MARKS.sub(_escaped, key)}:{_override(v)}" for key, v in value.items())
        return f"{{{','.join(pairs)}}}"
    if not isinstance(value, str):
        return _exact(value)
    if _PLAIN_WORD.fullmatch(value) and value.lower() not in _NO_TEXT:
        return value
    escaped = re.sub(r"(\\*)'", lambda m: m[1] * 2 + "\\'", value)
    escaped = re.sub(r"(\\+)$", lambda m: m[1] * 2, escaped)
    return f"'{escaped}'"


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def literal(value: Any, *, between: str = ": ") -> str:
    """Return a value as JSON, YAML 1.1 and YAML 1.2 read it back; TOML as well, with ``" = "``
    ``between`` a key and its value.
    """
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float):
        # 1e-05 is text to YAML 1.1, 1.0e-05 a number to everybody
        return _EXPONENT_ONLY.sub(r"\1.0\2", repr(value))
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(each, between=between) for each in value)}]"
    if isinstance(value, dict):
        pairs = (
            f"{_quoted(key)}{between}{literal(each, between=between)}"
            for key, each in value.items()
        )
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(value)


def _quoted(text: str) -> str:
    """Return a JSON string; what is beyond 16 bits stays as it is, since YAML knows no surrogate
    pairs.
    """
    return '"' + "".join(c if ord(c) > 0xFFFF else json.dumps(c)[1:-1] for c in text) + '"'
