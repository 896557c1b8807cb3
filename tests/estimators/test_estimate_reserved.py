"""What lies around the tensors: laws of the allocator's reserve and of the process."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hbspec.estimators.constants import MEMORY
from hbspec.estimators.training.reserved import Surroundings, beside_bytes, process_bytes, reserved_bytes
from hbspec.units import GIB, Interval

SIZES = st.integers(0, 200 * GIB)
AROUND = st.builds(
    Surroundings,
    sharded=st.booleans(),
    ranks=st.booleans(),
    capability=st.sampled_from([None, (7, 5), (8, 0)]),
    usable=st.none() | st.integers(10 * GIB, 141 * GIB),
)


@st.composite
def tensors(draw):
    return Interval(*sorted(draw(st.tuples(SIZES, SIZES, SIZES))))


@given(tensors(), SIZES, AROUND)
def test_what_is_reserved_holds_the_tensors_and_the_process_holds_both(allocated, lasting, around):
    reserved = reserved_bytes(allocated, lasting, around, MEMORY)
    process = process_bytes(reserved, allocated, around, MEMORY)
    for end in ("low", "expected", "high"):
        assert getattr(allocated, end) <= getattr(reserved, end)
        assert getattr(allocated, end) < getattr(process, end)


@given(tensors(), SIZES, AROUND)
def test_the_reserve_alone_never_passes_the_gpu(allocated, lasting, around):
    process = process_bytes(reserved_bytes(allocated, lasting, around, MEMORY), allocated, around, MEMORY)
    if around.usable is not None and process.low > around.usable:
        assert allocated.low + beside_bytes(around, MEMORY).low > around.usable - 1


@given(tensors(), SIZES, AROUND)
def test_a_larger_gpu_never_makes_less_of_it(allocated, lasting, around):
    here = reserved_bytes(allocated, lasting, around, MEMORY)
    unlimited = Surroundings(around.sharded, around.ranks, around.capability, None)
    there = reserved_bytes(allocated, lasting, unlimited, MEMORY)
    assert here.low <= there.low
    assert (here.expected, here.high) == (there.expected, there.high)


@given(tensors(), SIZES, AROUND)
def test_what_is_expected_does_not_depend_on_what_there_is(allocated, lasting, around):
    unlimited = around._replace(usable=None)
    here, there = (
        process_bytes(reserved_bytes(allocated, lasting, place, MEMORY), allocated, place, MEMORY)
        for place in (around, unlimited)
    )
    assert (here.expected, here.high) == (there.expected, there.high)


def test_the_context_is_the_measured_one_where_there_is_one():
    t4, unknown = (beside_bytes(Surroundings(False, False, cc, None), MEMORY) for cc in ((7, 5), None))
    assert t4.expected == 0.15e9
    assert unknown == MEMORY.context
