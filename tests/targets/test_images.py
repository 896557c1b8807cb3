"""The image table gives AWS's own URIs, and nothing where AWS lists nothing."""

from __future__ import annotations

import re
from datetime import date
from typing import get_args

import pytest

from hbspec.catalog import limits
from hbspec.catalog.partitions import partition
from hbspec.targets.aws.images import (
    ENGINES,
    WITH_BITSANDBYTES,
    Engine,
    Framework,
    image,
    inference_ami,
    serving_image,
    training_image,
)
from hbspec.targets.aws.images.inference_ami import INFERENCE_AMIS
from hbspec.targets.aws.requests.regions import image_elsewhere
from hbspec.targets.aws.requests.schema import schema

REGIONS = [
    "af-south-1", "ap-east-1", "ap-northeast-1", "ca-central-1", "ca-west-1", "cn-north-1", "eu-central-1",
    "eu-central-2", "eu-isoe-west-1", "eusc-de-east-1", "il-central-1", "me-west-1", "mx-central-1", "us-east-1",
    "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "us-west-2",
]  # fmt: skip
FRAMEWORKS: tuple[Framework, ...] = get_args(Framework)


@pytest.mark.parametrize(
    ("framework", "region", "uri"),
    [  # As sagemaker-core 2.27.0's image_uris.retrieve gives them.
        (
            "huggingface",
            "us-east-1",
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-training"
            ":2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04",
        ),
        ("djl-lmi", "us-east-1", "763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.38.0-lmi29.0.0-cu130"),
        (
            "huggingface-vllm",
            "us-east-1",
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-vllm"
            ":0.29.0-transformers5.15.0-gpu-py312-cu130-ubuntu24.04-v1.0",
        ),
        (
            "vllm",
            "us-east-1",
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker",
        ),
        (
            "djl-lmi",
            "cn-north-1",
            "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/djl-inference:0.38.0-lmi29.0.0-cu130",
        ),
        (
            "djl-lmi",
            "us-iso-east-1",
            "886529160074.dkr.ecr.us-iso-east-1.c2s.ic.gov/djl-inference:0.38.0-lmi29.0.0-cu130",
        ),
    ],
)
def test_an_image_is_the_sdk_s(framework: Framework, region: str, uri: str) -> None:
    found = image(framework, region)
    assert found is not None
    assert found.uri == uri


@pytest.mark.parametrize(
    ("region", "account"),
    [
        ("ca-central-1", "763104351884"),
        ("ap-east-1", "871362719292"),
        ("il-central-1", "780543022126"),
        ("mx-central-1", "637423239942"),
        ("us-gov-west-1", "442386744353"),
    ],
)
def test_a_region_has_its_own_account(region: str, account: str) -> None:
    found = serving_image("djl-lmi", region)
    assert found is not None
    assert found.startswith(f"{account}.dkr.ecr.{region}.amazonaws.com/")


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_image_belongs_to_its_region_and_fits_a_request(framework: Framework, region: str) -> None:
    found = image(framework, region)
    if found is None:
        return
    home = partition(region)
    assert home is not None
    assert re.fullmatch(rf"\d{{12}}\.dkr\.ecr\.{region}\.{re.escape(home.domain)}/[a-z/-]+:[A-Za-z0-9._-]+", found.uri)
    assert list(image_elsewhere(("Image",), found.uri, region)) == []
    assert list(image_elsewhere(("Image",), found.uri, "us-west-1")) != []
    assert len(found.uri) <= limits.MAX_IMAGE_LENGTH
    assert f"cu{found.cuda.replace('.', '')}" in found.uri
    assert found.version in found.uri
    assert found.source.startswith("sagemaker-core 2.27.0 (Apache-2.0)")
    assert found.source.endswith(f"/{framework.removesuffix('-bitsandbytes')}.json")
    assert date.fromisoformat(found.checked) <= date.today()  # noqa: DTZ011 (a calendar day)


def test_a_region_without_the_image_has_none() -> None:
    assert training_image("ca-central-1") is not None
    assert training_image("eu-central-2") is None
    assert training_image("moon-1") is None
    assert serving_image("vllm", "us-gov-west-1") is None
    assert serving_image("vllm", "me-west-1") is not None
    assert serving_image("djl-lmi", "me-west-1") is None


def test_every_engine_has_an_image() -> None:
    assert set(ENGINES) == set(get_args(Engine)) == set(FRAMEWORKS) - {"huggingface", WITH_BITSANDBYTES}
    assert all(serving_image(engine, "us-east-1") for engine in ENGINES)


@pytest.mark.parametrize(
    ("cuda", "name"),
    [
        ("11.8", "al2-ami-sagemaker-inference-gpu-2"),
        ("12.2", "al2-ami-sagemaker-inference-gpu-2"),
        ("12.4", "al2-ami-sagemaker-inference-gpu-3-1"),
        ("12.9", "al2-ami-sagemaker-inference-gpu-3-1"),  # stuck in Creating on the host of CUDA 13, AWS found
        ("12.10", "al2-ami-sagemaker-inference-gpu-3-1"),
        ("13.0", "al2023-ami-sagemaker-inference-gpu-4-1"),
        ("13.2", "al2023-ami-sagemaker-inference-gpu-4-1"),
    ],
)
def test_an_endpoint_s_host_knows_the_cuda_of_its_container(cuda: str, name: str) -> None:
    found = inference_ami(cuda)
    assert found is not None
    assert found.name == name


def test_no_host_knows_a_later_cuda() -> None:
    assert inference_ami("14.0") is None


@pytest.mark.parametrize("engine", ENGINES)
def test_every_serving_image_has_a_host(engine: Engine) -> None:
    found = image(engine, "us-east-1")
    assert found is not None
    assert inference_ami(found.cuda) is not None


def test_every_gpu_host_of_the_service_model_is_known() -> None:
    names = schema("CreateEndpointConfig")["$defs"]["ProductionVariantInferenceAmiVersion"]["enum"]
    assert {ami.name for ami in INFERENCE_AMIS} == {name for name in names if "-gpu-" in name}
