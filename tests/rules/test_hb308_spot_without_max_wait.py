"""HB308: a spot job without `max_wait`."""

from __future__ import annotations

import pytest
from judged import edge, judged

SPOT = "instance: {spot: true, max_runtime: %s}\nhyperparameters: {save_steps: 20}"


def test_the_edge_is_a_limit_on_waiting(tmp_path):
    edge("HB308", SPOT % "4h", "instance.max_wait", "4h", None, tmp_path)


@pytest.mark.parametrize(("runtime", "least"), [("4h", "4.00 h"), ("null", "24.0 h")])
def test_the_least_that_is_accepted_is_named(runtime, least, tmp_path):
    (found,) = judged("HB308", SPOT % runtime, tmp_path)
    assert found.help == f"set instance.max_wait, the limit on waiting and running, to at least {least}"
