import pytest

from agenthpo.llm.opening import manner_of
from agenthpo.llm.prices import window_of
from agenthpo.llm.windows import allowance_of


@pytest.mark.parametrize(
    ("name", "base_url", "allowance"),
    [
        ("openai:gpt-5", None, 12_000),
        ("openai:gpt-5-nano", None, 3000),  # a wide window, and a small model
        ("openai:gpt-3.5-turbo", None, 3277),
        ("openai:gpt-4", None, 1638),
        ("openai:nobody-knows", None, 3000),
        ("openai:gpt-5", "http://localhost:1/v1", 3000),
        ("local:smollm2", None, 700),
    ],
)
def test_a_prompt_follows_the_models_window(name, base_url, allowance):
    assert allowance_of(name, base_url) == allowance
    assert manner_of(name, base_url=base_url).allowance == allowance


def test_a_window_is_known_or_it_is_not():
    assert window_of("openai:gpt-5") == 400_000
    assert window_of("openai:gpt-5", "http://localhost:1/v1") is None
