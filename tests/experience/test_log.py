import re
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.errors import InvalidParams, StudyError
from agenthpo.experience.finding import read_meta
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta
from agenthpo.records import Analysis, Expected, Outcome, Proposal, Usage
from agenthpo.taskfile.space import parse_space
from spaces import configurations, spaces

SPACE = parse_space(
    {
        "lr": {"type": "float", "low": 1e-5, "high": 0.1, "log": True},
        "size": {"type": "int", "values": [8, 16]},
        "opt": {"type": "categorical", "values": ["adam", "sgd"]},
        "momentum": {"type": "float", "low": 0, "high": 1, "when": {"opt": "sgd"}},
    }
)
PARAMS = {"lr": 0.01, "size": 8, "opt": "adam"}
PROPOSAL = Proposal(
    PARAMS,
    "creator",
    "because",
    "it helps",
    Expected(0.5, 0.4, 0.6),
    "sent back once",
    "local:x",
    Usage(1, 2, 3, 0.5),
)
OUTCOME = Outcome(
    "complete", 0.55, 2.0, 0.5, {"acc": ((0.0, 0.1), (2.0, 0.55))}, 1.5, 0, "", "tail"
)
ANALYSIS = Analysis(
    "plateau",
    ("flat since step 1",),
    "It is flat.",
    "stop earlier",
    True,
    "local:x",
    "",
    Usage(1, 1, 1, 1.0),
)
FOLDER = Path("study")


def create(folder=FOLDER, space=SPACE, direction="maximize"):
    return ExperienceLog.create(folder, space=space, meta=StudyMeta(seed=3, direction=direction))


def test_what_is_recorded_is_read_back_by_another_process():
    with create() as log:
        trial = log.start(PROPOSAL)
        assert (trial.number, trial.proposal, trial.outcome) == (0, PROPOSAL, None)
        finished = log.finish(trial, OUTCOME, ANALYSIS)
    with ExperienceLog.open(FOLDER, space=SPACE) as again:
        assert again.trials() == [finished]
        assert again.incumbent() == finished
        assert again.spent().trials == 1
        assert again.spent().time_s == 3.0
    assert read_meta(FOLDER) == StudyMeta(seed=3)


def test_optuna_sees_an_ordinary_study():
    with create() as log:
        log.finish(log.start(PROPOSAL), OUTCOME, ANALYSIS)
        log.finish(log.start(PROPOSAL), Outcome("failed", error="x"), Analysis("crashed"))
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend("study/journal.log")
    )
    study = optuna.load_study(study_name="study", storage=storage)
    assert study.best_params == PARAMS
    assert [t.state.name for t in study.trials] == ["COMPLETE", "FAIL"]


def test_what_a_crash_leaves_running_is_found_again():
    with create() as log:
        log.finish(log.start(PROPOSAL), OUTCOME, ANALYSIS)
        log.start(PROPOSAL)
    with ExperienceLog.open(FOLDER, space=SPACE) as again:
        trial = next(t for t in again.trials() if t.outcome is None)
        assert trial.number == 1
        again.finish(trial, OUTCOME, ANALYSIS)
        assert [t.number for t in again.trials()] == [0, 1]


@pytest.mark.parametrize("torn", [b'{"op_code": 4, "wor', b"{", b"x" * 5000])
def test_a_torn_last_line_costs_nothing_but_itself(torn):
    with create() as log:
        log.finish(log.start(PROPOSAL), OUTCOME, ANALYSIS)
    with Path("study/journal.log").open("ab") as file:
        file.write(torn)
    with ExperienceLog.open(FOLDER, space=SPACE) as again:
        again.finish(again.start(PROPOSAL), OUTCOME, ANALYSIS)
    assert len(ExperienceLog.open(FOLDER, space=SPACE, read_only=True).trials()) == 2


def test_nothing_outside_the_space_is_recorded():
    with create() as log:
        with pytest.raises(InvalidParams, match="lr must lie"):
            log.start(Proposal({**PARAMS, "lr": 1.0}, "creator"))
        assert log.trials() == []


def test_two_drivers_on_one_study_are_refused():
    with create(), pytest.raises(StudyError, match=r"another process \(pid \d+\) is at work"):
        ExperienceLog.open(FOLDER, space=SPACE)
    ExperienceLog.open(FOLDER, space=SPACE).close()


def test_a_study_that_exists_or_does_not_is_a_users_mistake():
    with pytest.raises(StudyError, match="there is no study in"):
        ExperienceLog.open(Path("nowhere"), space=SPACE)
    create().close()
    with pytest.raises(StudyError, match="exists; resume it by 'agenthpo resume"):
        create()


def test_the_incumbent_is_the_first_of_the_best():
    with create(direction="minimize") as log:
        for value, lr in ((0.5, 0.01), (0.2, 0.02), (0.2, 0.03), (0.9, 0.04)):
            log.finish(
                log.start(replace(PROPOSAL, params={**PARAMS, "lr": lr})),
                Outcome("complete", value),
                ANALYSIS,
            )
        assert log.incumbent().number == 1


@settings(max_examples=30)
@given(st.data())
def test_any_configuration_survives_the_storage(tmp_path_factory, data):
    space = parse_space(data.draw(spaces()))
    params = data.draw(configurations(space))
    folder = tmp_path_factory.mktemp("study")
    with create(folder, space) as log:
        log.start(Proposal(params, "engine"))
    read = ExperienceLog.open(folder, space=space, read_only=True).trials()[0].proposal.params
    assert read == params
    assert [type(v) for v in read.values()] == [type(v) for v in params.values()]


def test_what_cannot_be_read_costs_its_trial_alone():
    with create() as log:
        for _ in range(3):
            log.finish(log.start(PROPOSAL), OUTCOME, ANALYSIS)
    lines = [
        re.sub(r',"crc":"[0-9a-f]{8}"', "", line)
        for line in Path("study/journal.log").read_text().splitlines()
    ]
    later = [
        line.replace('"log_tail"', '"of_a_later_version":[1],"log_tail"').replace(
            '"rationale"', '"also_later":1,"rationale"'
        )
        for line in lines
    ]
    broken = [i for i, line in enumerate(later) if '"outcome":' in line][1]
    later[broken] = later[broken].replace('"status":"complete"', '"status":"of a later version"')
    Path("study/journal.log").write_text("\n".join(later) + "\n")
    trials = ExperienceLog.open(FOLDER, space=SPACE, read_only=True).trials()
    assert [t.value for t in trials] == [0.55, None, 0.55]
    assert trials[0].proposal == PROPOSAL
    assert trials[1].outcome.error == "its record cannot be read (ValueError)"
