"""Settings of torch's allocator, as torch itself reads them."""

from __future__ import annotations

import pytest

from hbspec.plan.allocator import EXPANDABLE, FLAGS


@pytest.mark.parametrize("value", ["True", "False", "true", "1", "yes"])
def test_a_boolean_is_spelled_as_torch_wants_it(value):
    torch = pytest.importorskip("torch")
    accepted = True
    try:
        torch._C._accelerator_setAllocatorSettings(f"{EXPANDABLE}:{value}")
    except (RuntimeError, ValueError):
        accepted = False
    finally:
        torch._C._accelerator_setAllocatorSettings(f"{EXPANDABLE}:False")
    assert (value in FLAGS) is accepted
