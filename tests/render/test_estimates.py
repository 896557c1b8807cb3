"""The page of estimates, letter by letter, for a job made up here."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.analysis.change import Change
from hbspec.catalog import catalog
from hbspec.claims import Claim
from hbspec.claims.quantities import quantity
from hbspec.estimators.job.cost import Cost, CostItem
from hbspec.estimators.job.host import Host
from hbspec.estimators.job.storage import Storage
from hbspec.estimators.job.time import Time
from hbspec.estimators.training.devices import DeviceMemory, Memory
from hbspec.plan import Assumption, UnitPrice
from hbspec.render.advice import advice_lines
from hbspec.render.bars import Filling, bar, letters
from hbspec.render.estimates import estimate_lines
from hbspec.render.paint import write
from hbspec.search.advice import Advice, Outcome
from hbspec.search.software import Dependence
from hbspec.search.trial import Burden
from hbspec.units import GB, Interval, Money, Rate

from .made_serving import SERVING

COUNTS = SimpleNamespace(
    optimizer_steps=300,
    steps_per_epoch=69,
    examples_processed=9560,
    nominal_examples=9600,
    epochs=4.349,
    nominal_epochs=4.3676,
)
PLAN = SimpleNamespace(
    name="tiny\x1b[31m",
    model="Qwen/Qwen2.5-7B",
    hardware=SimpleNamespace(name="ml.g5.12xlarge", instances=2),
    parallelism="ddp",
    region="us-east-1",
    training=SimpleNamespace(micro_batch=1, gradient_accumulation=4, objective=SimpleNamespace(next_token=True)),
    data_parallel_size=8,
    effective_batch_size=32,
    counts=COUNTS,
    counted=lambda name: Interval.exact(getattr(COUNTS, name)),
    row_tokens=Interval(329, 385, 458),
    lengths=SimpleNamespace(source="data.profile"),
    measured=None,
    padded_tokens=Interval.exact(3_683_468),
    architecture=catalog().models["Qwen/Qwen2.5-7B"].architecture,
    trainable_parameters=134_217_728,
    adapter_bytes=268_435_456,
    checkpoint_bytes=805_306_368,
    price=UnitPrice(Rate(Decimal("7.09"), "USD"), "derived", date(2026, 1, 21), "EC2 x 1.25"),
    unknown={},
    between=None,
)
TERMS = {"embedding": 1 * GB, "quantized_weights": 9 * GB, "norms": 10_000_000}
PROCESS = Interval(10 * GB, 12 * GB, 22 * GB)
NOTHING = Interval.exact(0)
FULL = DeviceMemory(0, TERMS, "backward", Interval.exact(10.01 * GB), PROCESS, PROCESS, 20 * GB)
TWIN = replace(FULL, index=1)
IDLE = DeviceMemory(2, {}, "load", NOTHING, NOTHING, NOTHING, 20 * GB)
TIME = Time(
    Interval(10, 12, 20), {"startup": Interval.exact(60), "steps": Interval(3000, 3600, 6000)}, Interval.exact(466)
)
COST = Cost(
    "CAD",
    (CostItem("instances", Decimal(10), Decimal(12), Decimal(20), "hours x price"),),
    left_out={"storage and transfer": "no price is known"},
)
NOW = Outcome(Change("", {}), Memory((FULL, TWIN, IDLE)), Burden(TIME, COST))


def outcome(settings, *, seconds, amount, high=15, remark=""):
    """A change to one GPU of 20 GB, with the time and the cost that it makes."""
    device = replace(FULL, process=Interval(10 * GB, 12 * GB, high * GB))
    time = Time(Interval.exact(1), {"steps": Interval.exact(seconds)}, Interval.exact(1))
    cost = Cost("CAD", (CostItem("instances", *[Decimal(amount)] * 3, ""),))
    return Outcome(Change("kind", settings, remark), Memory((device,)), Burden(time, cost))


ADVICE = Advice(
    "fit",
    NOW,
    (
        outcome({("hyperparameters", "gradient_checkpointing"): True}, seconds=4099.2, amount="16.10"),
        outcome(
            {("instance", "type"): "ml.p4d.24xlarge", ("instance", "price"): None},
            seconds=1830,
            amount="12.00",
            remark="a remark",
        ),
    ),
    57,
)
ESTIMATES = SimpleNamespace(
    within_latency=None,
    plan=PLAN,
    memory=Memory((FULL, TWIN, IDLE)),
    time=TIME,
    cost=COST,
    serving=SERVING,
    evaluation=None,
    claims=(
        Claim("training.epochs", "4.4", "confirmed", Interval.exact(4.349), None, quantity("training.epochs")),
        Claim("training.magic", "1", "malformed", reason="this quantity does not exist"),
    ),
    assumed=(Assumption(("hyperparameters", "bf16"), True, "the shipped training script"),),
    unknown={},
    host=Host({"load": {"processes": Interval(GB, 3 * GB, 6 * GB)}}, 64 * GB),
    storage=Storage({"weights": Interval.exact(15 * GB), "data": Interval(1, GB, 2 * GB)}, "volume", 16 * GB, True),
    advice=ADVICE,
    dependences=(Dependence("trl 1.16.0", "adapters are thin", Change("", {("software", "trl"): "0.1"}), -3 * GB),),
    as_of=date(2026, 11, 22),
    analysis=SimpleNamespace(
        spec=SimpleNamespace(budget=SimpleNamespace(max_cost=Money(Decimal(15), "CAD"))),
        document=SimpleNamespace(translated=None),
    ),
)

PAGE = """\
tiny␛[31m
Qwen/Qwen2.5-7B on 2 x ml.g5.12xlarge, ddp, us-east-1

It is expected to fit, but may not: the fullest GPU needs about 12.0 GB (10.0 GB to 22.0 GB) of 20.0 GB; the disk may \
not suffice (16.0 GB of 16.0 GB needed).
It takes about 1.02 h (51.0 min to 1.68 h).
It costs about 12.00 CAD (10.00 to 20.00), perhaps above the budget of 15.00 CAD.
Its endpoint fits: a GPU needs about 6.00 GB (6.00 GB to 7.00 GB) of 20.0 GB, at 1.52 USD/h.

Cheapest changes that make it fit: 57 tried
  set hyperparameters.gradient_checkpointing=true
    fits, 10.0 GB to 15.0 GB (expected 12.0 GB), 1.14 h (+12 % time), 16.10 CAD (4.10 CAD more)
  set instance.type=ml.p4d.24xlarge; remove instance.price
    fits, 10.0 GB to 15.0 GB (expected 12.0 GB), 30.5 min (-50 % time), 12.00 CAD (same cost); a remark

Plan
  effective batch size  32                         micro-batch 1 x accumulation 4 x 8 data-parallel ranks
  optimizer steps       300                        69 per epoch
  examples              9,560                      9,600 nominal
  epochs                4.35                       4.37 nominal
  tokens per row        329 to 458 (expected 385)  data.profile
  tokens computed       3,680,000                  including padding
  parameters            7.62B                      15.2 GB in 16-bit
  trainable parameters  134,217,728                result 268 MB, checkpoint 805 MB

Memory: tight
  GPUs 0-1, each: tight. 12.0 GB expected (10.0 to 22.0) of 20.0 GB usable; peak in the backward pass
  [QQQQQQQQQQQQQQQQQQQQQQQQQQQQEEE++++++????????????????????????|??????]
    Q quantized weights 9.00 GB, E embedding 1.00 GB, other terms 10.0 MB
  GPU 2: not used by any process
  + overhead expected   ? overhead possible   . free   | usable limit

Memory depends on library versions
  trl 1.16.0  adapters are thin  -3.00 GB with software.trl=0.1

Host: tight
  memory  1.00 GB to 6.00 GB (expected 3.00 GB)  of 64.0 GB: processes 3.00 GB
  disk    15.0 GB to 17.0 GB (expected 16.0 GB)  of 16.0 GB (volume): weights 15.0 GB, data 1.00 GB

Time: 51.0 min to 1.68 h (expected 1.02 h)
  one update                 10.0 s to 20.0 s (expected 12.0 s)
  tokens per second per GPU  466                                   excluding padding
  startup                    1.00 min                              not billed
  steps                      50.0 min to 1.67 h (expected 1.00 h)
  billed                     50.0 min to 1.67 h (expected 1.00 h)

Cost: 10.00 CAD to 20.00 CAD (expected 12.00 CAD)
  instances  10.00 CAD to 20.00 CAD (expected 12.00 CAD)  hours x price
  price      7.09 USD/h                            derived, as of 2026-01-21, 305 days old: EC2 x 1.25
  left out   storage and transfer                  no price is known

Serving: fits
  [WWWWWWWWWWWWWWWWWEEE????............................................]
    W weights 5.00 GB, E engine 1.00 GB
  memory per GPU      6.00 GB to 7.00 GB (expected 6.00 GB)  of 20.0 GB usable
  engine budget       18.0 GB
  KV cache per token  57.3 kB
  longest context     209,263 tokens                        one request
  tokens per second   20.0 to 60.0 (expected 30.0)          one request
  cost                1.52 USD/h                            36.36 USD per day, 1,090.80 USD per month

Claims
  confirmed     training.epochs: 4.4; computed 4.349
  malformed     training.magic: 1; this quantity does not exist

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
    assert not [line for line in narrow.splitlines() if len(line) > 40 and " " in line.strip()]
    assert "\n  epochs: 4.35; 4.37 nominal\n" in narrow


def test_what_is_not_there_is_left_out():
    gone = ("hardware", "counts", "effective_batch_size", "price", "architecture")
    nothing = SimpleNamespace(**{**vars(PLAN), **dict.fromkeys(gone)})
    nothing.unknown = {"hardware": "instance type ml.x\x07"}
    bare = SimpleNamespace(
        plan=nothing,
        memory=None,
        time=None,
        cost=None,
        serving=None,
        evaluation=None,
        claims=(),
        assumed=(),
        unknown={"memory": "the hardware", "time": "the hardware"},
        host=None,
        storage=None,
        advice=None,
        dependences=(),
        as_of=date(2026, 11, 22),
    )
    shown = text(estimate_lines(bare))
    assert "hardware not known" in shown
    assert "needs instance type ml.x␇" in shown
    assert "  memory, time    needs the hardware\n" in shown.partition("Not known")[2]
    headings = ("Memory:", "fit:", "library versions", "Host:", "Time:", "Cost:", "Serving:", "Claims", "Assumed")
    assert not any(heading in shown for heading in headings)


def test_a_price_is_shown_where_the_cost_is_not_known():
    shown = text(estimate_lines(SimpleNamespace(**{**vars(ESTIMATES), "cost": None})))
    assert "\nCost: not known\n  price  7.09 USD/h  derived" in shown


@pytest.mark.parametrize(
    ("advice", "said"),
    [
        (
            Advice("fit", NOW, (), 321),
            "Cheapest changes that make it fit: 321 tried\n"
            "  no change is certain to make it fit, alone or combined with another\n",
        ),
        (
            Advice("fit", NOW, (outcome({("instance", "count"): 2}, seconds=1, amount=1, high=21),), 9),
            "Closest to fitting: 9 tried\n  set instance.count=2\n    tight, ",
        ),
        (
            Advice("room", NOW, (), 3),
            "Best uses of the headroom: 3 tried\n"
            "  none of these saves money, or time at no extra cost; `hbspec optimize` searches all plans\n",
        ),
    ],
)
def test_advice_says_what_it_is_for(advice, said):
    assert said in text(advice_lines(advice, None))


def test_figures_without_a_past_stand_alone():
    unknown = Outcome(Change("", {}), NOW.memory, Burden())
    change = outcome({("instance", "count"): 2}, seconds=60, amount=1)
    shown = text(advice_lines(Advice("room", unknown, (change, unknown), 3), None))
    assert "(expected 12.0 GB), 1.00 min, 1.00 CAD\n" in shown
    assert shown.endswith("tight, 10.0 GB to 22.0 GB (expected 12.0 GB)\n")


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
