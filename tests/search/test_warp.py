import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import trapezoid
from scipy.stats import norm

from agenthpo.search.engine.warp import Warp, warps

LOSSES = arrays(float, st.integers(1, 12), elements=st.floats(-1e6, 1e6).map(lambda x: round(x, 3)))


@given(LOSSES)
@example(np.full(3, 1.9))  # whose standard deviation is a rounding error
def test_a_warp_standardises_keeps_the_order_and_comes_back(losses):
    for warp in warps(losses):
        found = warp.standardised(losses)
        assert abs(found.mean()) < 1e-6 and (
            found.std() == pytest.approx(1) or np.ptp(found) < 1e-6
        )
        assert (np.diff(found[np.argsort(losses, kind="stable")]) >= 0).all()
        assert [warp.loss(x) for x in found] == pytest.approx(
            losses.tolist(), rel=1e-6, abs=1e-6 * max(1.0, np.abs(losses).max())
        )


def test_there_is_no_logarithm_where_losses_are_equal():
    assert len(warps(np.full(4, 0.3))) == 1 and len(warps(np.array([0.3, 0.3, 0.3, 9.0]))) == 1


@pytest.mark.parametrize("warp", warps(np.array([0.1, 0.2, 0.4, 3.0])))
def test_the_density_is_that_of_a_change_of_variables(warp):
    def density(loss):
        return np.exp(
            norm.logpdf(warp.standardised(np.array([loss]))[0]) + warp.log_density(np.array([loss]))
        )

    grid = np.linspace(-0.2999 if warp.width else -6, 60, 15_000)
    assert trapezoid([density(x) for x in grid], grid) == pytest.approx(1, abs=0.02)
    near = (warp.loss(0.001) - warp.loss(-0.001)) / 0.002
    assert warp.slope(warp.loss(0.0)) == pytest.approx(near, rel=1e-3)


def test_a_loss_is_never_below_where_the_logarithm_begins():
    warp = warps(np.array([0.1, 0.2, 0.4, 3.0]))[1]
    assert warp.loss(-50.0) == pytest.approx(0.1 - 2 * warp.width) and np.isfinite(warp.loss(1e6))


def test_wide_tails_call_for_a_logarithm():
    """What decides is the density: that of the logarithms of log-normal losses is the higher one,
    that of normal losses is not.
    """
    rng = np.random.default_rng(0)

    def gain(losses):
        plain, bent = warps(losses)
        return sum(
            s * (norm.logpdf(w.standardised(losses)).sum() + w.log_density(losses))
            for s, w in ((1, bent), (-1, plain))
        )

    assert gain(np.exp(2 * rng.normal(size=60))) > 10 > 0 > gain(rng.normal(size=60))


def test_a_single_loss_has_a_warp():
    alone = Warp.of(np.array([0.3]))
    assert (
        alone.standardised(np.array([0.3])) == [0.0]
        and alone.loss(0.0) == 0.3
        and alone.loss(1.0) == pytest.approx(1.3)
    )
