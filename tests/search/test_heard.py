"""What people did is told with who and why to whoever proposes next."""

from agenthpo.experience.requests import Asked, Request
from agenthpo.search.heard import deed, heard, remarks


def person(kind, identity="r1", **fields):
    return Request(kind, "ann", is_person=True, id=identity, **fields)


TRIED = Request("try", "claude", id="r1", params={"lr": 0.5}, rationale="bold")


def test_a_configuration_that_was_taken_back_is_told_with_the_reason():
    asked = Asked((TRIED, person("veto", "r2", whose="r1", text="it diverges above 0.3")))
    assert heard(asked) == ("ann took back r1 (lr=0.5): it diverges above 0.3.",)


def test_a_run_that_was_taken_back_tells_a_proposer_nothing():
    run = Request("run", "claude", id="r1", trials=4)
    assert heard(Asked((run, person("veto", "r2", whose="r1", text="lunch")))) == ()


def test_pins_and_ranges_are_told_while_they_hold():
    pin = person("pin", params={"lr": 0.1}, text="the paper has it")
    wide = person("widen", "r2", whose="depth", params={"high": 9}, text="8 is at the end")
    assert heard(Asked((pin, wide))) == (
        "ann pinned lr=0.1: the paper has it.",
        "ann widened depth: high=9: 8 is at the end.",
    )
    gone = person("unpin", "r3", whose="lr"), person("narrow", "r4", whose="depth")
    assert heard(Asked((pin, wide, *gone))) == ()
    again = person("pin", "r3", params={"lr": 0.2}, text="better")
    assert heard(Asked((pin, again))) == ("ann pinned lr=0.2: better.",)


def test_a_range_that_was_taken_back_and_widened_anew_is_told_once():
    def wide(n, high):
        return person("widen", f"r{n}", whose="depth", params={"high": high}, text="more")

    asked = Asked((wide(1, 9), person("narrow", "r2", whose="depth"), wide(3, 12)))
    assert heard(asked) == ("ann widened depth: high=12: more.",)
    assert asked.ranges == {"depth": {"high": 12}}


def test_notes_say_whose_they_are_and_on_which_trial():
    asked = Asked((person("note", text="Too slow!", trial=3), person("note", "r2", text="Be bold")))
    assert heard(asked) == ("ann noted on trial 3: Too slow!", "ann noted: Be bold.")


def test_agents_are_not_told_to_a_creator_and_the_latest_are_kept():
    notes = [person("note", f"r{n}", text=f"Note {n}.") for n in range(9)]
    asked = Asked((Request("note", "claude", id="r99", text="I think so."), *notes))
    assert heard(asked) == tuple(f"ann noted: Note {n}." for n in range(6, 9))


def test_all_of_it_is_short_and_the_latest_is_told():
    pins = [person("pin", f"r{i}", params={f"p{i}": 1}, text="because " * 30) for i in range(3)]
    notes = [person("note", f"r{i}", text="word " * 60) for i in range(3, 6)]
    said = heard(Asked((*pins, *notes)))
    assert 500 < sum(map(len, said)) <= 700
    assert [words.split()[1] for words in said] == ["pinned", "noted:", "noted:", "noted:"]
    assert "p2=1" in said[0]


def test_a_long_reason_ends_after_a_word_and_half_a_secret_is_never_told():
    (said,) = heard(Asked((person("note", text="word " * 99),)))
    assert said.endswith("word …") and len(said) < 180
    key = "sk-proj-" + "aB3dE5gH7jK9" * 4
    (said,) = heard(Asked((person("note", text="x " * 60 + f"the key is {key}"),)))
    assert "aB3dE5" not in said


def test_every_kind_of_request_has_its_words():
    asked = Asked((TRIED,))
    assert deed(TRIED, asked) == "asked for lr=0.5"
    assert deed(person("told"), asked) == "was told the test metric"
    assert deed(person("run", trials=2), asked) == ""
    assert deed(person("veto", whose="r77"), asked) == "took back r77"
    assert remarks([TRIED], asked) == ("claude asked for lr=0.5: bold.",)
