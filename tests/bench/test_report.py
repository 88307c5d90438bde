"""Ratios and their targets in a table: one that was missed is marked, and no inequality is
false.
"""

import pytest

from agenthpo.bench.tables.report import _cell


@pytest.mark.parametrize(
    ("measured", "target", "has_peers", "cell"),
    [
        (0.8, None, False, "0.80"),
        (0.8, 0.85, False, "0.80 ≤ 0.85"),
        (0.88, 0.85, False, "0.88 ✗ (target 0.85)"),
        (0.854, 0.85, False, "0.85 ≤ 0.85"),  # as it is shown
        (0.8, 0.85, True, "0.80 (tpe) ≤ 0.85"),
        (0.9, 0.85, True, "0.90 (tpe) ✗ (target 0.85)"),
    ],
)
def test_a_missed_target_is_marked(measured, target, has_peers, cell):
    assert _cell(measured, "tpe", target, has_peers=has_peers) == cell
