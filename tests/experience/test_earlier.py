"""Own experience from studies of any program: real SQLite, a real journal, CSV, and our own."""

import optuna
import pytest
from optuna.trial import TrialState

import agenthpo
from agenthpo.errors import AgentHPOError, StudyError
from agenthpo.experience.earlier import read_earlier

SPACE = {
    "lr": {"type": "float", "low": 1e-5, "high": 0.1, "log": True, "default": 1e-3},
    "layers": {"type": "int", "low": 1, "high": 4, "default": 1},
}


def searched(storage, name="old"):
    """Six trials of another program, whose names and ranges are not ours; the first one failed."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage, study_name=name, direction="minimize")
    layers = (9, 8, 3, 4, 6, 2)
    for number, rate in enumerate((1e-6, 0.5, 0.3, 2e-3, 0.01, 0.02)):
        study.enqueue_trial({"learning_rate": rate, "num_layers": layers[number], "dropout": 0.1})
        trial = study.ask()
        trial.suggest_float("learning_rate", 1e-6, 1.0, log=True)
        trial.suggest_int("num_layers", 1, 12)
        trial.suggest_categorical("dropout", [0.1, 0.5])
        if number:
            study.tell(trial, abs(rate - 0.01))
        else:
            study.tell(trial, state=TrialState.FAIL)
    return study


def tuned(earlier, **given):
    return agenthpo.tune(
        lambda params: params["lr"],
        SPACE,
        direction="minimize",
        model="none",
        earlier=earlier,
        on_event=lambda event: None,
        **{"study": "new", "trials": 3, **given},
    )


def test_the_best_of_an_optuna_database_gets_a_trial_in_the_users_own_names(tmp_path):
    searched(f"sqlite:///{tmp_path / 'old.db'}")
    before = (tmp_path / "old.db").read_bytes()
    found = tuned([f"sqlite:///{tmp_path / 'old.db'}"])
    hint = found.trials[1].proposal
    # the best one has six layers, which this space has not
    assert hint.source == "knowledge" and hint.params == {"lr": 0.002, "layers": 4}
    said = "Number 2 of 5 trials of the earlier study old: lr 0.002, layers 4."
    assert hint.rationale == said
    assert (tmp_path / "old.db").read_bytes() == before


def test_a_journal_a_file_and_a_data_frames_csv_say_the_same(tmp_path):
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    study = searched(JournalStorage(JournalFileBackend(str(tmp_path / "old.log"))))
    study.trials_dataframe().to_csv(tmp_path / "old.csv", index=False)
    (journal,) = read_earlier(str(tmp_path / "old.log"), metric="loss")
    (frame,) = read_earlier(str(tmp_path / "old.csv"), metric="loss")
    assert len(journal.results) == len(frame.results) == 5
    assert journal.direction == "minimize" and frame.direction is None
    for one, other in zip(journal.results, frame.results, strict=True):
        assert one[0] == pytest.approx(other[0]) and one[1] == pytest.approx(other[1])


def test_a_plain_csv_has_a_column_for_the_metric(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text("lr,layers,acc,note\n0.01,2,0.9,x\n0.02,3,,y\n0.03,4,nan,\n")
    (found,) = read_earlier(str(file), metric="acc")
    assert found.results == (({"lr": 0.01, "layers": 2, "note": "x"}, 0.9),)


def test_the_worse_half_of_an_earlier_study_is_no_hint(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text("lr,layers,value\n0.01,2,0.1\n0.02,3,0.2\n")
    found = tuned([str(file)])
    assert [t.proposal.source for t in found.trials] == ["default", "knowledge", "engine"]


def test_own_studies_are_named_by_name_or_all_in_a_folder():
    tuned([], study="first")
    for earlier in (["first"], [".agenthpo/first"], [".agenthpo"]):
        found = tuned(earlier, study=f"new-{len(earlier[0])}")
        assert "of 3 trials of the earlier study first" in found.trials[1].proposal.rationale


@pytest.mark.parametrize("proposer", ["tpe", "random", "cmaes"])
def test_a_proposer_that_would_not_use_earlier_studies_says_so(proposer, tmp_path):
    (tmp_path / "runs.csv").write_text("lr,layers,value\n0.01,2,0.9\n0.02,3,1.5\n")
    said = rf"'{proposer}' makes no use of earlier studies; leave out --from .*runs.csv"
    with pytest.raises(AgentHPOError, match=said):
        tuned([str(tmp_path / "runs.csv")], proposer=proposer)
    assert len(tuned([], proposer=proposer).trials) == 3


def test_a_study_keeps_what_it_began_with(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text("lr,layers,value\n0.01,2,0.9\n0.02,3,1.5\n")
    tuned([str(file)], trials=1)
    file.unlink()
    found = tuned([], trials=2, resume=True)
    assert found.trials[1].proposal.params == {"lr": 0.01, "layers": 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"--from .*: there is no such study, file or Optuna storage; name"),
        (b"lr,loss\n0.1,1\n", r"--from .*: it has no column 'acc' or 'value'; it has lr, loss"),
        (b"", r"--from .*: it has no column 'acc' or 'value'; it has none"),
        (b"lr,value\n0.1,\n", r"--from .*: it holds no trial that has a value"),
        (b"\xff\xfe\x00", r"--from .*: it cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(tmp_path, content, said):
    file = tmp_path / "runs.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StudyError, match=said):
        read_earlier(str(file), metric="acc")


@pytest.mark.parametrize("content", [b"SQLite format 3\0 broken", b"no journal\n", b"\0\1\2"])
def test_a_damaged_storage_is_said_in_one_sentence(tmp_path, content):
    file = tmp_path / "old.db"
    file.write_bytes(content)
    for text in (str(file), f"sqlite:///{file}"):
        with pytest.raises(StudyError, match=r"--from .*: (it|the database) "):
            read_earlier(text, metric="acc")
    assert file.read_bytes() == content


def test_a_file_that_may_not_be_read_is_said_in_one_sentence(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "old.db").write_bytes(b"any")
    monkeypatch.setattr("pathlib.Path.open", refused)
    with pytest.raises(StudyError, match=r"--from .*: it cannot be read \(Permission denied\)"):
        read_earlier(str(tmp_path / "old.db"), metric="acc")


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(StudyError, match="holds no trial that has a value"):
        read_earlier(f"sqlite:///{tmp_path / 'none.db'}", metric="acc")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["x" * 5000, "\0", "no such study", "ftp://host/x", "a/b/c.csv"])
def test_what_names_nothing_is_said_in_one_sentence(text):
    with pytest.raises(AgentHPOError, match=r"^--from "):
        tuned([text])


def test_a_password_in_a_url_is_not_shown(tmp_path):
    with pytest.raises(AgentHPOError) as caught:
        tuned(["postgresql://me:secret@localhost:1/none"])
    assert "secret" not in str(caught.value) and str(caught.value).startswith("--from postgresql")


def test_experience_with_little_in_common_is_refused_with_the_reason(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text("flavour,value\n3,0.9\n")
    with pytest.raises(AgentHPOError, match=r"none of its 1 results fits this task, since fewer"):
        tuned([str(file)])
