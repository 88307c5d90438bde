"""What agents and people ask of a study: kept whole whoever writes at the same time, read whatever
stands there.
"""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.errors import StudyError
from agenthpo.experience.requests import REQUESTS, Asked, Request, add_request, read_requests
from agenthpo.records import Expected
from studies import make_trial


def test_a_request_comes_back_as_it_was_asked(tmp_path):
    asked = Request(
        "try",
        "claude",
        params={"lr": 0.1, "opt": None, "deep": True},
        rationale="why",
        hypothesis="better",
        expected=Expected(0.9, 0.8, 0.95),
    )
    added = add_request(tmp_path, asked)
    assert added.id == "r1" and added.at > 0
    assert read_requests(tmp_path) == Asked((added,))
    assert (tmp_path / REQUESTS).stat().st_mode & 0o077 == 0


def test_nobody_has_asked_anything_where_there_is_no_file(tmp_path):
    assert read_requests(tmp_path) == Asked()


def test_requests_of_many_at_the_same_time_all_get_an_id_of_their_own(tmp_path):
    def ask(who):
        for number in range(20):
            add_request(tmp_path, Request("note", who, text=f"{number}"))

    threads = [threading.Thread(target=ask, args=(f"agent-{i}",)) for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = read_requests(tmp_path)
    assert asked.unread == 0
    assert [r.id for r in asked.requests] == [f"r{i}" for i in range(1, 101)]
    assert len({(r.by, r.text) for r in asked.requests}) == 100


def test_a_torn_line_costs_itself_alone_and_no_id_is_given_twice(tmp_path):
    first = add_request(tmp_path, Request("note", "a", text="one"))
    with (tmp_path / REQUESTS).open("a") as file:
        file.write('{"kind": "note", "by": "b", "te')
    third = add_request(tmp_path, Request("note", "a", text="two"))
    assert third.id == "r3"
    assert read_requests(tmp_path) == Asked((first, third), unread=1)


def test_what_is_decided_on_is_compared_before_it_is_written(tmp_path):
    known = read_requests(tmp_path)
    add_request(tmp_path, Request("note", "a"))
    with pytest.raises(StudyError, match="ask again"):
        add_request(tmp_path, Request("run", "b", trials=1), known=known)
    add_request(tmp_path, Request("run", "b", trials=1), known=read_requests(tmp_path))


def test_a_request_too_long_to_be_read_at_every_trial_is_refused(tmp_path):
    with pytest.raises(StudyError, match="too long"):
        add_request(tmp_path, Request("note", "a", text="x" * 100_000))
    assert read_requests(tmp_path).requests == ()


def test_a_folder_in_its_place_is_a_sentence(tmp_path):
    (tmp_path / REQUESTS).mkdir()
    for ask in (read_requests, lambda folder: add_request(folder, Request("note", "a"))):
        with pytest.raises(StudyError, match=REQUESTS):
            ask(tmp_path)


LINES = st.one_of(
    st.binary(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["kind", "by", "id", "params", "trials", "usage", "expected"]),
                inner | st.sampled_from(["note", "try", "run", "r1"]),
                max_size=5,
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)


@given(st.lists(LINES, max_size=5))
def test_whatever_stands_in_the_file_is_read_or_counted(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("study")
    (folder / REQUESTS).write_bytes(b"\n".join(lines))
    asked = read_requests(folder)
    text = (folder / REQUESTS).read_bytes()
    assert len(asked.requests) + asked.unread == len([x for x in text.split(b"\n") if x])
    number = len(asked.requests) + asked.unread + 1
    assert add_request(folder, Request("note", "a")).id == f"r{number}"
    assert read_requests(folder).requests[:-1] == asked.requests


def folded(*requests):
    return Asked(tuple(requests))


def test_what_waits_is_what_no_trial_came_from_and_nobody_vetoed():
    asked = folded(
        Request("try", "claude", id="r1", params={"x": 1}),
        Request("try", "ann", id="r2", is_person=True, params={"x": 2}),
        Request("try", "claude", id="r3", params={"x": 3}),
        Request("try", "claude", id="r4", params={"x": 4}),
        Request("veto", "ann", id="r5", is_person=True, whose="r3"),
    )
    served = make_trial(0, {"x": 1}, 0.5, source="agent", queued="r1")
    assert [r.id for r in asked.waiting([])] == ["r2", "r1", "r4"]
    assert [r.id for r in asked.waiting([served])] == ["r2", "r4"]


def test_trials_are_left_to_run_until_so_many_have_begun():
    asked = folded(Request("run", "claude", id="r1", trials=2), Request("run", "b", id="r2"))
    trials = [make_trial(i, {"x": i}, None, asked="r1") for i in range(2)]
    assert [(r.id, left) for r, left in asked.left_to_run(trials[:1])] == [("r1", 1)]
    assert asked.left_to_run(trials) == []


def test_the_latest_pin_of_a_parameter_holds_until_it_is_taken_off():
    asked = [
        Request("pin", "ann", params={"x": 1, "y": None}),
        Request("pin", "ann", params={"x": 2}),
        Request("unpin", "ann", whose="y"),
    ]
    assert folded(*asked[:1]).pins == {"x": 1, "y": None}
    assert folded(*asked).pins == {"x": 2}
