"""What the name of an author's own serving image says: the engine in it, and the CUDA release."""

from __future__ import annotations

import re
from typing import NamedTuple

ENGINES = {"djl-inference": "djl-lmi", "djl-serving": "djl-lmi", "vllm": "vllm", "huggingface-vllm": "vllm"}
"""Engines by the names of AWS's repositories; `vllm-openai` is left out, as its entry point reads no variables."""
_CUDA = re.compile(r"(?:^|[-_.])cu(?:da)?[-_]?(\d\d)\.?(\d)(?:\.\d+)?(?=$|[-_])")
_VLLM = re.compile(r"^v?(\d+\.\d+\.\d+)(?=$|[-_+])")

_ECR = re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com|on\.aws|[a-z0-9.-]+)/\S+")


class OwnImage(NamedTuple):
    """An image of the author; what its name does not say is None.

    Attributes:
        engine: `vllm` or `djl-lmi`, by the last part of the repository's name.
        cuda: the CUDA release, such as `13.0`, by the tag.
        vllm: the release of vLLM, by the tag of an image of vLLM.
    """

    engine: str | None
    cuda: str | None
    vllm: str | None


def own_image(uri: str) -> OwnImage:
    """What the name of an image says.

    >>> own_image("111122223333.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.35.0-lmi17.0.0-cu128")
    OwnImage(engine='djl-lmi', cuda='12.8', vllm=None)
    >>> own_image("registry.example.com:5000/team/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker")
    OwnImage(engine='vllm', cuda='13.0', vllm='0.30.0')
    >>> own_image("111122223333.dkr.ecr.us-east-1.amazonaws.com/assistant:7")
    OwnImage(engine=None, cuda=None, vllm=None)
    """
    last = uri.partition("@")[0].rpartition("/")[2]
    repository, _, tag = last.partition(":")
    cuda, version = _CUDA.search(tag), _VLLM.match(tag)
    engine = ENGINES.get(repository)
    return OwnImage(
        engine, f"{cuda[1]}.{cuda[2]}" if cuda else None, version[1] if version and engine == "vllm" else None
    )


def registry_region(uri: str) -> str | None:
    """The region of the Amazon ECR registry of an image; None for any other registry.

    >>> registry_region("111122223333.dkr.ecr.eu-west-1.amazonaws.com/assistant:7"), registry_region("acme/trainer:7")
    ('eu-west-1', None)
    """
    found = _ECR.fullmatch(uri)
    return found["region"] if found else None
