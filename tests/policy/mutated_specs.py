"""Specs that each break one line of the policy, by construction."""

from __future__ import annotations

import random
from collections.abc import Iterator

from mutated_requests import ELSEWHERE
from policies import spec


def with_types(draw, values):
    other = draw.choice(["ml.p5.48xlarge", "ml.g6.xlarge", "ML.G5.2XLARGE", "ml.p4d.24xlarge ", "ml.g52.xlarge"])
    rented = draw.choice([values["instance"], values["deployment"]["instance"]])
    kind = draw.randrange(3)
    if kind == 0:
        rented["type"] = other
    elif kind == 1:
        rented["alternatives"] = draw.sample([other, "ml.g5.12xlarge", "ml.p4d.24xlarge"], 3)
    else:
        del rented["type"]
        rented |= {"gpu": "A100-40", "gpus": 8}
    return "instance_types"


def with_instances(draw, values):
    kind = draw.randrange(3)
    if kind == 0:
        values["instance"]["count"] = draw.choice([3, 1000])
    elif kind == 1:
        values["deployment"]["instance"]["count"] = draw.choice([3, 64])
    else:
        values["deployment"]["autoscaling"] = {"min": 1, "max": draw.choice([3, 100])}
    return "max_instances"


def with_runtime(draw, values):
    if draw.random() < 0.3:
        del values["instance"]["max_runtime"]
    else:
        values["instance"]["max_runtime"] = draw.choice(["13h", "721m", "43201s", "1d", "12h1m", "43200001 ms"])
    return "max_runtime"


def without_spot(draw, values):
    key = draw.choice(["spot", "max_wait"])
    if key == "spot" and draw.random() < 0.5:
        values["instance"]["spot"] = False
    else:
        del values["instance"][key]
    return "spot_only"


def with_tags(draw, values):
    tags, key = values["sagemaker"]["tags"], draw.choice(["owner", "cost-center"])
    kind = draw.randrange(4)
    if kind == 0:
        tags[key] = draw.choice(["", " ", "x", "CC-12", "ann@acme.com.evil", "cc"])
    elif kind == 1:
        tags[draw.choice([key.upper(), key.title(), f"{key} "])] = tags.pop(key)
    elif kind == 2:
        del tags[key]
    else:
        del values["sagemaker"]["tags"]
    return "tags"


def without_key(draw, values):
    del values["sagemaker"][draw.choice(["kms_key"])]
    return "kms_required"


def without_vpc(draw, values):
    del values["sagemaker"]["vpc"]
    return "vpc_required"


def with_model(draw, values):
    if draw.random() < 0.2:
        values["deployment"]["model"] = "meta-llama/Llama-3.3-70B-Instruct-AWQ"
    else:
        values["model"]["id"] = draw.choice(
            ["meta-llama/Llama-3.3-70B-Instruct", "qwen/Qwen2.5-7B", "Qwen/a/b", "Qwen"]
        )
    return "models"


def with_licence(draw, values):
    """What the spec says of its licence is not evidence."""
    values["model"] = {"id": draw.choice(["acme/x", "meta-llama/Llama-3.3-70B-Instruct"]), "license": "apache-2.0"}
    return "licences"


def with_data(draw, values):
    uri = draw.choice(ELSEWHERE)
    kind = draw.randrange(6)
    if kind == 0:
        values["data"]["train"]["uri"] = uri
    elif kind == 1:
        values["data"]["validation"] = {"uri": uri, "examples": 10}
    elif kind == 2:
        values["model"]["source"] = draw.choice(["s3://evil/model/", "s3://acme-data-2/train/"])
    elif kind == 3:
        del values["data"]["train"]["uri"]
    elif kind == 4:
        values["sagemaker"]["environment"] = {"X": f"from {draw.choice(['s3://evil/', 'S3://evil/', 's3a://evil'])}"}
    else:
        values["sagemaker"]["code"] = draw.choice(["s3://evil/", "s3://acme-data/code/"])
    return "data_prefixes"


def with_output(draw, values):
    uri = draw.choice(["s3://evil/x/", "S3://acme-models/x/", "s3://acme-models-2/x/", "s3://acme-models/../evil/"])
    kind = draw.randrange(3)
    if kind == 0:
        values["sagemaker"][draw.choice(["output", "checkpoints"])] = uri
    elif kind == 1:
        values["deployment"]["data_capture"] = {"uri": uri}
    else:
        values["deployment"]["async_inference"] = {"output": uri}
    return "output_prefixes"


def with_image(draw, values):
    key = draw.choice(["image", "serving_image"])
    values["sagemaker"][key] = draw.choice(["acme/x:7", "evil.com/763104351884.dkr.ecr.a.amazonaws.com/x", "x"])
    return "registries"


def with_region(draw, values):
    kind = draw.randrange(3)
    if kind == 0:
        values["instance"]["region"] = draw.choice(["us-east-1", "CA-CENTRAL-1", "ca-central-1 ", "us-west-2"])
    elif kind == 1:
        values["deployment"]["region"] = "us-east-1"
    else:
        del values["instance"]["region"]
    return "regions"


def with_cost(draw, values):
    """More than 60 USD, or not known; the spec's own price, rate and throughput do not lower it."""
    kind = draw.randrange(3)
    job = values["instance"]
    if kind == 0:
        job |= {"type": "ml.p4d.24xlarge", "count": 2, "parallelism": "ddp"}
        values["data"]["train"]["examples"] = 2_000_000
        job |= {"max_runtime": "12h", "max_wait": "12h", "price": "0.01 USD/h"}
        values["calibration"] = {"tokens_per_second_per_gpu": 10**6}
    elif kind == 1:
        del job["region"]
    else:
        job |= {"price": "0.01 USD/h", "type": "ml.g5.99xlarge"}
    if draw.random() < 0.5:
        rates = {"USD": {"rate": 1e-6, "date": "2026-11-01"}}
        values["budget"] = {"max_cost": "1 CAD", "exchange_rates": rates}
    return "max_job_cost"


def with_monthly_cost(draw, values):
    served = values["deployment"]
    if draw.random() < 0.5:
        served["instance"] = {"type": "ml.p4d.24xlarge", "price": "0.01 USD/h"}
    else:
        served["autoscaling"] = {"min": 1, "max": 2}
    return "max_monthly_cost"


BREAKING = (
    with_types, with_instances, with_runtime, without_spot, with_tags, without_key, without_vpc, with_model,
    with_licence, with_data, with_output, with_image, with_region, with_cost, with_monthly_cost,
)  # fmt: skip


def mutated(count: int, seed: int = 7) -> Iterator[tuple[str, dict]]:
    """So many specs, each with the key of a line that it breaks."""
    draw = random.Random(seed)
    for number in range(count):
        values = spec()
        line = BREAKING[number % len(BREAKING)](draw, values)
        yield line, shuffled_keys(draw, values)


def shuffled_keys(draw, values):
    """The same spec with its keys in another order; lists keep theirs, which means something."""
    if not isinstance(values, dict):
        return values
    return dict(draw.sample([(key, shuffled_keys(draw, below)) for key, below in values.items()], len(values)))
