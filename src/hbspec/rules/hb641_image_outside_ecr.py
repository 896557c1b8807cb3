"""An image is not in a private registry of Amazon ECR.

Why: SageMaker pulls images from private registries of Amazon ECR. Docker Hub, NVIDIA's registry and the public gallery
of ECR are none; a registry in your VPC needs settings (`TrainingImageConfig`, `ImageConfig`) that are not compiled from
a spec. The job or the model is rejected when it is created.

Example:

    sagemaker: {image: "huggingface/transformers-pytorch-gpu:latest"}

Instead:

    sagemaker: {image: "111122223333.dkr.ecr.us-east-1.amazonaws.com/transformers-pytorch-gpu:latest"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrainingImageConfig.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ImageConfig.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/docker-containers-adapt-your-own-private-registry.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.engines.images import registry_region
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for the images of a SageMaker job and endpoint.

    Your own machine pulls from anywhere: a serving image may be meant for the target `serve`, and is only a warning.
    """
    account, served = analysis.spec.sagemaker, analysis.spec.deployment
    if account is None:
        return
    on_sagemaker = {
        "image": analysis.spec.instance.type is not None,
        "serving_image": served is not None and served.instance.type is not None,
    }
    for name, pulled in on_sagemaker.items():
        image = getattr(account, name)
        if pulled and image is not None and registry_region(image) is None:
            yield RULE.at(
                ("sagemaker", name),
                f"sagemaker.{name}, {image}, is not in a private registry of Amazon ECR",
                "push it to ECR, and write it as ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG",
                severity=Severity.ERROR if name == "image" else Severity.WARNING,
            )
