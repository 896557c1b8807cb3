"""The lines of a policy, language version 1, as types. An allow-list allows what it names and nothing else."""

from typing import Annotated, Literal

from pydantic import Field

from hbspec.spec.fields import Amount, Names, Positive, Seconds, Section, Text
from hbspec.spec.sections import ExchangeRate


class Approvals(Section):
    """What must be approved before it starts."""

    above: Amount = Field(description="Cost of a job above which it needs the tag; a cost that is not known does, too.")
    tag: Text = Field("approved-by", description="Key of the tag that says who approved the job.")
    by: Names = Field(("*",), description="Patterns of the tag's value.")


class PolicyLines(Section):
    """What an organisation allows. In a pattern, `*` stands for any characters and `?` for one."""

    policy: Literal[1] = Field(description="Version of the policy language.")
    name: Text | None = Field(None, description="Name of the policy.")
    max_job_cost: Amount | None = Field(None, description="Most that a job may cost: the high end counts.")
    max_monthly_cost: Amount | None = Field(None, description="Most that an endpoint may cost in 30 days.")
    exchange_rates: dict[str, ExchangeRate] = Field(
        {}, description="One unit of each currency in the currency of the policy's amounts."
    )
    accept_own_figures: bool = Field(
        False,
        description="Whether a spec's own prices and calibration count; by default the catalog's prices and hbspec's "
        "estimates do.",
    )
    regions: Names | None = Field(None, description="Patterns of AWS regions.")
    instance_types: Names | None = Field(None, description="Patterns of instance types, alternatives included.")
    max_instances: Positive | None = Field(None, description="Most instances of a job, and of an endpoint.")
    spot_only: bool = Field(False, description="Whether jobs must use managed spot training.")
    max_runtime: Seconds | None = Field(None, description="Longest time after which a job is stopped.")
    tags: Annotated[dict[str, Text], Field(min_length=1)] | None = Field(
        None, description="Required tags: the pattern of the value by key."
    )
    kms_required: bool = Field(False, description="Whether the model and the volumes need a key of AWS KMS.")
    vpc_required: bool = Field(False, description="Whether jobs must run in a VPC.")
    licences: Names | None = Field(None, description="Licences of models, as the catalog has them.")
    models: Names | None = Field(None, description="Patterns of model ids; `*` does not stand for a slash.")
    data_prefixes: Names | None = Field(None, description="S3 prefixes that may be read, besides `output_prefixes`.")
    output_prefixes: Names | None = Field(None, description="S3 prefixes that may be written.")
    registries: Names | None = Field(
        None, description="Patterns of the registries of images; `*` does not stand for a dot."
    )
    approvals: Approvals | None = None


class PolicyCase(Section):
    """A spec or a request, and what a policy must find in it."""

    file: Text = Field(description="Path of a spec, or of a body of CreateTrainingJob, relative to the cases.")
    set: tuple[Text, ...] = Field((), strict=False, description="Values that are set first, as after `--set`.")
    breaks: tuple[Text, ...] = Field(strict=False, description="Lines of the policy that it breaks, by key or code.")


class PolicyCases(Section):
    """The cases that a policy is tested with."""

    cases: Annotated[tuple[PolicyCase, ...], Field(strict=False, min_length=1)]
