"""The server: each operation a tool, studies and logs as resources, and a prompt that says how to
tune a script.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field, ValidationError

from agenthpo import __version__
from agenthpo.codec import to_json
from agenthpo.errors import AgentHPOError
from agenthpo.operations.briefing import briefing
from agenthpo.operations.place import Place, agent_name
from agenthpo.operations.registry import OPERATIONS, Operation
from agenthpo.operations.running import waiting_words
from agenthpo.operations.showing import log_of, studies_in
from agenthpo.skills import how_to
from agenthpo.text.redaction import redact

__all__ = ["make_server"]

_EVERY_S = 2.0
"""How often a client is told that a call is still at work; it cuts one that is silent."""
_INSTRUCTIONS = (
    "Tune a training script: check_task, open_study, briefing, propose, run, wait, analyse, "
    "and again; verdict at the end. Trials run in the background under the task's limits and are "
    "kept whatever happens to this connection. Change one to three parameters at a time, state "
    "what you expect, and read the briefing before each proposal."
)
_MANY_AT_ONCE = 16


def make_server(root: Path, by: str | None = None) -> MCPServer[Any]:
    """Return a server whose tools work in the folder ``root`` and touch nothing outside of it.

    :param by: the agent's name; what the client calls itself without it.
    """
    server: MCPServer[Any] = _Server(
        "agenthpo",
        title="AgentHPO",
        instructions=_INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",
    )
    at = partial(_place, root, by)
    limiter = anyio.CapacityLimiter(_MANY_AT_ONCE)
    for operation in OPERATIONS:
        server.add_tool(
            _tool(operation, at, limiter),
            name=operation.name,
            description=operation.about,
            annotations=ToolAnnotations(
                read_only_hint=operation.only_reads,
                destructive_hint=operation.name in ("stop", "veto"),
                idempotent_hint=operation.only_reads,
                open_world_hint=False,
            ),
        )
    _add_resources(server, Place(root, by or "agent"))

    @server.prompt("tune", title="Tune a training script", description=_PROMPT)
    def tune(script: str, trials: str = "20") -> str:
        return f"Tune {script} with the agenthpo tools, in about {trials} trials.\n\n{how_to()}"

    return server


class _Server(MCPServer[Any]):
    """A server whose mistakes are one sentence each."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> Any:
        """Call a tool; an argument that it does not know is a mistake, not to be passed over."""
        operation = next((each for each in OPERATIONS if each.name == name), None)
        if operation is None:
            raise ToolError(
                f"there is no tool {name[:40]!r}; there are {', '.join(o.name for o in OPERATIONS)}"
            )
        known = [each.name for each in operation.inputs]
        if unknown := [each for each in arguments if each not in known]:
            raise ToolError(
                f"{name} does not know {unknown[0][:40]!r}; it takes {', '.join(known)}"
            )
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as problem:
            if isinstance(problem.__cause__, ValidationError):
                raise ToolError(_argument_words(name, problem.__cause__)) from None
            said = str(problem).removeprefix(f"Error executing tool {name}: ")
            raise type(problem)(said) from problem.__cause__


def _argument_words(name: str, problem: ValidationError) -> str:
    """Return what is wrong with a tool's arguments in one sentence."""
    words = [
        f"{'.'.join(map(str, each['loc']))[:60]}: {each['msg'][:120]}"
        for each in problem.errors()[:4]
    ]
    return f"{name} cannot be called so: {'; '.join(words)}"


_PROMPT = "How to tune a training script with these tools, step by step."


def _place(root: Path, by: str | None, ctx: Context[Any, Any]) -> Place:
    """Return the place that a call works in, under the client's own name."""
    params = ctx.request_context.session.client_params
    name = by or (params.client_info.name if params and params.client_info else "")
    return Place(root, agent_name(name))


def _tool(
    operation: Operation, at: Callable[[Context[Any, Any]], Place], limiter: anyio.CapacityLimiter
) -> Callable[..., Any]:
    """Return the operation as a tool: it runs in a thread, while the client is told that it is at
    work.
    """

    async def tool(ctx: Context[Any, Any], **given: Any) -> CallToolResult:
        said = [f"{operation.name} is at work"]
        if operation.name == "wait":
            given["on_wait"] = lambda waited: said.__setitem__(0, waiting_words(waited))
        try:
            place = at(ctx)
            call = partial(operation.call, place, **given)
            async with anyio.create_task_group() as group:
                group.start_soon(_tell, ctx, said)
                # a thread that waits ends by itself; what it has asked for stands
                facts = await anyio.to_thread.run_sync(
                    call, limiter=limiter, abandon_on_cancel=True
                )
                group.cancel_scope.cancel()
        except* AgentHPOError as problems:
            raise ToolError(redact(str(problems.exceptions[0]))) from None
        text = facts["text"] if operation.name == "briefing" else to_json(facts)
        return CallToolResult(
            content=[TextContent(type="text", text=text)], structured_content=facts
        )

    parameters = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=Context)]
    parameters += [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=Annotated[each.kind, Field(description=each.about)],
        )
        for each in operation.inputs
    ]
    returned = Annotated[CallToolResult, operation.answer]
    tool.__name__ = operation.name
    tool.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=returned
    )
    tool.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": returned}
    return tool


async def _tell(ctx: Context[Any, Any], said: list[str]) -> None:
    """Tell the client again and again that a call is at work, until that is cancelled."""
    turn = 0
    while True:
        await anyio.sleep(_EVERY_S)
        turn += 1
        await ctx.report_progress(turn, None, said[0])


def _add_resources(server: MCPServer[Any], at: Place) -> None:
    @server.resource(
        "agenthpo://studies",
        title="The studies in this folder",
        description="Each study with its metric, its trials and its best value.",
        mime_type="application/json",
    )
    def studies() -> str:
        return json.dumps(studies_in(at))

    @server.resource(
        "agenthpo://studies/{study}",
        title="A study's briefing",
        description="What the tool briefing tells; the study by its name.",
        mime_type="text/markdown",
    )
    def study(study: str) -> str:
        return _resource(lambda: str(Operation(briefing).call(at, study=study)["text"]))

    @server.resource(
        "agenthpo://studies/{study}/trials/{trial}/log",
        title="The end of a trial's log",
        description="Its last lines, without secrets and the test metric.",
        mime_type="text/plain",
    )
    def log(study: str, trial: int) -> str:
        return _resource(lambda: log_of(at, study, trial))


def _resource(read: Callable[[], str]) -> str:
    try:
        return read()
    except AgentHPOError as problem:
        raise ResourceError(redact(str(problem))) from None
