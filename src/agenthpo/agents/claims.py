"""What a model says of a trial, looked up in what it was shown: a sentence with a number, a
quotation or a trial that is not there is struck. Pure; nothing is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from agenthpo.records import Struck

__all__ = ["Checked", "Shown", "names_one", "sentences", "trials_named"]

_NUMBER = re.compile(
    r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:(?<=\d)\.\d+|(?<![\d.])\.\d+)?"
    r"(?:(?<=\d)[eE][-+]?\d{1,3})?(?![\w])\s?%?"
)
"""A number that stands alone: digits within a name such as ``beta_1`` are part of the name."""
_TRIAL = re.compile(r"\btrials?\s+((?:\d+(?:\s*(?:,|and|or|to|-|–)\s*)?)+)", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|`([^`]+)`|(?<!\w)\'([^\']+)\'(?!\w)')
_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z\s])")
_FROM_TO = re.compile(
    r"\b(?:(decreas|declin|drop|f[ae]ll|lower|reduc|shr[iau]nk)|(increas|r[io]s[ei]|gr[oe]w|climb|rais))"
    r"\w*\b(?:(?!\bfrom\b)[^.;:])*?\bfrom\s+(\S+?)\s+to\s+(\S*\w)",
    re.IGNORECASE,
)
"""What is said to fall, or to rise, from one value to another."""
_GAIN = re.compile(r"\b(improved|outperformed|beat)\b", re.IGNORECASE)
_LOSS = re.compile(r"\b(worsened|degraded|deteriorated|hurt|harmed)\b", re.IGNORECASE)
_UNSURE = re.compile(
    r"\b(?:not|never|no|nor|neither|hardly|barely|nothing|none|without|if|would|could|might|may"
    r"|should)\b|n't\b",
    re.IGNORECASE,
)
"""Words by which a gain or a loss is denied, or only thought of."""
_COMPARED = re.compile(
    r"\btrials?\s+\d|\bdefault\b|\bbaseline\b|\bbut\b|\balthough\b", re.IGNORECASE
)
"""Words by which a gain is said to be one over something else than the best, or of something else
than the result.
"""
_LARGEST = 400
"""Beyond it, an exponent names no number that anybody measured."""


@dataclass(frozen=True)
class Checked:
    """What is left of a text, and what was struck."""

    text: str
    """The sentences that passed, joined."""
    passed: int
    struck: tuple[Struck, ...]
    """The sentences that did not pass."""

    @property
    def said(self) -> int:
        """How many sentences there were."""
        return self.passed + len(self.struck)


class Shown:
    """What a model was shown, read once for all that it says of it."""

    def __init__(self, text: str, trials: Iterable[int], ahead: float | None = None) -> None:
        """:param trials: numbers of the trials that may be spoken of.
        :param ahead: by how much the result that is spoken of is better than the best before it,
            below 0 where it is worse; None where there is nothing to compare.
        """
        self._known = [value for _, readings in _numbers(text) for value, _ in readings]
        self._plain = _folded(text)
        self._trials = set(trials)
        self._ahead = ahead

    def checked(self, text: str) -> Checked:
        """Return ``text`` without the sentences that name what was not shown.

        A number counts as shown where one that was comes to it when rounded to as many digits; its
        sign may differ, since a loss falls *by* 0.1, and 12 % is 0.12.

        >>> Shown("loss 0.3084", []).checked("It fell to 0.31. That is 2.66 % less.").text
        'It fell to 0.31.'
        """
        kept, struck = [], []
        for sentence in sentences(text):
            reason = self._unknown(sentence)
            if reason:
                struck.append(Struck(sentence, reason))
            else:
                kept.append(sentence)
        return Checked(" ".join(kept), len(kept), tuple(struck))

    def _unknown(self, sentence: str) -> str:
        """Return why a sentence does not pass, empty where it does."""
        for match in _QUOTED.finditer(sentence):
            quoted = next(filter(None, match.groups()))
            if _folded(quoted) not in self._plain:
                return f'"{quoted}" is not in the evidence'
        for number in trials_named(sentence):
            if int(number[:9]) not in self._trials:
                return f"there is no trial {number}"
        for word, readings in _numbers(_TRIAL.sub(" ", sentence)):
            if not any(
                abs(abs(value) - abs(each)) <= half
                for value, half in readings
                for each in self._known
            ):
                return f"{word} is not in the evidence"
        return _turned_round(sentence) or _misjudged(sentence, self._ahead)


def trials_named(text: str) -> list[str]:
    """Return the numbers of the trials that ``text`` names, as they stand in it.

    >>> trials_named("trials 3 and 12 beat trial 0")
    ['3', '12', '0']
    """
    return [n for match in _TRIAL.finditer(text) for n in re.findall(r"\d+", match[1])]


def sentences(text: str) -> list[str]:
    """Return the sentences of ``text``, each on one line.

    >>> sentences("It reached 0.9. Then it fell, e.g. at step 3!")
    ['It reached 0.9.', 'Then it fell, e.g. at step 3!']
    """
    return [each for each in _END.split(" ".join(text.split())) if each]


def names_one(text: str, names: Iterable[str]) -> bool:
    """Return whether ``text`` has one of ``names`` as a word, however it is spelt.

    >>> names_one("A larger batch size helps.", ["batch_size"])
    True
    """
    plain = f" {_spelt(text)} "
    return any(f" {_spelt(name)} " in plain for name in names)


def _turned_round(sentence: str) -> str:
    """Return why a sentence does not pass that says of a fall that it rises, or the other way
    round; empty where none does.
    """
    for falls, _, *ends in _FROM_TO.findall(sentence):
        values = [readings[0][0] for end in ends for _, readings in _numbers(end)]
        if len(values) != len(ends):
            continue
        before, after = values
        if before < after if falls else before > after:
            return f"from {before} to {after} is {'no fall' if falls else 'no rise'}"
    return ""


def _misjudged(sentence: str, ahead: float | None) -> str:
    """Return why a sentence does not pass that says of a result behind the best that it improved,
    or of a new best that something was lost by it; empty where none does.
    """
    if ahead is None or _UNSURE.search(sentence) or _COMPARED.search(sentence):
        return ""
    if ahead < 0 and (gain := _GAIN.search(sentence)):
        return f"it '{gain[1]}' nothing, since the best before it is better"
    if ahead > 0 and (loss := _LOSS.search(sentence)):
        return f"it '{loss[1]}' nothing, since it is the best so far"
    return ""


def _numbers(text: str) -> list[tuple[str, list[tuple[Decimal, Decimal]]]]:
    """Return every number in ``text``: the word, and what it may mean, each with half of its last
    digit. 12 % is 0.12, and 12 of a metric that is told in percent.
    """
    found = []
    for match in _NUMBER.finditer(text):
        word = match[0].strip()
        try:
            value = Decimal(word.rstrip("% ").replace(",", "").replace("−", "-"))
        except InvalidOperation:
            continue
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or abs(value.adjusted()) > _LARGEST:
            continue
        half = Decimal(5).scaleb(exponent - 1)
        scales = (1, 100) if word.endswith("%") else (1,)
        found.append((word, [(value / scale, half / scale) for scale in scales]))
    return found


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


def _spelt(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
