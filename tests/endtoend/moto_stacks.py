"""The alarm of a stack, which moto's CloudFormation lacks: the same alarm that PutMetricAlarm makes."""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.models import (
    Alarm,
    Dimension,
    Metric,
    MetricDataQuery,
    MetricStat,
    cloudwatch_backends,
)
from moto.core.common_models import CloudFormationModel
from moto.core.utils import camelcase_to_underscores

DIFFERING = {"alarm_description": "description", "metrics": "metric_data_queries"}
"""Members that moto calls otherwise."""
LACKING = {"alarm_actions": [], "dimensions": [], **dict.fromkeys(("namespace", "metric_name", "period", "statistic"))}
"""What moto wants to be given of an alarm that lacks it."""


def _queries(metrics: list[dict[str, Any]]) -> list[MetricDataQuery]:
    """The member `Metrics` as moto's own front reads it."""
    found = []
    for one in metrics:
        stat = None
        if "MetricStat" in one:
            series = one["MetricStat"]["Metric"]
            dimensions = [Dimension(name=part["Name"], value=part["Value"]) for part in series["Dimensions"]]
            metric = Metric(series["MetricName"], series["Namespace"], dimensions)
            stat = MetricStat(metric, one["MetricStat"]["Period"], one["MetricStat"]["Stat"], unit=None)
        query = MetricDataQuery(one["Id"], one.get("Label"), None, one["ReturnData"], one.get("Expression"), stat)
        found.append(query)
    return found


class AlarmOfStack(CloudFormationModel):
    """moto finds it among the subclasses, and files its models under the service that their module names."""

    __module__ = "moto.cloudwatch.models"

    def __init__(self, alarm: Alarm) -> None:
        self.alarm = alarm

    @property
    def physical_resource_id(self) -> str:
        return str(self.alarm.name)

    @staticmethod
    def cloudformation_name_type() -> str:
        return "AlarmName"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Arn"

    def get_cfn_attribute(self, attribute_name: str) -> str:
        assert attribute_name == "Arn"
        return str(self.alarm.alarm_arn)

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> AlarmOfStack:
        members = {camelcase_to_underscores(key): value for key, value in cloudformation_json["Properties"].items()}
        named = {DIFFERING.get(key, key): value for key, value in members.items()}
        if "metric_data_queries" in named:
            named["metric_data_queries"] = _queries(named["metric_data_queries"])
        backend = cloudwatch_backends[account_id][region_name]
        return cls(backend.put_metric_alarm(name=resource_name, **{**LACKING, **named}))

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        cloudwatch_backends[account_id][region_name].delete_alarms([resource_name])
