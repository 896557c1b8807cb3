r"""SageMaker's limits by name, for rules and targets that must not load a schema.

A test compares each limit with botocore's model (`tests/targets/test_request_limits.py`), except those under "prose",
which appear only in the model's documentation. Patterns are Python's and match the whole value (`fullmatch`).
"""

from __future__ import annotations

# CreateTrainingJob
MAX_TRAINING_JOB_NAME_LENGTH = 63
TRAINING_JOB_NAME_PATTERN = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
MAX_HYPERPARAMETERS = 100
MAX_HYPERPARAMETER_NAME_LENGTH = 256
MAX_HYPERPARAMETER_VALUE_LENGTH = 2500
MAX_ENVIRONMENT = 100
MAX_ENVIRONMENT_NAME_LENGTH = 512
MAX_ENVIRONMENT_VALUE_LENGTH = 512
ENVIRONMENT_NAME_PATTERN = r"[a-zA-Z_][a-zA-Z0-9_]*"
MAX_METRIC_DEFINITIONS = 40
MAX_METRIC_NAME_LENGTH = 255
MAX_METRIC_REGEX_LENGTH = 500
MAX_CHANNELS = 20
MAX_CHANNEL_NAME_LENGTH = 64
CHANNEL_NAME_PATTERN = r"[A-Za-z0-9\.\-_]+"
MAX_CHECKPOINT_PATH_LENGTH = 4096
MAX_CONTAINER_ARGUMENTS = 100
MAX_CONTAINER_ARGUMENT_LENGTH = 256
MAX_KEEP_ALIVE_SECONDS = 21_600
MIN_PENDING_SECONDS = 1800
MAX_PENDING_SECONDS = 2_419_200
MIN_RETRY_ATTEMPTS = 1
MAX_RETRY_ATTEMPTS = 30
MIN_INSTANCE_PREFERENCES = 1
MAX_INSTANCE_PREFERENCES = 5

# both
MAX_SUBNETS = 16
MAX_SECURITY_GROUPS = 5
TAG_PATTERN = r"([\w \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000_.:/=+\-@]*)"
ONE_LINE_PATTERN = r"[^\n\r\x85\u2028\u2029]*"
KMS_KEY_PATTERN = r"[a-zA-Z0-9:/_-]*"
MAX_TAGS = 50
MAX_TAG_KEY_LENGTH = 128
MAX_TAG_VALUE_LENGTH = 256
MIN_ROLE_ARN_LENGTH = 20
MAX_ROLE_ARN_LENGTH = 2048
ROLE_ARN_PATTERN = r"arn:aws[a-z\-]*:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
MAX_S3_URI_LENGTH = 1024
S3_URI_PATTERN = r"(https|s3)://([^/]+)/?([^\n\r\x85\u2028\u2029]*)"
MAX_IMAGE_LENGTH = 255

# CreateModel, CreateEndpointConfig, CreateEndpoint
MAX_HOSTING_NAME_LENGTH = 63
MODEL_NAME_PATTERN = r"[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?"
ENDPOINT_NAME_PATTERN = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
VARIANT_NAME_PATTERN = ENDPOINT_NAME_PATTERN
MAX_MODEL_ENVIRONMENT = 100
MAX_MODEL_ENVIRONMENT_NAME_LENGTH = 1024
MAX_MODEL_ENVIRONMENT_VALUE_LENGTH = 1024
MIN_VARIANTS = 1
MAX_VARIANTS = 10
MIN_INITIAL_INSTANCE_COUNT = 1
MIN_VARIANT_VOLUME_GB = 1
MAX_VARIANT_VOLUME_GB = 512
MIN_VARIANT_TIMEOUT_SECONDS = 60
MAX_VARIANT_TIMEOUT_SECONDS = 3600

MAX_CAPTURE_URI_LENGTH = 512
SNS_TOPIC_PATTERN = r"arn:aws[a-z\-]*:sns:[a-z0-9\-]*:[0-9]{12}:[a-zA-Z0-9_.-]+"

# PutMetricAlarm, prose
LONGEST_EVALUATION = 604_800
LONGEST_EVALUATION_OF_MINUTES = 86_400
"""Seconds that an alarm looks back: its periods together, and those shorter than an hour."""

# InvokeEndpointAsync
MAX_ASYNCHRONOUS_SECONDS = 3600

# prose
MAX_ANSWER_SECONDS = 60  # InvokeEndpoint: "must respond to requests within 60 seconds"
MAX_RUNTIME_SECONDS = 28 * 86_400  # StoppingCondition$MaxRuntimeInSeconds: "The maximum value is 28 days."
DEFAULT_RUNTIME_SECONDS = 86_400  # StoppingCondition$MaxRuntimeInSeconds: "The default value is 1 day."
MAX_MODEL_ENVIRONMENT_BYTES = 32 * 1024  # ContainerDefinition$Environment: "combined, is 32 KB"
MAX_VOLUME_GB = 16_384  # ResourceConfig$VolumeSizeInGB: "General Purpose SSD (gp2)", whose largest has 16 TiB
PROFILING_INTERVALS = (100, 200, 500, 1000, 5000, 60_000)  # ProfilerConfig$ProfilingIntervalInMilliseconds
STOP_SECONDS = 120  # StoppingCondition: "the SIGTERM signal, which delays job termination for 120 seconds"
"""From SIGTERM to SIGKILL, on StopTrainingJob and at MaxRuntimeInSeconds. For a spot instance only EC2's notice of two
minutes is documented; that SageMaker sends SIGTERM as soon as it has the notice is assumed.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html"""
