"""A study's report in each of its forms."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agenthpo.codec import adapter, to_json
from agenthpo.reporting.evidence import Evidence
from agenthpo.reporting.exchanges import read_exchanges
from agenthpo.reporting.gather import evidence_of
from agenthpo.reporting.markdown import markdown
from agenthpo.reporting.page import page

__all__ = ["FORMATS", "report", "report_schema"]

FORMATS = ("html", "md", "json")


def report(
    folder: Path, form: str = "html", *, watch: str = "", evidence: Evidence | None = None
) -> str:
    """Return the report of the study in ``folder``: a page, Markdown, or JSON by
    ``report_schema``.

    :param evidence: the study's evidence, where it was gathered already.
    :param watch: see ``agenthpo.reporting.page.page``.
    :raises AgentHPOError: if there is no study, or what draws the page is not installed.
    """
    evidence = evidence or evidence_of(folder)
    if form == "json":
        return to_json(asdict(evidence), indent=2) + "\n"
    if form == "md":
        return markdown(evidence)
    entries = read_exchanges(folder).entries
    return page(evidence, entries, version=version("agenthpo"), watch=watch)


def report_schema() -> dict[str, Any]:
    """Return the JSON schema of a report as JSON."""
    found: dict[str, Any] = adapter(Evidence).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
