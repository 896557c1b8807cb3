"""Specs with an endpoint, drawn by a seed: engines, weights, adapters, regions and networks in many mixtures."""

from __future__ import annotations

from random import Random
from typing import Any

from hbspec.catalog import catalog

TYPES = ("ml.g5.2xlarge", "ml.g5.12xlarge", "ml.g6e.12xlarge", "ml.p4d.24xlarge", "ml.p5.48xlarge")
REGIONS = ("us-east-1", "us-west-2", "ca-central-1", "eu-west-1", "ap-northeast-1")
COPIES = (None, None, None, "s3://weights/copy/", "s3://weights/other")
TOLD = {
    "failures": "s3://bucket/failed",
    "success_topic": "arn:aws:sns:us-east-1:111122223333:answered",
    "error_topic": "arn:aws:sns:us-east-1:111122223333:failed",
}
"""Where an asynchronous endpoint reports what it has done."""
NETWORK = {"subnets": ["subnet-0a1b2c3d"], "security_groups": ["sg-0a1b2c3d"]}


def models() -> list[str]:
    """The ids of the models that every engine of the catalog serves."""
    known = catalog().models
    found = ((name, known[name].architecture) for name in known.originals())
    return sorted(name for name, architecture in found if architecture is not None and architecture.serves)


def spec(seed: int) -> dict[str, Any]:
    """The values of one spec; its endpoint may be too small for the model, which other rules say."""
    draw, choose = Random(seed), Random(seed).choice
    region, tuned = choose(REGIONS), draw.choice(["lora", "lora", "qlora", "full"])
    copy = draw.choice(COPIES)
    return {
        "hbspec": 1,
        "name": draw.choice(["endpoint", f"e{seed}", f"{seed}-of-many", "a" * 40]),
        "model": {"id": draw.choice(models()), **({"source": copy} if copy else {}), **_revision(draw, copy)},
        "data": {"train": {"uri": "s3://bucket/train/", "examples": 500}, "tokens": {"mean": 200, "max": 500}},
        "instance": {"type": "ml.p5.48xlarge", "region": region, "max_runtime": "4h"},
        "hyperparameters": _hyperparameters(draw, tuned),
        "deployment": _deployment(draw, tuned),
        "sagemaker": {
            "role": "arn:aws:iam::111122223333:role/ExecutionRole",
            "output": "s3://bucket/models/",
            **({"vpc": NETWORK} if draw.random() < 0.3 else {}),
            **({"tags": {"team": "ml", "note": "a: b"}} if draw.random() < 0.3 else {}),
            **({"kms_key": "alias/models"} if draw.random() < 0.3 else {}),
        },
    }


def _revision(draw: Random, copy: str | None) -> dict[str, str]:
    return {"revision": "0123456789abcdef"} if copy is None and draw.random() < 0.3 else {}


def _hyperparameters(draw: Random, tuned: str) -> dict[str, Any]:
    ranks = {} if tuned == "full" else {"lora_r": draw.choice([4, 8, 16, 48, 64])}
    bits = {"bnb_quant_type": "nf4"} if tuned == "qlora" else {}
    steps = {"learning_rate": 1e-4, "max_steps": 100, "max_length": 512}
    return {"method": tuned, **steps, "per_device_batch_size": 1, "gradient_accumulation_steps": 4, **ranks, **bits}


def _deployment(draw: Random, tuned: str) -> dict[str, Any]:
    engine = draw.choice(["vllm", "djl-lmi", None])
    quantizations = ["none", "none", "fp8", *(["nf4"] if engine != "djl-lmi" and tuned != "full" else [])]
    optional = {
        "engine": engine,
        "kv_cache_dtype": draw.choice([None, "auto", "fp8"]),
        "dtype": draw.choice([None, "bfloat16", "float16"]),
        "adapters": draw.choice([None, "separate"]) if tuned != "full" else None,
        "max_model_len": draw.choice([None, 2048, 16_384]),
        "concurrency": draw.choice([None, 1, 16, 300]),
        "gpu_memory_utilization": draw.choice([None, 0.85]),
        "typical_output_tokens": draw.choice([None, 300]),
        "data_capture": draw.choice([None, None, {"percent": 20, "uri": "s3://bucket/captured"}]),
        **_answering(draw),
    }
    return {
        "instance": {"type": draw.choice(TYPES), "count": draw.choice([1, 1, 2])},
        "quantization": draw.choice(quantizations),
        "tensor_parallel": draw.choice([1, 2, 4, 8]),
        **{key: value for key, value in optional.items() if value is not None},
    }


def _answering(draw: Random) -> dict[str, Any]:
    """How requests are answered, and by how many instances: at times by none, waiting in a queue or refused."""
    queue = draw.choice([None, None, {"output": "s3://bucket/answers"}, {"output": "s3://bucket/a/", **TOLD}])
    scaling = draw.choice([None, None, {"min": 1, "max": 4}, {"min": 0, "max": 2}])
    return {"async_inference": queue, "autoscaling": scaling}
