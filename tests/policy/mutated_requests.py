"""Requests that each break one line of the policy, by construction: the line is known, however it is spelled."""

from __future__ import annotations

import random
from collections.abc import Iterator

from policies import request, s3

ELSEWHERE = (
    "s3://evil/train/", "s3://acme-data/training/", "s3://acme-data-2/train/", "S3://acme-data/train/",
    "s3://ACME-data/train/", "s3a://acme-data/train/", "s3://acme-data/train", "s3://acme-data",
    "s3://acme-data/train/../secret/", "https://acme-data.s3.amazonaws.com/train/", " s3://acme-data/train/",
    "s3://acme-data/Train/", "arn:aws:s3:::acme-data/train/", "s3://evil/s3://acme-data/train/", "s3:///acme-data/train/",
    "s3://acme-data//train/", "s3://acme-data/train/ s3://evil/",
)  # fmt: skip
"""Not below `s3://acme-data/train/` as S3 reads them."""
OTHER_TYPES = (
    "ml.p5.48xlarge", "ml.g6.xlarge", "ML.G5.2XLARGE", "ml.p4d.24xlarge ", "ml.p4de.24xlarge", "g5.2xlarge", "ml.g5",
    "ml.g52.xlarge", "xml.g5.2xlarge", "ml.p4d.24xlarge.x", "", None, 5, ["ml.g5.2xlarge"],
)  # fmt: skip
NOT_NUMBERS = (None, "2", 2.5, -1, 0, True, [1], {})


def absent(body, *route):
    *path, key = route
    for part in path:
        body = body[part]
    body.pop(key, None)


def with_types(draw, body):
    other = draw.choice(OTHER_TYPES)
    kind = draw.randrange(4)
    groups = [{"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "InstanceGroupName": "a"}]
    evil = {"InstanceType": other, "InstanceCount": 1, "InstanceGroupName": "b"}
    if kind == 0:
        body["ResourceConfig"]["InstanceType"] = other
    elif kind == 1:
        absent(body, "ResourceConfig", draw.choice(["InstanceType"]))
    elif kind == 2:
        absent(body, "ResourceConfig", "InstanceType")
        absent(body, "ResourceConfig", "InstanceCount")
        groups.insert(draw.randrange(2), evil)
        body["ResourceConfig"]["InstanceGroups"] = groups
    else:
        rule = {"RuleConfigurationName": "r", "InstanceType": other, "RuleEvaluatorImage": request()[
            "AlgorithmSpecification"]["TrainingImage"]}  # fmt: skip
        body["DebugRuleConfigurations"] = [rule]
    return "instance_types"


def with_instances(draw, body):
    kind = draw.randrange(3)
    if kind == 0:
        body["ResourceConfig"]["InstanceCount"] = draw.choice([3, 64, 10**6, *NOT_NUMBERS])
    elif kind == 1:
        absent(body, "ResourceConfig", "InstanceCount")
    else:
        counts = draw.choice([(1, 2), (2, 1), (3, -2), (1, "1"), (1, None), (1, 1, 1)])
        body["ResourceConfig"] = {
            "InstanceGroups": [{"InstanceType": "ml.g5.xlarge", "InstanceCount": count} for count in counts],
            "VolumeKmsKeyId": "alias/train",
        }
    return "max_instances"


def with_runtime(draw, body):
    if draw.random() < 0.2:
        absent(body, "StoppingCondition", "MaxRuntimeInSeconds")  # the service's default: a day
    elif draw.random() < 0.2:
        absent(body, "StoppingCondition")
    else:
        longer = draw.choice([43_201, 86_400, 10**7, "3600", 3600.0, -1, True, [3600]])
        body["StoppingCondition"]["MaxRuntimeInSeconds"] = longer
    return "max_runtime"


def without_spot(draw, body):
    if draw.random() < 0.3:
        absent(body, "EnableManagedSpotTraining")
    else:
        body["EnableManagedSpotTraining"] = draw.choice([False, "true", "True", 1, None, "yes", [True]])
    return "spot_only"


def with_tags(draw, body):
    key, bad = draw.choice(
        [
            ("owner", ["ann", "ann@acme.com.evil", "", " ", "ANN@ACME.COM", "@acme.co", 7, None]),
            ("cost-center", ["cc", "CC-12", " cc-12", "xcc-12", "", None, 12, ["cc-12"]]),
        ]
    )
    tag = next(one for one in body["Tags"] if one["Key"] == key)
    kind = draw.randrange(5)
    if kind == 0:
        tag["Value"] = draw.choice(bad)
    elif kind == 1:
        tag["Key"] = draw.choice([key.upper(), key.title(), f"{key} ", f" {key}", key.replace("-", "_") + "_"])
    elif kind == 2:
        body["Tags"].remove(tag)
    elif kind == 3:
        body["Tags"].insert(draw.randrange(3), {"Key": key, "Value": draw.choice(bad)})
    else:
        body["Tags"] = draw.choice([[], None, {key: tag["Value"]}, "owner", [{key: tag["Value"]}]])
    return "tags"


def without_key(draw, body):
    section, key = draw.choice([("OutputDataConfig", "KmsKeyId"), ("ResourceConfig", "VolumeKmsKeyId")])
    if section == "ResourceConfig":  # ml.g5 has encrypted disks of its own; a type that the catalog lacks may not
        body[section]["InstanceType"] = "ml.g5.99xlarge"
    if draw.random() < 0.5:
        absent(body, section, key)
    else:
        body[section][key] = draw.choice(["", " ", None, True, [], 5, {}])
    return "kms_required"


def without_vpc(draw, body):
    if draw.random() < 0.3:
        absent(body, "VpcConfig")
    else:
        key = draw.choice(["Subnets", "SecurityGroupIds"])
        body["VpcConfig"][key] = draw.choice([[], None, "", [""], [None], "subnet-0a1b2c3d", {}])
    return "vpc_required"


def with_model(draw, body, names=("meta-llama/Llama-3.3-70B-Instruct", "qwen/Qwen2.5-7B", "Qwen", "/opt/ml/model")):
    where = draw.choice(["HyperParameters", "Environment"])
    key = draw.choice(["MODEL_ID", "model-id", "Model_Name_Or_Path", "HF_MODEL_ID", "base_model", "model"])
    quote = draw.choice(["", '"', "'"])
    if draw.random() < 0.1:
        absent(body, "HyperParameters", "model_id")
    else:
        body[where][key] = quote + draw.choice(names) + quote
    return "models"


def with_licence(draw, body):
    with_model(draw, body, ("Qwen/QwQ-9000B", "meta-llama/Llama-3.3-70B-Instruct", "acme/secret"))
    return "licences"


def with_data(draw, body):
    uri, kind = draw.choice(ELSEWHERE), draw.randrange(5)
    channel = {"ChannelName": draw.choice(["more", "code", "train"]), "DataSource": s3(uri)}
    if kind == 0:
        body["InputDataConfig"][draw.randrange(2)]["DataSource"] = s3(uri)
    elif kind == 1:
        body["InputDataConfig"].insert(draw.randrange(3), channel)
    elif kind == 2:
        channel["DataSource"] = draw.choice([
            {"FileSystemDataSource": {"FileSystemId": "fs-1"}}, {}, None, s3(None), s3(5), "s3://acme-data/train/",
            {**s3("s3://acme-data/train/"), "FileSystemDataSource": {"FileSystemId": "fs-1"}},
            {"S3DataSource": {"S3Uri": "s3://acme-data/train/m.json", "S3DataType": draw.choice(
                ["ManifestFile", "AugmentedManifestFile", "s3prefix", None])}},
        ])  # fmt: skip
        body["InputDataConfig"].append(channel)
    else:
        named = draw.choice(
            ["s3://evil/x", "S3://evil/x", "s3a://evil/x", "arn:aws:s3:::evil/x", '{"a":"s3:\\/\\/evil"}']
        )
        where = draw.choice(["HyperParameters", "Environment"])
        if kind == 3:
            body[where][draw.choice(["DATA", "x", "S3Uri"])] = f"{draw.choice(['', 'at ', '['])}{named}"
        else:
            body["AlgorithmSpecification"]["ContainerArguments"].append(f"aws s3 cp {named} .")
    return "data_prefixes"


def with_output(draw, body):
    uri = draw.choice([
        "s3://evil/", "s3://acme-models-2/", "S3://acme-models/", "s3://acme-model/", "s3://acme-models/../evil/",
        "", None, 7, "s3a://acme-models/", "https://acme-models.s3.amazonaws.com/",
    ])  # fmt: skip
    kind = draw.randrange(5)
    if kind == 0:
        body["OutputDataConfig"]["S3OutputPath"] = uri
    elif kind == 1:
        body["CheckpointConfig"]["S3Uri"] = uri
    elif kind == 2:
        absent(body, "OutputDataConfig", "S3OutputPath")
    else:
        name = draw.choice(["DebugHookConfig", "TensorBoardOutputConfig", "ProfilerConfig"])
        body[name] = {"S3OutputPath": uri}
    return "output_prefixes"


def with_image(draw, body):
    image = draw.choice([
        "acme/trainer:7", "evil.com/763104351884.dkr.ecr.ca-central-1.amazonaws.com/x", "trainer",
        "111122223333.dkr.ecr.ca-central-1.amazonaws.com/trainer:2.9", "https://7631.dkr.ecr.x/y",
        "763104351884.dkr.ecr.evil.com.amazonaws.com/x", "763104351884.dkr.ecr.ca-central-1.amazonaws.com.evil.com/x",
        "763104351884.DKR.ecr.ca-central-1.amazonaws.com/x", "763104351884.dkr.ecr.ca-central-1.amazonaws.com", "",
        None,
    ])  # fmt: skip
    if draw.random() < 0.15:
        absent(body, "AlgorithmSpecification", "TrainingImage")
    elif draw.random() < 0.3:
        body["ProfilerRuleConfigurations"] = [{"RuleEvaluatorImage": image}]
    else:
        body["AlgorithmSpecification"]["TrainingImage"] = image
    return "registries"


def with_region(draw, body):
    region = draw.choice(["us-east-1", "us-west-2", "ap-south-1", "ca-west-1"])
    if draw.random() < 0.5:
        image = f"763104351884.dkr.ecr.{region}.amazonaws.com/pytorch-training:2.9"
        body["AlgorithmSpecification"]["TrainingImage"] = draw.choice([image, image, "acme/trainer:7", None])
    else:
        section, key = draw.choice([("OutputDataConfig", "KmsKeyId"), ("ResourceConfig", "VolumeKmsKeyId")])
        body[section][key] = f"arn:aws:kms:{region}:111122223333:key/0a1b"
    return "regions"


def with_cost(draw, body):
    """At 1.6 to 32 USD/h, above 60 USD; or of an unknown sum."""
    resources, stop = body["ResourceConfig"], body["StoppingCondition"]
    kind = draw.randrange(7)
    if kind == 0:
        resources["InstanceType"] = "ml.p4d.24xlarge"
    elif kind == 1:
        stop["MaxRuntimeInSeconds"] = draw.choice([200_000, 10**6, "1", 1.5, -1])
    elif kind == 2:
        resources["InstanceCount"] = draw.choice([20, 1000, *NOT_NUMBERS])
    elif kind == 3:
        resources["KeepAlivePeriodInSeconds"] = draw.choice([10**6, "60", -1, 0.5, True])
    elif kind == 4:
        resources["VolumeSizeInGB"] = draw.choice([10**6, "100", -5, 1.5, False])
    elif kind == 5:
        resources["InstanceType"] = draw.choice(["ml.g5.99xlarge", "ML.G5.2XLARGE", "", None])
    else:
        body["AlgorithmSpecification"]["TrainingImage"] = draw.choice(["acme/x:1", None, ""])
    return "max_job_cost"


def without_approval(draw, body):
    tag = next(one for one in body["Tags"] if one["Key"] == "approved-by")
    if draw.random() < 0.5:
        body["StoppingCondition"]["MaxRuntimeInSeconds"] = 43_200  # 2 x 12 h at 1.7 USD/h and more
    else:
        body["ResourceConfig"]["InstanceType"] = draw.choice(["ml.g5.99xlarge", "ml.p4d.24xlarge"])
    if draw.random() < 0.5:
        body["Tags"].remove(tag)
    else:
        tag.update(draw.choice([{"Key": "Approved-By"}, {"Value": "mallory"}, {"Value": ""}, {"Value": None}]))
    return "approvals"


BREAKING = (
    with_types, with_instances, with_runtime, without_spot, with_tags, without_key, without_vpc, with_model,
    with_licence, with_data, with_output, with_image, with_region, with_cost, without_approval,
)  # fmt: skip


def shuffled(draw, value):
    """The same request with keys and, where their order means nothing, entries in another order."""
    if isinstance(value, dict):
        entries = [(key, shuffled(draw, below)) for key, below in value.items()]
        draw.shuffle(entries)
        return dict(entries)
    if isinstance(value, list):
        entries = [shuffled(draw, below) for below in value]
        draw.shuffle(entries)
        return entries
    return value


def mutated(count: int, seed: int = 7) -> Iterator[tuple[str, dict]]:
    """So many requests, each with the key of a line that it breaks."""
    draw = random.Random(seed)
    for number in range(count):
        body = request()
        line = BREAKING[number % len(BREAKING)](draw, body)
        yield line, shuffled(draw, body)
