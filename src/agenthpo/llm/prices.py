"""What a provider's tokens cost, by the figures of genai-prices (which pydantic-ai brings along);
no network is asked.
"""

from __future__ import annotations

from agenthpo.llm.names import parse_model

__all__ = ["cost_usd"]


def cost_usd(
    name: str, *, input_tokens: int, output_tokens: int, base_url: str | None = None
) -> float | None:
    """Return US dollars for so many tokens of the model ``PROVIDER:MODEL``; nothing for one that is
    free, None where nobody knows.
    """
    named = parse_model(name, base_url)
    if named.is_free:
        return 0.0
    if named.base_url is not None or not named.provider:
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
