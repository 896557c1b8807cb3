"""Host images of endpoints, and the CUDA releases that they can run.

The container of an endpoint contains the CUDA libraries, the host the NVIDIA driver. The service's API model does not
match the two: a container may fail to start if its CUDA release is newer than the driver supports.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InferenceAmi:
    """A value of InferenceAmiVersion, its NVIDIA driver branch, and the newest CUDA that the driver supports."""

    name: str
    driver: int
    cuda: str


# botocore 1.44.5, sagemaker 2017-07-24, documentation of ProductionVariant$InferenceAmiVersion; oldest driver first.
# `-gpu-2-1` is `-gpu-2` without CUDA compatibility mounting, like all later ones.
INFERENCE_AMIS = (
    InferenceAmi("al2-ami-sagemaker-inference-gpu-2", 535, "12.2"),
    InferenceAmi("al2-ami-sagemaker-inference-gpu-2-1", 535, "12.2"),
    InferenceAmi("al2-ami-sagemaker-inference-gpu-3-1", 550, "12.4"),
    InferenceAmi("al2023-ami-sagemaker-inference-gpu-4-1", 580, "13.0"),
)


def inference_ami(cuda: str) -> InferenceAmi | None:
    """The oldest host image whose driver supports a CUDA release, of its major release; None if no driver does.

    A driver runs the CUDA releases up to its own, and later ones of its major release by minor version compatibility
    (https://docs.nvidia.com/deploy/cuda-compatibility/). So does AWS pair them: CUDA 12 with driver 550 and CUDA 13
    with driver 580 (aws/deep-learning-containers, test/test_utils/constants.py); a container of CUDA 12.9 was stuck in
    Creating on the host of driver 580 (pull request 6187 there). Left out: forward compatibility packages in a
    container, with which an older host may suffice.

    AWS's container of CUDA 12 did not start on the T4 of ml.g4dn.xlarge (aws/sagemaker-python-sdk, pull request 6141:
    CannotStartContainerError). Nothing says so of today's: CUDA 13 and driver 580 still run GPUs of compute capability
    7.5, and vLLM serves them with Triton's attention (vllm-project/vllm, pull request 45375). Not tried on AWS.

    >>> inference_ami("13.0").name, inference_ami("12.9").name, inference_ami("14.0")
    ('al2023-ami-sagemaker-inference-gpu-4-1', 'al2-ami-sagemaker-inference-gpu-3-1', None)
    """
    wanted = _release(cuda)
    same = [ami for ami in INFERENCE_AMIS if _release(ami.cuda)[0] == wanted[0]]
    if not same:
        return next((ami for ami in INFERENCE_AMIS if _release(ami.cuda) >= wanted), None)
    return next((ami for ami in same if _release(ami.cuda) >= wanted), same[-1])


def _release(cuda: str) -> tuple[int, ...]:
    return tuple(int(part) for part in cuda.split("."))
