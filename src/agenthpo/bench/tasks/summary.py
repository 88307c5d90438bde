"""The tables of the twelve tasks in Markdown: ranks, duels, who found it, scores; and the same of
OPRO and of two models, where there are such runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agenthpo.bench.tasks.contributions import credit, credit_words
from agenthpo.bench.tasks.duels import duels, duels_words
from agenthpo.bench.tasks.explanations import explanations
from agenthpo.bench.tasks.groups import Runs, main_runs, model_runs, opro_runs, part_runs
from agenthpo.bench.tasks.percentiles import standing, standing_words
from agenthpo.bench.tasks.reached import reached, reached_words
from agenthpo.bench.tasks.score_tables import ranks_words, table_words
from agenthpo.bench.tasks.scores import scores_table

__all__ = ["tables", "tables_words"]


def tables(runs: Runs, tasks: Path) -> dict[str, str]:
    """Return the tables by their titles; a group that has no runs has none."""
    main = main_runs(runs)
    models = model_runs(runs)
    opro = opro_runs(runs)
    table = scores_table(main, tasks, runs)
    found = {
        "Mean ranks": ranks_words(table),
        **{
            f"Ahead of {other}": duels_words(duels(main, other, tasks), other)
            for other in ("random", "tpe")
        },
        "How good a proposal is: the random draws that it beats": standing_words(
            standing(main, runs, tasks)
        ),
        "Who found it": credit_words(credit(main, tasks)),
        "Scores": table_words(table),
    }
    found["Trials to reach the best of ten random ones"] = reached_words(reached(main, tasks))
    if parts := part_runs(runs):
        found["What each part is worth: scores"] = table_words(scores_table(parts, tasks, runs))
        found["What each part is worth: trials to reach the best of ten random ones"] = (
            reached_words(reached(parts, tasks))
        )
    title, text = explanations(runs, tasks)
    if text:
        found[title] = text
    if models:
        found["Two models: scores"] = table_words(scores_table(models, tasks, runs))
        found["Two models: the random draws that a proposal beats"] = standing_words(
            standing(models, runs, tasks)
        )
        found["Two models: who found it"] = credit_words(credit(models, tasks))
    if opro:
        found["OPRO beside the agent"] = table_words(scores_table(opro, tasks, runs))
    return found


def tables_words(found: Mapping[str, str]) -> str:
    """Return the tables as one text, each under its title."""
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in found.items()) + "\n"
