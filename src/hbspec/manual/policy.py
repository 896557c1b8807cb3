"""What breaks an organisation's policy, and defects of the policy itself: HB680 to HB697."""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.manual.page import Page

_API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_{}.html"
_KEPT = " A comment or a configuration does not silence it, and `compile --force` does not override it."

UNUSABLE = Page(
    "HB680",
    "policy-unusable",
    "The policy cannot be used.",
    "A key with a typo would be a line that nobody enforces, an empty list one that nobody can keep, and of two lines "
    "that contradict each other one is not meant. So nothing is judged before the policy is corrected.",
    "# policy.yaml: {policy: 1, region: [eu-west-1]}\n# hbspec check spec.yaml --policy policy.yaml",
    "# policy.yaml: {policy: 1, regions: [eu-west-1]}\n# hbspec check spec.yaml --policy policy.yaml",
)
NOT_EXPECTED = Page(
    "HB681",
    "policy-not-expected",
    "The policy is not the one that `--policy-digest` expects.",
    "A gate that takes the policy from the repository that it guards would enforce whatever a change writes into it. "
    "The digest, kept in the gate's own settings, tells the two apart; nothing is judged by another policy.",
    "# hbspec check spec.yaml --policy policy.yaml --policy-digest 0a1b…  # of an older policy",
    "# hbspec check spec.yaml --policy policy.yaml --policy-digest $(sha256sum < policy.yaml | cut -c1-64)",
)


def _line(code: int, name: str, summary: str, why: str, example: tuple[str, str, str], reference: str) -> Page:
    """The page of a line: `example` is the line, a spec that breaks it, and one that does not."""
    line, broken, kept = example
    return Page(
        f"HB{code}",
        name,
        summary,
        f"{why}{_KEPT}",
        f"# policy.yaml: {line}\n{broken}",
        f"# policy.yaml: {line}\n{kept}",
        references=(_API.format(reference),),
    )


LINES: Mapping[str, Page] = {
    "max_job_cost": _line(
        682, "job-cost-not-allowed",
        "The job can cost more than `max_job_cost`, or its cost is not known.",
        "The high end of the estimate counts for a spec, the runtime limit at the on-demand price for a request: no "
        "service stops a job at a sum. An unknown cost may be any.",
        ("max_job_cost: 100 USD", "instance: {type: ml.p5.48xlarge, max_runtime: 24h}",
         "instance: {type: ml.g5.xlarge, max_runtime: 24h}"), "StoppingCondition",
    ),
    "max_monthly_cost": _line(
        683, "monthly-cost-not-allowed",
        "The endpoint can cost more than `max_monthly_cost`, or its cost is not known.",
        "An endpoint is billed until it is deleted, with as many instances as autoscaling may start.",
        ("max_monthly_cost: 1000 USD", "deployment: {instance: {type: ml.p4d.24xlarge}}",
         "deployment: {instance: {type: ml.g5.xlarge}}"), "ProductionVariant",
    ),
    "approvals": _line(
        684, "approval-missing", "The job can cost more than `approvals.above` and has no tag of who approved it.",
        "Somebody who answers for the sum has to say so before the job starts; the tag stays with the bill.",
        ("approvals: {above: 50 USD, by: ['*@acme.com']}", "sagemaker: {tags: {}}",
         "sagemaker: {tags: {approved-by: ann@acme.com}}"), "Tag",
    ),
    "regions": _line(
        685, "region-not-allowed", "The region is not one of `regions`, or is not known.",
        "Contracts and laws say where data may be. A request's region is that of its image's registry.",
        ("regions: [eu-*]", "instance: {region: us-east-1}", "instance: {region: eu-west-1}"), "CreateTrainingJob",
    ),
    "instance_types": _line(
        686, "instance-type-not-allowed", "An instance type, or an alternative to one, is not one of `instance_types`.",
        "Quotas and contracts are for some types; the others are expensive by accident.",
        ("instance_types: [ml.g5.*]", "instance: {type: ml.p5.48xlarge}", "instance: {type: ml.g5.12xlarge}"),
        "ResourceConfig",
    ),
    "max_instances": _line(
        687, "too-many-instances", "The job or the endpoint has more instances than `max_instances`.",
        "The groups of a request are counted together, and of an endpoint the most that autoscaling may start.",
        ("max_instances: 2", "instance: {count: 8}", "instance: {count: 2}"), "ResourceConfig",
    ),
    "spot_only": _line(
        688, "spot-required", "The job does not use managed spot training.",
        "Spot capacity costs a fraction of the on-demand price. A spec needs `max_wait`, too: without it, the job is "
        "compiled for on-demand instances.",
        ("spot_only: true", "instance: {spot: false}", "instance: {spot: true, max_runtime: 4h, max_wait: 8h}"),
        "CreateTrainingJob",
    ),
    "max_runtime": _line(
        689, "runtime-not-allowed", "The job may run for longer than `max_runtime`.",
        "A job that hangs is billed until its limit. Without one, SageMaker's default of a day counts.",
        ("max_runtime: 12h", "instance: {max_runtime: 48h}", "instance: {max_runtime: 12h}"), "StoppingCondition",
    ),
    "tags": _line(
        690, "required-tag-missing", "A required tag is missing, or its value is not of the pattern.",
        "A bill is divided by tags, and a resource without an owner is kept for ever. Keys are matched in their case, "
        "as AWS does.",
        ("tags: {cost-center: 'cc-*'}", "sagemaker: {tags: {Cost-Center: cc-12}}",
         "sagemaker: {tags: {cost-center: cc-12}}"), "Tag",
    ),
    "kms_required": _line(
        691, "key-required", "The model or the volumes are not encrypted with a key of AWS KMS.",
        "A key of your own can be audited and revoked. Local NVMe disks have a key of their own, and need none.",
        ("kms_required: true", "sagemaker: {role: …}", "sagemaker: {kms_key: alias/training}"), "OutputDataConfig",
    ),
    "vpc_required": _line(
        692, "vpc-required", "The job does not run in a VPC.",
        "Outside a VPC, a job reaches the internet, and no flow log shows what it sent.",
        ("vpc_required: true", "sagemaker: {role: …}",
         "sagemaker: {vpc: {subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d]}}"), "VpcConfig",
    ),
    "licences": _line(
        693, "licence-not-allowed", "The model's licence is not one of `licences`, or is not known.",
        "What counts is the licence that the catalog has for the model, not the one that the spec says.",
        ("licences: [apache-2.0, mit]", "model: {id: meta-llama/Llama-3.3-70B-Instruct}",
         "model: {id: Qwen/Qwen2.5-7B}"), "CreateTrainingJob",
    ),
    "models": _line(
        694, "model-not-allowed", "A model is not one of `models`, or is not named.",
        "The served model counts, too. Of a request, models are those that its hyperparameters and environment name.",
        ("models: [Qwen/*]", "model: {id: meta-llama/Llama-3.3-70B-Instruct}", "model: {id: Qwen/Qwen2.5-7B}"),
        "CreateTrainingJob",
    ),
    "data_prefixes": _line(
        695, "data-outside-prefixes", "Data are read from outside `data_prefixes`.",
        "S3 reads every object whose key begins with the URI, so `s3://acme/train` reads `s3://acme/training/`, too. "
        "What jobs wrote below `output_prefixes` may be read. A manifest names objects elsewhere and is refused.",
        ("data_prefixes: ['s3://acme/train/']", "data: {train: {uri: s3://other/train/}}",
         "data: {train: {uri: s3://acme/train/}}"), "S3DataSource",
    ),
    "output_prefixes": _line(
        696, "output-outside-prefixes", "A result is written outside `output_prefixes`.",
        "A model remembers what it was trained on. Checkpoints, captured requests and the debugger's output count.",
        ("output_prefixes: ['s3://acme/models/']", "sagemaker: {output: s3://other/}",
         "sagemaker: {output: s3://acme/models/}"), "OutputDataConfig",
    ),
    "registries": _line(
        697, "registry-not-allowed", "An image is not in one of `registries`.",
        "An image reads the data and the role's credentials.",
        ("registries: [763104351884.dkr.ecr.*.amazonaws.com]",
         "sagemaker: {image: 'acme.io/trainer:7'}",
         "sagemaker: {image: '763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.9'}"),
        "AlgorithmSpecification",
    ),
}  # fmt: skip
"""The page of each line of a policy, by the line's key."""

PAGES = {page.code: page for page in (UNUSABLE, NOT_EXPECTED, *LINES.values())}
