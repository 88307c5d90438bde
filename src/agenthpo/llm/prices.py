"""What a provider's tokens cost, by the figures of genai-prices (which pydantic-ai brings along); no network is asked."""

from __future__ import annotations

__all__ = ["cost_usd"]


def cost_usd(name: str, *, input_tokens: int, output_tokens: int, base_url: str | None = None) -> float | None:
    """Return US dollars for so many tokens of the model ``PROVIDER:MODEL``; nothing for an embedded one, None where nobody knows."""
    if base_url is None and name.startswith("local:"):
        return 0.0
    provider, _, model = name.partition(":")
    if base_url is not None or not model:
        return None
    try:
        from genai_prices import Usage, calc_price

        price = calc_price(Usage(input_tokens=input_tokens, output_tokens=output_tokens), model_ref=model, provider_id=provider)
    except (ImportError, LookupError, ValueError):
        return None
    return float(price.total_price)
