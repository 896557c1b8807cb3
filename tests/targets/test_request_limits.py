"""Each limit by name is tied to the place in botocore's service model that says it."""

from __future__ import annotations

import re

import pytest
from botocore.loaders import Loader

from hbspec.catalog import limits
from hbspec.targets.aws.requests.schema import schema

JOB, MODEL, CONFIG = "CreateTrainingJob", "CreateModel", "CreateEndpointConfig"
LIMITS = {
    "MAX_TRAINING_JOB_NAME_LENGTH": [(JOB, "TrainingJobName", "maxLength")],
    "TRAINING_JOB_NAME_PATTERN": [(JOB, "TrainingJobName", "pattern")],
    "MAX_HYPERPARAMETERS": [(JOB, "HyperParameters", "maxProperties")],
    "MAX_HYPERPARAMETER_NAME_LENGTH": [(JOB, "HyperParameterKey", "maxLength")],
    "MAX_HYPERPARAMETER_VALUE_LENGTH": [(JOB, "HyperParameterValue", "maxLength")],
    "MAX_ENVIRONMENT": [(JOB, "TrainingEnvironmentMap", "maxProperties")],
    "MAX_ENVIRONMENT_NAME_LENGTH": [(JOB, "TrainingEnvironmentKey", "maxLength")],
    "MAX_ENVIRONMENT_VALUE_LENGTH": [(JOB, "TrainingEnvironmentValue", "maxLength")],
    "ENVIRONMENT_NAME_PATTERN": [(JOB, "TrainingEnvironmentKey", "pattern"), (MODEL, "EnvironmentKey", "pattern")],
    "MAX_METRIC_DEFINITIONS": [(JOB, "MetricDefinitionList", "maxItems")],
    "MAX_METRIC_NAME_LENGTH": [(JOB, "MetricName", "maxLength")],
    "MAX_METRIC_REGEX_LENGTH": [(JOB, "MetricRegex", "maxLength")],
    "MAX_CHANNELS": [(JOB, "InputDataConfig", "maxItems")],
    "MAX_CHANNEL_NAME_LENGTH": [(JOB, "ChannelName", "maxLength")],
    "CHANNEL_NAME_PATTERN": [(JOB, "ChannelName", "pattern")],
    "MAX_CHECKPOINT_PATH_LENGTH": [(JOB, "DirectoryPath", "maxLength")],
    "MAX_CONTAINER_ARGUMENTS": [
        (JOB, "TrainingContainerArguments", "maxItems"),
        (JOB, "TrainingContainerEntrypoint", "maxItems"),
    ],
    "MAX_CONTAINER_ARGUMENT_LENGTH": [
        (JOB, "TrainingContainerArgument", "maxLength"),
        (JOB, "TrainingContainerEntrypointString", "maxLength"),
    ],
    "MAX_KEEP_ALIVE_SECONDS": [(JOB, "KeepAlivePeriodInSeconds", "maximum")],
    "MIN_PENDING_SECONDS": [(JOB, "MaxPendingTimeInSeconds", "minimum")],
    "MAX_PENDING_SECONDS": [(JOB, "MaxPendingTimeInSeconds", "maximum")],
    "MIN_RETRY_ATTEMPTS": [(JOB, "MaximumRetryAttempts", "minimum")],
    "MAX_RETRY_ATTEMPTS": [(JOB, "MaximumRetryAttempts", "maximum")],
    "MIN_INSTANCE_PREFERENCES": [(JOB, "InstancePreferenceList", "minItems")],
    "MAX_INSTANCE_PREFERENCES": [(JOB, "InstancePreferenceList", "maxItems")],
    "MAX_SUBNETS": [(operation, "Subnets", "maxItems") for operation in (JOB, MODEL)],
    "MAX_SECURITY_GROUPS": [(operation, "VpcSecurityGroupIds", "maxItems") for operation in (JOB, MODEL)],
    "TAG_PATTERN": [(operation, shape, "pattern") for operation in (JOB, MODEL) for shape in ("TagKey", "TagValue")],
    "ONE_LINE_PATTERN": [(JOB, shape, "pattern") for shape in ("HyperParameterKey", "HyperParameterValue")],
    "SNS_TOPIC_PATTERN": [(CONFIG, "SnsTopicArn", "pattern")],
    "MAX_CAPTURE_URI_LENGTH": [(CONFIG, "DestinationS3Uri", "maxLength")],
    "KMS_KEY_PATTERN": [(operation, "KmsKeyId", "pattern") for operation in (JOB, CONFIG)],
    "MAX_TAGS": [(operation, "TagList", "maxItems") for operation in (JOB, MODEL, CONFIG)],
    "MAX_TAG_KEY_LENGTH": [(JOB, "TagKey", "maxLength")],
    "MAX_TAG_VALUE_LENGTH": [(JOB, "TagValue", "maxLength")],
    "MIN_ROLE_ARN_LENGTH": [(JOB, "RoleArn", "minLength"), (MODEL, "RoleArn", "minLength")],
    "MAX_ROLE_ARN_LENGTH": [(JOB, "RoleArn", "maxLength"), (MODEL, "RoleArn", "maxLength")],
    "ROLE_ARN_PATTERN": [(JOB, "RoleArn", "pattern"), (MODEL, "RoleArn", "pattern")],
    "MAX_S3_URI_LENGTH": [(JOB, "S3Uri", "maxLength"), (MODEL, "S3ModelUri", "maxLength"), (MODEL, "Url", "maxLength")],
    "S3_URI_PATTERN": [(JOB, "S3Uri", "pattern"), (MODEL, "S3ModelUri", "pattern"), (MODEL, "Url", "pattern")],
    "MAX_IMAGE_LENGTH": [(JOB, "AlgorithmImage", "maxLength"), (MODEL, "ContainerImage", "maxLength")],
    "MAX_HOSTING_NAME_LENGTH": [
        (MODEL, "ModelName", "maxLength"), (CONFIG, "EndpointConfigName", "maxLength"),
        (CONFIG, "VariantName", "maxLength"), ("CreateEndpoint", "EndpointName", "maxLength"),
    ],
    "MODEL_NAME_PATTERN": [(MODEL, "ModelName", "pattern"), (CONFIG, "ModelName", "pattern")],
    "ENDPOINT_NAME_PATTERN": [("CreateEndpoint", "EndpointName", "pattern"), (CONFIG, "EndpointConfigName", "pattern")],
    "VARIANT_NAME_PATTERN": [(CONFIG, "VariantName", "pattern")],
    "MAX_MODEL_ENVIRONMENT": [(MODEL, "EnvironmentMap", "maxProperties")],
    "MAX_MODEL_ENVIRONMENT_NAME_LENGTH": [(MODEL, "EnvironmentKey", "maxLength")],
    "MAX_MODEL_ENVIRONMENT_VALUE_LENGTH": [(MODEL, "EnvironmentValue", "maxLength")],
    "MIN_VARIANTS": [(CONFIG, "ProductionVariantList", "minItems")],
    "MAX_VARIANTS": [(CONFIG, "ProductionVariantList", "maxItems")],
    "MIN_INITIAL_INSTANCE_COUNT": [(CONFIG, "InitialTaskCount", "minimum")],
    "MIN_VARIANT_VOLUME_GB": [(CONFIG, "ProductionVariantVolumeSizeInGB", "minimum")],
    "MAX_VARIANT_VOLUME_GB": [(CONFIG, "ProductionVariantVolumeSizeInGB", "maximum")],
    "MIN_VARIANT_TIMEOUT_SECONDS": [
        (CONFIG, "ProductionVariantModelDataDownloadTimeoutInSeconds", "minimum"),
        (CONFIG, "ProductionVariantContainerStartupHealthCheckTimeoutInSeconds", "minimum"),
    ],
    "MAX_VARIANT_TIMEOUT_SECONDS": [
        (CONFIG, "ProductionVariantModelDataDownloadTimeoutInSeconds", "maximum"),
        (CONFIG, "ProductionVariantContainerStartupHealthCheckTimeoutInSeconds", "maximum"),
    ],
}  # fmt: skip
PROSE = {
    "MAX_RUNTIME_SECONDS": ("StoppingCondition", "MaxRuntimeInSeconds", "The maximum value is 28 days."),
    "DEFAULT_RUNTIME_SECONDS": ("StoppingCondition", "MaxRuntimeInSeconds", "The default value is 1 day."),
    "MAX_VOLUME_GB": ("ResourceConfig", "VolumeSizeInGB", "Amazon EBS General Purpose SSD (gp2) storage"),
    "PROFILING_INTERVALS": (
        "ProfilerConfig",
        "ProfilingIntervalInMilliseconds",
        "100, 200, 500, 1000 (1 second), 5000 (5 seconds), and 60000 (1 minute)",
    ),
    "STOP_SECONDS": ("StoppingCondition", None, "SIGTERM signal, which delays job termination for 120 seconds."),
    "MAX_MODEL_ENVIRONMENT_BYTES": ("ContainerDefinition", "Environment", "combined, is 32 KB."),
}
OF_ANSWERS = {"MAX_ANSWER_SECONDS", "MAX_ASYNCHRONOUS_SECONDS"}
OF_ALARMS = {"LONGEST_EVALUATION", "LONGEST_EVALUATION_OF_MINUTES"}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_the_model_s(name: str) -> None:
    value = getattr(limits, name)
    for operation, shape, keyword in LIMITS[name]:
        expected = rf"^(?:{value})\Z" if keyword == "pattern" else value
        assert schema(operation)["$defs"][shape][keyword] == expected, (operation, shape)


@pytest.mark.parametrize("name", PROSE)
def test_a_limit_in_prose_is_still_said_there(name: str) -> None:
    shape, member, words = PROSE[name]
    found = Loader().load_service_model("sagemaker", "service-2")["shapes"][shape]
    documented = found["members"][member] if member else found
    assert words in re.sub(r"<[^>]+>", "", documented["documentation"])


def test_the_times_of_answers_are_the_runtime_s() -> None:
    runtime = Loader().load_service_model("sagemaker-runtime", "service-2")
    said = runtime["operations"]["InvokeEndpoint"]["documentation"]
    assert f"must respond to requests within {limits.MAX_ANSWER_SECONDS} seconds" in said
    assert runtime["shapes"]["InvocationTimeoutSecondsHeader"]["max"] == limits.MAX_ASYNCHRONOUS_SECONDS


def test_how_far_an_alarm_looks_back_is_cloudwatch_s() -> None:
    members = Loader().load_service_model("cloudwatch", "service-2")["shapes"]["PutMetricAlarmInput"]["members"]
    said = re.sub(r"<[^>]+>|\s+", " ", members["Period"]["documentation"])
    assert f"can't be more than {limits.LONGEST_EVALUATION:,} seconds" in said
    assert f"longer than one day ({limits.LONGEST_EVALUATION_OF_MINUTES:,} seconds)" in said


def test_every_limit_is_tied_to_the_model() -> None:
    assert {name for name in vars(limits) if name.isupper()} == set(LIMITS) | set(PROSE) | OF_ANSWERS | OF_ALARMS
