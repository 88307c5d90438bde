"""Which model to use where none is named: the embedded one if it is downloaded, else none, with a
sentence on how to get one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec

from agenthpo.llm.catalogue import CATALOGUE, Entry
from agenthpo.llm.names import NONE
from agenthpo.text.install_hints import install_words

__all__ = ["choose_model"]

_ROOM = 1.6
"""How much free memory a model needs, as a multiple of its file: context and working space beside
the weights, and the training.
"""


def choose_model(named: str | None, environment: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Return a model's name and a hint for the user (perhaps empty): ``named``, else
    ``AGENTHPO_MODEL``, else what is downloaded.
    """
    if asked := named or environment.get("AGENTHPO_MODEL"):
        return asked, ""
    entry = next((e for e in CATALOGUE if e.is_downloaded and _fits(e)), None)
    if entry is not None and find_spec("xllamacpp") is not None:
        return entry.name, ""
    return NONE, _how_to_get_one(environment)


def _fits(entry: Entry) -> bool:
    import psutil

    available: int = psutil.virtual_memory().available
    return available > _ROOM * entry.size


def _how_to_get_one(environment: Mapping[str, str]) -> str:
    entry = CATALOGUE[0]
    key = next(
        (name for name in sorted(environment) if name.endswith("_API_KEY") and environment[name]),
        None,
    )
    also = f"; {key} is set, so --model PROVIDER:MODEL works as well" if key else ""
    if find_spec("xllamacpp") is None:
        return (
            "No language model: the engine runs alone. For one without a key: "
            f"{install_words('embedded', 'xllamacpp')}{also}."
        )
    if entry.is_downloaded:
        return (
            f"No language model: {entry.name} needs {_ROOM * entry.size / 1e9:.1f} GB of free "
            f"memory, so the engine runs alone{also}."
        )
    return (
        f"No language model: the engine runs alone. Get one ({entry.size / 1e9:.1f} GB, no key "
        f"needed): agenthpo models pull {entry.name}{also}."
    )
