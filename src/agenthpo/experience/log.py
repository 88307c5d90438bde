"""The experience log L as an Optuna study, in a journal file or any of Optuna's storages.

A trial is written before it runs, its outcome as soon as it has ended, and it is told to Optuna
when it is analysed. What a crash leaves running is in ``ExperienceLog.trials`` without an outcome,
and is run again under its own number, so that the budget stays exact by construction.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState, create_trial

from agenthpo.budget import Spent
from agenthpo.codec import encode
from agenthpo.errors import StudyError, TakenOver
from agenthpo.experience.beats import GRACE_S
from agenthpo.experience.company import Company, is_of_network
from agenthpo.experience.curves import Curves
from agenthpo.experience.dashboard import keep_file, note_attributes
from agenthpo.experience.finding import (
    META_AGAIN,
    begun,
    check_not_shared,
    found_study,
    no_study,
    refuse_existing,
    set_aside,
    stored_meta,
    to_write,
)
from agenthpo.experience.journal import META
from agenthpo.experience.meta import StudyMeta, encode_meta
from agenthpo.experience.patience import OnWait, Patience
from agenthpo.experience.storage import (
    close_storage,
    take_lock,
    trial_folder,
)
from agenthpo.experience.stored import ATTEMPT, DRIVER, OUTCOME, frozen_trials, is_left, trial_of
from agenthpo.files import RUN_LOG
from agenthpo.optuna_space import stored_distribution
from agenthpo.pareto import values_of
from agenthpo.records import Analysis, Direction, Outcome, Params, Proposal, Trial
from agenthpo.space import Space
from agenthpo.text.story import story
from agenthpo.trials import incumbent

__all__ = ["ExperienceLog", "check_storable"]

_MOST_CHANGES = 20
CONSTRAINTS = "constraints"
"""Before the name of what Optuna takes for a constraint of a trial's (``Trial.set_constraint``)."""
_MOST_COMPARED = 200
"""Earlier trials among which the one is looked for that a trial was changed from."""
optuna.logging.set_verbosity(optuna.logging.WARNING)


def check_storable(space: Space, params: Params) -> None:
    """Raise what the storage would raise at a trial of ``params``."""
    create_trial(
        state=TrialState.RUNNING,
        params=params,
        distributions={name: stored_distribution(space[name]) for name in params},
    )


class ExperienceLog:
    """The trials of one study. Use ``create`` or ``open``, and close it (or use it as a
    context).
    """

    def __init__(
        self,
        folder: Path,
        study: optuna.Study,
        *,
        space: Space | None,
        lock: int | None,
        damage: str = "",
        company: Company | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.folder = folder
        self.damage = damage
        """What of the study cannot be read, in a sentence; empty where all can."""
        self.set_aside: Path | None = None
        """Where the trials were put that a new study found in its folder: they are of another one.
        """
        self._study, self._space, self._lock = study, space, lock
        self._meta: StudyMeta | None = None
        is_minimized = study.directions[0] == optuna.study.StudyDirection.MINIMIZE
        self._direction: Direction = "minimize" if is_minimized else "maximize"
        self._company = company
        self._patiently = patience or Patience(seconds=0)
        self.curves = Curves(study, self._patiently)
        """What running trainings report."""
        # Read once where nobody else writes: reading at each look would cost the square of the
        # trials.
        self._trials = list[Trial]()
        self._drivers = list[str]()
        self._attempts = dict[int, int]()
        self._closed = set[int]()
        self._left = list[int]()
        self._news = list[Trial]()
        self._read_again()
        self._news = []
        self._fitting: dict[int, bool] = {}

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        space: Space,
        meta: StudyMeta,
        storage: str | None = None,
        on_wait: OnWait = lambda words: None,
    ) -> ExperienceLog:
        """Begin a study in ``folder``, its trials in the Optuna storage at the URL ``storage``;
        ``meta`` is kept with it.

        :param on_wait: told in words what is waited for, where that takes long.

        :raises StudyError: if there is one already, the folder cannot be written, or another
            process is at work in it.
        """
        refuse_existing(folder)
        try:
            # what a training prints is nobody else's to read
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = take_lock(folder)
            try:
                # again: another process may have begun and ended one before the lock was ours
                refuse_existing(folder)
                left = set_aside(folder)
                directions = [meta.direction, *(goal.direction for goal in meta.goals)]
                study = begun(folder, storage, directions=directions, identity=meta.id)
                company = _alone(folder, study)
                if company is not None:
                    company.enter()
            except BaseException:
                os.close(lock)
                raise
        except OSError as problem:
            raise StudyError(
                f"the study {folder} cannot be written ({problem.strerror}); make its "
                "folder writable"
            ) from None
        log = cls(
            folder, study, space=space, lock=lock, company=company, patience=Patience(on_wait)
        )
        log.keep_meta(meta)
        log._name_objectives()
        log.set_aside = left
        return log

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        space: Space | None,
        read_only: bool = False,
        shared: bool = False,
        grace_s: float = GRACE_S,
        on_wait: OnWait = lambda words: None,
    ) -> ExperienceLog:
        """Open the study in ``folder``; unless ``read_only``, no other process may be at work in it
        and ``space`` is needed.

        :param shared: whether others may be at work in it that have opened it in the same way;
            what they add is read in ``deciding``.
        :param grace_s: seconds without a beat after which one of them is given up.
        :param on_wait: told in words what is waited for, where that takes long.
        :raises StudyError: if there is none, or another process is at work in it.
        """
        found = found_study(folder)
        if found is None:
            raise no_study(folder)
        if read_only:
            return cls(folder, found[0], space=space, lock=None, damage=found[1])
        if found[1]:
            raise StudyError(found[1])
        lock = take_lock(folder, shared=shared)
        study = company = None
        patience = Patience(on_wait)
        try:
            study = to_write(folder)
            if shared:
                company = Company(
                    folder, study, grace_s=grace_s, on_wait=on_wait, patience=patience
                )
            else:
                check_not_shared(folder, stored_meta(found[0]))
                company = _alone(folder, study)
            if company is not None:
                company.enter()
            log = cls(folder, study, space=space, lock=lock, company=company, patience=patience)
            here = str(folder.resolve())
            if not shared:
                if log.meta.folder not in ("", here):  # it was moved
                    log.keep_meta(replace(log.meta, folder=here))
                log._settle_left()
            return log
        except BaseException:
            if company is not None:
                company.leave()
            if study is not None:
                close_storage(study._storage)
            os.close(lock)
            raise

    def __enter__(self) -> ExperienceLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other processes work in the study."""
        if self._company is not None:
            self._company.leave()
            self._company = None
        if self._lock is not None:
            close_storage(self._study._storage)
            os.close(self._lock)
            self._lock = None

    @property
    def meta(self) -> StudyMeta:
        """What is kept with the study; read once, as the trials are."""
        if self._meta is None:
            self._meta = self._patiently(lambda: stored_meta(self._study))
            assert self._meta is not None
        return self._meta

    @property
    def study(self) -> optuna.Study:
        """The study as Optuna has it, to be read."""
        return self._study

    @property
    def identity(self) -> str:
        """What tells this study from every other one; empty for one of an earlier version."""
        return self.meta.id

    def keep_meta(self, meta: StudyMeta) -> None:
        """Keep ``meta`` with the study, instead of what was kept before; twice, so that one
        damaged line loses nothing.
        """
        said = encode_meta(meta)
        for name in (META, META_AGAIN):
            self._patiently(lambda name=name: self._study.set_user_attr(name, said))  # type: ignore[misc]
        self._meta = meta

    def _name_objectives(self) -> None:
        """Tell the storage what the objectives are called, which a dashboard shows."""
        names = [self.meta.metric, *(goal.metric for goal in self.meta.goals)]
        if all(names):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                self._patiently(lambda: self._study.set_metric_names(names))

    @property
    def direction(self) -> Direction:
        """Which way the objective is optimised."""
        return self._direction

    @property
    def shared(self) -> bool:
        """Whether other drivers may be at work in the study."""
        return self._others is not None

    @property
    def _others(self) -> Company | None:
        return None if self._company is None or self._company.is_alone else self._company

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Let no other driver decide meanwhile what is tried next; what they have added is read,
        and what one that is gone has not closed is closed.
        """
        if self._others is None:
            yield
            return
        with self._others.deciding():
            with self._others.writing():
                self._read_again()
                of = {n: self._drivers[n] for n in self._left}
                gone = self._others.gone(set(of.values()) - {self._others.driver, ""}) | {""}
                for number in [n for n, driver in of.items() if driver in gone]:
                    self._tell(number)
                    self._closed.add(number)
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Let no other driver take a trial over or end it, and know what they have done."""
        if self._others is None:
            yield
            return
        with self._others.writing():
            self._read_again()
            yield

    def _read_again(self) -> None:
        """Read what others have added or changed."""
        self._left = []
        for frozen in frozen_trials(self._study, self.folder, self._patiently):
            number = frozen.number
            if number in self._closed:
                continue
            trial = trial_of(frozen)
            is_known = number < len(self._trials)
            if not is_known:
                self._trials.append(trial)
                self._drivers.append("")
            if trial.outcome is not None and (not is_known or self._trials[number].outcome is None):
                self._news.append(trial)
            self._trials[number] = trial
            self._drivers[number] = str(frozen.user_attrs.get(DRIVER, ""))
            if isinstance(attempt := frozen.user_attrs.get(ATTEMPT), int) and attempt > 1:
                self._attempts[number] = attempt
            if is_left(frozen):
                self._left.append(number)
            elif frozen.state.is_finished():
                self._closed.add(number)

    def news(self) -> list[Trial]:
        """Return the trials that others have ended since the last call."""
        news, self._news = self._news, []
        return news

    def left(self, running: Collection[int]) -> Trial | None:
        """Return an unfinished trial that is to be run by this driver, beside those that it has
        ``running``: one that was interrupted here, or whose driver is gone.
        """
        found = [t for t in self._trials if t.outcome is None and t.number not in running]
        if not found:
            return None
        if self._others is None:
            return found[0]
        me = self._others.driver
        nobodys = {me, ""} | self._others.gone({self._drivers[t.number] for t in found} - {me, ""})
        for trial in found:
            if self._drivers[trial.number] in nobodys:
                with self._writing():
                    if self._trials[trial.number].outcome is None:
                        self._take_over(trial.number, me)
                        return self._trials[trial.number]
        return None

    def _take_over(self, number: int, me: str) -> None:
        changed: dict[str, Any] = {DRIVER: me}
        if self._drivers[number] not in (me, ""):
            self._attempts[number] = self._attempts.get(number, 1) + 1
            changed[ATTEMPT] = self._attempts[number]
        self._note(number, changed)
        self._drivers[number] = me

    def running_elsewhere(self, running: Collection[int]) -> int:
        """Return how many trials others run, beside those that this driver has ``running``."""
        if self._others is None:
            return 0
        return sum(t.outcome is None and t.number not in running for t in self._trials)

    def workdir(self, number: int) -> Path:
        """Return the folder of the latest attempt of trial ``number``, absolute: the training runs
        in another one.
        """
        return trial_folder(self.folder.absolute(), number, self._attempts.get(number, 1))

    def earlier_workdirs(self, number: int) -> list[Path]:
        """Return the folders of its attempts that were lost, the latest first."""
        attempts = range(self._attempts.get(number, 1) - 1, 0, -1)
        return [trial_folder(self.folder.absolute(), number, attempt) for attempt in attempts]

    def lose(self, number: int) -> None:
        """Record that the attempt of trial ``number`` was lost where it ran: it may still write
        there, so that the next one has a folder of its own.
        """
        with self._writing():
            if self._others is None or self._drivers[number] == self._others.driver:
                self._attempts[number] = self._attempts.get(number, 1) + 1
                self._note(number, {ATTEMPT: self._attempts[number]})

    def trials(self) -> list[Trial]:
        """Return every trial in the order of their numbers, unfinished ones included."""
        return list(self._trials)

    def fitting_trials(self) -> list[Trial]:
        """Return the trials that are points of the space as it is now: all, unless it was changed
        since the study began.
        """
        return [t for t in self._trials if self._fits(t)]

    def search_in(self, space: Space) -> None:
        """Take ``space`` for the one of the trials to come, and for the one to fit."""
        if space != self._space:
            self._space = space
            self._fitting = {}

    def _fits(self, trial: Trial) -> bool:
        assert self._space is not None, "opened to be read only"
        if trial.number not in self._fitting:
            self._fitting[trial.number] = not self._space.violations(trial.proposal.params)
        return self._fitting[trial.number]

    def incumbent(self) -> Trial | None:
        """Return the best trial so far, of those that fit where the log was opened with a space."""
        return incumbent(
            self._trials if self._space is None else self.fitting_trials(), self.direction
        )

    def spent(self) -> Spent:
        """Return what the finished trials took."""
        return Spent.of(self._trials, self.direction)

    def start(self, proposal: Proposal) -> Trial:
        """Record a trial before it runs.

        :raises InvalidParams: if the proposal lies outside the space; nothing is recorded then.
        :raises LostTurn: if another driver may have decided meanwhile; nothing is recorded either.
        """
        assert self._space is not None, "opened to be read only"
        space = self._space
        space.check(proposal.params)
        now = time.time()
        if self._others is not None:
            self._others.check_turn()
        driver = "" if self._company is None else self._company.driver
        attributes: dict[str, Any] = {
            "proposal": encode(proposal),
            "source": proposal.source,
            "started_at": now,
            "number": len(self._trials),
        }
        if driver:
            attributes[DRIVER] = driver
        self._patiently(
            lambda: self._add(proposal.params, attributes),
            # its answer may be lost, and the trial there
            lambda: self._is_added(attributes),
        )
        self._trials.append(Trial(len(self._trials), proposal, started_at=now))
        self._drivers.append(driver)
        return self._trials[-1]

    def _is_added(self, attributes: dict[str, Any]) -> bool:
        trials = self._study.get_trials(deepcopy=False)
        return len(trials) > len(self._trials) and all(
            trials[len(self._trials)].user_attrs.get(name) == attributes[name]
            for name in ("started_at", "number")
        )

    def _add(self, params: dict[str, Any], attributes: dict[str, Any]) -> None:
        """Add a running trial. Databases refuse a name with another kind of distribution than
        before: after a change it gets another.
        """
        assert self._space is not None
        distributions = {name: stored_distribution(self._space[name]) for name in params}
        for turn in range(_MOST_CHANGES):
            names = {name: f"{name} (changed {turn})" if turn else name for name in params}
            try:
                self._study.add_trial(
                    create_trial(
                        state=TrialState.RUNNING,
                        params={names[name]: value for name, value in params.items()},
                        distributions={
                            names[name]: distribution
                            for name, distribution in distributions.items()
                        },
                        user_attrs=attributes,
                    )
                )
                return
            except ValueError:
                if turn == _MOST_CHANGES - 1:
                    raise

    def finish(self, trial: Trial, outcome: Outcome, analysis: Analysis) -> Trial:
        """Record what came out of ``trial`` and what it means."""
        self.record(trial, outcome, analysis)
        return self.settle(trial.number)

    def record(self, trial: Trial, outcome: Outcome, analysis: Analysis) -> Trial:
        """Record what came out of ``trial``, which from then on has ended, and what the rules say
        of it; ``settle`` closes it, with other words where a model finds some.
        """
        with self._writing():
            self._check_ours(trial.number)
            finished = replace(trial, outcome=outcome, analysis=analysis, finished_at=time.time())
            self._note(
                trial.number,
                {
                    **_analysis_attributes(analysis),
                    "finished_at": finished.finished_at,
                    # last: a trial that has it has the others
                    OUTCOME: encode(outcome),
                },
            )
            self._trials[trial.number] = finished
        return finished

    def _check_ours(self, number: int) -> None:
        """Raise ``TakenOver`` where another driver has a trial that this one has run."""
        others = self._others
        if others is None:
            return
        if self._drivers[number] != others.driver or self._trials[number].outcome is not None:
            raise TakenOver(
                f"trial {number} was taken over by another driver while this one showed no sign "
                "of life; its result counts there"
            )

    def settle(self, number: int, analysis: Analysis | None = None) -> Trial:
        """Close trial ``number``, whose outcome is recorded, with ``analysis`` where it has become
        another one. One that another driver has closed stays as it is.
        """
        with self._writing():
            trial = self._trials[number]
            assert trial.outcome is not None, "its outcome is not recorded"
            if number in self._closed:
                return trial
            if analysis is not None and analysis != trial.analysis:
                self._note(number, _analysis_attributes(analysis))
                self._trials[number] = replace(trial, analysis=analysis)
            self._tell(number)
            self._closed.add(number)
        return self._trials[number]

    def _tell(self, number: int) -> None:
        """Tell Optuna what came out of trial ``number``."""
        outcome = self._trials[number].outcome
        assert outcome is not None
        self._show(number)
        stored, storage = self._stored(number), self._study._storage
        for text, margin in outcome.margins.items():
            key = f"{CONSTRAINTS}:{text}"
            self._patiently(
                lambda key=key, margin=margin: storage.set_trial_system_attr(stored, key, margin)  # type: ignore[misc]
            )
        state = TrialState.COMPLETE
        if outcome.value is None:
            was_pruned = outcome.status == "pruned" and not self.meta.goals
            state = TrialState.PRUNED if was_pruned else TrialState.FAIL
        values = values_of(self._trials[number], self.meta.goals)
        self._patiently(
            lambda: self._study.tell(number, values, state),
            lambda: self._study.get_trials(deepcopy=False)[number].state.is_finished(),
        )

    def _show(self, number: int) -> None:
        """Give Optuna's dashboard the words of trial ``number`` and its log."""
        stored, storage, study = self._stored(number), self._study._storage, self._study._study_id
        lines = story(
            self._trials[number],
            self._trials[max(0, number - _MOST_COMPARED) : number],
            metric=self.meta.metric,
            direction=self._direction,
            shows_test=False,
        )
        for key, value in note_attributes(stored, lines):
            self._patiently(
                lambda key=key, value=value: storage.set_study_system_attr(study, key, value)  # type: ignore[misc]
            )
        kept = keep_file(self.folder.absolute(), self.workdir(number) / RUN_LOG, of=self.identity)
        if kept:
            self._patiently(lambda: storage.set_trial_system_attr(stored, *kept))

    def _stored(self, number: int) -> int:
        """Return the storage's own number of trial ``number``."""
        storage = self._study._storage  # a running trial of an earlier process has no public way in
        stored = self._patiently(
            lambda: storage.get_trial_id_from_study_id_trial_number(self._study._study_id, number)
        )
        assert stored is not None
        return stored

    def _note(self, number: int, attributes: dict[str, Any]) -> None:
        storage, stored = self._study._storage, self._stored(number)
        for key, value in attributes.items():
            self._patiently(
                lambda key=key, value=value: storage.set_trial_user_attr(stored, key, value)  # type: ignore[misc]
            )

    def _settle_left(self) -> None:
        """Close the trials that ended when their process was killed before it had closed them."""
        while self._left:
            self.settle(self._left.pop())


def _alone(folder: Path, study: optuna.Study) -> Company | None:
    """Return what shows drivers on other machines that this one has the study to itself; None where
    a lock on the folder does.
    """
    return Company(folder, study, is_alone=True) if is_of_network(folder) else None


def _analysis_attributes(analysis: Analysis) -> dict[str, Any]:
    return {"analysis": encode(analysis), "diagnosis": analysis.diagnosis}
