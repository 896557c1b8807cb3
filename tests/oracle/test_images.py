"""A tower for images beside its language model: the closed form against a trace of the step."""

from __future__ import annotations

import pytest

from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.moments import moments
from hbspec.estimators.step.placement import Stage
from hbspec.plan.images import Images
from oracle.agreement import plan_of
from oracle.case import parse
from oracle.images import peaks

LIMIT = 0.01
FORWARD, BACK = ("images", "forward", "loss"), ("loss", "recompute", "backward", "images backward")

KEPT = "gradient_checkpointing=false"


@pytest.mark.parametrize(
    "text",
    [
        "toy-qwen2-vl,tokens=1024,layers=2",
        f"toy-qwen2-vl,tokens=1024,layers=2,{KEPT}",
        "toy-qwen2.5-vl,tokens=1024,layers=2",
        f"toy-qwen3-vl,tokens=1024,layers=3,{KEPT}",
        "toy-llava,tokens=1024,layers=2",
    ],
)
def test_a_step_with_images_is_within_one_percent_of_its_trace(text):
    case, images, side = parse(text), 4, 32
    forward, backward, update = peaks(case, images, side)
    found = _moments(case, images, side)
    assert max(one.total for one in found if one.name in FORWARD) == pytest.approx(forward, rel=LIMIT)
    assert max(one.total for one in found if one.name in BACK) == pytest.approx(backward, rel=LIMIT)
    assert max(one.total for one in found if one.name == "optimizer") == pytest.approx(update, rel=LIMIT)


def _moments(case, images, side):
    job = job_of(plan_of(case))
    shown = Images(images, images, (side * job.architecture.vision.side) ** 2)
    program, training = job.program._replace(on_gpu=False), job.training._replace(images=shown)
    job = job._replace(program=program, workspaces=0, training=training)
    return list(moments(job, Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True), case.tokens))
