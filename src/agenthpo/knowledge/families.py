"""Which family of models a task trains, from what its background says and its script imports.

The data are in ``families.toml``. The names of the hyperparameters alone do not decide: a learning
rate and a batch size belong to any network.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["Family", "families", "family_of", "imported"]


@dataclass(frozen=True)
class Family:
    """A kind of model, and by what it is recognised."""

    name: str
    about: str
    """In the plural, as a sentence names it."""
    words: tuple[str, ...]
    imports: tuple[str, ...]
    unlike: tuple[str, ...]


@cache
def families() -> Mapping[str, Family]:
    """Return every family of the data by its name."""
    text = resources.files("agenthpo.knowledge").joinpath("families.toml").read_text("utf-8")
    return {
        name: Family(
            name,
            about=fields["about"],
            words=tuple(fields["words"]),
            imports=tuple(fields["imports"]),
            unlike=tuple(fields["unlike"]),
        )
        for name, fields in tomllib.loads(text).items()
    }


def family_of(background: str, imports: Collection[str] = ()) -> Family | None:
    """Return the family that the words and the imports name, None where they name none or several.

    >>> family_of("XGBoost, to predict who leaves").name
    'xgboost'
    >>> family_of("a transformer beside an MLP") is None
    True
    """
    lower = {name.lower() for name in imports}
    said = [f for f in families().values() if _is_said(f.words, background)]
    imported_by = [f for f in families().values() if lower & {name.lower() for name in f.imports}]
    # what is said counts more than what is imported: scripts import more than they train
    found = said or imported_by
    found = [f for f in found if not _is_said(f.unlike, background, whole=False)]
    return found[0] if len(found) == 1 else None


def imported(script: str) -> set[str]:
    """Return every name that the Python text ``script`` imports, modules by each of their parts;
    empty where it is no Python. It is read, never run.
    """
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {part for alias in node.names for part in alias.name.split(".")}
        elif isinstance(node, ast.ImportFrom):
            found |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
    return found - {"", "*"}


def _is_said(words: Collection[str], text: str, *, whole: bool = True) -> bool:
    """Return whether one of ``words`` is in ``text``; where they need not be ``whole``, a longer
    word that begins with it counts.
    """
    end = "(?![a-z0-9])" if whole else ""
    return any(re.search(f"(?<![a-z0-9]){re.escape(word)}{end}", text.lower()) for word in words)
