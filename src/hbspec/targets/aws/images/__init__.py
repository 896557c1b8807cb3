"""The AWS container images that jobs and endpoints run, by region.

The table is written by `tools/generate_image_table.py`. AWS serves the same image from another account in some regions,
and not every image in every region: a region that the table lacks gives None, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from hbspec.catalog.partitions import partition
from hbspec.targets.aws.images.inference_ami import InferenceAmi, inference_ami

__all__ = ["ENGINES", "Engine", "Image", "InferenceAmi", "image", "inference_ami", "serving_image", "training_image"]

Engine = Literal["djl-lmi", "huggingface-vllm", "vllm"]
Framework = Literal["huggingface", "djl-lmi", "huggingface-vllm", "vllm"]
ENGINES: tuple[Engine, ...] = ("djl-lmi", "huggingface-vllm", "vllm")


@dataclass(frozen=True, slots=True)
class Image:
    """An image in one region.

    `framework` and `version` are those of the SageMaker SDK (for `huggingface` the version of transformers); `cuda` is
    the CUDA release inside; `source` says where the row was read and `checked` when (ISO date).
    """

    uri: str
    framework: str
    version: str
    cuda: str
    source: str
    checked: str


def image(framework: str, region: str) -> Image | None:
    """The image of a framework in a region, None where AWS lists none there.

    Raises:
        KeyError: a framework that is not in the table.
    """
    table = _table()
    row = table["images"][framework]
    home = partition(region)
    if region not in row["regions"] or home is None:
        return None
    registry = f"{table['accounts'][region]}.dkr.ecr.{region}.{home.domain}"
    return Image(
        uri=f"{registry}/{row['repository']}:{row['tag']}",
        framework=framework,
        version=row["version"],
        cuda=row["cuda"],
        source=f"{table['source']}/{framework}.json",
        checked=table["checked"],
    )


def training_image(region: str) -> str | None:
    """The URI of the Hugging Face PyTorch training image, None where AWS lists none.

    >>> training_image("ca-central-1").partition("/")[0]
    '763104351884.dkr.ecr.ca-central-1.amazonaws.com'
    """
    found = image("huggingface", region)
    return found.uri if found else None


def serving_image(engine: Engine, region: str) -> str | None:
    """The URI of a serving engine's image, None where AWS lists none.

    Raises:
        KeyError: an engine that is not in the table.
    """
    found = image(engine, region)
    return found.uri if found else None


@cache
def _table() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(Path(__file__).with_name("images.json").read_text(encoding="utf-8"))
    return loaded
