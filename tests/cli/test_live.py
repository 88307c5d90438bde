import io
from dataclasses import replace

import pytest
from rich.console import Console

from agenthpo.budget import Budget
from agenthpo.cli.live import Board, live_view
from agenthpo.events import (
    Analysed,
    Analysing,
    Finished,
    Opened,
    Placed,
    Proposing,
    Reported,
    Started,
    Stopped,
)
from agenthpo.text.sparkline import sparkline
from studies import make_trial

PARAMS = {"lr": 0.001, "opt": "adam"}
OPENED = Opened(
    "toy", ".agenthpo/toy", "acc", "maximize", "local:smollm2", Budget(4), hint="A hint."
)
FIRST = make_trial(0, PARAMS, 0.5, "default", insight="It is a start.")
SECOND = make_trial(
    1,
    {**PARAMS, "lr": 0.01},
    0.7,
    "creator",
    insight="Larger steps help.",
    rationale="Trial 0 was slow.",
    note="[bold]",
)


def running(trial):
    return replace(trial, outcome=None, analysis=None)


def play(*events, width=100, height=40):
    board = Board()
    for event in events:
        board.take(event)
    return board, drawn(board.render(height), width)


def drawn(view, width=100):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(view)
    return console.file.getvalue()


def test_a_running_trial_is_shown_with_its_metric_as_it_trains():
    _, view = play(
        OPENED,
        Proposing(0),
        Started(running(FIRST)),
        Reported(0, 0, {"acc": 0.1}),
        Reported(0, 1, {"acc": 0.4}),
    )
    assert "A hint." in view
    assert "trial 0 trains" in view
    assert "acc 0.4 ▁█" in view


def test_trials_at_once_have_a_line_each_with_their_place():
    first, second = running(FIRST), running(SECOND)
    _, view = play(
        OPENED,
        Started(first),
        Started(second),
        Placed(0, "slot 0, GPU 2"),
        Placed(1, "slot 1, GPUs 3, 4"),
        Reported(1, 0, {"acc": 0.1}),
        Reported(1, 1, {"acc": 0.4}),
    )
    assert "[0] slot 0, GPU 2: " in view
    assert "[1] slot 1, GPUs 3, 4: acc 0.4 ▁█" in view
    # an attempt elsewhere is not shown where the last one was
    board, _ = play(OPENED, Started(first), Started(second), Placed(0, "node-a"))
    board.take(Started(first, again=True))
    assert "node-a" not in drawn(board.render())


def test_trials_incumbent_words_and_time_left_are_shown():
    _, view = play(
        OPENED,
        Started(running(FIRST)),
        Finished(FIRST, FIRST),
        Proposing(1),
        Started(running(SECOND)),
        Finished(SECOND, SECOND),
    )
    assert "creator" in view
    assert "best 0.7 (trial 1) ▁█" in view
    assert "Creator: Trial 0 was slow." in view
    assert "note: [bold]" in view
    assert "Executor on trial 1: Larger steps help." in view
    assert "left" in view


@pytest.mark.parametrize("height", [16, 24, 50])
def test_the_view_fits_the_screen_however_many_trials(height):
    events = [
        OPENED,
        *[Finished(make_trial(n, PARAMS, n / 100), None) for n in range(90)],
        Started(running(make_trial(90, PARAMS, 1))),
    ]
    _, view = play(*events, height=height)
    assert view.count("\n") <= height
    assert "89" in view


def test_the_best_trial_stays_in_view():
    events = [
        OPENED,
        *[
            Finished(make_trial(n, {**PARAMS, "lr": 0.001 * (n + 1)}, 1 if n == 3 else 0.5), None)
            for n in range(60)
        ],
    ]
    _, view = play(*events, height=24)
    assert "\n 3 " in view or "\n3 " in view


def test_the_summary_stays_when_the_view_goes():
    stopped = Stopped("all 2 trials of the budget are done", (FIRST, SECOND), SECOND)
    console = Console(file=io.StringIO(), width=100, highlight=False)
    with live_view(console) as on_event:
        for event in (
            OPENED,
            Finished(FIRST, FIRST),
            Finished(SECOND, SECOND),
            Analysing(SECOND),
            Analysed(SECOND),
            stopped,
        ):
            on_event(event)
    said = console.file.getvalue()
    assert "Ended: all 2 trials" in said
    assert "Gain: 0.2 better than the default configuration's 0.5" in said
    assert "creator: 1 proposed, 1 became the best so far" in said


def test_what_was_found_stays_on_the_screen_after_an_interruption():
    console = Console(file=io.StringIO(), width=100, highlight=False)
    with pytest.raises(KeyboardInterrupt), live_view(console) as on_event:
        on_event(OPENED)
        on_event(Finished(FIRST, FIRST))
        raise KeyboardInterrupt
    assert "default" in console.file.getvalue()


@pytest.mark.parametrize(
    ("values", "bars"),
    [([], ""), ([1], "▁"), ([0, 1], "▁█"), ([float("nan"), 2], "▁"), ([0, 7, 3.5], "▁█▅")],
)
def test_a_sparkline_draws_finite_values(values, bars):
    assert sparkline(values, 10) == bars
