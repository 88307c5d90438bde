"""For those who extend AgentHPO: a scripted model, and suites that check a proposer or a model.

    >>> from agenthpo.testing import check_proposer
    >>> from agenthpo.search.optuna_samplers import OptunaSampler
    >>> check_proposer(lambda seed: OptunaSampler(seed, "random"))

A suite raises an ``AssertionError`` that names what is broken, so it works in pytest and outside of
it. Nothing here is imported by the rest of the package.
"""

from __future__ import annotations

from agenthpo.testing.llm_contract import check_llm
from agenthpo.testing.proposer_contract import check_proposer
from agenthpo.testing.scripted import ScriptedLLM

__all__ = ["ScriptedLLM", "check_llm", "check_proposer"]
