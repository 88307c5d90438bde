"""What a provider's tokens cost, by the figures of genai-prices (which pydantic-ai brings along);
no network is asked.
"""

from __future__ import annotations

from importlib.util import find_spec

from agenthpo.llm.names import ModelName, parse_model
from agenthpo.text.install_hints import install_words

__all__ = ["cost_usd", "price_missing"]


def cost_usd(
    name: str, *, input_tokens: int, output_tokens: int, base_url: str | None = None
) -> float | None:
    """Return US dollars for so many tokens of the model ``PROVIDER:MODEL``; nothing for one that is
    free, None where nobody knows.
    """
    named = parse_model(name, base_url)
    if named.is_free:
        return 0.0
    if _is_nobodys(named):
        return None
    try:
        from genai_prices import Usage, calc_price

        price = calc_price(
            Usage(input_tokens=input_tokens, output_tokens=output_tokens),
            model_ref=named.own,
            provider_id=named.provider,
        )
    except (ImportError, LookupError, ValueError):
        return None
    return float(price.total_price)


def price_missing(name: str, base_url: str | None = None) -> str:
    """Return why the price of the model ``name`` is not known, and the fix, where only a package is
    missing; empty otherwise.
    """
    if _is_nobodys(parse_model(name, base_url)) or find_spec("genai_prices") is not None:
        return ""
    how = install_words("remote", "genai-prices")
    return f"since the package genai-prices is not installed; install it by: {how}"


def _is_nobodys(named: ModelName) -> bool:
    """Return whether the model is one of no provider that has prices."""
    return named.base_url is not None or not named.provider
