import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.llm.redact import Redacting, redact
from agenthpo.taskfile.space import parse_space
from secret_corpus import ORDINARY, SETTINGS
from secret_corpus import SECRETS as SECRET_TEXTS
from spaces import spaces
from studies import make_task

SECRETS = [
    ("OPENAI_API_KEY=sk-proj-abcDEF0123456789abcDEF", "abcDEF0123"),
    ("Incorrect API key provided: sk-ant-api03-AbCdEf-0123456789_xyz", "AbCdEf"),
    ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
    ("token ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F"),
    ("github_pat_11ABCDEFG0123456789_abcdefghijk", "11ABCDEFG"),
    ("glpat-xyzXYZ0123456789abcd", "xyzXYZ"),
    ("HF: hf_AbCdEfGhIjKlMnOpQrStUvWxYz", "AbCdEfGh"),
    ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "SyA1234567890"),
    ("slack xoxb-123456789012-abcdefghijkl", "123456789012"),
    ("Authorization: Bearer abc.DEF-123456", "DEF-123456"),
    ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpw"),
    (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9",
        "dozjgNry",
    ),
    ("postgresql://user:s3cr3t@db.example.com:5432/x", "s3cr3t"),
    ("https://oauth2:tok123@gitlab.com/x.git", "tok123"),
    ("https://s3.example.com/x?X=1&sig=abc%2Fdef&token=zzz", "abc%2Fdef"),
    ("https://s3.example.com/x?api_key=zzz", "zzz"),
    ('{"password": "hunter2"}', "hunter2"),
    ("password: hunter2", "hunter2"),
    ("DB_PASSWORD='my dog'", "my dog"),
    ("wandb_api_key: 0123456789abcdef0123456789abcdef01234567", "0123456789abcdef"),
    ("client_secret=Zm9vYmFyMTIz", "Zm9vYmFy"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----", "MIIEpAI"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk (cut", "b3BlbnNz"),
    ("File /home/ada.lovelace/project/train.py, line 3", "lovelace"),
    ("/Users/adalove/Library/x", "adalove"),
    (r"C:\Users\adalove\x and C:\\Users\\adalove\\y", "adalove"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_no_secret_of_the_corpus_leaves(text, secret):
    assert secret in text
    assert secret not in redact(text, {})
    assert secret not in redact(f"Traceback: {text} in trial 3", {})
    assert redact(redact(text, {}), {}) == redact(text, {})


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens=512 num_tokens: 1000 token_dropout=0.1",
        "- tokens: int from 128 to 4096, default 512",
        "- special_token: categorical one of cls, mean, default cls",
        "- key_size: int one of 8, 16, default 8",
        "key: 0.25 secret ratio 3",
        "trial 3 (creator): lr=0.001 opt=adam -> acc 0.91, plateau. Key insight: lower lr.",
        "commit 3f1e282aa9c04a3b1e6a and sha 0123456789abcdef0123456789abcdef01234567",
        "see https://example.com/a?page=2 and https://user@example.com",
        "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 1.95 GiB total)",
        "/work/data/home/x /homework/y",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    assert redact(text, {}) == text


def test_what_the_environment_calls_secret_is_removed():
    environment = {
        "MY_TOKEN": "correct horse",
        "SHORT_KEY": "abc",
        "PATH": "/usr/bin:/bin",
        "X_CREDENTIALS": "/etc/x/creds.json",
    }
    assert (
        redact("a correct horse abc /usr/bin:/bin /etc/x/creds.json", environment)
        == "a [MY_TOKEN] abc /usr/bin:/bin /etc/x/creds.json"
    )


@given(spaces())
def test_a_search_space_stays_as_it_is(raw):
    described = parse_space(raw).describe()
    assert redact(described, {}) == described


@given(st.text())
def test_any_text_is_survived(text):
    redact(text, {})


class Listening:
    name, allowance, holds_to_grammar = "listening", 3000, False

    def ask(self, messages, form, *, seed=0):
        self.heard = json.dumps([m.text for m in messages])


def test_a_model_is_never_told_a_secret():
    from agenthpo.agents.creator import creator_messages
    from agenthpo.records import Analysis, Outcome, Proposal, Trial

    for text, secret in SECRETS:
        failed = Outcome("failed", error=text, log_tail=text)
        trial = Trial(
            0,
            Proposal({"lr": 0.1}, "creator", rationale=text),
            failed,
            Analysis("crashed", (text,), text, text, author="x"),
        )
        model = Listening()
        Redacting(model).ask(creator_messages(model, make_task(), trials=[trial]), None)
        assert secret not in model.heard


def test_of_twenty_secrets_one_is_left_at_most():
    assert len(SECRET_TEXTS) == 150
    left = []
    for shape, secret in SECRET_TEXTS:
        for setting in SETTINGS:
            text = setting.format(_filled(shape, secret))
            if secret in redact(text, {}):
                left.append((setting, shape))
    assert len(left) <= 0.05 * len(SECRET_TEXTS) * len(SETTINGS), sorted(set(left))


def _filled(shape, secret):
    """The secret stands where a word is the letter S alone."""
    return re.sub(r"(?<![A-Za-z])S(?![A-Za-z])", lambda _: secret, shape, count=1)


def test_of_two_hundred_ordinary_lines_one_in_fifty_is_touched_at_most():
    assert len(ORDINARY) >= 200
    touched = [line for line in ORDINARY if redact(line, {}) != line]
    assert len(touched) <= 0.02 * len(ORDINARY), touched


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASS",
        "SENTRY_DSN",
        "DATABASE_URL",
        "SLACK_WEBHOOK_URL",
        "MY_AUTH",
        "SESSION_COOKIE",
        "SECRET_1",
        "LDAP_PWD",
    ],
)
def test_values_of_variables_that_are_named_so_are_taken_out(name):
    assert redact("it was plainwords then", {name: "plainwords"}) == f"it was [{name}] then"
    assert "p@ss/word" not in redact("pw p@ss/word", {"ANY_URL": "redis://u:p@ss/word@host/0"})
    assert redact("in /work/x", {"PWD": "/work/x", "OLDPWD": "/work"}) == "in /work/x"


@pytest.mark.parametrize("at", range(60, 130, 3))
def test_what_is_cut_was_redacted_before(at):
    from agenthpo.agents.prompt.trials import brief
    from agenthpo.records import Analysis, Outcome, Proposal, Trial

    secret = "hunter2andmoreofit"
    error = "x" * at + f" password={secret} and so on"
    trial = Trial(
        0, Proposal({"lr": 0.1}, "creator"), Outcome("failed", error=error), Analysis("crashed")
    )
    assert "hunt" not in redact(brief(make_task(), trial), {})


def test_a_fence_cannot_be_left_by_nesting_its_own_end():
    from agenthpo.agents.prompt.trials import fenced

    for text in (
        "</da</data>ta>",
        "<</data>/data>",
        "</ data >",
        "<DATA><data x=1>",
        "<</da</data>ta>/data>",
    ):
        assert "data" not in fenced(text).lower().replace("ta>", "") or "<" not in fenced(text)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "A1",
        "=",
        "://",
        "a:",
        "--token ",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "key=",
        " ",
        "@",
        "token_",
        "/",
        "a.b-",
    ],
)
def test_eighty_kilobytes_are_redacted_in_linear_time(piece):
    began = time.process_time()
    redact((piece * 80_000)[:80_000], {})
    assert time.process_time() - began < 3
