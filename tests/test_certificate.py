"""Verdicts on fresh seeds: where the truth is known, how often they are wrong."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.certainty import anytime_interval
from agenthpo.certificate import Rounds, judged


def played(rng, gains, *, noise=1.0, rounds=30, direction="maximize", shared=0.0):
    """Play rounds until a verdict; ``gains`` are those of the contenders 1, 2 …"""
    sign = 1 if direction == "maximize" else -1
    said = Rounds(contenders={n: {} for n in range(1, len(gains) + 1)})
    found = None
    for number in range(rounds):
        seed = shared * rng.normal()
        said.default[number] = sign * (seed + noise * rng.normal())
        alive = [1, 2, 3] if found is None else [c.trial for c in found.contenders if not c.is_out]
        for trial in alive:
            if trial in said.contenders:
                value = gains[trial - 1] + seed + noise * rng.normal()
                said.contenders[trial][number] = sign * value
        found = judged(said, direction, default=0, trials=9)
        if found.judgement != "unknown":
            break
    return found


def test_a_wrong_better_is_rare_at_every_look():
    rng = np.random.default_rng(0)
    wrong = [played(rng, [0.0, 0.0, 0.0]).judgement == "better" for _ in range(120)]
    assert np.mean(wrong) <= 0.05


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_gain_of_two_deviations_is_mostly_found_in_ten_rounds(direction):
    rng = np.random.default_rng(1)
    found = [
        played(rng, [2.0], rounds=10, direction=direction).judgement == "better" for _ in range(80)
    ]
    assert np.mean(found) >= 0.75


def test_seeds_that_move_all_alike_are_taken_out_by_pairs():
    rng = np.random.default_rng(2)
    found = [played(rng, [1.0], noise=0.3, shared=5.0, rounds=10).judgement for _ in range(60)]
    assert np.mean([f == "better" for f in found]) >= 0.7


def test_the_default_may_be_the_better_one():
    found = played(np.random.default_rng(3), [-4.0, -5.0, -4.0])
    assert (found.judgement, found.winner) == ("worse", 0)
    assert found.words.startswith("the default is better than the best trials")


def test_of_contenders_the_best_one_wins_and_the_losers_are_given_up():
    rng = np.random.default_rng(4)
    found = [played(rng, [3.0, 8.0, -5.0]) for _ in range(20)]
    assert all(f.judgement == "better" and f.winner == 2 for f in found)


def test_a_gain_that_is_smaller_than_the_noise_is_a_tie():
    found = played(np.random.default_rng(5), [0.05], rounds=120)
    assert (found.judgement, found.winner) == ("tie", None)
    assert "less than what another seed does" in found.words


def test_values_that_no_seed_changes_are_certain_after_three():
    said = Rounds(default={i: 0.5 for i in range(3)}, contenders={1: {i: 0.51 for i in range(3)}})
    found = judged(said, "maximize", default=0, trials=2)
    assert (found.judgement, found.winner) == ("better", 1)
    assert "as where a script does not use its seed" in found.words


def test_equal_steps_of_a_coarse_metric_are_no_certainty():
    # three times one picture of four hundred
    said = Rounds(
        default={0: 0.95, 1: 0.955, 2: 0.9525}, contenders={1: {0: 0.9525, 1: 0.9575, 2: 0.955}}
    )
    found = judged(said, "maximize", default=0, trials=2)
    assert found.judgement == "unknown"


def test_one_that_fails_on_a_fresh_seed_is_no_winner():
    said = Rounds(
        default={i: float(i % 3) for i in range(9)},
        contenders={1: {i: 9.0 + i % 3 for i in range(8)}, 2: {i: 5.0 + i % 2 for i in range(9)}},
        failed={1: "failed with a fresh seed (out of memory)"},
    )
    found = judged(said, "maximize", default=0, trials=9)
    assert found.winner == 2
    assert next(c for c in found.contenders if c.trial == 1).why.startswith("failed with a fresh")


@given(st.lists(st.floats(-1e6, 1e6), max_size=30), st.floats(0.001, 0.5))
def test_an_interval_is_about_the_mean_or_endless(differences, error):
    low, high = anytime_interval(differences, error=error)
    if math.isinf(low):
        assert math.isinf(high)
    else:
        mean = sum(differences) / len(differences)
        assert low <= mean + 1e-6 * (1 + abs(mean)) and mean <= high + 1e-6 * (1 + abs(mean))
        wider = anytime_interval(differences, error=error / 2)
        assert wider[0] <= low and high <= wider[1]
