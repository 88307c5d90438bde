"""A scripted agent over real MCP sessions, in this process and over standard input and output."""

import json
import os
import random
import shutil
import sys
import time
from pathlib import Path

import anyio
import pytest
from mcp.client.stdio import stdio_client

from agenthpo.experience.progress import read_progress
from agenthpo.experience.requests import read_requests
from agenthpo.mcp.server import make_server
from agenthpo.operations.place import Standing
from agenthpo.operations.registry import OPERATIONS
from asking import SCRIPT, TASK
from mcp import Client, StdioServerParameters
from secret_corpus import SECRETS

ROOT = Path(__file__).parents[2]
EXPECTED = {"value": 0.74, "low": 0.7, "high": 0.8}
WORDS = {"rationale": "more x", "hypothesis": "x helps", "expected": EXPECTED}
STUDY = ".agenthpo/toy"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "task.yaml").write_text(TASK)
    (tmp_path / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def after(played, tmp_path, monkeypatch):
    shutil.copytree(played, tmp_path / "played")
    monkeypatch.chdir(tmp_path / "played")
    return tmp_path / "played"


def stdio(folder, **env):
    """The server as a client starts it."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "agenthpo", "mcp"],
        cwd=str(folder),
        env={**os.environ, **env},
    )


class Agent:
    """A client that calls tools, and keeps what it was told of their progress."""

    def __init__(self, client):
        self.client, self.progress = client, []

    async def try_to(self, name, **given):
        async def heard(progress, total, message):
            self.progress.append(message)

        return await self.client.call_tool(name, given, progress_callback=heard)

    async def __call__(self, name, **given):
        result = await self.try_to(name, **given)
        assert not result.is_error, result.content[0].text
        return result.structured_content

    async def refused(self, name, **given):
        result = await self.try_to(name, **given)
        assert result.is_error, result.structured_content
        (content,) = result.content
        return content.text


def with_agent(server, script):
    """Run ``script`` with an agent at ``server``."""

    async def session():
        async with Client(server) as client:
            return await script(Agent(client))

    return anyio.run(session)


def test_an_agent_tunes_an_untouched_script_from_draft_to_verdict(folder):
    Path("task.yaml").unlink()
    shutil.copy(ROOT / "examples/digits/train.py", "train.py")

    async def script(agent):
        drafted = await agent("draft_task", script="train.py")
        assert drafted["metric"] == "val_accuracy"
        text = Path("task.yaml").read_text()
        assert "test_metric: test_accuracy" in text
        Path("task.yaml").write_text(text.replace("trials: 20", "trials: 2"))
        checked = await agent("check_task", task=drafted["task"])
        assert checked["works"] and checked["memory_mb"] > 10 and checked["budget_s"] > 1
        opened = await agent("open_study", task="task.yaml", study="mine")
        assert "2 of 2 trials" in (await agent("briefing", study="mine"))["text"]
        proposed = await agent(
            "propose",
            study="mine",
            params={"learning_rate": 0.01},
            base=0,
            rationale="The step is small.",
            hypothesis="A larger one learns faster.",
            expected={"value": 0.97, "low": 0.95, "high": 0.99},
        )
        assert proposed["changed"] == ["learning_rate 0.001 -> 0.01"]
        started = await agent("run", study=opened["study"])
        while not (waited := await agent("wait", study="mine", handle=started["handle"]))["done"]:
            pass
        assert [t["number"] for t in waited["ended"]] == [0, 1]
        assert proposed["params"] == waited["ended"][1]["params"]
        story = await agent("analyse", study="mine", trial=1, insight="It changed the result.")
        assert story["insight"] == "It changed the result." and len(story["curve"]) == 20
        verdict = await agent("verdict", study="mine")
        assert verdict["best"]["value"] > 0.95 and verdict["test"] > 0.9
        assert [s["source"] for s in verdict["sources"]] == ["default", "agent mcp"]
        assert "ends the search" in await agent.refused("run", study="mine", engine=True)

    with_agent(make_server(folder), script)


def test_tools_are_few_short_and_explained(folder):
    async def script(agent):
        tools = (await agent.client.list_tools()).tools
        assert [tool.name for tool in tools] == [operation.name for operation in OPERATIONS]
        for tool in tools:
            assert len(tool.description) < 400 and tool.output_schema["type"] == "object"
            for name, each in tool.input_schema["properties"].items():
                assert each.get("description"), (tool.name, name)
        assert len(json.dumps([t.model_dump(mode="json") for t in tools])) < 20_000

    with_agent(make_server(folder), script)


def test_a_mistake_is_one_sentence_for_the_agent(after):
    calls = [
        ("briefing", {"study": "gone"}, "there is no study"),
        ("briefing", {"study": "../.."}, "lies outside"),
        ("briefing", {}, "study: Field required"),
        ("run", {"study": "toy", "trials": "many"}, "trials: Input should be a valid integer"),
        ("run", {"study": "toy", "trails": 3}, "run does not know 'trails'; it takes study"),
        ("propose", {"study": "toy", "params": {"x": 9}, **WORDS}, "x must lie from 0 to 1"),
        ("fly", {}, "there is no tool 'fly'; there are draft_task"),
        ("analyse", {"study": "toy", "trial": 99}, "there is no trial 99"),
    ]

    async def script(agent):
        for name, given, said in calls:
            text = await agent.refused(name, **given)
            assert said in text and "\n" not in text and "Traceback" not in text, text

    with_agent(make_server(after), script)


def test_what_an_agent_is_told_has_no_secrets_and_no_test_metric(after):
    shape, secret = next(pair for pair in SECRETS if pair[0].startswith("PGPASSWORD"))
    log = after / STUDY / "trials/0001/run.log"
    log.write_text(f"loading\n{shape.replace('=S', '=' + secret)}\ntest_acc: 0.55\nacc: 0.7\n")

    async def script(agent):
        uri = "agenthpo://studies/toy/trials/1/log"
        (content,) = (await agent.client.read_resource(uri)).contents
        assert "loading" in content.text and "acc: 0.7" in content.text
        assert secret not in content.text and "0.55" not in content.text
        listed = (await agent.client.read_resource("agenthpo://studies")).contents[0].text
        assert json.loads(listed)[0]["trials"] == 4
        (briefed,) = (await agent.client.read_resource("agenthpo://studies/toy")).contents
        assert briefed.text.startswith("# toy: maximize acc")
        prompt = await agent.client.get_prompt("tune", {"script": "train.py"})
        assert "Read the briefing" in prompt.messages[0].content.text

    with_agent(make_server(after), script)


def test_a_server_that_is_killed_loses_nothing_and_another_client_takes_up(folder, monkeypatch):
    monkeypatch.setenv("PAUSE", "0.3")
    seen = {}

    async def first():
        async with stdio_client(stdio(folder)) as streams, Client(_Streams(streams)) as client:
            agent = Agent(client)
            await agent("open_study", task="task.yaml")
            await agent("propose", study="toy", params={"x": 0.9}, base=0, **WORDS)
            seen["handle"] = (await agent("run", study="toy"))["handle"]
            _kill_children()
            await agent("wait", study="toy")

    with pytest.raises(BaseException):  # noqa: B017 whatever a client makes of a server that is gone
        anyio.run(first)

    async def second(agent):
        waited = {"done": False}
        while not waited["done"]:
            waited = await agent("wait", study="toy", handle=seen["handle"], seconds=5)
        assert [t["number"] for t in waited["ended"]] == [0, 1]

    with_agent(make_server(folder), second)
    assert Path("ran").read_text().splitlines() == ["0.5 5 a", "0.9 5 a"]


class _Streams:
    """Streams that are open already, as a transport."""

    def __init__(self, streams):
        self.streams = streams

    async def __aenter__(self):
        return self.streams

    async def __aexit__(self, *_):
        return None


def _kill_children():
    """Kill the servers that this process has started."""
    import psutil

    for child in psutil.Process().children():
        if "mcp" in child.cmdline():
            child.kill()


def test_a_call_that_is_cut_loses_nothing(folder):
    async def script(agent):
        await agent("open_study", task="task.yaml")
        await agent("propose", study="toy", params={"x": 0.9}, base=0, **WORDS)
        handle = (await agent("run", study="toy"))["handle"]
        with anyio.move_on_after(0.5) as cut:
            await agent("wait", study="toy", handle=handle)
        assert cut.cancelled_caught
        # the same calls again, as a client would
        again = await agent.try_to("run", study="toy")
        assert handle in again.content[0].text or "no configuration waits" in again.content[0].text
        waited = await agent("wait", study="toy", handle=handle)
        assert waited["done"] and [t["number"] for t in waited["ended"]] == [0, 1]
        # a client does not cut what tells of progress
        assert any(" trains for " in said for said in agent.progress), agent.progress

    with_agent(stdio(folder, PAUSE="0.5"), script)
    assert len(Path("ran").read_text().splitlines()) == 2
    assert Standing.at(folder / STUDY).trials[1].proposal.who == "agent mcp"


def test_calls_at_the_same_time_are_answered_each(after):
    async def script(agent):
        answers = []

        async def ask(number):
            given = {"x": 0.9, "y": number, "z": "b", "w": 0.1}
            answers.append(await agent("propose", study="toy", params=given, **WORDS))

        async with anyio.create_task_group() as group:
            for number in range(1, 9):
                group.start_soon(ask, number)
        assert len({answer["id"] for answer in answers}) == 8

    with_agent(make_server(after), script)
    assert read_requests(after / STUDY).unread == 0


NASTY = ["", "\0", "x" * 3000, "../../x", "toy", STUDY, "/", "r1", "r4", "é\u202e", "None", "{}"]
VALUES = [None, True, -1, 0, 1, 3, 2**70, 1e308, -0.0, [], [1], {}, {"x": 0.5}, {"x": "9" * 400}]


def _nasty(rng, depth=0):
    kind = rng.randrange(4 if depth < 2 else 2)
    if kind == 0:
        return rng.choice(NASTY)
    if kind == 1:
        return rng.choice(VALUES)
    if kind == 2:
        return {
            rng.choice([*NASTY, "x", "y", "value", "low"]): _nasty(rng, depth + 1) for _ in range(3)
        }
    return [_nasty(rng, depth + 1) for _ in range(2)]


def _likely(rng, name):
    """A value that may be right, so that the calls get beyond the first check."""
    return {
        "study": "toy",
        "task": "task.yaml",
        "script": "train.py",
        "trial": rng.randrange(6),
        "what": rng.choice(["r1", "r4", "r5", "9"]),
        "params": {"x": rng.random(), "y": rng.randrange(1, 10), "z": "a", "w": 0.5},
        "expected": EXPECTED,
        "seconds": rng.choice([0, 0.05, 1]),
        "trials": rng.randrange(1, 4),
        "handle": rng.choice(["", "r2", "r3"]),
        "rationale": "It may help.",
        "hypothesis": "x helps.",
        "engine": rng.random() < 0.5,
    }.get(name, _nasty(rng))


def test_five_hundred_fuzzed_calls_leave_the_study_valid(after):
    rng = random.Random(0)
    outside = sorted(p for p in after.parent.rglob("*") if after not in (p, *p.parents))
    counts = {"answered": 0, "refused": 0}
    told = []

    async def script(agent):
        await agent("open_study", task="task.yaml", trials=16)
        while sum(counts.values()) < 500:
            operation = rng.choice(OPERATIONS)
            if operation.name == "check_task" and rng.random() < 0.8:
                continue
            given = {}
            for each in operation.inputs:
                if each.is_required or rng.random() < 0.4:
                    likely = rng.random() < 0.9
                    given[each.name] = _likely(rng, each.name) if likely else _nasty(rng)
            if operation.name == "verdict":
                given.pop("final", None)  # which ends the search
            if operation.name == "open_study":
                given = {k: v for k, v in given.items() if k not in ("minutes", "tokens", "trials")}
            if operation.name == "wait":
                given["seconds"] = rng.choice([0, 0.02, -1, 1e9])
            result = await agent.try_to(operation.name, **given)
            text = result.content[0].text
            counts["refused" if result.is_error else "answered"] += 1
            assert not text.startswith("Error executing tool"), (operation.name, given, text)
            told.extend([operation.name] if "0.1234567" in text else [])

    with_agent(make_server(after), script)
    assert min(counts.values()) > 60, counts
    assert told in ([], ["verdict"]), told  # once, when the budget was spent
    deadline = time.monotonic() + 60
    while (p := read_progress(after / STUDY)) is not None and p.at_work:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    opened = Standing.at(after / STUDY)
    assert all(not opened.task.space.violations(t.proposal.params) for t in opened.trials)
    assert opened.asked.unread == 0
    assert sorted(p for p in after.parent.rglob("*") if after not in (p, *p.parents)) == outside
    budget = opened.task.budget.trials
    assert budget == 16 and 6 < len(opened.trials) <= budget, p


def test_no_answer_of_any_kind_has_a_secret(after):
    shape, secret = next(pair for pair in SECRETS if pair[0].startswith("PGPASSWORD"))
    said = shape.replace("=S", "=" + secret)

    async def script(agent):
        task = after / "task.yaml"
        task.write_text(task.read_text().replace("task: A toy.", f"task: '{said}'"))
        (briefed,) = (await agent.client.read_resource("agenthpo://studies/toy")).contents
        told = (await agent.try_to("briefing", study="toy")).content[0].text
        wrong = await agent.refused("briefing", study=f"no/{said}")
        for text in (briefed.text, told, wrong):
            assert secret not in text and "[password]" in text, text

    with_agent(make_server(after), script)
