"""HB602: SageMaker's limits on values and on their number."""

from __future__ import annotations

import pytest
from judged import edge, judged

SCRIPT = "script: {entry_point: base.yaml, hyperparameters: {note: x}}"


@pytest.mark.parametrize(
    ("fragment", "key", "limit"),
    [
        (SCRIPT, "script.hyperparameters.note", 2500),
        (SCRIPT.replace("base.yaml", "base.yaml, reads: environment"), "script.hyperparameters.note", 512),
        ("sagemaker: {environment: {NOTE: x}}", "sagemaker.environment.NOTE", 512),
        ("sagemaker: {tags: {k: v}}", "sagemaker.tags.k", 256),
    ],
)
def test_the_edges_of_a_value(fragment, key, limit, tmp_path):
    edge("HB602", fragment, key, "x" * limit, "x" * (limit + 1), tmp_path)


def test_the_edge_of_a_name(tmp_path):
    edge("HB602", "", "sagemaker.tags", {"k" * 128: "v"}, {"k" * 129: "v"}, tmp_path)


def test_the_edge_of_the_number_of_tags(tmp_path):
    """A job and a deployment mark what they make with one of their own."""
    tags = [(f"t{index}", "v") for index in range(50)]
    for base in ("deployment: null", ""):
        edge("HB602", base, "sagemaker.tags", dict(tags[:49]), dict(tags), tmp_path)


def test_the_edge_of_an_image(tmp_path):
    registry = "111122223333.dkr.ecr.us-east-1.amazonaws.com/"
    within, beyond = (registry + "x" * (size - len(registry)) for size in (255, 256))
    edge("HB602", "", "sagemaker.image", within, beyond, tmp_path)


def test_variables_are_counted_with_the_hyperparameters_that_are_read_there(tmp_path):
    script = "script: {entry_point: base.yaml, reads: environment, hyperparameters: {note: x}}"
    variables = [(f"V{index}", "v") for index in range(101)]
    edge("HB602", "", "sagemaker.environment", dict(variables[:100]), dict(variables), tmp_path)
    assert len(judged("HB602", f"{script}\nsagemaker: {{environment: {dict(variables[:99])}}}", tmp_path)) == 1
    assert judged("HB602", f"{script}\nsagemaker: {{environment: {dict(variables[:70])}}}", tmp_path) == []


def test_the_edge_of_the_number_of_metrics(tmp_path):
    metrics = [{"name": f"m{index}", "regex": " loss=([0-9.]+)"} for index in range(41)]
    own = "script: {entry_point: base.yaml}"
    edge("HB602", own, "monitoring.metrics", metrics[:40], metrics, tmp_path)
    edge("HB602", "", "monitoring.metrics", metrics[:32], metrics[:33], tmp_path)  # the script sends eight
    metrics[0]["name"] = "train:loss"
    edge("HB602", "", "monitoring.metrics", metrics[:33], metrics[:34], tmp_path)


def test_the_edges_of_a_network(tmp_path):
    vpc = "sagemaker: {vpc: {subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d]}}"
    for key, prefix, most in (("subnets", "subnet", 16), ("security_groups", "sg", 5)):
        ids = [f"{prefix}-0a1b2c{index:02d}" for index in range(most + 1)]
        edge("HB602", vpc, f"sagemaker.vpc.{key}", ids[:most], ids, tmp_path)


@pytest.mark.parametrize(
    ("fragment", "route", "numbers"),
    [
        (
            f"script: {{entry_point: base.yaml, hyperparameters: {{note: {'x' * 2501}}}}}",
            ("script", "hyperparameters", "note"),
            ("2,501", "2,500"),
        ),
        (
            f"script: {{entry_point: base.yaml, reads: environment, hyperparameters: {{note: {'x' * 513}}}}}",
            ("script", "hyperparameters", "note"),
            ("513", "512"),
        ),
        (
            f"sagemaker: {{environment: {{NOTE: {'x' * 513}}}}}",
            ("sagemaker", "environment", "NOTE"),
            ("513", "512"),
        ),
        (f"sagemaker: {{tags: {{{'k' * 129}: v}}}}", ("sagemaker", "tags", "k" * 129), ("129", "128")),
    ],
)
def test_one_value_is_said_with_its_limit(tmp_path, fragment, route, numbers):
    (found,) = judged("HB602", fragment, tmp_path)
    assert found.route == route
    assert all(number in found.message for number in numbers)


def test_hyperparameters_are_counted_with_ours(tmp_path):
    names = ", ".join(f"h{index}: 1" for index in range(95))
    (found,) = judged("HB602", f"script: {{entry_point: base.yaml, hyperparameters: {{{names}}}}}", tmp_path)
    assert found.route == ("script", "hyperparameters")
