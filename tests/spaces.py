"""Hypothesis strategies for search spaces as a task file holds them, and configurations of them."""

from hypothesis import strategies as st

NAMES = st.one_of(
    st.from_regex(r"[a-z][a-z_.-]{0,8}", fullmatch=True),
    st.sampled_from(["λ", "größe", "lambda", "class", "optim.lr", "warm-up"]),
)
CHOICES = st.one_of(
    st.lists(st.text("abcxyz -=\"'{}é😀\n\t\x7f", max_size=6), min_size=2, max_size=4, unique=True),
    st.just(["true", "false", "null", "1e-05"]),
    st.just([None, "balanced"]),
    st.just([True, False, None]),
    st.just([None, 2**53 + 1, 2**53 + 2, -(2**60) - 1]),
    st.just([0.1 * 3, 1e-05, 1e16, 5e-324, -0.5]),
)
FLOATS = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def parameters(draw):
    """One parameter's fields, valid by construction."""
    kind = draw(st.sampled_from(["float", "log", "step", "int", "ordered", "categorical", "bool"]))
    if kind == "log":
        low = draw(st.floats(1e-9, 1e3))
        fields = {"type": "float", "low": low, "high": low * draw(st.floats(1.5, 1e6)), "log": True}
    elif kind == "float":
        low = draw(FLOATS)
        fields = {"type": "float", "low": low, "high": low + draw(st.floats(1e-3, 1e6))}
    elif kind == "step":
        step = draw(st.sampled_from([0.1, 0.25, 0.5, 2.0]))
        fields = {
            "type": "float",
            "low": 0.0,
            "high": step * draw(st.integers(1, 20)),
            "step": step,
        }
    elif kind == "int":
        low = draw(st.integers(-1000, 1000))
        fields = {"type": "int", "low": low, "high": low + draw(st.integers(1, 1000))}
    elif kind == "ordered":
        fields = {
            "type": "int",
            "values": sorted(draw(st.sets(st.integers(0, 512), min_size=2, max_size=6))),
        }
    elif kind == "categorical":
        fields = {
            "type": "categorical",
            "values": draw(CHOICES),
        }
    else:
        fields = {"type": "bool"}
    return fields


def spaces():
    """A space of one to five parameters without conditions."""
    return st.dictionaries(NAMES, parameters(), min_size=1, max_size=5)


@st.composite
def configurations(draw, space):
    """A point of ``space`` (a Space)."""
    params = {}
    for p in space:
        if p.is_discrete:
            params[p.name] = draw(st.sampled_from(p.values))
        elif p.kind == "int":
            params[p.name] = draw(st.integers(p.low, p.high))
        elif p.step is not None:
            params[p.name] = p.snap(
                p.low + p.step * draw(st.integers(0, round((p.high - p.low) / p.step)))
            )
        else:
            params[p.name] = draw(st.floats(p.low, p.high))
    return space.restrict(params)
