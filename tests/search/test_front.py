"""The best plans, against every plan of small grids; and the bounds by which others are never estimated."""

import random

import pytest
from search.enumerated import choices, front_by_hand, front_found, space_of

from hbspec.search.burden import Elsewhere, burdens, no_better
from hbspec.search.choice import Arrangement, Batch, Choice, Placement
from hbspec.search.floors import SLACK, Floors
from hbspec.search.front import front
from hbspec.search.judging import Judge, NotRecommendedError
from hbspec.search.request import AXES, Request

SPEC = {
    "hbspec": 1,
    "name": "grid",
    "model": {"id": "Qwen/Qwen2.5-0.5B"},
    "data": {
        "train": {"examples": 2000},
        "validation": {"examples": 100},
        "tokens": {"mean": 300, "max": 900},
    },
    "instance": {"type": "ml.g5.12xlarge", "region": "us-east-1", "parallelism": "ddp", "max_runtime": "20h"},
    "hyperparameters": {
        "learning_rate": 1e-4,
        "method": "lora",
        "max_steps": 60,
        "per_device_batch_size": 2,
        "gradient_accumulation_steps": 2,
        "max_length": 1024,
        "save_steps": 20,
        "eval_steps": 30,
    },
}

GRIDS = {
    "placement and recomputation": ("instance.parallelism", "hyperparameters.gradient_checkpointing"),
    "batches and spot": (
        *("hyperparameters.per_device_batch_size", "hyperparameters.gradient_accumulation_steps"),
        *("instance.spot", "instance.count"),
    ),
    "types and kernels": ("instance.type",),
}
"""The axes that are free."""


def request(*free, **others):
    return Request(keep=frozenset(AXES) - {*free}, most_instances=2, **others)


@pytest.mark.parametrize("free", GRIDS.values(), ids=GRIDS)
def test_the_front_is_that_of_every_plan(free):
    space = space_of(SPEC, request(*free))
    found = front(space)
    assert front_found(found) == front_by_hand(space)
    assert found.searched["plans"] == space.plans() == len(list(choices(space)))
    assert sum(found.rejected.values()) + len(found.plans) == found.searched["plans"]


@pytest.mark.long
def test_what_may_not_fit_is_best_where_that_is_allowed():
    """The high end of its tensors leaves nothing free, so that bounds must not exclude it."""
    spec = {
        **SPEC,
        "model": {"id": "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"},
        "instance": {**SPEC["instance"], "type": "ml.g6.48xlarge", "parallelism": "fsdp"},
        "hyperparameters": {**SPEC["hyperparameters"], "method": "qlora", "per_device_batch_size": 4},
    }
    space = space_of(spec, request("hyperparameters.attn_implementation", allow=frozenset({"tight"})))
    found = front(space)
    assert front_found(found) == front_by_hand(space)
    assert found.plans[0].burdens.headroom < 0


def test_of_a_job_that_fits_nowhere_no_plan_is_best():
    spec = {**SPEC, "model": {"id": "Qwen/Qwen2.5-72B"}}
    found = front(space_of(spec, request("hyperparameters.attn_implementation")))
    assert found.plans == ()
    assert set(found.rejected) == {"memory"}


@pytest.mark.parametrize("objective", ["cost", "time", "headroom"])
def test_an_objective_orders_the_same_plans(objective):
    free = ("instance.count", "hyperparameters.per_device_batch_size", "hyperparameters.gradient_accumulation_steps")
    plans = front_found(front(space_of(SPEC, request(*free, objective=objective))))
    first = {"cost": 0, "time": 1, "headroom": 2}[objective]
    assert plans == sorted(plans, key=lambda plan: plan[0][first])
    assert not any(no_better(one, other) for one, _ in plans for other, _ in plans if one != other)


def test_no_plan_that_was_pruned_is_better():
    """Drawn from a space that is too wide for all of them; each is estimated and judged by itself."""
    space = space_of(SPEC, request("instance.type", "instance.spot", *GRIDS["batches and spot"][:2]))
    best, judge = [steps for steps, _ in front_found(front(space))], Judge(space)
    acceptable = 0
    for choice in random.Random(5).sample(list(choices(space)), 30):
        try:
            plan = judge.recommended(choice)
        except NotRecommendedError:
            continue
        acceptable += 1
        assert any(no_better(plan.burdens.steps("expected"), steps) for steps in best), choice
    assert acceptable > 5


@pytest.fixture(scope="module")
def sampled():
    """A wide space, and some plans of it that can be estimated."""
    script = {"script": {"entry_point": "train.py", "source_dir": "."}}
    space = space_of({**SPEC, **script}, Request(regions=("us-east-1", "ca-central-1"), most_instances=4))
    priced = [choice for choice in choices(space) if "g5" in choice.group.machine.type]
    return space, random.Random(7).sample(priced, 30)


@pytest.mark.parametrize("confidence", ["expected", "certain"])
def test_a_plan_takes_no_less_than_its_bounds(sampled, confidence):
    space, plans = sampled
    space.request = space.request._replace(confidence=confidence)
    floors, end = Floors(space), {"expected": "expected", "certain": "high"}[confidence]
    for choice in plans:
        taken = burdens(space.planned(choice))
        least = floors.least(choice.group, (choice.batch,), (choice.place,))
        assert least.seconds <= getattr(taken.time.total_seconds, end)
        assert least.amount <= float(getattr(taken.cost, end))
        assert floors.headroom(choice.group, choice.batch) == pytest.approx(taken.headroom, abs=1e-12)
        assert taken.headroom <= floors.most_headroom(choice.group) <= floors.most_headroom_anywhere(choice.group)


def test_bounds_hold_whichever_way_is_asked_first():
    """Of data that are streamed, each process reads all; and one rank alone shards nothing."""
    data = {**SPEC["data"], "train": {"examples": 20_000_000}, "input_mode": "FastFile"}
    streamed = {**SPEC, "data": data, "script": {"entry_point": "train.py"}}
    streamed["hyperparameters"] = {**SPEC["hyperparameters"], "gradient_accumulation_steps": 1}
    free = ("instance.type", "instance.parallelism", "instance.offload")
    space = space_of(streamed, request(*free, *GRIDS["batches and spot"][:2], confidence="certain"))
    plans = [choice for choice in choices(space) if choice.group.machine.type in ("ml.g5.2xlarge", "ml.g5.12xlarge")]
    for order in (plans[:60], plans[::-1][:60]):
        floors = Floors(space)
        least = [floors.least(choice.group, (choice.batch,), (choice.place,)) for choice in order]
        for choice, bound in list(zip(order, least, strict=True))[::6]:
            taken = burdens(space.planned(choice))
            assert bound.seconds <= taken.time.total_seconds.high, choice
            assert bound.amount <= float(taken.cost.high), choice


def test_bounds_are_not_far_off_where_nothing_is_sent():
    """A bound that were 0 would hold as well."""
    space = space_of({**SPEC, "instance": {**SPEC["instance"], "type": "ml.g5.xlarge"}}, request("instance.spot"))
    choice = next(choices(space))
    taken = burdens(space.planned(choice)).time.total_seconds.expected
    assert 0.9 * taken < Floors(space).least(choice.group, (choice.batch,), (choice.place,)).seconds / SLACK <= taken


def test_more_rows_leave_no_more_free(sampled):
    space, plans = sampled
    floors = Floors(space)
    for choice in plans[:15]:
        free = [floors.headroom(choice.group, Batch(rows, 2)) for rows in (1, 2, 4, 8)]
        assert free == sorted(free, reverse=True)


def test_gradients_that_are_accumulated_leave_no_more_free(sampled):
    space, plans = sampled
    floors = Floors(space)
    for choice in plans[15:]:
        rows = choice.batch.rows
        assert floors.headroom(choice.group, Batch(rows, 2)) <= floors.headroom(choice.group, Batch(rows, 1))


def test_a_plan_elsewhere_takes_what_it_takes_when_it_is_planned_there(sampled):
    space, plans = sampled
    for choice in plans[:6]:
        group, batch, _ = choice
        found = Elsewhere(space, group, batch, Floors(space).headroom(group, batch))
        for place in group.machine.places:
            assert found.burdens(place) == burdens(space.planned(Choice(group, batch, place)))


@pytest.mark.parametrize(
    "way", [Placement("fsdp", "full", "none"), Placement("fsdp", "hybrid", "all"), Placement("zero2", None, "none")]
)
def test_more_ranks_leave_no_less_free(sampled, way):
    space, _ = sampled
    floors = Floors(space)
    machines = [one for one in space.machines() if one.type == "ml.g5.12xlarge"]
    groups = [Arrangement(0, machine, way, True, "sdpa", (Batch(1, 2),)) for machine in machines]
    free = [floors.headroom(group, Batch(1, 2)) for group in groups]
    assert free == sorted(free)
