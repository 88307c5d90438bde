"""A training that spaCy runs from its ``config.cfg``, without a script of the user's.

https://spacy.io/usage/training#config
"""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

from agenthpo.command.option import Option
from agenthpo.errors import TaskError
from agenthpo.init.printed import Told
from agenthpo.init.ranges import chosen
from agenthpo.init.ways import Way

__all__ = ["is_spacy_config", "spacy_background", "spacy_told", "spacy_way"]

_SCORE = "SCORE"
"""The last column of the table that spaCy prints: the weighted scores of the components."""


_NOT_TRAINED = {"nlp", "paths", "system", "initialize", "pretraining"}
"""Sections without a hyperparameter: nlp.batch_size is that of predictions."""


def is_spacy_config(path: Path) -> bool:
    """Return whether ``path`` is named as spaCy's configurations are."""
    return path.suffix == ".cfg"


def spacy_way(path: Path) -> Way:
    """Return how spaCy takes the values of its configuration: ``--training.dropout 0.2``.

    :raises TaskError: if it is no configuration of a spaCy training.
    """
    sections = _read(path)
    options = [
        Option(f"{section}.{key}", value, spelling=f"--{section}.{key}", style="--name true")
        for section, pairs in sections.items()
        for key, value in pairs.items()
        if section not in _NOT_TRAINED
        if not key.startswith("@") and not _is_reference(value)
    ]
    choices, left = chosen(options, only_known=True)
    to_fill = {
        f"paths.{key}": f"PATHS_{key.upper()}"
        for key in ("train", "dev")
        if sections.get("paths", {}).get(key, "") is None
    }
    words = [f"--{name} {blank}" for name, blank in to_fill.items()]
    return Way(
        " ".join([f"{{python}} -m spacy train {path.name}", *words, "{flags}"]),
        choices,
        left,
        options,
        "spaCy's overrides of its configuration",
        to_fill=list(to_fill.values()),
    )


def spacy_told(path: Path) -> list[Told]:
    """Return what the table of a spaCy training tells: the score, then what it is made of."""
    weights = _read(path).get("training.score_weights", {})
    parts = [name.upper() for name, weight in weights.items() if weight]
    return [Told(_SCORE), *(Told(name) for name in parts if name != _SCORE)]


def spacy_background(path: Path) -> dict[str, str]:
    """Return the task in words: language and components."""
    pipeline = _read(path).get("nlp", {})
    components = pipeline.get("pipeline") or []
    names = ", ".join(str(name) for name in components) or "its components"
    return {
        "task": f"Train a spaCy pipeline for the language '{pipeline.get('lang', '')}'.",
        "model": f"spaCy: {names}",
        "goal": f"Highest {_SCORE}.",
    }


def _read(path: Path) -> dict[str, dict[str, Any]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, configparser.Error) as problem:
        said = str(problem).splitlines()[0]
        raise TaskError(f"{path} cannot be read as a configuration ({said}); fix it") from None
    found = {
        section: {key: _value(text) for key, text in parser.items(section, raw=True)}
        for section in parser.sections()
    }
    if not {"nlp", "training"} <= set(found):
        raise TaskError(
            f"{path} is no configuration of a spaCy training, which has [nlp] and [training]; "
            "name a script, or write a task file by hand"
        )
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and re.search(r"\$\{[^}]*\}", value) is not None
