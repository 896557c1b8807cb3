"""An update that is rolled back by itself: the bodies of PutMetricAlarm and UpdateEndpoint.

SageMaker starts a second fleet, moves the traffic to it, watches the alarm for a while, and moves the traffic back if
the alarm goes off. The whole fleet is exchanged at once: a canary or a rolling step takes at most half of a fleet, so a
single instance has none, and rolling updates exclude endpoints with two variants. During an update both fleets are
billed, and both count towards the quota. The execution role needs `cloudwatch:DescribeAlarms` on the alarm.

The documentation wants the old configuration's variant name in the new one; that of a test has it beside a second one.
Not tried on AWS: whether the service takes the policy for such an update, for an endpoint with an inference component,
or for one that becomes asynchronous. A refusal changes nothing.
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
"""

from __future__ import annotations

from typing import Any

from hbspec.targets.aws.endpoint import BASELINE, Endpoint
from hbspec.targets.aws.operations import Bodies
from hbspec.targets.aws.ownership import tags_of

ERRORS, ALARM_PERIOD, ALARM_PERIODS = 0.05, 60, 2
"""Share of requests that fail, in each of two minutes, above which an update is rolled back. Assumed."""
BAKING = 600
"""Seconds for which the new fleet is watched before the old one is deleted. Assumed."""
SHORTEST_UPDATE, LONGEST_UPDATE = 600, 28800
"""Seconds; the bounds of MaximumExecutionTimeoutInSeconds."""


def alarm_name(endpoint: Endpoint) -> str:
    """The name of the alarm on failed requests to the new variant."""
    return f"{endpoint.deployment}-{endpoint.variant}-errors"


def requests(endpoint: Endpoint) -> Bodies:
    """The bodies of the requests that replace an endpoint's configuration."""
    return {"put_metric_alarm": _alarm(endpoint), "update_endpoint": _update(endpoint), **_weights(endpoint)}


def _alarm(endpoint: Endpoint) -> dict[str, Any]:
    """On any failed request, or on the model's own errors, of which alone an asynchronous endpoint has a metric.

    https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
    """
    body = failed_requests(endpoint, "Invocation5XXErrors" if endpoint.asynchronous else "InvocationModelErrors")
    return body | {"AlarmName": alarm_name(endpoint)}


def failed_requests(endpoint: Endpoint, metric: str) -> dict[str, Any]:
    """The body of an alarm on a metric that is 1 for a request that failed and else 0: its average is a share."""
    return {
        "AlarmName": f"{endpoint.deployment}-{endpoint.variant}-{metric}",
        "AlarmDescription": f"Requests to {endpoint.live} fail; an update in progress is rolled back.",
        "Namespace": "AWS/SageMaker",
        "MetricName": metric,
        "Dimensions": endpoint.measured,
        "Statistic": "Average",
        "Period": ALARM_PERIOD,
        "EvaluationPeriods": ALARM_PERIODS,
        "Threshold": ERRORS,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **tags_of(endpoint.tags),
    }


def _update(endpoint: Endpoint) -> dict[str, Any]:
    """What scales keeps the instances that it has; else the configuration says how many there are.

    Whether the baseline of a test scales is not known, so it keeps its own; the weights are the test's.
    """
    seconds = 2 * endpoint.startup_timeout + BAKING
    excluded = [{"VariantPropertyType": "DesiredWeight"}]
    return {
        "EndpointName": endpoint.live,
        "EndpointConfigName": endpoint.deployment,
        "RetainAllVariantProperties": endpoint.scaling is not None or endpoint.joins is not None,
        **({"ExcludeRetainedVariantProperties": excluded} if endpoint.joins else {}),
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": BAKING},
                "MaximumExecutionTimeoutInSeconds": min(LONGEST_UPDATE, max(SHORTEST_UPDATE, seconds)),
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm_name(endpoint)}]},
        },
    }


def _weights(endpoint: Endpoint) -> Bodies:
    """The shares of a test that is running already: no instance is started for them. A shadow takes no traffic."""
    test = endpoint.joins
    if test is None or test.shadow:
        return {}
    weights = zip((BASELINE, endpoint.variant), test.weights, strict=True)
    desired = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights]
    body = {"EndpointName": endpoint.live, "DesiredWeightsAndCapacities": desired}
    return {"update_endpoint_weights_and_capacities": body}
