from types import SimpleNamespace

import psutil
import pytest

from agenthpo.llm.catalogue import CATALOGUE
from agenthpo.llm.default_model import choose_model


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENTHPO_CACHE", str(tmp_path))


def put_here(entry):
    entry.path.parent.mkdir(parents=True, exist_ok=True)
    with entry.path.open("wb") as file:
        file.truncate(entry.size)


def test_what_is_named_is_taken():
    assert choose_model("openai:gpt-5", {"AGENTHPO_MODEL": "none"}) == ("openai:gpt-5", "")
    assert choose_model(None, {"AGENTHPO_MODEL": "local:smollm2"}) == ("local:smollm2", "")


def test_without_a_name_the_embedded_model_that_is_here_is_taken():
    put_here(CATALOGUE[1])
    assert choose_model(None, {}) == ("local:smollm2", "")
    put_here(CATALOGUE[0])
    assert choose_model(None, {}) == ("local:qwen2.5-coder-1.5b", "")


def test_a_model_that_does_not_fit_is_not_taken(monkeypatch):
    put_here(CATALOGUE[0])
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1e9))
    name, hint = choose_model(None, {})
    assert name == "none"
    assert "needs 1.8 GB of free memory" in hint


def test_without_any_it_says_how_to_get_one():
    name, hint = choose_model(None, {"OPENAI_API_KEY": "secret"})
    assert name == "none"
    assert (
        "agenthpo models pull local:qwen2.5-coder-1.5b; OPENAI_API_KEY is set, so "
        "--model PROVIDER:MODEL works as well" in hint
    )
    assert "secret" not in hint
