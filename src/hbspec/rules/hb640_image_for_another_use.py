"""The image is for other hardware or for another task.

Why: AWS builds one image for each task and hardware, and says both in its name. PyTorch in an image for CPUs finds no
GPU: the job fails, or trains on the processors of a rented GPU instance. An image for Trainium or Inferentia has no
CUDA. A training image has no server that answers an endpoint's health check. An image for inference has another release
of transformers than training needs, or none.

Example:

    sagemaker:
      image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8.0-cpu-py312-ubuntu22.04-sagemaker"

Instead:

    sagemaker:
      image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8.0-gpu-py312-cu129-ubuntu22.04-sagemaker"

References:

    https://github.com/aws/deep-learning-containers/blob/master/available_images.md
    https://github.com/aws/sagemaker-python-sdk/issues/440
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB641", same_route),))
TRAINING: Route = ("sagemaker", "image")
SERVING: Route = ("sagemaker", "serving_image")
SERVERS = frozenset({"djl-inference", "djl-serving", "vllm", "huggingface-vllm", "vllm-openai", "sglang"})
INFERENCE = r"(?:^|-)(?:inference|tgi|serving)(?:-|$)"
OTHERS = r"(?:tensorflow|mxnet|jax|xgboost|scikit-learn|sklearn|chainer|autogluon)(?:-|$)"
FOR_TRAINING = r"(?:^|-)training(?:-|$)"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Read the repository and the tag of both images; a name that says nothing is silent."""
    account, served = analysis.spec.sagemaker, analysis.spec.deployment
    if account is None:
        return
    own = not analysis.spec.shipped
    trains, serves = analysis.spec.instance.type, served.instance.type if served is not None else None
    if account.image is not None and _has_gpus(analysis, trains):
        yield from _hardware(TRAINING, account.image, trains) or _task(TRAINING, account.image, own)
    if account.serving_image is not None and _has_gpus(analysis, serves):
        yield from _hardware(SERVING, account.serving_image, serves) or _task(SERVING, account.serving_image, own)


def _task(route: Route, image: str, own_script: bool) -> list[Finding]:
    repository, _ = _name(image)
    if route == TRAINING and (repository in SERVERS or re.search(INFERENCE, repository)):
        said = f"sagemaker.image is {repository}, an image for endpoints, not for training"
        return [RULE.at(TRAINING, said, "use a training image, or delete image", severity=Severity.WARNING)]
    framework = re.match(OTHERS, repository.removeprefix("huggingface-").removeprefix("sagemaker-"))
    if route == TRAINING and framework and not own_script:
        said = f"sagemaker.image is {repository}, an image without PyTorch, which the script trains with"
        return [RULE.at(TRAINING, said, "use an image of PyTorch, or delete image")]
    if route == SERVING and re.search(FOR_TRAINING, repository):
        said = f"sagemaker.serving_image is {repository}, which has no server that an endpoint could call"
        return [RULE.at(SERVING, said, "use an image of vLLM or LMI, or delete serving_image")]
    return []


def _hardware(route: Route, image: str, instance: str | None) -> list[Finding]:
    repository, tag = _name(image)
    words = {*re.split(r"[-_.]", tag), *re.split(r"[-_.]", repository)}
    if any(word.startswith("neuron") for word in words):
        built = "Trainium and Inferentia"
    elif "cpu" in words and not words & {"gpu", "cuda"} and not re.search(r"cu(?:da)?\d", tag):
        built = "CPUs"
    else:
        return []
    said = f"{'.'.join(map(str, route))} is an image for {built} ({repository}:{tag}), but {instance} has NVIDIA GPUs"
    return [RULE.at(route, said, f"use the image for GPUs, or delete {route[-1]}")]


def _name(image: str) -> tuple[str, str]:
    """The last part of the repository, and the tag, in lower case."""
    repository, _, tag = image.lower().partition("@")[0].rpartition("/")[2].partition(":")
    return repository, tag


def _has_gpus(analysis: Analysis, name: str | None) -> bool:
    row = analysis.catalog.instances.get(name or "")
    return row is not None and row.gpus > 0
