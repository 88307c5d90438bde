"""Optuna's dashboard shows why a trial was tried, what it taught, and what it printed; all of that
as text.
"""

import json
import threading
import urllib.request
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import pytest
from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta

from agenthpo.experience import dashboard, log
from agenthpo.experience.dashboard import ARTIFACTS, keep_file, note_attributes
from agenthpo.experience.finding import found_study
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta
from agenthpo.records import Analysis, Expected, Outcome, Proposal
from agenthpo.taskfile.space import parse_space
from browsing import chromium

notes = pytest.importorskip("optuna_dashboard._note", reason="optuna-dashboard is not installed")
SPACE = parse_space({"lr": {"type": "float", "low": 0.001, "high": 1.0}})
META = StudyMeta(seed=3, direction="maximize", metric="acc")
PROPOSAL = Proposal(
    {"lr": 0.1},
    "creator",
    rationale="A lower *rate* ![x](http://evil.test/a.png) <img src=x> $a$",
    hypothesis="It overfits less.",
    expected=Expected(0.5, 0.4, 0.6),
)
ANALYSIS = Analysis("overfitting", ("val loss rises",), "The gap grows from epoch 3 on.")


def ended(folder, storage=None, says="epoch 1\n"):
    with ExperienceLog.create(folder, space=SPACE, meta=META, storage=storage) as found:
        trial = found.start(PROPOSAL)
        if says is not None:
            workdir = found.workdir(0)
            workdir.mkdir(parents=True)
            (workdir / "run.log").write_text(says)
        found.finish(trial, Outcome("complete", 0.5), ANALYSIS)
    return found_study(folder)[0]


@pytest.mark.parametrize("storage", [None, "sqlite:///study.db"])
def test_a_trials_words_and_log_are_its_note_and_artifact(tmp_path, monkeypatch, storage):
    monkeypatch.chdir(tmp_path)
    study = ended(Path("study"), storage)
    trial = study.get_trials()[0]
    attributes = study._storage.get_study_system_attrs(study._study_id)
    note = notes.get_note_from_system_attrs(attributes, trial._trial_id)["body"]
    for words in ("It overfits less", "Diagnosis: overfitting", "The gap grows from epoch 3 on"):
        assert words in note
    # a picture of a model's would be fetched from where it says
    assert "![" not in note and "\\!\\[x\\]" in note and "\\<img" in note
    (artifact,) = get_all_artifact_meta(trial, storage=study._storage)
    assert artifact.filename == "run.log"
    store = FileSystemArtifactStore(Path("study", ARTIFACTS))
    with store.open_reader(artifact.artifact_id) as kept:
        assert kept.read() == b"epoch 1\n"


def test_a_long_note_is_whole(tmp_path):
    lines = ["x" * 3000, "y_" * 2000]
    study = optuna.create_study()
    for key, value in note_attributes(7, lines):
        assert len(str(value)) <= 2045
        study._storage.set_study_system_attr(study._study_id, key, value)
    attributes = study._storage.get_study_system_attrs(study._study_id)
    body = notes.get_note_from_system_attrs(attributes, 7)["body"]
    assert body.replace("\\", "").split("  \n") == lines


def test_what_cannot_be_kept_loses_no_trial(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = ended(Path("none"), says=None)
    assert not get_all_artifact_meta(study.get_trials()[0], storage=study._storage)
    Path("full").mkdir()
    Path("full", ARTIFACTS).write_text("in the way")
    study = ended(Path("full"))
    assert study.get_trials()[0].value == 0.5


def test_a_log_is_kept_once_and_is_no_one_elses_file(tmp_path):
    folder = tmp_path / "study"
    file = folder / "trials/0000/run.log"
    file.parent.mkdir(parents=True)
    file.write_text("said")
    assert keep_file(folder, file, of="a") == keep_file(folder, file, of="a")
    assert [p.read_text() for p in (folder / ARTIFACTS).iterdir()] == ["said"]
    # of a study that was in the folder before
    assert keep_file(folder, file, of="b") != keep_file(folder, file, of="a")
    link = folder / "trials/0000/other.log"
    link.symlink_to("/etc/passwd")
    assert keep_file(folder, link, of="a") is None


def test_a_file_system_without_links_gets_a_copy(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(dashboard.os, "link", refuse)
    file = tmp_path / "run.log"
    file.write_text("said")
    keep_file(tmp_path, file, of="a")
    assert [p.read_text() for p in (tmp_path / ARTIFACTS).iterdir()] == ["said"]


def test_a_trial_among_thousands_is_compared_with_the_latest(tmp_path, monkeypatch):
    compared = []
    monkeypatch.setattr(
        log, "story", lambda trial, earlier, **_: (compared.append(len(earlier)), ["said"])[1]
    )
    monkeypatch.setattr(log, "_MOST_COMPARED", 2)
    with ExperienceLog.create(tmp_path / "study", space=SPACE, meta=META) as found:
        for _ in range(4):
            found.finish(found.start(PROPOSAL), Outcome("complete", 0.5), ANALYSIS)
    assert compared == [0, 1, 2, 2]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.filterwarnings("ignore")  # of the dashboard's own parts
def test_the_dashboard_itself_shows_them(tmp_path, monkeypatch):
    from optuna_dashboard import wsgi

    monkeypatch.chdir(tmp_path)
    study = ended(Path("study"))
    app = wsgi(study._storage)
    server = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        at = f"http://127.0.0.1:{server.server_port}"
        with urllib.request.urlopen(f"{at}/api/studies/{study._study_id}") as answer:
            told = json.load(answer)
        assert told["objective_names"] == ["acc"]
        assert "It overfits less" in told["trials"][0]["note"]["body"]
        with chromium() as browser:
            page = browser.new_page()
            page.goto(f"{at}/dashboard/studies/{study._study_id}/trials?numbers=0")
            page.wait_for_selector("text=It overfits less", timeout=30_000)
            page.goto(f"{at}/dashboard/studies/{study._study_id}")
            page.wait_for_selector("text=acc", timeout=30_000)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
