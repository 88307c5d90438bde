"""``agenthpo report STUDY``: the page, as a file or served while the study runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agenthpo.cli.options import StudyName
from agenthpo.cli.writing import write_text
from agenthpo.errors import AgentHPOError
from agenthpo.text.printing import say

if TYPE_CHECKING:
    from agenthpo.reporting.evidence import Evidence

__all__ = ["report"]

REPORT = "report.html"
"""The file's name in a study's folder."""


def report(
    study: StudyName = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write it; a page goes into the study's folder without it, the other "
            "forms to standard output.",
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="html|md|json", help="In which form.")
    ] = "html",
    opens: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Serve the page on this machine while the study runs.")
    ] = False,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="NAME",
            help="Let this language model write the closing words; each sentence is looked up in "
            "the evidence. Rules write them without it.",
        ),
    ] = "",
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of --format json instead.")
    ] = False,
) -> None:
    """Make the report of a study: one page that needs no network, Markdown, or JSON."""
    from agenthpo.codec import to_json
    from agenthpo.reporting.making import FORMATS, report, report_schema
    from agenthpo.studies import find_study

    if form not in FORMATS:
        raise AgentHPOError(f"--format is '{form}', but must be html, md or json")
    if schema:
        print(to_json(report_schema(), indent=2))
        return
    if form != "html" and (opens or watch):
        raise AgentHPOError("--open and --watch show a page; leave --format out")
    if not study:
        raise AgentHPOError("no study is named; name one, as in: agenthpo report digits")
    if model and watch:
        raise AgentHPOError("--model writes the closing words once; leave --watch out")
    folder = find_study(study)
    if watch:
        _serve(folder, opens=opens)
        return
    text = report(folder, form, evidence=_told(folder, model) if model else None)
    if output is None and form != "html":
        print(text, end="")
        return
    file = output or folder / REPORT
    write_text(file, text)
    say(str(file))
    if opens:
        _open(file.resolve().as_uri())


def _told(folder: Path, model: str) -> Evidence:
    """Return the evidence with the closing words of a model."""
    from agenthpo.assembly import ModelChoice, opened_model
    from agenthpo.llm.redact import Redacting
    from agenthpo.reporting.gather import evidence_of
    from agenthpo.reporting.told import told_by

    evidence = evidence_of(folder)
    with opened_model(ModelChoice(model)) as llm:
        if llm is None:
            return evidence
        evidence, words = told_by(Redacting(llm), evidence)
    say(f"{words[0].upper()}{words[1:]}.", error=True)
    return evidence


def _serve(folder: Path, *, opens: bool) -> None:
    from agenthpo.reporting.making import report
    from agenthpo.reporting.serving import Server

    server = Server(folder, lambda sign: report(folder, watch=sign))
    server.page()  # what is wrong with the study is said now
    say(server.url, "It follows the study until Ctrl-C.")
    if opens:
        _open(server.url)
    try:
        server.serve()
    except KeyboardInterrupt:
        say("")


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        say(f"Warning: no browser was found; open {url} yourself.", error=True)
