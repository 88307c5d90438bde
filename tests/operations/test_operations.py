"""The operations as an agent calls them: what is right is done once, what is wrong is refused with
its reasons, and nothing is lost.
"""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from agenthpo.errors import AgentHPOError, StudyError, TaskError
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.progress import read_progress
from agenthpo.experience.requests import read_requests
from agenthpo.operations.before import check_task, draft_task
from agenthpo.operations.briefing import briefing
from agenthpo.operations.opening import open_study
from agenthpo.operations.place import Place, Standing
from agenthpo.operations.proposing import enqueue, note, pin, propose, stop, veto
from agenthpo.operations.running import run, wait
from agenthpo.operations.telling import analyse, verdict
from agenthpo.records import Analysis, Outcome, Proposal
from agenthpo.taskfile.reading import load_task

STUDY = ".agenthpo/toy"
GOOD = {"x": 0.9, "y": 5, "z": "a", "w": 0.5}
EXPECTED = {"value": 0.7, "low": 0.6, "high": 0.8}
PERSON = "ann"


def asks(at, params=GOOD, expected=EXPECTED, **more):
    return propose(at, STUDY, params, "because", "it helps", expected, **more)


def as_person(at):
    return Place(at.root, PERSON, is_person=True)


def ran():
    return Path("ran").read_text().splitlines() if Path("ran").exists() else []


def numbers(trials):
    return [t.number for t in trials]


def test_a_script_becomes_a_task_a_study_a_trial_and_a_verdict(tmp_path, desk):
    Path("task.yaml").unlink()
    Path("train.py").write_text(
        "import argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--lr', type=float, default=0.1, help='step size')\n"
        "args = parser.parse_args()\nprint('val_acc:', args.lr)\n"
    )
    drafted = draft_task(desk, "train.py")
    assert (drafted.task, drafted.metric, drafted.tuned) == ("task.yaml", "val_acc", ["lr"])
    assert check_task(desk, drafted.task).works
    study = open_study(desk, drafted.task, study="mine", trials=2).study
    assert study == ".agenthpo/mine"
    propose(
        desk, "mine", {"lr": 0.2}, "more", "more is better", {"value": 0.2, "low": 0.1, "high": 0.3}
    )
    waited = wait(desk, "mine", run(desk, "mine").handle)
    assert [t.value for t in waited.ended] == [0.1, 0.2]
    assert analyse(desk, "mine", 1).state == "complete"
    assert verdict(desk, "mine").best.number == 1
    with pytest.raises(TaskError, match="is there already"):
        draft_task(desk, "train.py")


def test_checking_runs_the_default_and_spends_nothing(desk):
    checked = check_task(desk, "task.yaml")
    assert checked.works and "It works: acc" in checked.says[0]
    assert checked.default == {"x": 0.5, "y": 5, "z": "a", "w": 0.5}
    assert "0.1234567" not in json.dumps(checked.says)
    assert not Path(".agenthpo").exists()


def test_a_study_is_opened_once_and_taken_up_after(desk):
    first = open_study(desk, "task.yaml", trials=4)
    assert (first.study, first.is_new, first.left) == (STUDY, True, "4 of 4 trials")
    again = open_study(desk, "task.yaml")
    assert (again.is_new, again.left) == (False, "4 of 4 trials")
    assert (
        open_study(desk, "task.yaml", trials=9, minutes=2).left == "9 of 9 trials, 2m 00s of 2m 00s"
    )
    assert ran() == []


@pytest.mark.parametrize("named", ["", ".", "task.yaml", "./"])
def test_a_study_lies_beside_its_task_however_that_is_named(desk, named):
    assert open_study(desk, named).study == STUDY
    assert not (desk.root.parent / ".agenthpo").exists()


def test_what_was_played_is_as_it_was_asked_for(after):
    trials = Standing.at(Path(STUDY).resolve()).trials
    assert [t.proposal.who for t in trials] == ["default", "agent claude", "engine", "engine"]
    assert trials[1].proposal.expected.value == 0.74 and trials[1].value == pytest.approx(
        0.7417, abs=1e-3
    )
    assert len(ran()) == 4
    assert read_progress(Path(STUDY)).at_work is False


def test_a_proposal_is_compared_warned_of_and_forecast(after):
    found = asks(after, {"x": 0.95, "y": 7, "z": "b", "w": 0.1}, base=1)
    assert found.id == "r4" and found.compared_with == 1
    assert "parameters change at once" in found.warning
    assert found.engine_expects is not None and found.engine_expects.low < found.engine_expects.high
    one = asks(after, {"y": 6}, base=1)
    assert one.params == {**GOOD, "y": 6} and one.changed == ["y 5 -> 6"] and one.warning == ""


@pytest.mark.parametrize(
    ("params", "expected", "said"),
    [
        ({**GOOD, "x": 7}, EXPECTED, "x"),
        ({"x": 0.1}, EXPECTED, "y is missing"),
        ({**GOOD, "q": 1}, EXPECTED, "q is not a parameter"),
        ("x=1", EXPECTED, "params"),
        (None, EXPECTED, "params"),
        (GOOD, {"value": 1}, "expected must have finite numbers"),
        (GOOD, {"value": 5, "low": 0, "high": 1}, "must lie between"),
        (GOOD, None, "expected must be an object"),
        (GOOD, EXPECTED, "are those of trial 1"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(after, params, expected, said):
    with pytest.raises(StudyError, match=said):
        asks(after, params, expected)
    assert len(read_requests(Path(STUDY)).requests) == 3


def test_the_same_proposal_again_is_the_same_one(desk):
    open_study(desk, "task.yaml")
    assert asks(desk).id == asks(desk).id == "r1"
    other = Place(desk.root, "codex")
    assert asks(other).id == "r1"
    assert asks(other, {**GOOD, "y": 4}).id == "r2"


def test_a_call_that_comes_again_runs_nothing_twice(desk):
    open_study(desk, "task.yaml")
    asks(desk)
    handles = {run(desk, STUDY).handle for _ in range(3)}
    assert len(handles) == 1
    assert wait(desk, STUDY, handles.pop()).done
    assert ran() == ["0.5 5 a", "0.9 5 a"]
    with pytest.raises(StudyError, match="no configuration waits"):
        run(desk, STUDY)


def test_calls_at_the_same_time_are_all_served_once(desk):
    open_study(desk, "task.yaml", trials=30)
    failures = []

    def ask(number):
        try:
            asks(Place(desk.root, f"agent-{number}"), {**GOOD, "y": number})
            run(Place(desk.root, f"agent-{number}"), STUDY)
        except AgentHPOError as problem:
            failures.append(str(problem))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while not (waited := wait(desk, STUDY)).done:
        pass
    requests = read_requests(desk.root / STUDY).requests
    assert sum(r.kind == "try" for r in requests) == 5
    # a run asks for all that waits, so that a later one may find nothing left to ask for
    assert all("no configuration waits" in said for said in failures)
    opened = Standing.at(desk.root / STUDY)
    assert all(t.outcome for t in opened.trials) and not opened.asked.left_to_run(opened.trials)
    assert waited.problem == "" and len(ran()) == len(set(ran()))


def test_the_budget_is_kept_whoever_asks(desk):
    open_study(desk, "task.yaml", trials=3)
    assert run(desk, STUDY, trials=9, engine=True).trials == 2  # the third is the default's
    with pytest.raises(StudyError, match="done or asked for"):
        run(Place(desk.root, "codex"), STUDY, trials=2, engine=True)
    assert wait(desk, STUDY).done
    for refused in (lambda: asks(desk), lambda: run(desk, STUDY, engine=True)):
        with pytest.raises(StudyError, match="all 3 trials of the budget are done"):
            refused()
    assert len(ran()) == 3
    open_study(desk, "task.yaml", trials=4)
    asks(desk)
    assert wait(desk, STUDY, run(desk, STUDY).handle).done
    assert len(ran()) == 4


def test_tokens_that_an_agent_reports_are_counted(desk):
    open_study(desk, "task.yaml", tokens=1000)
    asks(desk, tokens=1200)
    assert wait(desk, STUDY, run(desk, STUDY).handle).done
    with pytest.raises(StudyError, match="budget of 1,000 tokens is spent"):
        asks(desk, {**GOOD, "y": 1})
    assert [s.tokens for s in verdict(desk, STUDY).sources] == [0, 1200]


def test_a_driver_that_is_killed_is_replaced_by_whoever_waits(desk, monkeypatch):
    monkeypatch.setenv("PAUSE", "0.3")
    open_study(desk, "task.yaml")
    asks(desk)
    handle = run(desk, STUDY).handle
    deadline = time.monotonic() + 30
    while (p := read_progress(desk.root / STUDY)) is None or 1 not in p.running:
        assert time.monotonic() < deadline
        wait(desk, STUDY, handle, seconds=0)
        time.sleep(0.05)
    os.kill(p.pid, signal.SIGKILL)
    other = Place(desk.root, "codex")
    while not (waited := wait(other, STUDY, handle)).done:
        pass
    assert numbers(waited.ended) == [0, 1] and waited.ended[1].source == "agent claude"
    assert ran().count("0.5 5 a") == 1  # what had ended is not run again


def test_a_trial_that_is_hopeless_is_stopped_and_the_study_goes_on(desk, monkeypatch):
    monkeypatch.setenv("PAUSE", "0.1")
    monkeypatch.setenv("STEPS", "300")
    open_study(desk, "task.yaml")
    asks(desk)
    handle = run(desk, STUDY).handle
    for trial in (0, 1):
        deadline = time.monotonic() + 30
        while not any(
            r.number == trial and r.curve for r in wait(desk, STUDY, handle, seconds=0.2).running
        ):
            assert time.monotonic() < deadline
        stop(desk, STUDY, trial, "at chance")
    waited = wait(desk, STUDY, handle)
    assert waited.done and [t.state for t in waited.ended] == ["pruned", "pruned"]
    assert "stopped by claude: at chance" in waited.ended[1].says
    with pytest.raises(StudyError, match="has ended already"):
        stop(desk, STUDY, 1)
    with pytest.raises(StudyError, match="no trial 9"):
        stop(desk, STUDY, 9)


def test_a_task_that_fails_says_so_and_is_not_tried_for_ever(desk):
    Path("train.py").write_text("import nothing_of_that_name\n")
    open_study(desk, "task.yaml")
    asks(desk)
    waited = wait(desk, STUDY, run(desk, STUDY).handle)
    assert waited.done and "nothing_of_that_name" in waited.problem
    trials = len(Standing.at(desk.root / STUDY).trials)
    assert wait(desk, STUDY).done and len(Standing.at(desk.root / STUDY).trials) == trials
    Path("task.yaml").write_text("name: [")
    with pytest.raises(AgentHPOError, match=r"task\.yaml"):
        run(desk, STUDY)


def test_people_enqueue_pin_veto_and_annotate(after):
    ann = as_person(after)
    queued = enqueue(ann, STUDY, {"y": "8"}, "I know this one")
    assert "The rest is as in trial" in queued.says
    pin(ann, STUDY, {"z": "b"})
    with pytest.raises(StudyError, match="z is pinned"):
        asks(after, {**GOOD, "y": 2})
    with pytest.raises(StudyError, match="only a person"):
        veto(after, STUDY, queued.id)
    mine = asks(after, {**GOOD, "y": 2, "z": "b"})
    note(ann, STUDY, "Do not\ntrust trial 2.", trial=2)
    text = briefing(after, STUDY).text
    assert "pinned by a person: z=b" in text and "ann noted on trial 2: Do not trust" in text
    assert mine.id in text and f"{queued.id} of ann cannot be tried: z is pinned" in text
    pin(ann, STUDY, {}, off="z")
    veto(ann, STUDY, mine.id, "it was tried last year")
    told = briefing(after, STUDY)
    assert told.waiting == [queued.id] and f"ann took back {mine.id} (" in told.text
    assert "): it was tried last year." in told.text
    waited = wait(after, STUDY, run(after, STUDY).handle)
    assert waited.ended[-1].source == "human ann" and waited.ended[-1].params["y"] == 8


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda at: enqueue(at, STUDY, {"x": 99}), "x"),
        (lambda at: enqueue(at, STUDY, GOOD), "trial 1 has tried it"),
        (lambda at: pin(at, STUDY, {"x": 99, "q": 1}), "no parameter q"),
        (lambda at: pin(at, STUDY, {}), "nothing is named"),
        (lambda at: pin(at, STUDY, {}, off="x"), "x is not pinned"),
        (lambda at: veto(at, STUDY, "r99"), "does not wait"),
        (lambda at: veto(at, STUDY, "1"), "has ended already"),
        (lambda at: note(at, STUDY, "  "), "is empty"),
        (lambda at: note(at, STUDY, "x", trial=77), "no trial 77"),
        (lambda at: wait(at, STUDY, "r99"), "no handle"),
        (lambda at: wait(at, STUDY, seconds=99), "from 0 to 45"),
        (lambda at: run(at, STUDY, trials=0), "from 1 to 50"),
        (lambda at: analyse(at, STUDY, 99), "no trial 99"),
        (lambda at: briefing(at, STUDY, most=1), "from 2,000"),
        (lambda at: briefing(at, "gone"), "no study"),
        (lambda at: open_study(at, "gone.yaml"), "gone.yaml"),
        (lambda at: check_task(at, "task.yaml", seconds=500), "from 1 to 45"),
    ],
)
def test_a_mistake_is_a_sentence_and_changes_nothing(after, ask, said):
    before = (Path(STUDY) / "requests.jsonl").read_bytes()
    with pytest.raises(AgentHPOError, match=said):
        ask(as_person(after))
    assert (Path(STUDY) / "requests.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "path", ["../secret.py", "/etc/passwd", "a\0b", "~root/x", "link.py", "x" * 5000]
)
def test_nothing_outside_the_folder_is_touched(desk, path, tmp_path):
    Path("link.py").symlink_to("/etc/passwd")
    for ask in (
        lambda: draft_task(desk, path),
        lambda: check_task(desk, path),
        lambda: open_study(desk, path),
        lambda: briefing(desk, path),
    ):
        with pytest.raises(AgentHPOError):
            ask()


def test_an_insight_is_kept_as_far_as_the_evidence_has_it(after):
    told = analyse(after, STUDY, 1, "More x gave 0.741667. It would reach 0.99 with y = 7.")
    assert told.insight == "More x gave 0.741667." and "0.99" in told.struck[0]
    assert "Note (claude): More x gave 0.741667." in analyse(after, STUDY, 1).story
    analyse(after, STUDY, 1, "More x gave 0.741667.")
    assert sum(r.kind == "note" for r in read_requests(Path(STUDY)).requests) == 1


def test_the_test_metric_is_told_once_and_ends_the_search(after):
    answers = [
        briefing(after, STUDY, most=40_000),
        *(analyse(after, STUDY, n) for n in range(4)),
        wait(after, STUDY),
        verdict(after, STUDY),
        asks(after, {**GOOD, "y": 1}),
    ]
    assert "0.123" not in repr(answers) and "test_acc 0" not in repr(answers)
    final = verdict(after, STUDY, final=True)
    assert final.test == 0.1234567
    assert verdict(after, STUDY, final=True).test is None
    with pytest.raises(StudyError, match="the test metric was told"):
        run(after, STUDY, engine=True)


def test_a_verdict_says_how_sure_the_gain_is_and_who_found_what(after):
    found = verdict(after, STUDY)
    assert found.best.value >= 0.7416 and "better than the default" in found.gain
    assert [s.source for s in found.sources] == ["default", "agent claude", "engine"]
    assert found.command.startswith("agenthpo best ")


def test_a_briefing_stays_short(after):
    text = briefing(after, STUDY).text
    assert len(text) < 6000
    for part in ("# toy: maximize acc", "Search space", "trial 1 (agent)", "the next trial is"):
        assert part in text, part
    assert len(briefing(after, STUDY, most=2000).text) <= 2000


def test_a_study_that_was_not_made_here_is_not_driven(after, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(after.root / "another machine's"))
    with pytest.raises(StudyError, match="was not made here"):
        run(after, STUDY, engine=True)


def test_a_driver_that_cannot_begin_says_so(desk, monkeypatch):
    open_study(desk, "task.yaml")
    asks(desk)
    monkeypatch.setenv("PYTHONPATH", str(desk.root))
    Path("optuna.py").write_text("raise SystemExit(7)\n")
    handle = run(desk, STUDY).handle
    waited = wait(desk, STUDY, handle)
    assert waited.done and "the driver ended with exit code 7; see worker.log" in waited.problem
    Path("optuna.py").unlink()
    assert wait(desk, STUDY, handle).problem == waited.problem
    asks(desk, {**GOOD, "y": 1})
    assert wait(desk, STUDY, run(desk, STUDY).handle).done
    assert len(ran()) == 3


def test_what_is_asked_while_a_driver_of_a_persons_runs_is_heeded_by_it(desk):
    from agenthpo.budget import Budget
    from agenthpo.events import Finished
    from agenthpo.session import begin
    from agenthpo.taskfile.reading import load_task

    handles = []

    def ask(event):
        if not isinstance(event, Finished):
            return
        if event.trial.number == 1:
            pin(as_person(desk), STUDY, {"z": "a"})
            enqueue(as_person(desk), STUDY, {"y": 9}, "I want to see it")
            asks(desk)
            handles.append(run(desk, STUDY).handle)
        if event.trial.number == 4:
            handles.append(run(desk, STUDY, engine=True).handle)

    task = load_task("task.yaml").with_budget(Budget(6))
    stopped = begin(task, Path(STUDY), on_event=ask)
    sources = [t.proposal.who for t in stopped.trials]
    assert sources[2] == "human ann" and "agent claude" in sources[3:5]
    assert all(t.proposal.params["z"] == "a" for t in stopped.trials[2:])
    # both requests were served by the driver that was there, so that nothing is run after it
    for handle in handles:
        waited = wait(desk, STUDY, handle)
        assert waited.done and waited.left == 0 and not waited.problem, waited
    assert len(ran()) == 6


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"trials": 41}, "41 is more than budget.trials of .*task.yaml, 40; let a person raise it"),
        ({"trials": 0}, "trials is 0, but must be above 0"),
        ({"minutes": -1}, "minutes is -1"),
        ({"tokens": 10**12}, "tokens is"),
    ],
)
def test_an_agent_gets_no_larger_budget_than_the_task_files(desk, limits, said):
    with pytest.raises(TaskError, match=said):
        open_study(desk, "task.yaml", **limits)
    assert not Path(STUDY).exists()
    if limits == {"trials": 41}:
        assert open_study(as_person(desk), "task.yaml", **limits).left == "41 of 41 trials"


def test_a_folder_with_the_name_of_a_study_hides_it_not(after):
    Path("toy").mkdir()
    assert briefing(after, "toy").text.startswith("# toy")
    assert briefing(after, ".").text.startswith("# toy")


def test_two_that_open_a_study_at_once_open_the_same_one(desk):
    opened = []
    threads = [
        threading.Thread(target=lambda: opened.append(open_study(desk, "task.yaml")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4 and {o.study for o in opened} == {STUDY}
    assert sum(o.is_new for o in opened) == 1


def test_a_study_may_run_several_trials_at_once(desk, monkeypatch):
    monkeypatch.setenv("PAUSE", "0.3")
    with pytest.raises(TaskError, match="from 1 to 16"):
        open_study(desk, "task.yaml", workers=99)
    open_study(desk, "task.yaml", workers=2)
    for y in (1, 2):
        asks(desk, {**GOOD, "y": y})
    handle = run(desk, STUDY).handle
    most = 0
    while not (waited := wait(desk, STUDY, handle, seconds=0.1)).done:
        most = max(most, len(waited.running))
    assert most == 2 and len(waited.ended) == 3


def test_an_agent_is_told_what_cannot_fit(desk):
    text = Path("task.yaml").read_text()
    Path("task.yaml").write_text(text.replace("train:\n", "train:\n  timeout: 60s\n"))
    open_study(desk, "task.yaml", trials=20)
    task = load_task("task.yaml")
    with ExperienceLog.open(Path(STUDY), space=task.space) as log:
        # a trial takes as long as y says
        for number in range(9):
            y = 1 + number % 5
            proposal = Proposal({**GOOD, "x": number / 10, "y": y}, "engine")
            outcome = Outcome("complete", 0.5, duration_s=2.0**y)
            log.finish(log.start(proposal), outcome, Analysis("completed"))
    with pytest.raises(StudyError) as refused:
        asks(desk, {**GOOD, "x": 0.05, "y": 9})
    assert "refused: it would take about 8m" in str(refused.value)
    assert "and train.timeout is 1m 00s; y 5 instead of 9 would fit" in str(refused.value)
    assert asks(desk, {**GOOD, "x": 0.05, "y": 5}).id
    # a person knows what they do
    assert enqueue(as_person(desk), STUDY, {"y": 9, "x": 0.07}).id
