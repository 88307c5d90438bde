"""What a provider's tokens cost and how many a model takes, by the figures of genai-prices (which
pydantic-ai brings along); no network is asked.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from agenthpo.llm.names import ModelName, parse_model
from agenthpo.text.install_hints import install_words

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

__all__ = ["cost_usd", "price_missing", "window_of"]


def cost_usd(
    name: str, *, input_tokens: int, output_tokens: int, base_url: str | None = None
) -> float | None:
    """Return US dollars for so many tokens of the model ``PROVIDER:MODEL``; nothing for one that is
    free, None where nobody knows.
    """
    named = parse_model(name, base_url)
    if named.is_free:
        return 0.0
    price = _priced(named, input_tokens, output_tokens)
    return None if price is None else float(price.total_price)


def window_of(name: str, base_url: str | None = None) -> int | None:
    """Return the tokens of the model's window, None where nobody knows."""
    price = _priced(parse_model(name, base_url))
    return None if price is None else price.model.context_window


def price_missing(name: str, base_url: str | None = None) -> str:
    """Return why the price of the model ``name`` is not known, and the fix, where only a package is
    missing; empty otherwise.
    """
    if _is_nobodys(parse_model(name, base_url)) or find_spec("genai_prices") is not None:
        return ""
    how = install_words("remote", "genai-prices")
    return f"since the package genai-prices is not installed; install it by: {how}"


def _priced(
    named: ModelName, input_tokens: int = 0, output_tokens: int = 0
) -> PriceCalculation | None:
    """Return what genai-prices says of the model, None where it knows nothing of it."""
    if _is_nobodys(named):
        return None
    try:
        from genai_prices import Usage, calc_price

        return calc_price(
            Usage(input_tokens=input_tokens, output_tokens=output_tokens),
            model_ref=named.own,
            provider_id=named.provider,
        )
    except (ImportError, LookupError, ValueError):
        return None


def _is_nobodys(named: ModelName) -> bool:
    """Return whether the model is one of no provider that has prices."""
    return named.base_url is not None or not named.provider
