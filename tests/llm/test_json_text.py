import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agenthpo.llm.json_text import read_json

WANTED = {"params": {"lr": 0.1}, "rationale": "it's // no comment, # neither"}
TEXT = json.dumps(WANTED)


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (TEXT, ""),
        (f"```json\n{TEXT}\n```", "around"),
        (f"Sure! {{no}} Here it is: {TEXT} Good luck.", "around"),
        (f'<think>perhaps {{"params": 1}} or</think>\n{TEXT}', "thoughts"),
        (f'Before it was {{"params": 3}}.\nNow: {TEXT}', "around"),
        (f'{TEXT}\nAs in {{"lr": 1}}.', "around"),
        (TEXT.replace('{"lr": 0.1}', '{"lr": 0.1,} // small\n'), "notation"),
        (TEXT.replace('{"lr": 0.1}', '{"lr": /* small */ +0.1} # small\n'), "notation"),
        (TEXT.replace('"params": {"lr": 0.1}', "'params': {'lr': 0.1}"), "notation"),
    ],
)
def test_what_is_plainly_meant_is_read_and_what_was_mended_is_told(text, repaired):
    found = read_json(text, keys=("params", "rationale"))
    assert found.data == WANTED
    assert repaired in " ".join(found.repairs)
    assert bool(found.repairs) == bool(repaired)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "{" * 3000,
        TEXT[:-1],
        TEXT[:-9],
        "<think>" + TEXT,
        "I cannot help with that.",
        "[]",
        "{lr: 1}",
    ],
)
def test_what_is_not_whole_is_not_read(text):
    assert not read_json(text, keys=("params",)).data


def test_pythons_constants_are_read():
    assert read_json("{'a': True, 'b': None, 'c': \"None\", 'd': 'it\\'s'}").data == {
        "a": True,
        "b": None,
        "c": "None",
        "d": "it's",
    }


@given(st.text())
def test_any_text_is_survived(text):
    read_json(text, keys=("params",))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.text(), c),
    )
)
def test_what_is_json_is_read_as_it_is(value):
    assert read_json(json.dumps(value)).data == value


@example({"{}": None})
@example({"[0, 1]": None})
@example({'{"a": 1}': True, "b": "{}"})
@given(st.dictionaries(st.text(), st.text() | st.booleans() | st.none(), min_size=1))
def test_what_python_prints_of_a_dict_reads_back(value):
    text = repr(value)
    if (
        "\\x" not in text
        and "\\u" not in text
        and "\\n" not in text
        and "\\t" not in text
        and "\\r" not in text
        and "\\U" not in text
    ):
        assert read_json(text).data == value
