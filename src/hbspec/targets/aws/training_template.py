"""A CloudFormation template of what watches a training job, made of the bodies that its submission sends.

CloudFormation chooses the names, so that the stack stands beside what a submission has made.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-dashboard.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.targets.aws.template import alarm_of_stack, notified, parameter, resource, topic_parameter
from hbspec.targets.aws.training_alarms import alarms
from hbspec.targets.aws.training_dashboard import dashboard_text
from hbspec.targets.aws.training_watch import OF_JOB, TrainingWatch

OF_ATTEMPT = "TrainingJobName"
"""The parameter that names the attempt."""
ALARM = "put_metric_alarm_"


def training_template(watch: TrainingWatch) -> dict[str, Any]:
    """The template of a job's alarms and dashboard."""
    made = {_title(name): _referring(body, watch.job) for name, body in alarms(watch).items()}
    told = {"AlarmTopicArn": topic_parameter(watch.topic or "")} if made else {}
    named = parameter(watch.job, "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", "The attempt at the training job")
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{watch.job}: what watches a training job of Amazon SageMaker, until the stack is deleted.",
        "Parameters": {OF_ATTEMPT: named, **told},
        **({"Conditions": notified()} if made else {}),
        "Resources": {
            **{title: alarm_of_stack(body) for title, body in made.items()},
            "Dashboard": resource("CloudWatch::Dashboard", {"DashboardBody": {"Fn::Sub": _text(watch, made)}}),
        },
        "Outputs": {"Dashboard": {"Description": "The name of the dashboard", "Value": {"Ref": "Dashboard"}}},
    }


def _title(name: str) -> str:
    """The name of an alarm's resource.

    >>> _title("put_metric_alarm_slow_steps")
    'SlowStepsAlarm'
    """
    return "".join(word.capitalize() for word in name.removeprefix(ALARM).split("_")) + "Alarm"


def _text(watch: TrainingWatch, titles: Mapping[str, Any]) -> str:
    """The dashboard's text for `Fn::Sub`, which the attempt, the region and the alarms are put into."""
    metrics = tuple(name.replace("${", "${!") for name in watch.metrics)
    of_stack = watch._replace(job=f"${{{OF_ATTEMPT}}}", region="${AWS::Region}", metrics=metrics)
    return dashboard_text(of_stack, [f"${{{title}.Arn}}" for title in titles])


def _referring(value: Any, job: str) -> Any:
    """A part of a body in which dimensions have the name of the stack's attempt."""
    if value == {"Name": OF_JOB, "Value": job}:
        return {"Name": OF_JOB, "Value": {"Ref": OF_ATTEMPT}}
    if isinstance(value, dict):
        return {key: _referring(inner, job) for key, inner in value.items()}
    return [_referring(inner, job) for inner in value] if isinstance(value, list) else value
