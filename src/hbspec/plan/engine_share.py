"""The share of a GPU that an engine takes where its author sets none: vLLM's is fixed, SGLang's follows from the GPU.

SGLang's is of weights and cache alone (`--mem-fraction-static`).
SGLang leaves what it expects of activations and CUDA graphs, by the GPU's memory: 1.5 MiB for each token of a chunk of
a prompt, 2 MiB for each request of the largest graph, and something for each GPU that shares the model, at least 10 GiB
of a large GPU (sglang/srt/server_args.py of release 0.5.3, `_handle_gpu_memory_settings`; PyPI). Newer releases leave
less and size the cache after graphs are captured, of which no log was found; older ones left 0.12 to 0.21 of a GPU.
"""

from __future__ import annotations

from hbspec.catalog import Gpu
from hbspec.plan.assumptions import Choices
from hbspec.spec.deployment import Deployment
from hbspec.units import GIB

DEFAULT_UTILIZATION = 0.9
"""vLLM's `--gpu-memory-utilization` (docs.vllm.ai, Engine Arguments)."""
SGLANG = "sglang"
"""An engine that is estimated, and that no target deploys."""

UNKNOWN_GPU = 0.88
"""The share on a GPU of unknown memory; likewise."""

SIZES = ((20, 2048, 8, 8), (35, 2048, 16, 80), (60, 4096, 32, 160), (160, 8192, 256, 512))
LARGEST = (16384, 512, 512)
"""Below so many GiB of memory: tokens of a chunk, and requests of the largest graph of fewer than four GPUs that share
the model, and of four and more; and of larger GPUs."""
FEW = 4

CONSTANT, OF_TOKEN, OF_REQUEST, OF_GPU = 512, 1.5, 2, 128
LARGE, LEAST_OF_LARGE = 60, 10 * 1024
"""MiB that are left in any case, for a token, a request and a GPU; and at least of GPUs with so many GiB."""
MIB = 2**20


def static_share(gpu: Gpu | None, parts: int) -> float:
    """The share of each of `parts` GPUs, of the memory that PyTorch sees: a little less than the driver's."""
    if gpu is None or gpu.usable_bytes is None:
        return UNKNOWN_GPU
    memory = gpu.usable_bytes / MIB
    tokens, few, many = next((sizes for most, *sizes in SIZES if gpu.usable_bytes < most * GIB), LARGEST)
    left = CONSTANT + OF_TOKEN * tokens + OF_REQUEST * (few if parts < FEW else many) + OF_GPU * parts
    if gpu.usable_bytes > LARGE * GIB:
        left = max(left, LEAST_OF_LARGE)
    return round((memory - left) / memory, 3)


def usual_share(engine: str, gpu: Gpu | None, parts: int) -> float:
    """The share that an engine takes of each of `parts` GPUs where it is told none."""
    return static_share(gpu, parts) if engine == SGLANG else DEFAULT_UTILIZATION


def chosen_share(section: Deployment, engine: str, gpu: Gpu | None, choices: Choices) -> float:
    """The author's share, or the engine's own, which is an assumption where it follows from the GPU."""
    if section.gpu_memory_utilization is not None:
        return section.gpu_memory_utilization
    share = usual_share(engine, gpu, section.tensor_parallel or 1)
    if engine == SGLANG:
        reason = "what SGLang leaves of this GPU for activations"
        choices.note(("deployment", "gpu_memory_utilization"), share, reason)
    return share
