from hypothesis import given
from hypothesis import strategies as st

from agenthpo.seeds import spawn_seed

NAMES = st.sampled_from(["creator", "choice", "executor", "engine"])


@given(NAMES, NAMES, st.integers(0, 999), st.integers(0, 999))
def test_a_seed_is_told_apart_by_name_and_number(one, other, number, again):
    same = (one, number) == (other, again)
    assert (spawn_seed(7, one, number) == spawn_seed(7, other, again)) == same


def test_a_seed_is_the_same_in_every_process_and_version():
    assert spawn_seed(7, "creator", 3, 0) == 2798272086
    assert spawn_seed(0, 3, 1) == 4206728045
