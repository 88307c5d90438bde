"""What ``tune`` returns, and what a notebook shows."""

from pathlib import Path

import matplotlib
import nbclient
import nbformat
import pytest

import agenthpo
from agenthpo.errors import StudyError
from agenthpo.events import ignore
from agenthpo.experience.log import ExperienceLog
from agenthpo.result import Result
from agenthpo.text.html import study_html
from studies import make_trial

SPACE = {
    "x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.9},
    "how": {"type": "categorical", "values": ["a", "b"], "default": "a"},
    "depth": {"type": "int", "low": 1, "high": 9, "default": 3, "when": {"how": "b"}},
}


def loss(params):
    if params["how"] == "b" and params["x"] > 0.8:
        raise ValueError("too large")
    return params["x"] + params.get("depth", 0)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("studies"))
        return agenthpo.tune(
            loss,
            SPACE,
            direction="minimize",
            metric="loss",
            trials=12,
            model="none",
            on_event=ignore,
        )


def test_it_is_short_as_text(result):
    text = repr(result)
    assert text.startswith(f"Result(loss {result.best_value:.6g} after 12 trials: x=")
    assert len(text) < 120 and "\n" not in text


def test_it_is_a_frame_with_a_column_a_parameter(result):
    frame = result.to_frame()
    assert len(frame) == 12 and frame.index.name == "number"
    assert list(frame.columns[-3:]) == ["params.x", "params.how", "params.depth"]
    done = frame[frame["state"] == "complete"]
    assert done["value"].min() == result.best_value
    for number, row in done.iterrows():
        assert row["value"] == result.trials[number].value
        assert row["params.x"] == result.trials[number].proposal.params["x"]
    assert frame["params.depth"].isna().sum() == sum(
        "depth" not in t.proposal.params for t in result.trials
    )


def test_it_is_a_picture_of_the_values_and_the_best_so_far(result):
    matplotlib.use("agg")
    ax = result.plot()
    assert ax.get_ylabel() == "loss"
    best = ax.get_lines()[0].get_ydata()
    assert best[-1] == result.best_value and list(best) == sorted(best, reverse=True)
    drawn = sum(len(points.get_offsets()) for points in ax.collections)
    assert drawn == sum(t.value is not None for t in result.trials)
    assert result.plot(ax) is ax
    matplotlib.pyplot.close("all")


def test_it_is_a_table_in_a_notebook_and_markup_of_others_stays_text(result):
    page = result._repr_html_()
    assert page.count("<tr") == 13 and page.count("font-weight") == 1
    wicked = make_trial(0, {"x": "<script>alert(1)</script>\x1b[31m"}, 0.5)
    page = study_html("<b>", [wicked], metric="<i>", best=None, now="<u>")
    assert not any(tag in page for tag in ("<script", "<i>", "<u>", "\x1b"))
    assert "&lt;script&gt;" in page


def test_many_trials_are_cut_to_the_last_and_the_best():
    trials = tuple(make_trial(n, {"x": float(n)}, 1.0 / (n + 1)) for n in range(100))
    found = Result({"x": 0.0}, 1.0, trials, "", Path("s"), "acc", "maximize")
    page = found._repr_html_()
    assert "70 more not shown" in page and page.count("<tr") == 31 and ">99<" in page
    assert page.count("font-weight") == 1


def test_where_nothing_succeeds_it_says_what_failed():
    def broken(params):
        raise OSError(f"no disk at {params['x']}")

    with pytest.raises(StudyError, match=r"the trial gave no value .*no disk at 0\.9"):
        agenthpo.tune(broken, SPACE, direction="minimize", trials=1, model="none", on_event=ignore)


def test_a_direction_must_be_told():
    with pytest.raises(TypeError, match="direction"):
        agenthpo.tune(loss, SPACE, trials=1)
    with pytest.raises(TypeError, match="direction"):
        agenthpo.Optimizer(SPACE)


def test_a_cell_that_is_run_again_goes_on_and_a_storage_can_be_named():
    given = {"direction": "minimize", "model": "none", "on_event": ignore, "study": "cell"}
    for trials in (2, 4):
        found = agenthpo.tune(
            loss, SPACE, trials=trials, resume="auto", storage="sqlite:///s.db", **given
        )
        assert len(found.trials) == trials
    assert Path("s.db").exists() and not (found.folder / "journal.log").exists()
    with ExperienceLog.open(found.folder, space=None, read_only=True) as log:
        assert len(log.trials()) == 4


def test_ctrl_c_says_how_to_go_on(capsys):
    def stopped(params):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        agenthpo.tune(stopped, SPACE, direction="minimize", model="none", on_event=ignore)
    assert "Go on by resume=True" in capsys.readouterr().out


def test_a_real_notebook_shows_one_growing_table(tmp_path):
    cell = """
import agenthpo
space = {"x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.9}}
result = agenthpo.tune(lambda p: p["x"], space, direction="minimize", trials=4,
                       model="none", resume="auto")
"""
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in (cell, "result", cell)]
    )
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    first, second, third = (c.outputs for c in book.cells)
    tables = [o for o in first if o.output_type == "display_data"]
    assert len(tables) == 1, "one table, drawn again in its place"
    page = tables[0].data["text/html"]
    assert page.count("<tr") == 5 and "lambda: minimize value, 4 trials" in page
    assert "Best: trial" in "".join(o.text for o in first if o.output_type == "stream")
    assert second[0].data["text/html"].count("<tr") == 5
    assert second[0].data["text/plain"].startswith("Result(value ")
    assert "all 4 trials of the budget are done" in str(third)
