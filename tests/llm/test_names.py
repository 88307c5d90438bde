import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.llm.names import parse_model


@pytest.mark.parametrize(
    ("text", "base_url", "kind", "own", "provider"),
    [
        ("none", None, "none", "", ""),
        ("none", "http://localhost/v1", "none", "", ""),
        ("local:smollm2", None, "embedded", "smollm2", ""),
        ("local:./a.gguf", None, "file", "./a.gguf", ""),
        ("local:a.gguf", None, "file", "a.gguf", ""),
        ("local:~/models/a", None, "file", "~/models/a", ""),
        ("local:smollm2", "http://localhost/v1", "remote", "smollm2", "local"),
        ("replay:first", None, "replay", "first", ""),
        ("replay:a/b:c", None, "replay", "a/b:c", ""),
        ("openai:gpt-5", None, "remote", "gpt-5", "openai"),
        ("ollama:llama3:8b", None, "remote", "llama3:8b", "ollama"),
        ("gpt-5", None, "remote", "gpt-5", ""),
        ("toy", "http://localhost/v1", "remote", "toy", ""),
    ],
)
def test_a_name_means_one_kind_of_model(text, base_url, kind, own, provider):
    named = parse_model(text, base_url)
    assert (named.text, named.kind, named.own, named.provider) == (text, kind, own, provider)
    assert named.base_url == (base_url if kind == "remote" else None)
    assert (named.is_none, named.is_embedded, named.is_free) == (
        kind == "none",
        kind in ("embedded", "file"),
        kind != "remote",
    )


@given(st.text(), st.none() | st.text())
def test_every_text_is_a_name(text, base_url):
    assert parse_model(text, base_url).text == text
