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
"""The same where weights are gathered and freed layer by layer. FMS with FSDP: 1.14 to 1.94, most in full fine-tunes."""

ACTIVATION_ERROR = 0.02
"""Half width of activation terms for families that were traced (Qwen2, Llama, Mistral)."""

ACTIVATION_ERROR_UNTRACED = 0.25
"""The same for what was never traced: other families, 8-bit, DoRA, eager attention, padding, sharding of layers."""

# Time of a step.

GEMM_EFFICIENCY = {7: 0.30, 8: 0.68, 9: 0.55}
"""Share of the dense peak that large matrix products reach, by compute capability. 7: FitCheck on T4. 8: FMS, Qwen
and VectorLM on A100. 9: published H100 pre-training runs (torchtitan, MosaicML), scaled up for other losses."""

GEMM_EFFICIENCY_UNKNOWN = 0.5
"""For GPUs without any measurement."""

ACTIVATION_PASSES = 8.0
"""How often each saved byte of activations crosses the memory bus in forward, recompute and backward together."""

BANDWIDTH_EFFICIENCY = 0.8
"""Share of the memory bandwidth that element-wise kernels reach."""

DEQUANTIZATION_EFFICIENCY = 0.45
"""Share of the bandwidth at which 4-bit weights are unpacked to 16 bits."""

LAUNCH_SECONDS_PER_LAYER = 0.005
"""Least time a layer takes in forward, recompute and backward with adapters, whatever its size: kernels are launched
one by one. Qwen: 24 layers take 0.125 s at 256 and at 512 tokens."""

STEP_TIME_ERROR = Interval(0.70, 1.0, 1.60)
"""Factor from the estimate to measured step times; the middle nine tenths of the sources above."""
