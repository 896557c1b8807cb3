"""The CUDA release of an image has no code for the GPU.

Why: PyTorch's kernels are compiled for the GPUs that its CUDA release knows: 11.0 for Ampere, 11.8 for Hopper, 12.8 for
Blackwell. On a newer GPU the first kernel ends with "no kernel image is available for execution on the device", after
the instance was rented and the model was loaded.

Example:

    instance: {type: ml.p5.48xlarge}
    budget: {max_cost: 900 USD}
    sagemaker:
      image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:1.13.1-gpu-py39-cu117-ubuntu20.04-sagemaker"

Instead:

    instance: {type: ml.p5.48xlarge}
    budget: {max_cost: 900 USD}
    sagemaker:
      image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8.0-gpu-py312-cu129-ubuntu22.04-sagemaker"

References:

    https://docs.nvidia.com/cuda/hopper-compatibility-guide
    https://docs.nvidia.com/cuda/pdf/Blackwell_Tuning_Guide.pdf
    https://github.com/pytorch/pytorch/issues/90761
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.engines.cuda import too_old_for
from hbspec.catalog.engines.images import own_image
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.plan import Hardware
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY, (Beside("HB640", same_route), Beside("HB641", same_route)))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the CUDA release in the tag of both images with the GPU of the job and of the endpoint."""
    account = analysis.spec.sagemaker
    if account is None:
        return
    yield from _judge("image", account.image, analysis.plan.hardware)
    if account.serving_image is not None and analysis.spec.deployment is not None:
        yield from _judge("serving_image", account.serving_image, analysis.serving_plan.hardware)


def _judge(name: str, image: str | None, hardware: Hardware | None) -> Iterator[Finding]:
    cuda = own_image(image).cuda if image is not None else None
    if cuda is None or hardware is None:
        return
    first = too_old_for(cuda, hardware.gpu.compute_capability)
    if first is not None:
        yield RULE.at(
            ("sagemaker", name),
            f"sagemaker.{name} has CUDA {cuda}, but the {hardware.gpu.name} in {hardware.name} needs {first} or later",
            f"use an image with CUDA {first} or later, or delete {name}",
        )
