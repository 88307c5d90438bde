"""The machine and the versions that results were made with, without anything that names whose they
are.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

__all__ = ["surroundings", "versions_of"]

_PACKAGES = ("agenthpo", "optuna", "numpy", "torch", "scikit-learn", "xgboost", "lightgbm")
"""Those that results depend on, as far as they are installed beside AgentHPO."""
_CPUINFO = "/proc/cpuinfo"


def surroundings() -> dict[str, str]:
    """Return the machine, its processor and memory, Python and the packages that matter, each by
    its name; what is not known is not there.
    """
    found = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "processor": _processor(),
        "memory": _memory(),
        "python": platform.python_version(),
        **versions_of(_PACKAGES),
    }
    return {name: what for name, what in found.items() if what}


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those ``packages`` that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        with open(_CPUINFO, encoding="utf-8", errors="replace") as file:
            line = next((line for line in file if line.startswith("model name")), "")
    except OSError:  # not Linux
        return platform.processor()
    return line.partition(":")[2].strip()


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return ""
    return f"{size / 2**30:.0f} GiB"
