"""Servers and replies as they are: each is an answer, or a failure in one line; nothing hangs,
nothing crashes, nothing leaves the space.
"""

import ast
import gzip
import json
import random
import resource
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agenthpo as package
from agenthpo.agents.creator import Creator
from agenthpo.agents.reply.validate import read_creator
from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm import remote
from agenthpo.llm.client import Form, Message
from agenthpo.llm.json_text import read_json
from agenthpo.llm.opening import open_model
from agenthpo.text.urls import is_open_to_others, shown_url
from loopback import QuietHandler, completion, failing, message, model_server, serving
from studies import make_task, make_trial

SCHEMA = {
    "type": "object",
    "properties": {"size": {"enum": [8, 16]}},
    "required": ["size"],
    "additionalProperties": False,
}
FORM = Form("answer", SCHEMA, "")
TALK = [Message("system", "You choose sizes."), Message("user", "Choose a size, 8 or 16.")]
TASK = make_task(
    {
        "lr": {"type": "float", "low": 0, "high": 1, "step": 0.01},
        "opt": {"type": "categorical", "values": ["16", "32"]},
    }
)
GOOD = {
    "rationale": "Since trial 0 was slow.",
    "params": {"lr": 0.5, "opt": "16"},
    "hypothesis": "Faster.",
    "expected": {"value": 0.8, "low": 0.7, "high": 0.9},
}
KEYS = tuple(GOOD)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr(remote, "_WAITS_S", (0.01, 0.02))


@contextmanager
def model(*answers):
    with model_server(lambda body, number: answers[min(number, len(answers) - 1)]) as (url, asked):
        opened = open_model("toy", base_url=url)
        yield opened, asked
        opened.close()


def answered(*answers):
    with model(*answers) as (toy, _):
        return toy.ask(TALK, FORM)


def failure(*answers):
    with model(*answers) as (toy, _), pytest.raises(LLMFailure) as caught:
        toy.ask(TALK, FORM)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def raw(**changes):
    return 200, {}, {**completion(message('{"size": 8}')), **changes}


# Servers as they are


@pytest.mark.parametrize(
    "refusal",
    [
        failing(404, "No endpoints found that support tool use."),
        failing(500, "tools param requires --jinja flag"),
        failing(400, "registry.ollama.ai/library/toy does not support tools"),
        failing(400, "Function calling is not enabled for this model"),
        failing(422, "Unsupported parameter: tools"),
    ],
)
def test_a_server_without_tools_is_asked_for_text(refusal):
    with model(refusal, message('{"size": 8}')) as (toy, asked):
        assert toy.ask(TALK, FORM).data == {"size": 8}
        assert toy.ask(TALK, FORM).data == {"size": 8}
    assert ["tools" in body for body in asked] == [True, False, False]


@pytest.mark.parametrize(
    "words",
    ["System role not supported", "Conversation roles must alternate; system is not allowed"],
)
def test_a_server_without_a_system_role_is_asked_without_it(words):
    with model(failing(400, words), message('{"size": 8}')) as (toy, asked):
        assert toy.ask(TALK, FORM).data == {"size": 8}
    assert [m["role"] for m in asked[1]["messages"]] == ["user"]
    assert asked[1]["messages"][0]["content"].startswith("You choose sizes.")


@pytest.mark.parametrize(
    "answer",
    [
        message('{"name": "answer", "arguments": {"size": 8}}'),
        message('<tool_call>\n{"name": "answer", "arguments": {"size": 8}}\n</tool_call>'),
        message('<function=answer>{"size": 8}</function>'),
        message("<function=answer>\n<parameter=size>\n8\n</parameter>\n</function>"),
        message('{"type": "function", "function": {"name": "answer", "parameters": {"size": 8}}}'),
        message('[TOOL_CALLS] {"name": "answer", "arguments": "{\\"size\\": 8}"}'),
        message(arguments=json.dumps(json.dumps({"size": 8})), tool="answer"),
        {"content": None, "reasoning_content": 'It is small. {"size": 8}'},
        message('small, small\n</think>\n{"size": 8}'),
        message('perhaps {"size": 16}?\n</think>\n{"size": 8}'),
    ],
)
def test_an_answer_in_another_place_is_found(answer):
    assert answered(answer).data == {"size": 8}


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_at_the_very_first_request_is_waited_for(status):
    with model(failing(status, "loading model"), message("OK")) as (toy, asked):
        toy.verify()
    assert len(asked) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"choices": []},
        {"choices": None},
        {"choices": [{"index": 0}]},
        {"created": 10**18},
        {"created": "yesterday"},
        {"usage": {"prompt_tokens": "many", "completion_tokens": -1, "total_tokens": None}},
        {
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "content_filter",
                    "message": {"role": "assistant", "content": None},
                }
            ]
        },
        {"choices": "none"},
        {"model": None, "id": 7, "object": []},
    ],
)
def test_a_broken_protocol_is_one_failure_in_one_line(changes):
    with model(raw(**changes)) as (toy, _):
        try:
            reply = toy.ask(TALK, FORM)
        except LLMFailure as problem:
            assert "\n" not in str(problem)
        else:
            assert reply.data in (None, {"size": 8})


def test_a_reply_cut_by_its_length_is_no_answer_and_named_as_such():
    choice = {
        "index": 0,
        "finish_reason": "length",
        "message": {"role": "assistant", "content": '{"size": 8}'},
    }
    assert "its reply was cut off by a limit on its length; raise the server's limit" in failure(
        raw(choices=[choice])
    )


class Endless(QuietHandler):
    packed = False

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if self.packed:
            body = gzip.compress(b'{"id": "' + b"x" * 400_000_000, 1)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            parts = [body]
        else:
            self.end_headers()
            parts = [b'{"id": "' + b"x" * 1_000_000] * 3000
        try:
            for part in parts:
                self.wfile.write(part)
        except OSError:
            pass


class Packed(Endless):
    packed = True


@pytest.mark.parametrize("handler", [Endless, Packed])
def test_a_reply_without_end_is_refused_while_it_comes(handler):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serving(handler) as address:
        toy = open_model("toy", base_url=f"{address}/v1")
        began = time.monotonic()
        with pytest.raises(LLMFailure, match="the reply is longer than 4 MB"):
            toy.ask(TALK, FORM)
        toy.close()
    assert time.monotonic() - began < 20
    if handler is Endless:  # the packed one is made in this very process
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000, "kB"


def test_tokens_are_estimated_if_none_are_reported():
    with model(raw(usage=None)) as (toy, _):
        first, second = toy.ask(TALK, FORM), toy.ask(TALK, FORM)
    assert first.usage.input_tokens == sum(len(m.text) for m in TALK) // 4
    assert any("does not say how many tokens" in note for note in first.repairs)
    assert second.usage.tokens == first.usage.tokens
    assert second.repairs == ()


def test_a_prompt_that_the_server_cut_is_noticed():
    with model(
        raw(usage={"prompt_tokens": 2048, "completion_tokens": 5, "total_tokens": 2053})
    ) as (toy, _):
        reply = toy.ask([*TALK, Message("user", "word " * 6000)], FORM)
    assert any("the server read 2048 tokens of a prompt of" in note for note in reply.repairs)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "OPENAI_API_KEY is empty"),
        ("  ", "OPENAI_API_KEY is empty"),
        ("“sk-abc”", "OPENAI_API_KEY holds '“'"),
        ("sk-a\nb", "holds '\\n'"),
    ],
)
def test_a_key_that_no_request_could_carry_is_a_sentence(key, words, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    for name, url in (("toy", "http://127.0.0.1:1/v1"), ("openai:gpt-5", None)):
        with pytest.raises(ModelError) as caught:
            open_model(name, base_url=url)
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1:x/v1",
        "127.0.0.1:80",
        "ftp://h/v1",
        "http://",
        "http://[::1/v1",
    ],
)
def test_an_address_that_is_none_is_a_sentence_without_its_password(url):
    url = url.replace("://", "://me:hunter2@", 1)
    with pytest.raises(
        ModelError, match=r"is no address of a server.*; write it as http://HOST:PORT/v1"
    ) as caught:
        open_model("toy", base_url=url)
    assert "hunter2" not in str(caught.value)


# What is read out of a reply


def read(text):
    found = read_json(text, KEYS)
    return found.problem or found.data


OTHER = {**GOOD, "params": {"lr": 0.25, "opt": "32"}}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"{json.dumps(GOOD)}\nOr:\n{json.dumps(OTHER)}", "it holds 2 different answers"),
        (
            f"{json.dumps(OTHER)}\n{json.dumps(GOOD)}\n{json.dumps(OTHER)}",
            "it holds 3 different answers",
        ),
        (f"{json.dumps(OTHER)}\nFinal answer: {json.dumps(GOOD)}", GOOD),
        (f"My proposal: {json.dumps(GOOD)}\nInstead of {json.dumps(OTHER)}", GOOD),
        (
            f"Final: {json.dumps(OTHER)}\nFinal answer: {json.dumps(GOOD)}",
            "it holds 2 different answers",
        ),
        (f"{json.dumps(GOOD)}\nagain:\n{json.dumps(GOOD)}", GOOD),
        (
            f"{json.dumps(GOOD)}\nBetter: {json.dumps(OTHER)[:-9]}",
            "it ends in the middle of another answer",
        ),
        (f"{json.dumps(GOOD)}\nWait, that is wrong.", "what follows the answer takes it back"),
        (
            f"{json.dumps(GOOD)}\nOn second thought, ignore this.",
            "what follows the answer takes it back",
        ),
        (f"{json.dumps(GOOD)}\nGood luck!", GOOD),
        (
            json.dumps(GOOD)[:-1] + ', "params": {"lr": 0.25, "opt": "32"}}',
            "it gives two different values for 'params'",
        ),
    ],
)
def test_of_several_answers_none_is_taken_in_silence(text, wanted):
    found = read(text)
    assert found == wanted or (isinstance(wanted, str) and wanted in found)


def test_what_is_sent_back_says_why():
    class Twice:
        name, allowance, holds_to_grammar = "twice", 3000, False
        asked: ClassVar[list] = []

        def ask(self, messages, form, *, seed=0):
            from agenthpo.llm.client import Reply
            from agenthpo.records import Usage

            self.asked.append(messages)
            found = read_json(
                f"{json.dumps(GOOD)} {json.dumps(OTHER)}"
                if len(self.asked) == 1
                else json.dumps(GOOD),
                KEYS,
            )
            return Reply("x", found.data, Usage(1), found.repairs, found.problem)

    llm = Twice()
    proposal = Creator(llm).attempt(TASK, [make_trial(0, {"lr": 0.1, "opt": "32"}, 0.5)]).proposal
    assert proposal.params == GOOD["params"]
    assert "it holds 2 different answers" in llm.asked[1][-1].text


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ('{"lr": 0.5, "opt": "16"}', {"lr": 0.5, "opt": "16"}),
        ({"lr": 0.5, "opt": 16}, {"lr": 0.5, "opt": "16"}),
        ({"lr": "1_0", "opt": "16"}, None),
        ({"lr": "0,5", "opt": "16"}, None),
        ({"lr": 1e308, "opt": "16"}, None),
        ({"lr": float("nan"), "opt": "16"}, None),
        ({"lr": "٠.٥", "opt": "16"}, None),
    ],
)
def test_what_is_plainly_meant_is_read_and_nothing_in_part(params, wanted):
    text = json.dumps({**GOOD, "params": params})
    draft = read_creator(read_json(text, KEYS).data, TASK, [])
    assert (None if isinstance(draft, list) else draft.params) == wanted


HOSTILE = [
    "[" * 200_000,
    '{"a":' * 200_000,
    json.dumps(GOOD)[:-1] + ', "x": ' + "[" * 900 + "]" * 900 + "}",
    json.dumps(GOOD).replace("0.5", "1" + "0" * 5000),
    json.dumps(GOOD).replace("0.5", "1e99999"),
    json.dumps(GOOD).replace("slow", "\\ud800 slow"),
    json.dumps(GOOD).replace("slow", "\\u001b]52;c;eA==\\u0007 slow"),
    '{"params": ' + '{"lr": 0.5,' * 50_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_replies_are_read_or_refused(text):
    data = read_json(text, KEYS).data
    json.dumps(data).encode()
    draft = read_creator(data, TASK, [])
    assert isinstance(draft, list) or not TASK.space.violations(draft.params)


def seconds(text):
    began = time.process_time()
    read_json(text, KEYS)
    return time.process_time() - began


@settings(max_examples=150)
@given(
    st.text(min_size=1, max_size=6),
    st.sampled_from(["", "{", '{"a": "', "[1,", "<think>", '"', "'"]),
)
def test_ten_kilobytes_of_anything_repeated_are_read_in_linear_time(piece, start):
    text = (start + piece * 10_000)[:10_000]
    # the quickest of three: a busy machine takes its time now and then
    assert min(seconds(text) for _ in range(3)) < 0.2


@pytest.mark.parametrize(
    "piece",
    [
        ",",
        "#",
        "{",
        "[",
        "{}",
        "[]",
        '"',
        "'",
        "/*",
        "//",
        "\\",
        "{'",
        '{"a":',
        "\\u",
        "<think>",
        "</think>",
        "<parameter=",
        "0",
        "e",
        "-",
        "true",
        "[0,",
        "{'a'",
        "\n",
        " ",
        "#\n",
        "[#",
    ],
)
def test_ten_kilobytes_of_every_token_are_read_in_linear_time(piece):
    test_ten_kilobytes_of_anything_repeated_are_read_in_linear_time.hypothesis.inner_test(piece, "")


def patterns():
    """Every regular expression that the project's code writes down."""
    for file in Path(package.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.args
            ):
                try:
                    text = ast.literal_eval(node.args[0])
                except ValueError:
                    continue
                if isinstance(text, str):
                    yield f"{file.name}:{node.lineno}", text


def test_no_pattern_of_the_project_takes_exponential_time():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses a module that Python will rename
        from regexploit.ast.sre import SreOpParser
        from regexploit.redos import find

    slow, unknown, seen = [], [], 0
    for place, pattern in patterns():
        seen += 1
        try:
            parsed = SreOpParser().parse_sre(pattern)
        except Exception:  # what the tool does not know: atomic groups and look-behind
            unknown.append(pattern)
            continue
        slow += [f"{place} {pattern!r}: {found}" for found in find(parsed) if found.starriness > 3]
    assert seen > 40
    assert len(unknown) < seen / 4
    assert slow == []


# Ten thousand of them, over HTTP


def mutated(text, rng):
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randrange(len(text) + 1), rng.randrange(7)
        piece = rng.choice(
            [
                '"',
                "{",
                "}",
                "[",
                "]",
                ",",
                ":",
                "\\",
                "\\ud800",
                "1e308",
                "9" * 400,
                "null",
                "NaN",
                "\x00",
                "😀",
                "'",
                "//",
                "0x1",
            ]
        )
        if kind == 0:
            text = text[:at] + piece + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + rng.randint(1, 9) :]
        elif kind == 2:
            text = text[:at] or "{"
        elif kind == 3:
            text = text + text[: rng.randrange(len(text) + 1)]
        elif kind == 4:
            text = text.replace(
                rng.choice(["0.5", "lr", "16", "params", "0.8"]),
                rng.choice(["1e999", "-1", "0,5", "LR", "[]", "true", "2**3"]),
            )
        elif kind == 5:
            text = f"<think>{text}</think>{text}"
        else:
            text = text.replace('"', "'")
    return text[:50_000] or " "


@pytest.mark.parametrize("count", [600])
def test_mutated_replies_over_http_crash_nothing_and_leave_no_space(count):
    rng = random.Random(7)

    def answer(body, number):
        text = mutated(json.dumps(GOOD), rng)
        if rng.random() < 0.5:
            return message(text)
        return message(arguments=text, tool="proposal")

    outside = read = 0
    with model_server(answer) as (url, _):
        toy = open_model("toy", base_url=url)
        form = Form("proposal", {"type": "object", "properties": {}, "required": list(KEYS)}, "")
        for _ in range(count):
            try:
                reply = toy.ask(TALK, form)
            except LLMFailure:
                toy._failed, toy._ask_again_at = 0, 0.0
                continue
            draft = [reply.problem] if reply.problem else read_creator(reply.data, TASK, [])
            if not isinstance(draft, list):
                read += 1
                outside += bool(TASK.space.violations(draft.params))
        toy.close()
    assert outside == 0
    assert read > count / 20


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"),
        ("http://me:p@ss/w:rd@host/v1", "http://me@host/v1"),
        ("https://sk-token@host/v1", "https://***@host/v1"),
        ("postgresql://me:secret@host/db", "postgresql://me@host/db"),
        ("sqlite:///study.db", "sqlite:///study.db"),
    ],
)
def test_no_password_of_an_address_is_shown(url, shown):
    assert shown_url(url) == shown


def test_plain_http_to_another_machine_is_warned_of():
    assert [
        is_open_to_others(f"http://{host}/v1")
        for host in ("localhost", "127.0.0.1:80", "[::1]:80", "10.0.0.1", "gpu.lan")
    ] == [
        False,
        False,
        False,
        True,
        True,
    ]
    assert not is_open_to_others("https://gpu.lan/v1")
