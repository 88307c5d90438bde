"""What the runs came to as one HTML page that needs no other file, and as a table that other
programs read.
"""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from html import escape
from pathlib import Path

from agenthpo.bench.tasks.stored_runs import StoredRun

__all__ = ["page", "write_trials"]

_TITLES = {
    "trajectories": "The best score after each trial (mean and deviation over seeds; dotted: "
    "the 100-trial "
    "peak)",
    "opro": "Link prediction: optimisation by prompting beside the agent",
    "models": "Two models side by side",
    "parts": "The paper's proposer, and what is left without each of its parts",
    "strategy": "How far the Creator moves from the incumbent, by hyperparameter and trial",
    "validation-and-test": "What is gained over the default on validation, and on test",
}
_READ = {
    "trajectories": "Each line is a proposer's best validation score so far. A line that rises "
    "early (falls, where less is better) needs few trials; one that crosses the dotted line has "
    "passed a hundred pooled trials of random search and TPE.",
    "opro": "OPRO is told configurations and scores alone. What lies between the lines is what "
    "background, curves and analyses add.",
    "models": "The same prompts, another model. Where the lines are level, the model makes no "
    "difference on this task.",
    "parts": "Each line leaves one part out. The further it falls behind the whole, the more that "
    "part is worth; within the shaded deviation, nothing can be said.",
    "strategy": "A row is a hyperparameter, a column a trial. Dark is far from the best "
    "configuration of its time: a dark column explores, a light one with one dark cell changes one "
    "thing to see what it does.",
    "validation-and-test": "A point is a run. On the line the whole gain is left on test; below "
    "it, some of the gain was luck on validation.",
}
"""How to read each figure, in a sentence or two."""
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;"
    "color:#222}"
    "table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}"
    "td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:left}img{max-width:100%}"
)
_OF_TRIAL = ("number", "source", "state", "value", "test_value", "duration_s", "tokens")
_FIELDS = ("task", "proposer", "model", "seed", "data_source", "trial", *_OF_TRIAL[1:], "params")


def page(runs: Sequence[StoredRun], figures: Sequence[Path], tables: Mapping[str, str]) -> str:
    """Return the page: the tables by their titles, the figures, versions and machines."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>AgentHPO on twelve "
        f"tasks</title><style>{_STYLE}</style>"
    ]
    parts.append("<h1>AgentHPO on twelve tasks</h1>")
    parts += [f"<h2>{escape(title)}</h2>{_html(text)}" for title, text in tables.items()]
    for path in figures:
        picture = base64.b64encode(path.read_bytes()).decode()
        title = escape(_TITLES[path.stem])
        image = f'<img alt="{title}" src="data:image/png;base64,{picture}">'
        parts.append(f"<h2>{title}</h2><p>{escape(_READ[path.stem])}</p>{image}")
    about = sorted({json.dumps(run.about, sort_keys=True) for run in runs})
    parts += ["<h2>Made by</h2>", *(f"<p><code>{escape(text)}</code></p>" for text in about)]
    return "\n".join(parts)


def _html(markdown: str) -> str:
    rows = []
    for number, line in enumerate(markdown.splitlines()):
        if number == 1:
            continue
        tag = "td" if number else "th"
        cells = (escape(cell.strip()) for cell in line.strip("|").split("|"))
        bold = (f"<b>{cell.strip('*')}</b>" if cell.startswith("**") else cell for cell in cells)
        rows.append("<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in bold) + "</tr>")
    return f"<table>{''.join(rows)}</table>"


def write_trials(runs: Sequence[StoredRun], path: Path) -> None:
    """Write every trial of ``runs`` as a row of a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_FIELDS)
        for run in sorted(runs, key=lambda run: tuple(map(str, astuple(run.run)))):
            of_run = [run.task, run.proposer, run.model, run.seed, run.source.get("source", "")]
            for t in run.trials:
                row = [getattr(t, name) for name in _OF_TRIAL]
                writer.writerow([*of_run, *row, json.dumps(t.params)])
