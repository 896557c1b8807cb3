"""How fast products are: as timed, between what was timed, and where nothing was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import LORA, QLORA, planned

from hbspec.catalog import catalog
from hbspec.catalog.products import timed_products
from hbspec.estimators.constants import INT8_SLOWER, REACHED
from hbspec.estimators.step.duration import micro_batch
from hbspec.estimators.step.speed import timed, unknown, untimed
from hbspec.units import Interval

GPUS = catalog().gpus
TIMED = sorted(timed_products())
LLAMA = "meta-llama/Llama-3.1-8B"


def on(gpu):
    return {"type": None, "gpu": gpu, "gpus": 1, "parallelism": "single"}


def test_every_timed_gpu_is_in_the_catalog():
    assert set(TIMED) <= set(GPUS)
    assert {"A100-80", "H100-80", "H200-141", "B200", "B300", "GB200", "L40S", "RTX PRO 6000"} <= set(TIMED)


@pytest.mark.parametrize("name", TIMED)
def test_what_was_timed_is_told_as_it_was(name):
    for one in timed_products()[name]:
        assert timed(GPUS[name], "bfloat16", one.rows) == pytest.approx(one.flops)
        assert one.flops < GPUS[name].bf16_flops, "no faster than the data sheet"


@given(st.sampled_from(TIMED), st.floats(1, 1e6), st.floats(1, 4))
def test_more_rows_take_more_time_and_no_more_than_in_proportion(name, rows, times):
    """Seconds of n rows grow with n, by at most n / m: each row reads what the others have read."""
    fewer, more = (n / timed(GPUS[name], "bfloat16", n) for n in (rows, rows * times))
    assert more >= 0.999 * fewer
    assert timed(GPUS[name], "bfloat16", rows * times) >= 0.9 * timed(GPUS[name], "bfloat16", rows)


def test_weights_are_read_apart_where_nothing_was_timed():
    known, t4 = (micro_batch(planned(LLAMA, method=LORA, instance=on(gpu)), 512) for gpu in ("A100-80", "T4"))
    assert known.weights == 0 < t4.weights
    mixture = micro_batch(planned("mistralai/Mixtral-8x7B-v0.1", method=LORA, instance=on("A100-80")), 512)
    assert mixture.weights > 0, "an expert has fewer rows than there are tokens"


def test_a_short_micro_batch_is_further_from_the_peak():
    short, long = (timed(GPUS["L40S"], "bfloat16", rows) for rows in (128, 4096))
    assert short < long / 2


def test_float32_was_not_timed():
    assert timed(GPUS["A100-80"], "float32", 4096) is None
    assert untimed(GPUS["A100-80"], "float32") < 19.5e12


def test_what_a_gpu_reaches_is_wide_where_nobody_measured_it():
    assert unknown(GPUS["A100-80"], None) == Interval.exact(1.0)
    assert "RTX A5000" not in REACHED
    wide = unknown(GPUS["RTX A5000"], None)
    assert wide.expected == 1 < wide.high
    plan, narrow = (planned(LLAMA, method=QLORA, instance=on(gpu)) for gpu in ("RTX A5000", "RTX A6000"))
    assert _width(micro_batch(plan, 4096).seconds()) > 1.3 * _width(micro_batch(narrow, 4096).seconds())


def test_eight_bits_are_slower_by_what_is_not_known_well():
    found = unknown(GPUS["A100-80"], "int8")
    assert found.high / found.low == pytest.approx(INT8_SLOWER.high / INT8_SLOWER.low)
    narrow, int8 = (
        micro_batch(planned(LLAMA, method={**QLORA, "bnb_quant_type": kind}, instance=on("A100-80")), 4096)
        for kind in ("nf4", "int8")
    )
    assert int8.products == pytest.approx(INT8_SLOWER.expected * narrow.products, rel=0.05)


def _width(seconds):
    return seconds.high / seconds.low
