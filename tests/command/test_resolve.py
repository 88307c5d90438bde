import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from agenthpo.command.resolve import _shell, config_text, resolve_command, resolve_env
from agenthpo.taskfile.space import parse_space
from spaces import configurations, spaces

ECHO = "import sys, json; print(json.dumps(sys.argv[1:]))"
PLACE = {"seed": 7, "workdir": Path("w")}
SPACE = parse_space(
    {
        "lr": {"type": "float", "low": -1.0, "high": 1.0},
        "a": {"type": "bool"},
        "b": {"type": "bool"},
        "w": {"type": "categorical", "values": [None, "x y"]},
        "m": {"type": "float", "low": 0.0, "high": 1.0, "when": {"a": False}},
    }
)


def same(read, params):
    """Equal in value and type."""
    return read == params and [type(v) for v in read.values()] == [type(v) for v in params.values()]


def test_flags_hand_over_everything():
    params = {"lr": -0.5, "a": True, "b": False, "w": "x y"}
    assert resolve_command(("x", "{flags}"), SPACE, params, **PLACE) == (
        "x",
        "--lr=-0.5",
        "--a",
        "--w",
        "x y",
    )
    assert resolve_command(
        ("x", "{flags}"), SPACE, {**params, "w": None, "lr": 1e-05}, **PLACE
    ) == ("x", "--lr", "1e-05", "--a")


def test_an_inactive_parameter_vanishes_with_its_option_and_its_variable():
    params = {"lr": 0.1, "a": True, "b": False, "w": None}
    words = ("x", "--m", "{m}", "--m={m}", "--w", "{w}", "--b={b}", "{{m}}", "--seed", "{seed}")
    assert resolve_command(words, SPACE, params, **PLACE) == (
        "x",
        "--w",
        "null",
        "--b=false",
        "{m}",
        "--seed",
        "7",
    )
    assert resolve_env({"M": "{m}", "LR": "{lr}", "DIR": "{trial_dir}"}, params, **PLACE) == {
        "LR": "0.1",
        "DIR": "w",
    }


@given(st.data())
def test_every_value_reaches_the_command_as_one_word_that_reads_back(data):
    space = parse_space(data.draw(spaces()))
    params = data.draw(configurations(space))
    words = resolve_command(
        ("x", *[f"{{{name}}}" for name in space.names]), space, params, **PLACE
    )[1:]
    for (name, value), word in zip(params.items(), words, strict=True):
        assert (
            word == value
            if isinstance(value, str)
            else same({name: json.loads(word)}, {name: value})
        )


@given(st.data())
def test_every_value_survives_the_config_file(data):
    space = parse_space(data.draw(spaces()))
    params = data.draw(configurations(space))
    text = config_text(params)
    assert same(json.loads(text), params)
    assert same(yaml.safe_load(text), params)  # YAML 1.1
    assert same(dict(YAML(typ="safe", pure=True).load(text)), params)  # YAML 1.2
    assert space.violations(json.loads(text)) == []


@pytest.mark.parametrize("value", ["a b", "it's", "$HOME; rm -rf x", '"', "{seed}", "", "*", "\n"])
def test_a_shell_line_gets_values_quoted(value):
    space = parse_space({"v": {"type": "categorical", "values": [value, "other"]}})
    command = resolve_command(
        (f"{sys.executable} -c '{ECHO}' {{v}} | cat",), space, {"v": value}, shell=True, **PLACE
    )
    assert json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    ) == [value]


HOSTILE = [
    "$(touch owned)",
    "`touch owned`",
    "it's",
    'say "x"',
    "a\\",
    "$HOME",
    "; touch owned",
    "a b",
    "!!",
    "*",
    "\\'",
    "'; touch owned; '",
    "{seed}",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "place", ["{v}", "'{v}'", '"{v}"', "'x'{v}\"y\"", '"a {v} b"', "'a {v} b'", "pre{v}post"]
)
def test_in_the_users_own_quotes_a_value_is_text_as_well(value, place):
    space = parse_space({"v": {"type": "categorical", "values": [value, "other"]}})
    command = resolve_command(
        (f"{sys.executable} -c '{ECHO}' {place}",), space, {"v": value}, shell=True, **PLACE
    )
    wanted = (
        place.replace("{v}", value)
        if "'x'" in place or place == "pre{v}post"
        else place.strip("'\"").replace("{v}", value)
    )
    wanted = f"x{value}y" if "'x'" in place else wanted
    assert json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    ) == [wanted]
    assert not Path("owned").exists()


@pytest.mark.parametrize(
    "line",
    [
        'echo "$(train {v})"',
        "echo `train {v}`",
        "cat <<E\n{v}\nE",
        'echo "`x {v}`"',
        'sh -c "train {v}"',
        "bash -lc 'train {v}'",
        'eval "x {v}"',
        'ssh h "train {v}"',
    ],
)
def test_where_a_shell_would_execute_a_value_it_is_refused(line):
    with pytest.raises(ValueError, match="v"):
        resolve_command(
            (line,), parse_space({"v": {"type": "bool"}}), {"v": True}, shell=True, **PLACE
        )


@pytest.mark.skipif(_shell() == ("sh", "-c"), reason="neither sh nor bash knows pipefail here")
def test_a_crash_before_a_pipe_is_no_success():
    for line, code in (("false | cat", 1), ("exit 3 | true", 3), ("true | cat", 0)):
        assert (
            subprocess.run(resolve_command((line,), SPACE, {}, shell=True, **PLACE)).returncode
            == code
        )


def test_what_has_a_placeholder_of_its_own_is_not_among_the_flags():
    params = {"lr": 0.5, "a": True, "b": False, "w": "x y"}
    command = ("x", "--rate={lr}", "{flags}", "{overrides}")
    assert resolve_command(command, SPACE, params, **PLACE) == (
        "x", "--rate=0.5", "--a", "--w", "x y", "a=true", "b=false", "w='x y'",
    )  # fmt: skip
    line = ("x --rate={lr} {overrides}",)
    assert resolve_command(line, SPACE, params, shell=True, **PLACE)[-1] == (
        """x --rate=0.5 a=true b=false 'w='"'"'x y'"'"''"""
    )


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
    st.sampled_from(["true", "1e-3", "12", "a b", "it's", "\\", "'", "a\\'", "x,y", "[1]"]),
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["layers", "n_units", "a b"]), inner, max_size=2),
    max_leaves=6,
)


def unquoted(value):
    """A value of Hydra's parser as plain Python."""
    if isinstance(value, list):
        return [unquoted(each) for each in value]
    if isinstance(value, dict):
        return {unquoted(key): unquoted(each) for key, each in value.items()}
    return getattr(value, "text", value)


@pytest.mark.filterwarnings("ignore")
@given(st.dictionaries(st.sampled_from(["lr", "optim.lr", "a.b.c"]), NESTED))
def test_hydra_reads_every_override_back(params):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    space = parse_space({"lr": {"type": "float", "low": 0, "high": 1}})
    words = resolve_command(("{overrides}",), space, params, **PLACE)
    read = OverridesParser.create().parse_overrides(list(words))
    found = {each.key_or_group: unquoted(each.value()) for each in read}
    assert same(found, params)
