"""Every number that was fitted to measurements or assumed, with where it comes from.

Intervals are (low, expected, high). The measurements are public ones:

- FMS: IBM fms-acceleration, benchmark reference CSVs (7B and 8x7B, A100-80GB, single and FSDP, nvidia-smi beside
  torch's peak allocated).
- FitCheck: PyPI fitcheck-llm 0.3.1 sdist, data/measurements/t4-*.json (T4; allocated, reserved, process).
- Qwen: README of QwenLM/Qwen (v1), "Profiling of Memory and Speed" (A100-80GB, lengths 256 to 8192).
- VectorLM: VectorInstitute/vectorlm docs/reference_throughput.md (Llama 3 8B, A100-80GB, FSDP).
- AnswerDotAI: fsdp_qlora benchmarks 03/2024 (RTX 3090, 4090, A100).
- AWS notebooks: philschmid/llm-sagemaker-sample and aws-samples, executed outputs (A10G).

The first fit was made by eye over all of them together, so nothing here says how well it holds for other sources.
"""

from __future__ import annotations

from hbspec.units import GB, Interval

# Memory beside the tensors.

CUDA_CONTEXT = Interval(0.15 * GB, 0.5 * GB, 1.5 * GB)
"""Driver context, cuBLAS and FlashAttention workspaces. FitCheck: process - reserved is 0.15 GB on a T4."""

NCCL_BUFFERS = Interval(0.3 * GB, 1.0 * GB, 2.0 * GB)
"""Communicators of several ranks. FMS: two ranks take 0.5 to 1.5 GB more beside their tensors than one."""

FRAGMENTATION_OF_LASTING = Interval(0.0, 0.04, 0.10)
"""Reserved but unused, as a share of weights, states and gradients."""

FRAGMENTATION_OF_PASSING = Interval(0.02, 0.30, 0.60)
"""The same as a share of activations and temporaries. FMS and FitCheck: process / allocated has quartiles 1.13, 1.23
and 1.33 on one GPU, and grows with the share of activations."""

FRAGMENTATION_OF_SHARDED = Interval(0.10, 0.50, 1.00)
"""The same where weights are gathered and freed layer by layer. FMS with FSDP: 1.14 to 1.94."""

ACTIVATION_ERROR = 0.02
"""Half width of activation terms for families that were traced (Qwen2, Llama, Mistral)."""

ACTIVATION_ERROR_UNTRACED = 0.25
"""The same for what was never traced: other families, 8-bit, DoRA, eager attention, padding, sharding of layers."""

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
