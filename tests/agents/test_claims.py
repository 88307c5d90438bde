import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.agents.claims import Shown, names_one, sentences

SHOWN = """trial 0 (default): lr=0.001 size=16 -> acc 0.8123, plateau.
trial 3 (engine): lr=0.01 -> acc 0.85. The last quarter brought 12% of its range; 1,234 rows.
UserWarning: lbfgs failed to converge
"""


def checked(text, shown, *, trials):
    return Shown(shown, trials).checked(text)


def passes(sentence):
    return checked(sentence, SHOWN, trials=[0, 3]).text == " ".join(sentence.split())


@pytest.mark.parametrize(
    "sentence",
    [
        "It reached 0.85.",
        "It reached 0.81, rounded.",
        "The last quarter brought 12 % of the range.",
        "The last quarter brought 0.12 of the range.",
        "It fell by -0.85.",
        "A step of 1e-3 was too small.",
        "A step of .01 helped on 1234 rows.",
        "Trial 3 was better than trial 0.",
        "Trials 0 and 3 agree.",
        'The log says "lbfgs failed  to converge".',
        "It says `UserWarning`.",
        "beta_1 and l2 matter, and so does layer3.",
        "It doesn't matter which, as long as it's small.",
        "No number at all.",
    ],
)
def test_what_was_shown_passes(sentence):
    assert passes(sentence)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("It is a 2.66 % decrease.", "2.66 % is not in the evidence"),
        ("It reached 0.851.", "0.851 is not in the evidence"),
        ("It reached 0.82.", "0.82 is not in the evidence"),
        ("Trial 2 was better.", "there is no trial 2"),
        ("Trials 0, 3 and 7 agree.", "there is no trial 7"),
        ('It says "out of memory".', '"out of memory" is not in the evidence'),
        ("It says “divide by zero”.", '"divide by zero" is not in the evidence'),
        ("A step of 1e-9 is best.", "1e-9 is not in the evidence"),
        ("It took 77 seconds.", "77 is not in the evidence"),
    ],
)
def test_what_was_not_shown_is_struck_with_a_reason(sentence, reason):
    found = checked(f"It reached 0.85. {sentence} So it goes.", SHOWN, trials=[0, 3])
    assert [each.why for each in found.struck] == [reason]
    assert found.struck[0].text == sentence
    assert found.text == "It reached 0.85. So it goes."
    assert (found.passed, found.said) == (2, 3)


@pytest.mark.parametrize(
    ("sentence", "ahead", "stands"),
    [
        ("Increasing lr improved the accuracy to 0.85.", -0.01, False),
        ("Increasing lr improved the accuracy to 0.85.", 0.01, True),
        ("Increasing lr improved the accuracy to 0.85.", None, True),
        ("A larger lr has not improved the accuracy.", -0.01, True),
        ("A smaller lr would have improved it.", -0.01, True),
        ("It improved on trial 0.", -0.01, True),
        ("It improved on the default.", -0.01, True),
        ("A larger lr hurt the accuracy.", 0.01, False),
        ("A larger lr hurt the accuracy.", -0.01, True),
        ("A larger lr hurt nothing.", 0.01, True),
        ("The loss improved, but the accuracy fell.", -0.01, True),
    ],
)
def test_a_gain_or_a_loss_that_was_none_is_struck(sentence, ahead, stands):
    assert bool(Shown(SHOWN, [0, 3], ahead).checked(sentence).text) == stands


def test_sentences_end_where_they_end():
    assert sentences("It rose to 0.5. Then, e.g. at 3,\nit fell!  Why? ") == [
        "It rose to 0.5.",
        "Then, e.g. at 3, it fell!",
        "Why?",
    ]
    assert sentences(" ") == []


def test_a_parameter_is_named_however_it_is_spelt():
    assert names_one("The Learning rate was too high.", ["learning_rate", "size"])
    assert names_one("`batch_size` helps.", ["batch_size"])
    assert not names_one("The sized model", ["size"])
    assert not names_one("Anything", [])


@given(st.text(), st.text(max_size=200))
def test_any_text_can_be_checked(text, shown):
    found = checked(text, shown, trials=[])
    assert found.said == len(sentences(text))
    # what passed is made of sentences of the text, and passes again
    assert checked(found.text, shown, trials=[]).struck == ()


@given(st.text("0123456789.,%eE+-−xX \"'", max_size=60))
def test_numbers_of_any_shape_are_read_or_left(text):
    assert checked(text, text, trials=range(100)).struck == ()


@given(st.floats(-1e12, 1e12, allow_nan=False, allow_subnormal=False), st.integers(1, 6))
def test_a_number_passes_at_any_rounding(value, digits):
    assert checked(f"It came to {value:.{digits}g}.", f"{value!r}", trials=[]).struck == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("It suffers, the accuracy decreasing from 0.21 to 0.33.", "from 0.21 to 0.33 is no fall"),
        ("The loss rose from 0.33 to 0.21.", "from 0.33 to 0.21 is no rise"),
        ("Raising lr from 0.21 to 0.33 helped.", ""),
        ("Lowering lr from 0.33 to 0.21 let the loss grow from 0.21 to 0.33.", ""),
        ("It fell from -0.21 to -0.33.", ""),
        ("It fell from high to low.", ""),
        ("It fell from 0.33 to nan.", ""),
        ("It went from 0.21 to 0.33.", ""),
    ],
)
def test_a_fall_that_rises_is_struck(text, why):
    found = Shown("0.21 0.33", []).checked(text)
    assert [each.why for each in found.struck] == ([why] if why else [])
