"""HB510: the number of instances against autoscaling's bounds."""

from __future__ import annotations

import pytest
from judged import edge, judged

BOUNDS = "deployment: {autoscaling: {min: 2, max: 4}, instance: {count: 3}}"


@pytest.mark.parametrize(("within", "beyond"), [(2, 1), (4, 5)])
def test_the_edges_are_the_bounds(within, beyond, tmp_path):
    edge("HB510", BOUNDS, "deployment.instance.count", within, beyond, tmp_path)


@pytest.mark.parametrize(
    ("count", "bounds", "nearest"),
    [(1, (1, 1), None), (2, (1, 4), None), (4, (1, 4), None), (5, (1, 4), 4), (1, (2, 4), 2)],
)
def test_the_nearest_bound_is_offered(count, bounds, nearest, tmp_path):
    low, high = bounds
    fragment = f"deployment: {{instance: {{count: {count}}}, autoscaling: {{min: {low}, max: {high}}}}}"
    found = judged("HB510", fragment, tmp_path)
    assert [diagnostic.fixes[0].value for diagnostic in found] == ([] if nearest is None else [nearest])


def test_bounds_that_contradict_each_other_are_refused(tmp_path):
    (found,) = judged("HB024", "deployment: {autoscaling: {min: 3, max: 2}}", tmp_path)
    assert "min (3 instances) is above max (2)" in found.message
