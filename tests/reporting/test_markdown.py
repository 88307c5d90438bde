"""The report for a pull request: text from outside stays text."""

import re

import pytest

from agenthpo.reporting.making import report
from report_studies import EVIL, make_study


def test_it_has_the_answer_and_what_mattered():
    text = report(make_study("toy", 30), "md")
    for heading in ("Course", "What matters", "Account", "Failures", "What was learnt"):
        assert f"### {heading}" in text
    assert "Not certified" in text and "| lr | " in text and "▁" in text


@pytest.mark.parametrize("text", EVIL)
def test_what_comes_from_outside_is_no_markup(text):
    found = report(make_study("toy", 12, texts=(text,)), "md")
    plain = re.sub(r"\\.", "", found)
    assert not re.search(r"<\w|\]\(|!\[", plain) and "\x1b" not in found
    assert "http:" not in found
    rows = [line for line in plain.splitlines() if line.startswith("|")]
    heads = [r.count("|") for r in rows]
    assert all(count >= 3 for count in heads)


def test_a_study_without_results():
    assert "has no value yet" in report(make_study("toy", 0), "md")
