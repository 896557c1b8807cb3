"""Rules of CreateTrainingJob on names within a request: tags, metrics, and what the debugger runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hbspec.catalog.limits import PROFILING_INTERVALS
from hbspec.catalog.tags import OF_AWS
from hbspec.diagnostics import Route

Said = Iterator[tuple[Route, str]]


def tag_repeated(body: Mapping[str, Any]) -> Said:
    """A key stands once among a job's tags.

    Source: botocore's model, Tag$Key: "Tag keys must be unique per resource."
    """
    yield from _repeated(("Tags",), body.get("Tags", ()), "Key", "tags have the key")


def tag_of_aws(body: Mapping[str, Any]) -> Said:
    """Keys that begin with `aws:` are AWS's own.

    Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    """
    for index, tag in enumerate(body.get("Tags", ())):
        if str(tag.get("Key", "")).lower().startswith(OF_AWS):
            yield ("Tags", index, "Key"), f"the tag {tag['Key']!r} begins with {OF_AWS}, reserved for AWS"


def metric_named_twice(body: Mapping[str, Any]) -> Said:
    """CloudWatch keeps one series for a metric's name.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetricDefinition.html, Name; inferred.
    """
    definitions = body.get("AlgorithmSpecification", {}).get("MetricDefinitions", ())
    route: Route = ("AlgorithmSpecification", "MetricDefinitions")
    yield from _repeated(route, definitions, "Name", "metrics are named")


def debugger_name_repeated(body: Mapping[str, Any]) -> Said:
    """Rules of the debugger and of the profiler have names of their own.

    Source: botocore's model, DebugRuleConfiguration$RuleConfigurationName and its like: "It must be unique relative to
    other rule configuration names"; CollectionConfiguration$CollectionName: "must be unique".
    """
    for member in ("DebugRuleConfigurations", "ProfilerRuleConfigurations"):
        yield from _repeated((member,), body.get(member, ()), "RuleConfigurationName", "rules are named")
    collections = body.get("DebugHookConfig", {}).get("CollectionConfigurations", ())
    route: Route = ("DebugHookConfig", "CollectionConfigurations")
    yield from _repeated(route, collections, "CollectionName", "collections are named")


def profiling_interval(body: Mapping[str, Any]) -> Said:
    """The profiler samples at one of six intervals.

    Source: botocore's model, ProfilerConfig$ProfilingIntervalInMilliseconds: "Available values are 100, 200, 500, 1000
    (1 second), 5000 (5 seconds), and 60000 (1 minute)".
    """
    given = body.get("ProfilerConfig", {}).get("ProfilingIntervalInMilliseconds")
    if given is not None and given not in PROFILING_INTERVALS:
        shown = ", ".join(map(str, PROFILING_INTERVALS))
        yield ("ProfilerConfig", "ProfilingIntervalInMilliseconds"), f"the interval is {given}, not one of {shown}"


def evaluation_without_type(body: Mapping[str, Any]) -> Said:
    """A serverless evaluation says what it evaluates by.

    Source: botocore's model, ServerlessJobConfig$EvaluationType: "Required when serverless job type is Evaluation."
    """
    job = body.get("ServerlessJobConfig", {})
    if job.get("JobType") == "Evaluation" and "EvaluationType" not in job:
        yield ("ServerlessJobConfig", "EvaluationType"), "EvaluationType is missing, but JobType is Evaluation"


def _repeated(route: Route, entries: Sequence[Mapping[str, Any]], member: str, said: str) -> Said:
    for name, count in Counter(entry.get(member) for entry in entries).items():
        if count > 1:
            yield route, f"{count} {said} {name!r}"


BODY_RULES = (
    tag_repeated,
    tag_of_aws,
    metric_named_twice,
    debugger_name_repeated,
    profiling_interval,
    evaluation_without_type,
)
