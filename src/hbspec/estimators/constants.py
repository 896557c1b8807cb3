"""Every number that was fitted to measurements or assumed, with where it comes from.

Intervals are (low, expected, high). The measurements are public ones:

- FMS: IBM fms-acceleration, benchmark reference CSVs (7B and 8x7B, A100-80GB, single and FSDP, nvidia-smi beside
  torch's peak allocated).
- FitCheck: PyPI fitcheck-llm 0.3.1 sdist, data/measurements/t4-*.json (T4; allocated, reserved, process).
- Qwen: README of QwenLM/Qwen (v1), "Profiling of Memory and Speed" (A100-80GB, lengths 256 to 8192).
- VectorLM: VectorInstitute/vectorlm docs/reference_throughput.md (Llama 3 8B, A100-80GB, FSDP).
- AnswerDotAI: fsdp_qlora benchmarks 03/2024 (RTX 3090, 4090, A100).
- AWS notebooks: philschmid/llm-sagemaker-sample and aws-samples, executed outputs (A10G).

The first fit was made by eye over all of them together. What is fitted since, `MEMORY`, is scored on sources that it
has not seen by `benchmarks/accuracy.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hbspec.units import GB, Interval

# Memory beside the tensors.


@dataclass(frozen=True, slots=True)
class MemoryConstants:
    """Everything about memory that is fitted to measurements or assumed.

    Attributes:
        context: bytes of the driver's context and of libraries, where it was not measured.
        context_by_capability: the same by compute capability.
        communicators: bytes beside that where several ranks work together.
        reserved_of_passing: reserved but unused, as a share of what is freed again in every step.
        reserved_of_sharded: the same as a share of all tensors, where weights are gathered layer by layer.
    """

    context: Interval
    context_by_capability: Mapping[tuple[int, int], Interval]
    communicators: Interval
    reserved_of_passing: Interval
    reserved_of_sharded: Interval


MEMORY = MemoryConstants(
    context=Interval(0.3 * GB, 0.55 * GB, 1.0 * GB),
    context_by_capability={(7, 5): Interval(0.14 * GB, 0.15 * GB, 0.3 * GB)},
    communicators=Interval(0.2 * GB, 0.7 * GB, 1.5 * GB),
    reserved_of_passing=Interval(0.0, 0.277, 0.556),
    reserved_of_sharded=Interval(0.026, 0.2, 0.521),
)
"""The two shares are what `python benchmarks/accuracy.py --fit` prints, from the rows in
`benchmarks/measured/fitted.json`. The rest is assumed: FitCheck's process - reserved is 0.148 GB on a T4; nobody
published it for other GPUs, and FMS's two ranks show 0.5 to 1.5 GB more beside their tensors than one does."""

ACTIVATION_ERROR = 0.03
"""Half width of activation terms where traces agree to 0.5 % in all. Beside them lie what a trace on the CPU does not
show: rounding to 512 bytes, scratch of kernels. FitCheck on a T4: 67 rows within 1.4 % of all tensors."""

ACTIVATION_ERROR_UNTRACED = 0.12
"""The same for what was never traced: sharding of layers, tensor parallelism. FMS: 80 rows under FSDP within 5 % of all
tensors, most within 2.5 %."""

# Time of a step.

GEMM_EFFICIENCY = {(7, 5): 0.22, (8, 0): 0.68, (8, 6): 0.56, (8, 9): 0.50, (9, 0): 0.55}
"""Share of the dense peak that large matrix products reach, by compute capability. 7.5: FitCheck on T4. 8.0: FMS, Qwen
and VectorLM on A100. 8.6: AWS notebooks on A10G. 8.9: PEFT's method_comparison on L40S. 9.0: published H100
pre-training runs (torchtitan, MosaicML), whose utilisation is lower for losses that are counted apart here."""

GEMM_EFFICIENCY_UNKNOWN = 0.5
"""For GPUs without any measurement."""

ACTIVATION_PASSES = 8.0
"""How often each saved byte of activations crosses the memory bus in forward, recompute and backward together."""

BANDWIDTH_EFFICIENCY = 0.8
"""Share of the memory bandwidth that element-wise kernels reach."""

DEQUANTIZATION_EFFICIENCY = 0.45
"""Share of the bandwidth at which 4-bit weights are unpacked to 16 bits."""

LAUNCH_SECONDS_PER_LAYER = 0.006
"""Least time a layer takes in forward, recompute and backward with adapters, whatever its size: kernels are launched
one by one. Qwen: 24 layers take 0.125 s at 256 and at 512 tokens."""

PIPELINE_SLOWDOWN = 1.3
"""Factor on a micro-batch where `device_map` hands over between GPUs through Python hooks. AWS notebooks: two rows on
four A10G are that much slower, against this roofline, than those on one."""

STEP_TIME_ERROR = Interval(0.85, 1.1, 1.85)
"""Factor from the roofline to measured times of a step. Of the 221 rows of the sources above that could be expressed,
196 lie inside; most others are slower: Qwen's of several nodes and of full fine-tuning below 2,048 tokens, FitCheck's
of models below 0.4B, PEFT's of variable lengths."""

# Time around the steps. None of these was measured for this project: they are assumptions with wide bounds.

STARTUP_SECONDS = Interval(60, 180, 600)
"""From the request to an instance that runs; not billed (see `hbspec.estimators.time`)."""

IMAGE_PULL_SECONDS = Interval(60, 180, 480)
"""Download of a deep-learning container of 8 to 12 GB (compressed), and the installation of requirements."""

DOWNLOAD_BYTES_PER_SECOND = Interval(0.1 * GB, 0.4 * GB, 2.0 * GB)
"""Weights from the hub or from S3, as far as the instance's network allows."""

LOAD_BYTES_PER_SECOND = Interval(0.3 * GB, 1.0 * GB, 3.0 * GB)
"""16-bit weights from disk to the GPUs, quantised on the way."""

IMPORT_SECONDS = Interval(20, 45, 120)
"""Imports, tokenising of a few thousand examples, compilation of kernels."""

SAVE_BYTES_PER_SECOND = Interval(0.1 * GB, 0.4 * GB, 1.5 * GB)
"""A checkpoint or the result to disk, and from there to S3."""

SAVE_SECONDS = Interval(0.5, 2, 10)
"""What a save takes whatever its size."""

UPLOAD_SECONDS = Interval(10, 30, 120)
"""Archiving and the end of the job."""

SPOT_SHARE = Interval(0.3, 0.45, 1.0)
"""What a managed-spot job is billed, as a share of the on-demand bill. AWS promises "up to" 90 % off."""

# Serving.

ENGINE_BYTES = Interval(0.4 * GB, 1.0 * GB, 2.5 * GB)
"""Context, activations of the longest batch and CUDA graphs of vLLM beside weights and cache. Assumed: vLLM logs it at
start-up, between 0.5 and 2 GB for models of 7B to 32B."""

DECODE_BANDWIDTH_EFFICIENCY = {
    "none": Interval(0.55, 0.75, 1.0),
    "awq": Interval(0.35, 0.60, 1.0),
    "gptq": Interval(0.35, 0.60, 1.0),
    "fp8": Interval(0.45, 0.65, 1.0),
    "int8": Interval(0.15, 0.35, 1.0),
    "nf4": Interval(0.20, 0.45, 1.0),
    "fp4": Interval(0.20, 0.45, 1.0),
}
"""Share of the memory bandwidth at which one request's weights stream while decoding; 1.0 is the physical limit.
Looked up by eye in Argonne's LLM-Inference-Bench, the Qwen2.5 speed benchmark and bitsandbytes' benchmarking README."""

DECODE_LAUNCH_SECONDS_PER_LAYER = 0.00002
"""Least time a layer takes for one token with CUDA graphs."""

MEASURED_ERROR = Interval(0.9, 1.0, 1.1)
"""Around a rate that the author measured on this very job (`calibration`): an assumption, what reruns differ by."""
