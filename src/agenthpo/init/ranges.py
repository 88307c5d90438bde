"""Which of a script's options are worth tuning, and in which range: by their names, as far as the
knowledge of usual hyperparameters has them, else by rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agenthpo.command.option import Option
from agenthpo.init.metric_names import words_in
from agenthpo.init.words import words
from agenthpo.knowledge.names import Known, known_names, recognised
from agenthpo.scalars import NO_VALUE

__all__ = ["Choice", "Left", "chosen"]

_MOST = 8
"""Parameters in a draft: more than a budget of some dozens of trials can tell apart help nobody."""
_MOST_CHOICES = 8
_NEVER = words("never")
"""Words of a name that say it is no hyperparameter."""
_TOLD_ELSEWHERE = {
    "epochs": "trains longer; raise it for the winner",
    "max_iter": "trains longer; raise it for the winner",
    "patience": "ends a training early",
    "tol": "ends a training early",
    "heads": "has to divide the width",
    "sequence_length": "changes the task",
    "gradient_accumulation": "is part of the batch size",
    "warmup": "depends on how long it trains",
    "lr_schedule": "seldom decides",
    "beta_1": "seldom worth a change",
    "beta_2": "seldom worth a change",
    "adam_epsilon": "seldom worth a change",
    "ema_decay": "seldom worth a change",
    "init_scale": "seldom worth a change",
    "loss": "changes what is measured",
    "max_bins": "seldom worth a change",
    "window": "changes the task",
}
"""Known hyperparameters that a draft leaves as they are, and why."""
_LIKELY = frozenset(
    [
        "rate",
        "decay",
        "dropout",
        "coef",
        "coefficient",
        "weight",
        "lambda",
        "alpha",
        "beta",
        "dim",
        "size",
        "layers",
        "layer",
        "hidden",
        "units",
        "channels",
        "width",
        "depth",
        "scale",
        "margin",
        "rank",
        "momentum",
        "lr",
        "reg",
        "regularization",
        "penalty",
        "blocks",
        "ratio",
        "temperature",
        "sigma",
        "tau",
        "lamb",
        "l1",
        "l2",
        "eps",
    ]
)
"""Words of a name that nobody knows by which it is likely to be one."""
_ORDER = {"step": 0, "regularise": 2, "capacity": 1, "memory": 1, "other": 3, "length": 3}
_FINE_SECTIONS = words("fine sections")
"""Words that say it of an option, and not of a section that has some."""
_VAGUE = ("rank", "size", "scale", "width", "height", "length")
"""Names that mean something else in most scripts, by themselves."""
_ONE_LETTER = {"p": "n_neighbors", "k": "n_neighbors"}
"""Letters that mean a hyperparameter beside another one only."""
_SHARES = (
    "dropout",
    "momentum",
    "discount",
    "label_smoothing",
    "subsample",
    "mixup",
    "lr_decay",
    "gae_lambda",
    "value_coefficient",
)
"""What lies between 0 and 1."""
_LARGEST_DISCOUNT = 0.999
_SMALLEST, _LARGEST = 1e-12, 1e12
"""Defaults within which a range is guessed."""


@dataclass(frozen=True)
class Choice:
    """An option that is worth tuning."""

    option: Option
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Its keys in a task file."""
    reason: str = ""
    """Where its range is from, in words."""
    rank: int = 0
    """Smaller ones are tuned first."""


@dataclass(frozen=True)
class Left:
    """An option that is left as it is, and why."""

    option: Option
    why: str


def chosen(
    options: Sequence[Option], *, only_known: bool = False
) -> tuple[list[Choice], list[Left]]:
    """Return the options to tune, at most eight, in their own order, and the others.

    :param only_known: whether a name is left that only sounds like a hyperparameter, or only ends
        in one.
    """
    known = recognised([o.name for o in options])
    names = {o.name.lower() for o in options}
    choices, left = list[Choice](), list[Left]()
    for option in options:
        meant = _meant(option, known.get(option.name), names)
        is_sure = meant is not None and _is_named(option, meant)
        found = _choice(option, meant) if is_sure or not only_known else "not known by its name"
        if isinstance(found, Choice):
            choices.append(found)
        else:
            left.append(Left(option, found))
    best = sorted(choices, key=lambda c: c.rank)[:_MOST]
    left += [Left(c.option, "others come first") for c in choices if c not in best]
    return [c for c in choices if c in best], left


def _meant(option: Option, known: Known | None, names: set[str]) -> Known | None:
    """Return what the option is, where its help or its default says so better than its name."""
    if known is None:
        return None
    name = option.name.lower()
    letter = name.rstrip("0123456789")
    if letter in _ONE_LETTER and _ONE_LETTER[letter] not in names:
        return None
    if option.name == "c":
        return None
    if known.name == "gamma":
        about = option.about.lower()
        if re.search(r"discount|return", about) or names & {"gae-lambda", "gae_lambda"}:
            return known_names()["discount"]
        if re.search(r"learning|\blr\b|step|decay|schedul", about) or "step-size" in names:
            return known_names()["lr_decay"]
        if isinstance(option.default, float) and 0.9 <= option.default < 1:
            return known_names()["discount"]
    if known.name == "max_features" and "vocab" in name:
        return None
    return known


def _choice(option: Option, known: Known | None) -> Choice | str:
    """Return how to tune an option, or why it is left as it is."""
    *sections, own = re.split(r"\.|__", option.name)
    mine = set(words_in(own))
    # a class such as RandomForestClassifier is no section
    settings = [each for each in sections if not each[:1].isupper()]
    if {word for each in settings for word in words_in(each)} & (_NEVER - _FINE_SECTIONS):
        return "no hyperparameter"
    if option.name.lower() in _VAGUE:
        return "not known by its name"
    if mine & _NEVER and not (known and _is_named(option, known)):
        return "no hyperparameter"
    if option.is_list or option.kind == "none":
        return "takes several values" if option.is_list else "takes no value"
    if known and known.name in _TOLD_ELSEWHERE:
        return _TOLD_ELSEWHERE[known.name]
    is_bool = option.kind == "bool" or isinstance(option.default, bool)
    if is_bool:
        if option.problem or not option.style:
            return option.problem or "the script does not show how it takes true and false"
        if known is None or known.scale != "linear" or known.usual:
            return "on or off"
        default = bool(option.default) if isinstance(option.default, bool) else False
        return Choice(option, {"type": "bool", "default": default}, "on or off", rank=5)
    if option.choices:
        return _among(option, known)
    value = option.default
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = option.kind or ("int" if isinstance(value, int) else "float" if is_number else "")
    if kind not in ("int", "float"):
        return "its values are not listed" if known and known.usual is None else "a text"
    if not is_number and value not in (None, NO_VALUE):
        return "its default is no number"
    if known is None and not mine & _LIKELY:
        return "not known by its name"
    if known is None and not is_number:
        return "it has no default to start from"
    if is_number and value and not _SMALLEST <= abs(value) <= _LARGEST:
        return "a range for it cannot be guessed"
    number = float(value) if is_number else None
    if kind == "float" and known is not None:
        return _float(option, known, number)
    if kind == "int":
        return _int(option, known, int(value) if is_number else None)
    return _unknown_float(option, number or 0.0)


def _is_named(option: Option, known: Known) -> bool:
    """Return whether the whole of its name is one that is known: ``train_batch_size``."""
    plain = "".join(words_in(re.split(r"\.|__", option.name)[-1])).rstrip("0123456789")
    return plain in {"".join(words_in(each)) for each in (known.name, *known.aliases, *known.also)}


def _among(option: Option, known: Known | None) -> Choice | str:
    values = list(option.choices)
    if not 2 <= len(values) <= _MOST_CHOICES:
        return f"{len(values)} values to choose from"
    if known is None and not {*words_in(option.name)} & _LIKELY:
        return "not known by its name"
    default = {"default": option.default} if option.default in values else {}
    if all(isinstance(v, str) for v in values):
        fields: dict[str, Any] = {"type": "categorical", "values": values}
    elif all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        fields = {"type": "int", "values": sorted(values)}
    elif all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        fields = {"type": "float", "values": sorted(float(v) for v in values)}
    else:
        return "its values are of several kinds"
    return Choice(option, fields | default, "the script's own choices", rank=3)


def _float(option: Option, known: Known, default: float | None) -> Choice | str:
    if known.usual is None:
        return "its values are not listed"
    low, high = known.usual
    rank = _rank(known)
    if known.scale == "log":
        if default == 0:  # no logarithmic range holds it
            steps = [0.0, *_decades(low, high)]
            fields: dict[str, Any] = {"type": "float", "values": steps, "default": 0.0}
            return Choice(option, fields, f"usual for {known.name}", rank)
        if default is not None and default < 0:
            return "its default is below 0"
        if default is None:
            default = _short(math.sqrt(low * high))
        low, high = min(low, _short(default / 10)), max(high, _short(default * 10))
        if known.name in ("learning_rate", "shrinkage"):
            high = min(high, max(1.0, default))
        fields = {"type": "float", "low": low, "high": high, "log": True, "default": default}
        return Choice(option, fields, f"usual for {known.name}", rank)
    if default is None:
        default = _short((low + high) / 2)
    low, high = min(low, default), max(high, default)
    if default == low and default > 0 and known.name in _SHARES:
        low = _short(default / 2)
    if default == high:
        high = 1.0 if default < 1 and known.name in _SHARES else _short(default * 2)
        if known.name == "discount":
            high = max(_LARGEST_DISCOUNT, default)
        if default == 1.0 and known.name in (*_SHARES, "colsample_bytree", "l1_ratio"):
            high = 1.0
    fields = {"type": "float", "low": low, "high": high, "default": default}
    return Choice(option, fields, f"usual for {known.name}", rank)


def _int(option: Option, known: Known | None, default: int | None) -> Choice | str:
    rank = 4 if known is None else _rank(known)
    low, high = known.usual if known and known.usual else (1.0, 1.0)
    if known is not None and known.name == "kernel_size":
        values = sorted({3, 5, 7, *([default] if default and default > 0 else [])})
        fields: dict[str, Any] = {"type": "int", "values": values}
        return Choice(
            option, fields | {"default": default if default in values else 3}, "odd ones", rank
        )
    if default is None:
        default = round(math.sqrt(max(low, 1) * high))
    if default < 1:
        return "its default is below 1"
    reason = f"usual for {known.name}" if known else "about its default"
    relative = known is None or known.role in ("memory", "capacity")
    if known is not None and known.scale == "linear":
        top = max(int(high), default * 2) if default > 1 else int(high)
        bottom = min(int(low), default) if default > int(low) else max(1, default // 2)
        fields = {"type": "int", "low": max(1, bottom), "high": max(top, 2), "default": default}
        return Choice(option, fields, reason, rank)
    if default & (default - 1) == 0 and default >= 8 and relative:  # a power of two
        values = [default // 4, default // 2, default, default * 2, default * 4]
        fields = {"type": "int", "values": values, "default": default}
        return Choice(option, fields, "powers of two about its default", rank)
    low = max(1, default // 4) if relative else min(max(1, low), default)
    high = default * 4 if relative else max(high, default)
    if low == high:
        high = low + 2
    fields = {"type": "int", "low": int(low), "high": int(high), "default": default}
    if high >= 8 * low:
        fields["log"] = True
    return Choice(option, fields, "about its default" if relative else reason, rank)


def _unknown_float(option: Option, default: float) -> Choice | str:
    """Return a range about the default of a number that only sounds like a hyperparameter."""
    if default == 0:
        return "a range for it cannot be guessed from 0"
    if default < 0:
        return "its default is below 0"
    if 0.2 <= default <= 1:
        low, high = _short(default / 2), 1.0 if default < 1 else 2.0
        fields: dict[str, Any] = {"type": "float", "low": low, "high": high, "default": default}
    else:
        low, high = _short(default / 10), _short(default * 10)
        fields = {"type": "float", "low": low, "high": high, "log": True, "default": default}
    return Choice(option, fields, "about its default", rank=4)


def _rank(known: Known) -> int:
    return _ORDER[known.role] + 2 * known.is_second


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    return [float(f"1e{i}") for i in range(first, last + 1) if low <= float(f"1e{i}") <= high]


def _short(value: float) -> float:
    """Return a bound in two digits, as a person would write it."""
    return float(f"{value:.2g}")
