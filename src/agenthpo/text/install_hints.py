"""How an extra of this very copy is installed: a package of that name in an index may be
anybody's.
"""

from __future__ import annotations

import json
import shlex
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import unquote, urlsplit

__all__ = ["install_words"]


def install_words(extra: str, packages: str) -> str:
    """Return the command that adds ``extra`` to this installation, or the ``packages`` behind it
    where it is none of pip's.
    """
    try:
        origin = distribution("agenthpo").read_text("direct_url.json")
        installed = json.loads(origin) if origin else None
    except (PackageNotFoundError, ValueError):
        return f"pip install {shlex.quote(packages)}"
    if installed is None:  # from an index, where the name is ours then
        return f"pip install 'agenthpo[{extra}]'"
    url = str(installed.get("url", ""))
    if "vcs_info" in installed:
        source = f"agenthpo[{extra}] @ {installed['vcs_info'].get('vcs', 'git')}+{url}"
        return f"pip install {shlex.quote(source)}"
    path = unquote(urlsplit(url).path) if url.startswith("file:") else url
    editable = "-e " if installed.get("dir_info", {}).get("editable") else ""
    target = f"{path}[{extra}]"
    return f"pip install {editable}{shlex.quote(target)}"
