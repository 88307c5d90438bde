import ast
import dataclasses
import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import agenthpo.testing
from agenthpo.bench.tasks.stored_runs import read_runs
from agenthpo.bench.tasks.summary import tables, tables_words
from agenthpo.bench.tasks.trained import TASKS
from agenthpo.llm.client import Form, Message, Reply
from agenthpo.optimizer import Best
from agenthpo.records import Analysis, Expected, Outcome, Proposal, Stop, Trial, Usage
from agenthpo.task import TEMPLATES
from agenthpo.taskfile.reading import load_task
from studies import ROOT

PAGES = sorted(ROOT.glob("docs/*.md"))


def known():
    return {
        name
        for file in ROOT.rglob("tests/**/test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_the_documentation_names_is_there(page):
    named = set(re.findall(r"`(test_\w+)`", page.read_text()))
    assert named - known() == set()


def test_the_task_file_of_the_documentation_is_one():
    text = (ROOT / "docs/task-file.md").read_text()
    Path("train.py").write_text("")
    Path("task.yaml").write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    task = load_task("task.yaml")
    assert (task.train.memory_mb, task.train.silence_s, task.budget.patience, len(task.space)) == (
        8000.0,
        600.0,
        30,
        6,
    )
    assert all(f"`{name}`" in text for name in TEMPLATES)


PUBLIC = [
    getattr(agenthpo, name)
    for name in agenthpo.__all__
    if name not in ("__version__", "AgentHPOError")
]
PUBLIC += [getattr(agenthpo.testing, name) for name in agenthpo.testing.__all__]
PUBLIC += [agenthpo.Optimizer.ask, agenthpo.Optimizer.tell, Best, Proposal, Stop, Trial, Outcome]
PUBLIC += [Expected, Analysis, Usage, Form, Message, Reply]


def fields_without_words(cls):
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0].body
    pairs = zip(body, [*body[1:], None], strict=True)
    told = [following for field, following in pairs if isinstance(field, ast.AnnAssign)]
    names = [field.target.id for field in body if isinstance(field, ast.AnnAssign)]
    is_words = [isinstance(t, ast.Expr) and isinstance(t.value, ast.Constant) for t in told]
    return [name for name, has in zip(names, is_words, strict=True) if not has]


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.__name__)
def test_every_public_parameter_is_documented(public):
    words = inspect.getdoc(public)
    assert words
    if dataclasses.is_dataclass(public):
        named = set(re.findall(r"``(\w+)``", words))
        assert set(fields_without_words(public)) - named == set()
        return
    names = set(inspect.signature(public).parameters) - {"self", "args", "kwargs"}
    assert set(re.findall(r":param (\w+):", words)) == names


WRITTEN = [ROOT / "README.md", *PAGES]
LEFT_BEHIND = r"\b(classical|in vain|in place of|mend(ed|s)?|came to|comes to|goes? on with)\b"


def sentences(text):
    """The prose of a page: no code, tables, headings or names of tests."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"^ *(\||#| {4}).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"`[^`]*`", "CODE", text)
    text = re.sub(r"^\s*([-*]|\d+\.) ", "\n\n", text, flags=re.MULTILINE)
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    found = [s for paragraph in paragraphs for s in re.split(r"(?<=[.!?])\W*\s", paragraph)]
    return [s for s in found if len(s.split()) > 2]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_a_page_is_written_in_short_sentences_and_plain_words(page):
    text = page.read_text()
    lengths = [len(sentence.split()) for sentence in sentences(text)]
    assert sum(lengths) / len(lengths) < 18 and max(lengths) < 45
    assert re.search(LEFT_BEHIND, text) is None


def test_every_page_is_named_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in PAGES if f"docs/{page.name}" not in readme] == []


def test_the_prompts_to_read_stay_small():
    sizes = {n: len((ROOT / f"docs/prompts/trial-{n}.txt").read_text()) for n in (2, 10, 100)}
    assert sizes[2] < sizes[10]
    assert sizes[100] <= 1.3 * sizes[10]


def test_the_tables_of_the_twelve_tasks_are_what_the_stored_runs_come_to():
    told = tables_words(
        tables(read_runs(ROOT / "benchmarks/results/tasks", TASKS), ROOT / "benchmarks/tasks")
    )
    assert told == (ROOT / "benchmarks/results/figures/tables.md").read_text(), (
        "agenthpo bench figures"
    )
    assert told.strip() in (ROOT / "docs/twelve-tasks.md").read_text(), (
        "the page ends with benchmarks/results/figures/tables.md"
    )


def test_the_site_is_built_without_a_warning():
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "src"):
        Path(name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "zensical.toml", ".")  # it builds where the file itself is
    figures = Path("benchmarks/results")
    figures.mkdir(parents=True)
    (figures / "figures").symlink_to(ROOT / "benchmarks/results/figures")
    for command in (["docs/build.py", ".site"], ["-m", "zensical", "build", "--strict"]):
        done = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stdout + done.stderr
    api = Path("site/api/index.html").read_text()
    for name in set(agenthpo.__all__) - {"__version__"}:
        assert re.search(rf'id="agenthpo\.(\w+\.)?{name}"', api), name


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_examples_of_a_page_run(page, capsys):
    examples = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, page, "exec"), {"__name__": "__main__"})
        assert capsys.readouterr().out
