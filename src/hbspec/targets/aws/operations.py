"""The requests of a deployment and of a job's watch: the name of each, which is its file's, and its operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Bodies = Mapping[str, dict[str, Any]]
"""Request bodies by the name of the request, in the order of sending."""

OPERATIONS = {
    "create_model": "CreateModel",
    "create_endpoint_config": "CreateEndpointConfig",
    "create_endpoint": "CreateEndpoint",
    "create_inference_component": "CreateInferenceComponent",
    "update_inference_component": "UpdateInferenceComponent",
    "put_metric_alarm": "PutMetricAlarm",
    "update_endpoint": "UpdateEndpoint",
    "update_endpoint_weights_and_capacities": "UpdateEndpointWeightsAndCapacities",
    "register_scalable_target": "RegisterScalableTarget",
    "put_scaling_policy": "PutScalingPolicy",
    "put_scaling_policy_from_zero": "PutScalingPolicy",
    "put_metric_alarm_from_zero": "PutMetricAlarm",
    "put_metric_alarm_server_errors": "PutMetricAlarm",
    "put_metric_alarm_late": "PutMetricAlarm",
    "put_metric_alarm_loss": "PutMetricAlarm",
    "put_metric_alarm_gpu_memory": "PutMetricAlarm",
    "put_metric_alarm_slow_steps": "PutMetricAlarm",
    "put_metric_alarm_fast_steps": "PutMetricAlarm",
    "put_metric_alarm_gradient_norm": "PutMetricAlarm",
    "put_dashboard": "PutDashboard",
}
"""Operations by the name of the request."""
