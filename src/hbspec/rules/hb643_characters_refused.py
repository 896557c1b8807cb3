"""A name or a value contains characters that SageMaker refuses.

Why: SageMaker rejects the whole request for one such character: a variable's name is letters, digits and underscores
and does not begin with a digit; tags are letters, digits, spaces and `_.:/=+-@`; a key of KMS is an id, an alias or an
ARN; a hyperparameter and a metric have no line breaks. Tags that begin with `aws:` are AWS's own, and those that begin
with `hbspec:` are hbspec's: by them a bill shows all attempts at a job, and a deployment knows what it has made.

Example:

    sagemaker: {environment: {WANDB-PROJECT: bot}}

Instead:

    sagemaker: {environment: {WANDB_PROJECT: bot}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html
    https://github.com/awsdocs/amazon-ecs-developer-guide/issues/72
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog import limits
from hbspec.catalog.tags import OWNERS
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule
from hbspec.showing.secrets import redact
from hbspec.spec import Spec
from hbspec.spec.account import SageMaker

RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB602", same_route),))
VARIABLE = "letters, digits and underscores, and no digit at the beginning"
TAG = "letters, digits, spaces and _.:/=+-@"
TOPIC = "arn:aws:sns:REGION:ACCOUNT:NAME"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for variables, tags, the KMS key, hyperparameters and metrics."""
    spec = analysis.spec
    if spec.sagemaker is not None:
        yield from _variables(spec.sagemaker)
        yield from _tags(spec.sagemaker)
        key = spec.sagemaker.kms_key
        if key is not None and not re.fullmatch(limits.KMS_KEY_PATTERN, key):
            yield _refused(("sagemaker", "kms_key"), f"sagemaker.kms_key {key!r}", "letters, digits and :/_-")
    if spec.script is not None and spec.script.reads == "environment":
        for name in spec.script.hyperparameters:
            if not re.fullmatch(limits.ENVIRONMENT_NAME_PATTERN, name):
                yield _refused(("script", "hyperparameters", name), f"the variable {name!r}", VARIABLE)
    for route, topic in _topics(spec):
        if topic is not None and not re.fullmatch(limits.SNS_TOPIC_PATTERN, topic):
            said = f"{route[-1]} {topic!r} is not the ARN of a topic of SNS"
            yield RULE.at(route, said, f"write it as {TOPIC}")
    yield from _broken_lines(analysis)


def _topics(spec: Spec) -> Iterator[tuple[Route, str | None]]:
    queue = spec.deployment.async_inference if spec.deployment is not None else None
    for name in ("success_topic", "error_topic") if queue is not None else ():
        yield ("deployment", "async_inference", name), getattr(queue, name)
    if spec.monitoring is not None:
        yield ("monitoring", "alarm_topic"), spec.monitoring.alarm_topic


def _variables(account: SageMaker) -> Iterator[Finding]:
    for section in ("environment", "secrets"):
        for name in getattr(account, section):
            if not re.fullmatch(limits.ENVIRONMENT_NAME_PATTERN, name):
                yield _refused(("sagemaker", section, name), f"the variable {redact(name)!r}", VARIABLE)


def _tags(account: SageMaker) -> Iterator[Finding]:
    for name, value in account.tags.items():
        route: Route = ("sagemaker", "tags", name)
        owner = next((owner for prefix, owner in OWNERS.items() if name.lower().startswith(prefix)), None)
        if owner is not None:
            said = f"the tag {name!r} begins with {name.partition(':')[0]}:, which is reserved for {owner}"
            yield RULE.at(route, said, "rename the tag")
        elif not name or not re.fullmatch(limits.TAG_PATTERN, name):
            yield _refused(route, f"the tag {name!r}", TAG)
        elif not re.fullmatch(limits.TAG_PATTERN, value):
            yield _refused(route, f"the value {value!r} of the tag {name!r}", TAG)


def _broken_lines(analysis: Analysis) -> Iterator[Finding]:
    """Findings for texts of a line each that have several."""
    script, monitoring = analysis.spec.script, analysis.spec.monitoring
    texts: dict[Route, str] = {}
    for name, value in script.hyperparameters.items() if script is not None else ():
        texts["script", "hyperparameters", name] = f"{name}{value}"
    for index, metric in enumerate(monitoring.metrics if monitoring is not None else ()):
        texts["monitoring", "metrics", index, "name"] = metric.name
        texts["monitoring", "metrics", index, "regex"] = metric.regex
    for route, text in texts.items():
        if not re.fullmatch(limits.ONE_LINE_PATTERN, text):
            said = f"{route[-1]} contains a line break, which SageMaker refuses"
            yield RULE.at(route, said, r"write it on one line; in a regular expression, write \n for a line break")


def _refused(route: Route, what: str, allowed: str) -> Finding:
    return RULE.at(route, f"{what} is refused by SageMaker, which allows {allowed}", "rename it")
