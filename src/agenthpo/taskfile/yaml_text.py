"""Values as YAML."""

from __future__ import annotations

from io import StringIO
from typing import Any

from agenthpo.records import Params

__all__ = ["as_yaml"]


def as_yaml(params: Params) -> str:
    """Return ``params`` as YAML, ready to paste.

    >>> as_yaml({"lr": 0.1, "opt": "adam"})
    'lr: 0.1\\nopt: adam\\n'
    """
    from ruamel.yaml import YAML

    text = StringIO()
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.dump(params, text)
    return text.getvalue()
