import sys
from dataclasses import replace

import pytest

from agenthpo.assembly import ModelChoice, check_priced
from agenthpo.errors import ModelError
from agenthpo.llm.prices import cost_usd, price_missing
from studies import make_task

TOKENS = {"input_tokens": 1000, "output_tokens": 1000}


def test_only_a_missing_package_is_a_missing_price(monkeypatch):
    assert cost_usd("openai:gpt-4o", **TOKENS) > 0 and price_missing("openai:gpt-4o") == ""
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert cost_usd("openai:gpt-4o", **TOKENS) is None
    said = price_missing("openai:gpt-4o")
    assert said.startswith("since the package genai-prices is not installed; install it by: pip")
    # no package knows what somebody's own server costs
    assert price_missing("toy", "http://127.0.0.1:9/v1") == ""


def test_a_limit_on_money_says_which_package_is_missing(monkeypatch):
    task = make_task()
    task = replace(task, budget=replace(task.budget, cost_usd=1.0))
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    said = r"gpt-4o is not known, since the package genai-prices is not installed; install it by"
    with pytest.raises(ModelError, match=said):
        check_priced(task, ModelChoice("openai:gpt-4o"))
