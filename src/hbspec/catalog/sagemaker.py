r"""What SageMaker accepts, by name, for rules: they must load no service model.

Source of the limits: botocore 1.44.5, `data/sagemaker/2017-07-24/service-2.json`, the shape named beside each; checked
2026-11-22. Patterns are Python's and match the whole value (`fullmatch`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hbspec.units import DAY

TRAINING_JOB_NAME_PATTERN = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"  # TrainingJobName; EndpointName has the same
MAX_TRAINING_JOB_NAME_LENGTH = 63

MAX_HYPERPARAMETERS = 100  # HyperParameters
MAX_HYPERPARAMETER_NAME_LENGTH = 256  # HyperParameterKey
MAX_HYPERPARAMETER_VALUE_LENGTH = 2500  # HyperParameterValue
MAX_ENVIRONMENT = 100  # TrainingEnvironmentMap
MAX_ENVIRONMENT_NAME_LENGTH = 512  # TrainingEnvironmentKey
MAX_ENVIRONMENT_VALUE_LENGTH = 512  # TrainingEnvironmentValue
ENVIRONMENT_NAME_PATTERN = r"[a-zA-Z_][a-zA-Z0-9_]*"  # TrainingEnvironmentKey
MAX_METRIC_DEFINITIONS = 40  # MetricDefinitionList
MAX_METRIC_NAME_LENGTH = 255  # MetricName
MAX_TAGS = 50  # TagList
MAX_TAG_KEY_LENGTH = 128  # TagKey
MAX_TAG_VALUE_LENGTH = 256  # TagValue

ROLE_ARN_PATTERN = r"arn:aws[a-z\-]*:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"  # RoleArn
MAX_S3_URI_LENGTH = 1024  # S3Uri
S3_URI_PATTERN = r"s3://[^/\s]+(/[^\n\r]*)?"  # S3Uri, whose `https` form is for other buckets than the job's own

MAX_RUNTIME_SECONDS = 28 * DAY  # StoppingCondition$MaxRuntimeInSeconds: "The maximum value is 28 days."
DEFAULT_RUNTIME_SECONDS = DAY  # the same: "The default value is 1 day."
MAX_KEEP_ALIVE_SECONDS = 21_600  # KeepAlivePeriodInSeconds

PARTITIONS: Mapping[str, str] = {
    "aws": r"(us|eu|ap|sa|ca|me|af|il|mx)\-\w+\-\d+",
    "aws-cn": r"cn\-\w+\-\d+",
    "aws-eusc": r"eusc\-(de)\-\w+\-\d+",
    "aws-iso": r"us\-iso\-\w+\-\d+",
    "aws-iso-b": r"us\-isob\-\w+\-\d+",
    "aws-iso-e": r"eu\-isoe\-\w+\-\d+",
    "aws-iso-f": r"us\-isof\-\w+\-\d+",
    "aws-us-gov": r"us\-gov\-\w+\-\d+",
}
"""AWS's separate clouds, the second part of every ARN, and the names of their regions. Source: botocore 1.44.5,
`data/partitions.json`, `regionRegex`."""


def partition_of(region: str) -> str | None:
    """The partition that a region belongs to; None for a name that is like no region's.

    >>> partition_of("ca-central-1"), partition_of("us-gov-west-1"), partition_of("moon-1")
    ('aws', 'aws-us-gov', None)
    """
    return next((name for name, regions in PARTITIONS.items() if re.fullmatch(regions, region)), None)
