"""Findings for requests that the service would reject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.engines import refusals
from hbspec.diagnostics import Finding, Route, route_text
from hbspec.targets.aws.operations import OPERATIONS, Bodies
from hbspec.targets.aws.requests import validate
from hbspec.targets.lowering.needs import LoweringError, refusal

OUTPUT = ("AsyncInferenceConfig", "OutputConfig")
ORIGINS: Mapping[tuple[str, ...], Route] = {
    ("TrainingJobName",): ("name",),
    ("ProcessingJobName",): ("name",),
    ("AppSpecification",): ("sagemaker", "image"),
    ("ProcessingInputs",): ("evaluation",),
    ("ProcessingOutputConfig",): ("sagemaker", "output"),
    ("ProcessingResources",): ("deployment", "instance"),
    ("NetworkConfig",): ("sagemaker", "vpc"),
    ("ModelName",): ("name",),
    ("EndpointName",): ("name",),
    ("EndpointConfigName",): ("name",),
    ("RoleArn",): ("sagemaker", "role"),
    ("ExecutionRoleArn",): ("sagemaker", "role"),
    ("HyperParameters",): ("hyperparameters",),
    ("Environment",): ("sagemaker", "environment"),
    ("AlgorithmSpecification", "TrainingImage"): ("sagemaker", "image"),
    ("AlgorithmSpecification", "MetricDefinitions"): ("monitoring", "metrics"),
    ("InputDataConfig",): ("data",),
    ("OutputDataConfig",): ("sagemaker", "output"),
    ("CheckpointConfig",): ("sagemaker", "checkpoints"),
    ("ResourceConfig", "InstanceType"): ("instance", "type"),
    ("ResourceConfig", "InstanceCount"): ("instance", "count"),
    ("ResourceConfig", "VolumeSizeInGB"): ("instance", "volume"),
    ("ResourceConfig", "KeepAlivePeriodInSeconds"): ("instance", "keep_alive"),
    ("ResourceConfig",): ("instance",),
    ("EnableManagedSpotTraining",): ("instance", "spot"),
    ("RetryStrategy",): ("instance", "retries"),
    ("StoppingCondition", "MaxWaitTimeInSeconds"): ("instance", "max_wait"),
    ("StoppingCondition",): ("instance", "max_runtime"),
    ("VpcConfig",): ("sagemaker", "vpc"),
    ("Tags",): ("sagemaker", "tags"),
    ("ProductionVariants",): ("deployment", "instance"),
    ("PrimaryContainer",): ("deployment",),
    ("InferenceComponentName",): ("name",),
    ("Specification",): ("deployment",),
    ("RuntimeConfig",): ("deployment", "instance", "count"),
    ("DataCaptureConfig",): ("deployment", "data_capture"),
    ("AsyncInferenceConfig",): ("deployment", "async_inference"),
    (*OUTPUT, "S3OutputPath"): ("deployment", "async_inference", "output"),
    (*OUTPUT, "S3FailurePath"): ("deployment", "async_inference", "failures"),
    (*OUTPUT, "NotificationConfig", "SuccessTopic"): ("deployment", "async_inference", "success_topic"),
    (*OUTPUT, "NotificationConfig", "ErrorTopic"): ("deployment", "async_inference", "error_topic"),
    (*OUTPUT, "KmsKeyId"): ("sagemaker", "kms_key"),
    ("AsyncInferenceConfig", "ClientConfig"): ("deployment", "concurrency"),
    ("KmsKeyId",): ("sagemaker", "kms_key"),
    ("OutputDataConfig", "KmsKeyId"): ("sagemaker", "kms_key"),
    ("ResourceConfig", "VolumeKmsKeyId"): ("sagemaker", "kms_key"),
    ("DataCaptureConfig", "KmsKeyId"): ("sagemaker", "kms_key"),
    ("MinCapacity",): ("deployment", "autoscaling", "min"),
    ("MaxCapacity",): ("deployment", "autoscaling", "max"),
    ("ResourceId",): ("name",),
    ("AlarmName",): ("name",),
    ("Dimensions",): ("name",),
    ("AlarmActions",): ("monitoring", "alarm_topic"),
    ("Metrics",): ("monitoring",),
    ("DashboardName",): ("name",),
    ("DashboardBody",): ("monitoring",),
    ("DesiredWeightsAndCapacities",): ("deployment", "ab_test"),
    ("PolicyName",): ("name",),
}
"""The key of the spec that a part of a request is compiled from; the longest matching prefix counts."""


def refused(operation: str, body: Mapping[str, Any], region: str | None) -> list[Finding]:
    """A finding for every problem of a body, at the key of the spec that the value is compiled from."""
    found = ((_origin(problem.route), problem.message) for problem in validate(operation, body, region))
    return [
        refusal(
            "HB043",
            route,
            f"{operation} would reject {route_text(route) or 'the request'}: {message}",
            f"change {route_text(route) or 'the spec'}",
        )
        for route, message in found
    ]


def accepted(bodies: Bodies, region: str | None) -> Bodies:
    """The bodies, if the service takes all of them.

    Raises:
        LoweringError: the service would reject a body.
    """
    findings = [finding for name, body in bodies.items() for finding in refused(OPERATIONS[name], body, region)]
    if findings:
        raise LoweringError(findings)
    return bodies


SETTINGS = {
    "quantiz": "quantization",
    "max_lora_rank": "max_lora_rank",
    "tensor_parallel": "tensor_parallel",
    "max_model_len": "max_model_len",
    "kv_cache_dtype": "kv_cache_dtype",
    "dtype": "dtype",
    "gpu_memory": "gpu_memory_utilization",
    "num_seqs": "concurrency",
    "rolling_batch_size": "concurrency",
}
"""The key of `deployment` that an engine's variable is compiled from, by a part of the variable's name."""


def refused_by_engine(engine: str, environment: Mapping[str, str], release: str) -> None:
    """Nothing, if the engine takes every variable.

    Args:
        engine: `vllm` or `djl-lmi`.
        environment: the container's variables.
        release: of vLLM.

    Raises:
        LoweringError: the engine would refuse or drop some.
    """
    found = [
        refusal(
            "HB043",
            _setting(name),
            f"{name}: {why}; the container would not start, or would serve something else",
            "change the key, or deployment.engine",
        )
        for name, why in refusals(engine, environment, release)
    ]
    if found:
        raise LoweringError(found)


def _setting(variable: str) -> Route:
    key = next((key for part, key in SETTINGS.items() if part in variable.lower()), None)
    return ("deployment", key) if key else ("deployment",)


def _origin(route: Route) -> Route:
    names = tuple(part for part in route if isinstance(part, str))
    for length in range(len(names), 0, -1):
        if names[:length] in ORIGINS:
            return ORIGINS[names[:length]]
    return ()
