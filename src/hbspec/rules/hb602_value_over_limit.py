"""A value, or the number of values, exceeds SageMaker's limit for a training job.

Why: SageMaker rejects the whole job if one hyperparameter, environment variable or tag is too long.

Example:

    sagemaker:
      tags:
        project: "a tag of more than two hundred and fifty-six characters, as people write them who take a tag for a
          place to describe what an experiment is about, why it was begun, by whom it was approved, which paper it
          follows, and how anyone is going to know that it is done"

Instead:

    sagemaker: {tags: {project: heartbeat}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
    https://github.com/aws/sagemaker-python-sdk/pull/6016
    https://github.com/aws-samples/amazon-sagemaker-pytorch-detectron2/issues/10
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hbspec.analysis import Analysis
from hbspec.catalog import limits
from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.plan.shipped_script import METRICS
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)

Sizes = Iterator[tuple[Route, str, int, int]]
"""For each limit: the route, the unit, the size and the limit."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for hyperparameters, variables, tags, metrics and network ids above a limit of the job's request."""
    of_each = (_hyperparameters, _environment, _tags, _metrics, _images, _network)
    for route, unit, size, limit in (entry for sizes in of_each for entry in sizes(analysis)):
        if size > limit:
            yield RULE.at(
                route,
                f"{route_text(route)[:80]} has {size:,} {unit}; SageMaker's limit is {limit:,}",
                "shorten it" if unit == "characters" else "reduce their number, or move them to a file",
            )


def _hyperparameters(analysis: Analysis) -> Sizes:
    ours = analysis.document.values.get("hyperparameters", {})
    script = analysis.spec.script
    theirs = script.hyperparameters if script else {}
    route: Route = ("script", "hyperparameters") if theirs else ("hyperparameters",)
    yield route, "hyperparameters", len(ours) + len(theirs), limits.MAX_HYPERPARAMETERS
    for section, values in ((("hyperparameters",), ours), (("script", "hyperparameters"), theirs)):
        for name, value in values.items():
            size = len(_text(value))
            yield (*section, name), "characters", size, limits.MAX_HYPERPARAMETER_VALUE_LENGTH
            yield (*section, name), "characters in its name", len(name), limits.MAX_HYPERPARAMETER_NAME_LENGTH
            if script and script.reads == "environment" and size <= limits.MAX_HYPERPARAMETER_VALUE_LENGTH:
                unit = "characters, and is read from the environment"
                yield (*section, name), unit, size, limits.MAX_ENVIRONMENT_VALUE_LENGTH


def _environment(analysis: Analysis) -> Sizes:
    given = analysis.spec.sagemaker.environment if analysis.spec.sagemaker else {}
    route = ("sagemaker", "environment")
    script = analysis.spec.script
    read = set(script.hyperparameters) if script and script.reads == "environment" else set()
    read |= set(analysis.document.values.get("hyperparameters", {})) if read else set()
    unit = "variables, with the hyperparameters" if read else "variables"
    yield route, unit, len(given) + len(read), limits.MAX_ENVIRONMENT
    for name, value in given.items():
        yield (*route, name), "characters", len(value), limits.MAX_ENVIRONMENT_VALUE_LENGTH
        yield (*route, name), "characters in its name", len(name), limits.MAX_ENVIRONMENT_NAME_LENGTH


def _tags(analysis: Analysis) -> Sizes:
    given = analysis.spec.sagemaker.tags if analysis.spec.sagemaker else {}
    route = ("sagemaker", "tags")
    unit = "tags, with the one that hbspec adds" if given else "tags"
    yield route, unit, len(given) + 1, limits.MAX_TAGS
    for name, value in given.items():
        yield (*route, name), "characters", len(value), limits.MAX_TAG_VALUE_LENGTH
        yield (*route, name), "characters in its name", len(name), limits.MAX_TAG_KEY_LENGTH


def _metrics(analysis: Analysis) -> Sizes:
    """The author's metrics; those of the shipped script are sent beside them."""
    metrics = analysis.spec.monitoring.metrics if analysis.spec.monitoring else ()
    shipped = set(METRICS if analysis.spec.shipped else ()) - {metric.name for metric in metrics}
    unit = f"metrics, with the {len(shipped)} of the script" if shipped else "metrics"
    if metrics:
        yield ("monitoring", "metrics"), unit, len(metrics) + len(shipped), limits.MAX_METRIC_DEFINITIONS
    for index, metric in enumerate(metrics):
        yield (
            ("monitoring", "metrics", index, "name"),
            "characters",
            len(metric.name),
            limits.MAX_METRIC_NAME_LENGTH,
        )


def _images(analysis: Analysis) -> Sizes:
    for name in ("image", "serving_image") if analysis.spec.sagemaker else ():
        image = getattr(analysis.spec.sagemaker, name)
        if image is not None:
            yield ("sagemaker", name), "characters", len(image), limits.MAX_IMAGE_LENGTH


def _network(analysis: Analysis) -> Sizes:
    vpc = analysis.spec.sagemaker.vpc if analysis.spec.sagemaker else None
    if vpc is not None:
        yield ("sagemaker", "vpc", "subnets"), "subnets", len(vpc.subnets), limits.MAX_SUBNETS
        named, most = vpc.security_groups, limits.MAX_SECURITY_GROUPS
        yield ("sagemaker", "vpc", "security_groups"), "security groups", len(named), most


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
