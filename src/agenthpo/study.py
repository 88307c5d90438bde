"""``agenthpo.Study``: the operations of a study from Python, as agents have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from agenthpo.operations import (
    briefing,
    opening,
    proposing,
    running,
    telling,
)
from agenthpo.operations.answers import (
    Analysed,
    Briefing,
    Proposed,
    Queued,
    Started,
    Stopping,
    Verdict,
    Waited,
)
from agenthpo.operations.place import Place, checked_by

__all__ = ["Study"]


class Study:
    """A study of a task file that agents and people work in together; trials train in a process of
    their own, and survive the caller's.

        >>> import agenthpo, pathlib
        >>> _ = pathlib.Path("train.py").write_text("import sys; print('acc:', sys.argv[1])")
        >>> _ = pathlib.Path("task.yaml").write_text('''
        ... name: toy
        ... objective: {metric: acc, direction: maximize}
        ... train: {command: "{python} train.py {x}"}
        ... space: {x: {type: float, low: 0.0, high: 1.0, default: 0.5}}
        ... ''')
        >>> study = agenthpo.Study("task.yaml", by="me", trials=4)
        >>> expected = {"value": 0.9, "low": 0.8, "high": 1.0}
        >>> proposed = study.propose({"x": 0.9}, "more is better", "it rises", expected)
        >>> study.wait(study.run().handle).done
        True
        >>> study.verdict().best.value
        0.9

    :param task: the task file's path.
    :param by: the name of who works in it.
    :param study: the study's name; the task's name without it.
    :param trials: how many trials there may be in all; the task's own number without it.
    :param minutes: how long trials may take in all.
    :param tokens: how many tokens the agent may spend, as far as it reports them.
    :param seed: of the search and the training.
    :param workers: how many trials a new study runs at once.
    :raises AgentHPOError: where the task is wrong.
    """

    def __init__(
        self,
        task: str | Path,
        *,
        by: str = "agent",
        study: str = "",
        trials: int | None = None,
        minutes: float | None = None,
        tokens: int | None = None,
        seed: int = 0,
        workers: int = 1,
    ) -> None:
        file = Path(task).resolve()
        file = file / "task.yaml" if file.is_dir() else file
        self.place = Place(file.parent, checked_by(by))
        opened = opening.open_study(
            self._person,
            file.name,
            study=study,
            trials=trials,
            minutes=minutes,
            tokens=tokens,
            seed=seed,
            workers=workers,
        )
        self.name = opened.study

    def briefing(self, most: int | None = None) -> Briefing:
        """Tell all that a Creator needs, in at most so many characters."""
        return briefing.briefing(self.place, self.name, most)

    def propose(
        self,
        params: dict[str, Any],
        rationale: str,
        hypothesis: str,
        expected: dict[str, float],
        *,
        base: int | None = None,
        tokens: int = 0,
    ) -> Proposed:
        """Propose a configuration with its reason and a prediction; see
        ``agenthpo.operations.proposing.propose``.
        """
        return proposing.propose(
            self.place, self.name, params, rationale, hypothesis, expected, base, tokens
        )

    def enqueue(self, params: dict[str, Any], why: str = "") -> Queued:
        """Have a configuration tried next, whoever proposes otherwise."""
        return proposing.enqueue(self._person, self.name, params, why)

    def pin(self, params: dict[str, Any]) -> Queued:
        """Hold parameters at a value from the next trial on."""
        return proposing.pin(self._person, self.name, params)

    def unpin(self, parameter: str) -> Queued:
        """Let a parameter go again."""
        return proposing.pin(self._person, self.name, {}, parameter)

    def widen(
        self,
        parameter: str,
        *,
        low: float | None = None,
        high: float | None = None,
        values: list[Any] | None = None,
        why: str = "",
    ) -> Queued:
        """Widen a parameter's range from the next trial on."""
        return proposing.widen(self._person, self.name, parameter, low, high, values, why)

    def narrow(self, parameter: str) -> Queued:
        """Take back that a parameter's range was widened."""
        return proposing.widen(self._person, self.name, parameter, undo=True)

    def note(self, text: str, trial: int | None = None) -> Queued:
        """Leave a note on a trial, or on the whole study."""
        return proposing.note(self.place, self.name, text, trial)

    def veto(self, what: str, why: str = "") -> Queued:
        """Take back what waits, by its id, or stop a trial that trains, by its number."""
        return proposing.veto(self._person, self.name, what, why)

    def run(self, trials: int | None = None, *, engine: bool = False) -> Started:
        """Run what waits, or the engine's own candidates, in the background."""
        return running.run(self.place, self.name, trials, engine)

    def wait(
        self,
        handle: str = "",
        seconds: float = running.LONGEST_WAIT_S,
        on_wait: Callable[[Waited], None] = lambda waited: None,
    ) -> Waited:
        """Wait until the trials that were asked for have ended, for at most so many seconds."""
        return running.wait(self.place, self.name, handle, seconds, on_wait)

    def stop(self, trial: int, why: str = "") -> Stopping:
        """End the training of a trial that is hopeless."""
        return proposing.stop(self.place, self.name, trial, why)

    def analyse(self, trial: int, insight: str = "") -> Analysed:
        """Tell a trial's story, and keep an insight as far as the evidence has it."""
        return telling.analyse(self.place, self.name, trial, insight)

    def verdict(self, *, final: bool = False) -> Verdict:
        """Tell the best configuration, how sure it is, and who found what."""
        return telling.verdict(self.place, self.name, final)

    @property
    def _person(self) -> Place:
        """The same place for what only a person asks for."""
        return Place(self.place.root, self.place.by, is_person=True)
