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
from typing import NamedTuple

from hbspec.units import GB, Interval

# Memory beside the tensors.


class MemoryConstants(NamedTuple):
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
`benchmarks/measured/fitted_memory.json`. The rest is assumed: FitCheck's process - reserved is 0.148 GB on a T4; nobody
published it for other GPUs, and FMS's two ranks show 0.5 to 1.5 GB more beside their tensors than one does."""

ACTIVATION_ERROR = 0.03
"""Half width of activation terms where traces agree to 0.5 % in all. Beside them lie what a trace on the CPU does not
show: rounding to 512 bytes, scratch of kernels. FitCheck on a T4: 67 rows within 1.4 % of all tensors."""

ACTIVATION_ERROR_UNTRACED = 0.12
"""The same for what was never traced: sharding of layers, tensor parallelism. FMS: 80 rows under FSDP within 5 % of all
tensors, most within 2.5 %."""

# Time of a step.


class StepConstants(NamedTuple):
    """Everything about the speed of a step that is fitted to measurements or assumed.

    Attributes:
        products: share of what a matrix product alone reaches that the products of a step reach.
        attention: the same of kernels that compute attention in one piece.
        crossings: how often each written byte crosses the memory bus at its full bandwidth, reading included.
        unpacking: the same for unpacked weights.
        launch: seconds of the host for each kernel.
        error: factor on the GPU's work.
        links: factor on what is sent.
        bandwidth: share of the memory bandwidth that an optimizer's kernels reach.
        fetch: what DeepSpeed's hooks take of the host for a tensor under ZeRO-3, in launches. Qwen's README: 7B on two
            GPUs takes 0.5 s whatever the length below 1,024 tokens, for 3 x 290 tensors.
        handover: factor on a micro-batch where `device_map` hands over between GPUs through Python hooks.
    """

    products: float
    attention: float
    crossings: float
    unpacking: float
    launch: Interval
    error: Interval
    links: Interval
    bandwidth: float
    fetch: int
    handover: float


STEP = StepConstants(
    products=0.9,
    attention=0.9,
    crossings=2.4,
    unpacking=2.5,
    launch=Interval(6.75e-06, 1.5e-05, 3.75e-05),
    error=Interval(0.84, 1, 1.74),
    links=Interval(0.7, 1.0, 2.0),
    bandwidth=0.8,
    fetch=30,
    handover=1.3,
)
"""What `python benchmarks/accuracy.py --fit` prints, from the rows in `benchmarks/measured/fitted_speed.json`; `links`,
`bandwidth`, `fetch` and `handover` are assumed. Two rows of AWS notebooks on four A10G show the handover."""

REACHED = {
    "A100-40": 0.87,
    "A100-80": 0.87,
    "A100-PCIe-80": 0.81,
    "B200": 0.78,
    "B300": 0.79,
    "GB200": 0.73,
    "H100-80": 0.80,
    "H100-96": 0.80,
    "H200-141": 0.80,
    "MI300X": 0.51,
    "RTX 3090": 1.0,
    "RTX 4090": 0.98,
    "RTX 5090": 1.0,
    "T4": 0.37,
    "V100-16": 0.68,
    "V100-32": 0.68,
}
"""Share of the dense peak that a large matrix product alone reaches, in bfloat16 where there is one. A100, H100, H200,
B200, B300, GB200 and MI300X: stas00/ml-engineering, compute/accelerator, "Maximum Achievable Matmul FLOPS comparison
table". T4: 24 of 65, which its 70 W allow (forums.developer.nvidia.com/t/about-gpu-peak-performance/264462). RTX and
V100: a public table of torch products by device (RTX 3090 76, RTX 4090 160 to 173, RTX 5090 236, V100S 89 TFLOPS)."""

ATTENTION = {(8, 0): 0.7, (9, 0): 0.42}
"""What attention in one piece, forward and back, reaches of what a product alone reaches, by compute capability. 8.0:
190 of 271 TFLOP/s, 9.0: 335 of 794, which was not written for that GPU (T. Dao, FlashAttention-2, arXiv 2307.08691,
section 4.1; older kernels are slower)."""

ATTENTION_UNKNOWN = 0.6
"""For other GPUs: an assumption."""

REACHED_UNKNOWN = 0.75
"""For GPUs without such a measurement: an assumption between those with power to spare and those without."""

# Time around the steps. Intervals are meant to hold nine runs in ten; few runs print these times, so they are wide.
# - CodeLlama: philschmid/llm-sagemaker-sample, train-evalaute-llms-2024-trl.ipynb, run in 2024 (7B on ml.g5.2xlarge).
# - Llama 3: the same repository, train-deploy-llama3-8B-G512xlarge.ipynb, run in 2024 (8B on ml.g5.12xlarge).
# - Merlin: NVIDIA-Merlin/Transformers4Rec issue 794 (an image of ECR, 2024).

STARTUP_SECONDS = Interval(30, 90, 600)
"""From the request to an instance that runs; not billed (see `hbspec.estimators.job.time`). CodeLlama: 80 s, Llama 3:
73 s, Merlin: 49 s. The high end is assumed: large types wait for capacity."""

IMAGE_PULL_SECONDS = Interval(150, 250, 480)
"""Download of a deep-learning container of about 10 GB, its start, and the installation of requirements. CodeLlama: 171
s, 36 s and 20 s, after 19 s for its data; Llama 3: 217 s, 30 s and 18 s; Merlin: 171 s for the image."""

DOWNLOAD_BYTES_PER_SECOND = Interval(0.1 * GB, 0.35 * GB, 1.5 * GB)
"""Weights from the hub or from S3, as far as the instance's network and its disk allow. CodeLlama: 13.5 GB in 54 s;
Llama 3: 16.1 GB in 42 s; oobabooga/textgen issue 2841: 0.06 GB/s over one connection, 0.67 GB/s over eight."""

NVME_BYTES_PER_SECOND = Interval(0.4 * GB, 1.0 * GB, 3.0 * GB)
"""A local disk, one after another. Assumed: one NVMe drive; large types have several."""

VOLUME_BYTES_PER_SECOND = Interval(0.125 * GB, 0.2 * GB, 0.27 * GB)
"""SageMaker's volumes are gp2, which moves 128 MiB/s up to 170 GiB and 250 MiB/s from 334 GiB on
(https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html)."""

LOAD_BYTES_PER_SECOND = Interval(0.3 * GB, 1.2 * GB, 3.0 * GB)
"""16-bit weights from memory that still caches the files to the GPUs, quantised on the way. CodeLlama: 13.5 GB in 10.3
s; Llama 3: 16.1 GB in 5.2 s to 6.9 s by each of four processes."""

IMPORT_SECONDS = Interval(20, 45, 120)
"""Imports, tokenising of a few thousand examples, compilation of kernels. CodeLlama: of 482 billed seconds around the
steps, 131 are left for this and for merging."""

SAVE_BYTES_PER_SECOND = Interval(0.1 * GB, 0.8 * GB, 2.0 * GB)
"""A checkpoint out of GPU memory to the disk, or at best to memory that caches the file."""

SAVE_SECONDS = Interval(0.2, 1, 5)
"""What a save takes whatever its size. CodeLlama: three saves of about 0.5 GB took 1.4 s together."""

DIGESTED_BYTES = 256 * 2**20
"""What the shipped script reads again of a checkpoint to store SHA-256 digests of its smallest files. A test holds it
equal to `templates/manifest.py`."""

DIGEST_BYTES_PER_SECOND = Interval(0.4 * GB, 0.8 * GB, 2.0 * GB)
"""SHA-256 of a file that memory still holds. Python's hashlib on one core of an AMD EPYC: 0.6 to 0.9 GB/s; the ends are
assumed, for cores with and without SHA instructions."""

SYNC_BYTES_PER_SECOND = Interval(0.05 * GB, 0.2 * GB, 0.5 * GB)
"""Checkpoints to S3. SageMaker copies them while the job trains on, so only the last one is waited for. Assumed; large
files of a finished model went at 0.33 GB/s (CodeLlama)."""

MERGE_BYTES_PER_SECOND = Interval(0.06 * GB, 0.14 * GB, 0.4 * GB)
"""16-bit weights loaded anew, adapters added, and written. CodeLlama: loading alone took 31 s of 13.5 GB, and all of it
less than 131 s."""

UPLOAD_BYTES_PER_SECOND = Interval(0.02 * GB, 0.05 * GB, 0.5 * GB)
"""The result to S3. SageMaker packs it into a `model.tar.gz` unless it is told not to, and gzip on weights is slower
than any network: 0.02 to 0.05 GB/s on one core, assumed. The high end is for what is not packed: CodeLlama sent 13.5 GB
in 41 s, its end included."""

UPLOAD_SECONDS = Interval(5, 15, 60)
"""The end of the job, whatever the result's size. Assumed."""

SPOT_SHARE = Interval(0.2, 0.4, 1.0)
"""What a managed-spot job is billed, as a share of the on-demand bill of the same time. AWS promises "up to" 90 % off;
runs that print "Managed Spot Training savings" printed 54 %, 63 %, 70 % (huggingface/notebooks, 05_spot_instances) and
78 %. Spot is never dearer than on demand."""

INTERRUPTIONS_PER_HOUR = Interval(0.0001, 0.01, 0.16)
"""How often a spot instance is taken back. Assumed between two sources that are far apart: AWS's Spot Instance Advisor
puts types into bands from below 5 % to above 20 % a month (0.00007 to 0.0003 an hour), and Bamboo (Thorpe et al., NSDI
2023) replays traces of EC2's p3 with 10 %, 16 % and 33 % of the instances an hour."""

SPOT_WAIT_SECONDS = Interval(0, 300, 7200)
"""Waiting for spot capacity, at the start and after each interruption; not billed. Assumed."""

MEASURED_ERROR = Interval(0.9, 1.0, 1.1)
"""Around a rate that the author measured on this very job (`calibration`): an assumption, what reruns differ by."""
