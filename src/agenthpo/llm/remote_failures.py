"""What a failed request means: whether it passes by itself, what to say of it in a sentence, and
what the user can do.
"""

from __future__ import annotations

from agenthpo.errors import first_line
from agenthpo.llm.names import parse_model
from agenthpo.text.urls import shown_url

__all__ = [
    "Unreadable",
    "advice",
    "describe",
    "first_sentence",
    "key_name",
    "passes",
    "refuses_system",
    "refuses_tools",
]

_LONGEST = 200


class Unreadable(Exception):
    """A reply that came, but is none: too long, cut off, or not as the protocol has it; its text
    says so.
    """


def describe(name: str, problem: Exception, timeout_s: float) -> str | None:
    """Return in one line why the model ``name`` gave no answer, or None for an exception that is a
    bug of ours.
    """
    from pydantic_ai.exceptions import (
        AgentRunError,
        ModelAuthenticationError,
        ModelNotFoundError,
        ModelQuotaExceededError,
        UserError,
    )

    if unreadable := _unreadable(problem):
        return f"the model {name} gave no answer: {unreadable}"
    if isinstance(problem, TimeoutError):
        return f"the model {name} gave no answer in {timeout_s:.0f} s"
    if not isinstance(problem, (AgentRunError, UserError)):
        return None
    why = {
        ModelAuthenticationError: "the key was refused",
        ModelNotFoundError: "the server has no such model",
        ModelQuotaExceededError: "the account's quota is used up",
    }
    said = next((words for kind, words in why.items() if isinstance(problem, kind)), "")
    status = getattr(problem, "status_code", None)
    parts = [said, f"HTTP {status}" if status else "", _server_words(problem)]
    return f"the model {name} gave no answer: {', '.join(filter(None, parts))}"


def advice(name: str, problem: Exception, base_url: str | None) -> str:
    """Return what the user can do about it before a study begins."""
    from pydantic_ai.exceptions import (
        ModelAuthenticationError,
        ModelConnectionError,
        ModelNotFoundError,
        ModelQuotaExceededError,
    )

    if isinstance(problem, ModelAuthenticationError):
        return f"set {key_name(name)} to a valid key, or choose another model by --model"
    if isinstance(problem, ModelNotFoundError):
        return "fix the name after --model" + (
            f", or the address {shown_url(base_url)}" if base_url else ""
        )
    if isinstance(problem, ModelQuotaExceededError):
        return "raise the quota, or choose another model by --model"
    if isinstance(problem, ModelConnectionError):
        where = f"the server at {shown_url(base_url)}" if base_url else "the network"
        return f"check {where}, or choose --model none or an embedded model (agenthpo models list)"
    return "try again later, or choose another model by --model"


def passes(problem: Exception) -> bool:
    """Return whether asking again may help: a rate limit, an overload, a server's error, a lost
    connection; not a hang, which costs minutes.
    """
    from pydantic_ai.exceptions import (
        ModelConnectionError,
        ModelHTTPError,
        ModelRateLimitError,
        ModelServerError,
        ModelTimeoutError,
    )
    from pydantic_ai.exceptions import ModelUnavailableError as Unavailable

    if isinstance(problem, ModelTimeoutError) or _unreadable(problem):
        return False
    if isinstance(
        problem, (ModelRateLimitError, Unavailable, ModelServerError, ModelConnectionError)
    ):
        return True
    return isinstance(problem, ModelHTTPError) and (
        problem.status_code in (408, 409, 429) or problem.status_code >= 500
    )


def refuses_tools(problem: Exception) -> bool:
    """Return whether a server refused a request because of the tool in it, which some local
    ones do.
    """
    status = getattr(problem, "status_code", None)
    said = str(problem).lower()
    return status in (400, 404, 405, 422, 500, 501) and (
        "tool" in said or "function call" in said or "--jinja" in said
    )


def refuses_system(problem: Exception) -> bool:
    """Return whether a server refused a request because of its system message, which some models'
    templates do not have.
    """
    status = getattr(problem, "status_code", None)
    said = str(problem).lower()
    return (
        status in (400, 422, 500)
        and "system" in said
        and any(word in said for word in ("role", "support", "template", "must alternate"))
    )


def _unreadable(problem: BaseException | None) -> str:
    """Return why a reply could not be read, which the layers between may have wrapped."""
    for _ in range(8):
        if problem is None or isinstance(problem, Unreadable):
            break
        problem = problem.__cause__ or problem.__context__
    return str(problem) if isinstance(problem, Unreadable) else ""


def first_sentence(problem: Exception) -> str:
    """Return the beginning of an exception's text."""
    return first_line(problem).split(". ")[0].rstrip(".")


def _server_words(problem: Exception) -> str:
    """Return what the server said, where it said it in words."""
    body = getattr(problem, "body", None)
    for key in ("error", "message", "detail"):
        body = body.get(key, body) if isinstance(body, dict) else body
    words = (
        body
        if isinstance(body, str)
        else ""
        if getattr(problem, "status_code", None)
        else first_sentence(problem)
    )
    return " ".join(words.split())[:_LONGEST].rstrip(".")


def key_name(name: str) -> str:
    """Return the environment variable that holds the key of the provider of ``name``."""
    provider = parse_model(name).provider or "openai"
    return f"{provider.split('-')[0].upper()}_API_KEY"
