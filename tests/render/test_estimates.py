"""The page of estimates, letter by letter, for a job made up here."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.claims import Claim
from hbspec.claims.quantities import quantity
from hbspec.estimators.cost import Cost, CostItem
from hbspec.estimators.memory import DeviceMemory, Memory
from hbspec.estimators.serving import Serving
from hbspec.estimators.time import Time
from hbspec.plan import Assumption, UnitPrice
from hbspec.render.bars import Filling, bar, letters
from hbspec.render.estimates import estimate_lines
from hbspec.render.paint import write
from hbspec.units import GB, Interval, Money, Rate

PLAN = SimpleNamespace(
    name="tiny\x1b[31m",
    model="Qwen/Qwen2.5-7B",
    hardware=SimpleNamespace(name="ml.g5.12xlarge", instances=2),
    parallelism="ddp",
    region="us-east-1",
    training=SimpleNamespace(micro_batch=1, gradient_accumulation=4),
    data_parallel_size=8,
    effective_batch_size=32,
    counts=SimpleNamespace(
        optimizer_steps=300,
        steps_per_epoch=69,
        examples_processed=9560,
        nominal_examples=9600,
        epochs=4.349,
        nominal_epochs=4.3676,
    ),
    row_tokens=Interval(329, 385, 458),
    lengths=SimpleNamespace(source="data.profile"),
    padded_tokens=Interval.exact(3_683_468),
    trainable_parameters=134_217_728,
    adapter_bytes=268_435_456,
    checkpoint_bytes=805_306_368,
    price=UnitPrice(Rate(Decimal("7.09"), "USD"), "derived", date(2026, 1, 21), "EC2 x 1.25"),
    unknown={},
)
TERMS = {"embedding": 1 * GB, "quantized_weights": 9 * GB, "norms": 10_000_000}
FULL = DeviceMemory(0, TERMS, "backward", Interval.exact(10.01 * GB), Interval(10 * GB, 12 * GB, 22 * GB), 20 * GB)
TWIN = DeviceMemory(1, TERMS, "backward", FULL.peak_allocated, FULL.process, 20 * GB)
IDLE = DeviceMemory(2, {}, "load", Interval.exact(0), Interval.exact(0), 20 * GB)
SERVING = Serving(
    verdict="fits",
    weights_bytes=5 * GB,
    terms={"weights": 5 * GB, "engine": 1 * GB},
    engine_bytes=Interval.exact(GB),
    kv_bytes_per_token=57_344,
    kv_bytes_needed=None,
    memory=Interval(6 * GB, 6 * GB, 7 * GB),
    usable=20 * GB,
    budget=18 * GB,
    largest_context=209_263,
    largest_concurrency=None,
    prefill_seconds=None,
    decode_tokens_per_second=Interval(20, 30, 60),
    latency_seconds=None,
    hourly_cost=Money(Decimal("1.515"), "USD"),
    daily_cost=Money(Decimal("36.36"), "USD"),
    monthly_cost=Money(Decimal("1090.80"), "USD"),
    unknown={"latency_seconds": "deployment.typical_output_tokens"},
)
ESTIMATES = SimpleNamespace(
    plan=PLAN,
    memory=Memory((FULL, TWIN, IDLE)),
    time=Time(
        Interval(10, 12, 20), {"startup": Interval.exact(60), "steps": Interval(3000, 3600, 6000)}, Interval.exact(466)
    ),
    cost=Cost("CAD", (CostItem("instances", Decimal(10), Decimal(12), Decimal(20), "hours x price"),)),
    serving=SERVING,
    claims=(
        Claim("training.epochs", "4.4", "confirmed", Interval.exact(4.349), None, quantity("training.epochs")),
        Claim("training.magic", "1", "malformed", reason="there is no such quantity"),
    ),
    assumed=(Assumption(("hyperparameters", "bf16"), True, "the shipped training script"),),
    unknown={},
)

PAGE = """\
tiny␛[31m
Qwen/Qwen2.5-7B on 2 x ml.g5.12xlarge, ddp, us-east-1

Plan
  effective batch     32                         1 x 4 accumulated x 8 processes with data of their own
  optimizer steps     300                        69 an epoch
  examples            9,560                      nominally 9,600
  epochs              4.35                       nominally 4.37
  tokens of a row     329 to 458 (expected 385)  data.profile
  tokens computed     3,680,000                  padding included
  trained parameters  134,217,728                result 268 MB, checkpoint 805 MB

Memory: tight
  each of GPU 0 to 1: tight, 10.0 GB to 22.0 GB (expected 12.0 GB) of 20.0 GB usable, 8.00 GB left, fullest at backward
  [QQQQQQQQQQQQQQQQQQQQQQQQQQQQEEE++++++????????????????????????|??????]
    Q quantized weights 9.00 GB, E embedding 1.00 GB, smaller ones 10.0 MB
  GPU 2: no process uses it
  + beside the tensors, ? may come on top, . free, | end of the usable memory

Time: 51.0 min to 1.68 h (expected 1.02 h)
  one update               10.0 s to 20.0 s (expected 12.0 s)
  tokens a second and GPU  466                                   padding excluded
  startup                  1.00 min                              not billed
  steps                    50.0 min to 1.67 h (expected 1.00 h)
  billed                   50.0 min to 1.67 h (expected 1.00 h)

Cost: 10.00 CAD to 20.00 CAD (expected 12.00 CAD)
  instances  10.00 CAD to 20.00 CAD (expected 12.00 CAD)  hours x price
  price      7.09 USD/h                            derived, as of 2026-01-21: EC2 x 1.25

Serving: fits
  [WWWWWWWWWWWWWWWWWEEE????............................................]
    W weights 5.00 GB, E engine 1.00 GB
  memory of a GPU       6.00 GB to 7.00 GB (expected 6.00 GB)  of 20.0 GB usable
  budget of the engine  18.0 GB
  cache of a token      57.3 kB
  longest context       209,263 tokens                        of one request
  tokens a second       20.0 to 60.0 (expected 30.0)          of one request
  cost                  1.52 USD/h                            36.36 USD a day, 1,090.80 USD a month

Claims
  confirmed     training.epochs: 4.4; computed 4.35
  malformed     training.magic: 1; there is no such quantity

Assumed
  hyperparameters.bf16  true  the shipped training script

Not known
  latency seconds    needs deployment.typical_output_tokens
"""


def text(lines):
    stream = io.StringIO()
    write(lines, stream)
    return stream.getvalue()


def test_the_whole_page():
    assert text(estimate_lines(ESTIMATES)) == PAGE


def test_forty_columns():
    narrow = text(estimate_lines(ESTIMATES, 40))
    assert not [line for line in narrow.splitlines() if len(line) > 40]
    assert "\n  epochs: 4.35; nominally 4.37\n" in narrow


def test_what_is_not_there_is_left_out():
    nothing = SimpleNamespace(
        **{**vars(PLAN), "hardware": None, "counts": None, "effective_batch_size": None, "price": None}
    )
    nothing.unknown = {"hardware": "instance type ml.x\x07"}
    bare = SimpleNamespace(
        plan=nothing,
        memory=None,
        time=None,
        cost=None,
        serving=None,
        claims=(),
        assumed=(),
        unknown={"memory": "the hardware"},
    )
    shown = text(estimate_lines(bare))
    assert "hardware not known" in shown
    assert "needs instance type ml.x␇" in shown
    assert "memory" in shown.partition("Not known")[2]
    assert not any(heading in shown for heading in ("Memory:", "Time:", "Cost:", "Serving:", "Claims", "Assumed"))


NAMES = st.lists(st.text(st.characters(codec="ascii", categories=("Ll", "Nd")), min_size=1), unique=True, max_size=40)


@given(NAMES)
def test_every_term_has_a_letter_of_its_own(names):
    assert len(set(letters(names).values())) == len(names)


@given(
    st.lists(st.integers(0, 10**11), min_size=1, max_size=5),
    st.integers(0, 10**11),
    st.integers(0, 10**11),
    st.none() | st.integers(1, 10**11),
    st.integers(10, 100),
)
def test_a_bar_is_drawn_to_scale(sizes, beside, more, usable, width):
    terms = {f"t{number}": size for number, size in enumerate(sizes)}
    total = sum(sizes)
    filling = Filling(terms, total + beside, total + beside + more, usable)
    letter = letters(terms)
    shown = "".join(text for _, text in bar(filling, letter, width))
    assert len(shown) == width
    inside = shown[1:-1]
    scale = max(filling.high, usable or 0, 1) / len(inside)
    for name, size in terms.items():
        assert abs(inside.count(letter[name]) - size / scale) <= 1 + ("|" in inside)
    assert ("|" in inside) == (usable is not None and filling.high > usable)
    if "|" in inside:
        assert abs(inside.index("|") - usable / scale) <= 1


@pytest.mark.parametrize(("size", "style"), [(5 * GB, "bar"), (15 * GB, "bad")])
def test_what_is_over_is_painted_as_bad(size, style):
    filling = Filling({"weights": size}, size, size, 10 * GB)
    last = bar(filling, {"weights": "W"}, 42)[-2 if size > 10 * GB else 1]
    assert (last[0], set(last[1])) == (style, {"W"})
