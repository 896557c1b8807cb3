"""The section of a spec on your AWS account, as types."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from hbspec.spec.fields import Names, SecretArn, Section, Text


class Vpc(Section):
    """The job's network."""

    subnets: Names = Field(description="Ids of subnets.")
    security_groups: Names = Field(description="Ids of security groups.")


class SageMaker(Section):
    """Values from your AWS account."""

    role: Text | None = Field(None, description="ARN of the execution role.")
    output: Text | None = Field(None, description="S3 prefix for the model; each job gets its own folder below it.")
    checkpoints: Text | None = Field(
        None, description="S3 prefix for checkpoints; each job gets its own folder below it. `output` by default."
    )
    code: Text | None = Field(
        None, description="S3 prefix for the source code; each job gets its own folder below it. `output` by default."
    )
    image: Text | None = Field(None, description="Training image; the catalog's by default.")
    serving_image: Text | None = Field(None, description="Serving image; the catalog's by default.")
    job_name: Text | None = Field(
        None, description="Name of the training job, to which a digest is added; the spec's name by default."
    )
    vpc: Vpc | None = None
    kms_key: Text | None = Field(
        None,
        description="Key of AWS KMS, an id or an ARN, that encrypts the model, captured requests and volumes; the "
        "service's own by default. Local NVMe disks have a key of their own.",
    )
    environment: dict[str, str] = Field({}, description="Environment variables of the job.")
    secrets: dict[str, SecretArn] = Field(
        {},
        description="Environment variables whose values the job reads from AWS Secrets Manager when it starts, such as "
        "`HF_TOKEN`: the ARN of a secret each.",
    )
    tags: dict[str, str] = Field(
        {}, description="Tags of the job and its alarms, such as those of a bill; `hbspec:job` is added to the job's."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if both := sorted(self.secrets.keys() & self.environment.keys()):
            raise PydanticCustomError(
                "contradiction", "{name} is in environment and in secrets: leave one of them out", {"name": both[0]}
            )
        return self
