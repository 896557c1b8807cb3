"""The image's Python or PyTorch is older than the shipped script's libraries need.

Why: The job installs the script's pinned libraries into the image when it starts. On an older Python pip finds no
release that it may install; with an older PyTorch transformers runs without it, and the script ends when it builds the
model. Both happen after the instance was rented.

Example:

    sagemaker:
      image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311-cu124-ubuntu22.04-sagemaker"

Instead:

    sagemaker:
      image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8.0-gpu-py312-cu129-ubuntu22.04-sagemaker"

References:

    https://pypi.org/project/transformers/
    https://github.com/aws/deep-learning-containers/blob/master/available_images.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.shipped_script import LEAST_PYTHON, LEAST_TORCH
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule

RULE = Rule(
    __name__,
    Severity.ERROR,
    beside=(Beside("HB640", same_route), Beside("HB641", same_route), Beside("HB642", same_route)),
)
OF_AWS = r"(?:^|/)(?:huggingface-)?pytorch-training:(\d+)\.(\d+)"
"""Repositories whose tags begin with the release of PyTorch."""
PYTHON = r"[-_.:]py(\d)(\d{1,2})(?=$|[-_.])"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the tag with what the script's libraries need; your own script or versions may need less."""
    spec = analysis.spec
    image = spec.sagemaker.image if spec.sagemaker is not None else None
    if image is None or not spec.shipped or spec.software.transformers or spec.software.trl:
        return
    for what, pattern, least in (("Python", PYTHON, LEAST_PYTHON), ("PyTorch", OF_AWS, LEAST_TORCH)):
        found = re.search(pattern, image)
        if found and (int(found[1]), int(found[2])) < least:
            needed = ".".join(map(str, least))
            yield RULE.at(
                ("sagemaker", "image"),
                f"sagemaker.image has {what} {found[1]}.{found[2]}, and the script's libraries need {needed} or later",
                f"use an image with {what} {needed} or later, or delete image",
            )
            return
