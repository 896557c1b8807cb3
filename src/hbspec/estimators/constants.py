"""All constants that were fitted to measurements or assumed, with their sources.

Intervals are (low, expected, high). All measurements are public:

- FMS: IBM fms-acceleration, benchmark reference CSVs (7B and 8x7B, A100-80GB, single and FSDP, nvidia-smi beside
  torch's peak allocated).
- FitCheck: PyPI fitcheck-llm 0.3.1 sdist, data/measurements/t4-*.json (T4; allocated, reserved, process).
- Qwen: README of QwenLM/Qwen (v1), "Profiling of Memory and Speed" (A100-80GB, lengths 256 to 8192).
- VectorLM: VectorInstitute/vectorlm docs/reference_throughput.md (Llama 3 8B, A100-80GB, FSDP).
- AnswerDotAI: fsdp_qlora benchmarks 03/2024 (RTX 3090, 4090, A100).
- AWS notebooks: philschmid/llm-sagemaker-sample and aws-samples, executed outputs (A10G).

The first fit was made by eye over all of them together. `MEMORY`, fitted later, is scored by `benchmarks/accuracy.py`
on sources that were left out of the fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.units import GB, Interval

# Memory beside the tensors.


class MemoryConstants(NamedTuple):
    """All constants of memory that are fitted to measurements or assumed.

    Attributes:
        context: bytes of the CUDA context and of libraries on GPUs where it was not measured.
        context_by_capability: bytes of the CUDA context by compute capability, where measured.
        communicators: additional bytes where several ranks work together.
        reserved_of_passing: reserved but unused bytes, as a share of the tensors freed again in every step.
        reserved_of_sharded: reserved but unused bytes, as a share of all tensors, where weights are gathered layer by
            layer in a way that is not replayed.
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
    reserved_of_passing=Interval(0.0, 0.277, 0.588),
    reserved_of_sharded=Interval(0.102, 0.33, 0.521),
)
"""The two shares are printed by `python benchmarks/accuracy.py --fit memory`, from the rows in
`benchmarks/measured/fitted_memory.json`. The rest is assumed: FitCheck's process - reserved is 0.148 GB on a T4; no
measurement for other GPUs is published, and FMS's two ranks have 0.5 to 1.5 GB more overhead than a single one."""

ACTIVATION_ERROR = 0.03
"""Relative half-width of activation terms where the total agrees with traces to 0.5 %. A trace on the CPU does not show
rounding to 512 bytes or scratch memory of kernels. FitCheck on a T4: 67 rows within 1.4 % of all tensors."""

ACTIVATION_ERROR_UNTRACED = 0.12
"""Relative half-width of activation terms without traces: sharded layers, tensor parallelism. FMS: 80 rows under FSDP
within 5 % of all tensors, most within 2.5 %."""

GENERATING_ERROR = 0.12
"""Relative half-width of what comes and goes while completions are generated. Assumed: few shapes were traced
(`tests/oracle/test_generation.py`), and none on a GPU, where samplers and kernels have scratch memory of their own."""

# Time of a step.

OBJECTIVE_ERROR = Interval(0.8, 1.0, 1.5)
"""Factor on the time of a micro-batch of another objective than the next token. A belief: no measured step of one was
found with its configuration, and the work beside the model's passes (gathering of metrics, losses) is not counted."""


class StepConstants(NamedTuple):
    """All constants of the speed of a step that are fitted to measurements or assumed.

    Attributes:
        products: speed of the matrix products of a step, as a share of the speed of a single large product.
        attention: speed of fused attention kernels, likewise.
        crossings: number of times that each written byte crosses the memory bus at full bandwidth, including reads.
        unpacking: number of times that each byte of unpacked weights crosses the memory bus, likewise.
        launch: host seconds per kernel.
        error: factor on the time of the GPU's work.
        exposed: share of what ranks send that is not hidden behind work, although the work takes longer.
        bandwidth: share of the memory bandwidth that an optimizer's kernels reach.
        fetch: host time of DeepSpeed's hooks per tensor under ZeRO-3, in launches. Qwen's README: 7B on two GPUs takes
            0.5 s at any length below 1,024 tokens, for 3 x 290 tensors.
        unit: host time of FSDP's hooks per unit and pass, in launches, as `python benchmarks/hooks.py` measures it.
        handover: factor on a micro-batch where `device_map` passes activations between GPUs through Python hooks.
    """

    products: float
    attention: float
    crossings: float
    unpacking: float
    launch: Interval
    error: Interval
    exposed: Interval
    bandwidth: float
    fetch: int
    unit: int
    handover: float


STEP = StepConstants(
    products=1.02,
    attention=0.899,
    crossings=2.49,
    unpacking=2.5,
    launch=Interval(6.75e-06, 1.5e-05, 3.75e-05),
    error=Interval(0.76, 1, 1.41),
    exposed=Interval(0.0, 0.75, 1.0),
    bandwidth=0.8,
    fetch=30,
    unit=65,
    handover=1.3,
)
"""Printed by `python benchmarks/accuracy.py --fit speed`, from the rows in `benchmarks/measured/fitted_speed.json`;
`bandwidth`, `fetch`, `handover` and the ends of `exposed` are assumed. Two rows of AWS notebooks on four A10G show the
handover."""

HOST_THREAD_BYTES_PER_SECOND = Interval(5 * GB, 12 * GB, 40 * GB)
"""What an optimizer on the host reads and writes with one thread. Torch 2.13's AdamW on one thread of an AMD EPYC: 5.6
ns a parameter tensor by tensor, which is 16 GB/s, and 0.6 ns in one kernel, 47 GB/s. The low end is assumed: processes
share their host's memory."""

REACHED = {
    "A10G": 0.75,
    "A100-40": 0.87,
    "A100-80": 0.87,
    "A100-PCIe-80": 0.81,
    "B200": 0.78,
    "B300": 0.79,
    "GB200": 0.73,
    "H100-80": 0.80,
    "H100-96": 0.80,
    "H100-PCIe": 0.66,
    "H200-141": 0.80,
    "L4": 0.48,
    "L40S": 0.59,
    "MI300X": 0.51,
    "RTX 3070": 1.03,
    "RTX 3090": 1.07,
    "RTX 4090": 0.98,
    "RTX 5090": 1.1,
    "RTX A6000": 0.80,
    "RTX PRO 6000": 0.86,
    "T4": 0.37,
    "V100-16": 0.68,
    "V100-32": 0.68,
}
"""Share of the dense peak that a single large matrix product reaches, in bfloat16 where supported; above 1 where the
clock exceeds the data sheet's. A100, H100, H200, B200, B300, GB200 and MI300X: stas00/ml-engineering,
compute/accelerator, "Maximum Achievable Matmul FLOPS comparison table". T4: 24 of 65, limited by its 70 W
(forums.developer.nvidia.com/t/about-gpu-peak-performance/264462). The other cards and V100:
zzc0721/torch-performance-test-data, database.md and issues 120 (L4: 57 to 59 TFLOPS at 8,192 and more, 71 at 2,048,
limited by its 72 W). L40S and RTX PRO 6000: the high quartile of large products behind `hbspec.catalog.products`. A10G:
the one report (issue 126 there: 62.5 of 70 TFLOPS at 4,096) names an A100 beside it, and with 0.89 six executed
notebooks are estimated a tenth too fast; 0.75 is what they say."""

LARGEST = 0.9
"""Speed of the median product with a model's weights, without the time to read them, as a share of `REACHED`: the
median of the six GPUs that have both (A100 0.92, H100 0.94, H200 0.93, B200 0.86, B300 0.89, GB200 0.88)."""

ATTENTION = {(8, 0): 0.7, (9, 0): 0.42}
"""Speed of fused attention, forward and backward, as a share of the speed of a single large product, by compute
capability. 8.0: 190 of 271 TFLOP/s; 9.0: 335 of 794, with a kernel not written for that GPU (T. Dao, FlashAttention-2,
arXiv 2307.08691, section 4.1; older kernels are slower)."""

ATTENTION_UNKNOWN = 0.6
"""`ATTENTION` of other GPUs: an assumption."""

REACHED_UNKNOWN = Interval(0.5, 0.75, 0.95)
"""`REACHED` of other GPUs: an assumption between those that are limited by their power supply (T4 0.37, MI300X 0.51,
L40S 0.59) and those that are not."""

INT8_SLOWER = Interval(0.8, 1.2, 2.0)
"""Factor on products with weights in 8 bits (LLM.int8): bitsandbytes quantises the activations before each, and the
weights are unpacked again on the way back. llama-recipes on an RTX 3090 takes 1.8 times as long as is estimated for
weights in 16 bits, on a V100 0.8 times; the expected value is the geometric mean of both."""

# Time around the steps. Intervals should contain nine runs in ten; few runs print these times, so they are wide.
# - CodeLlama: philschmid/llm-sagemaker-sample, train-evalaute-llms-2024-trl.ipynb, run in 2024 (7B on ml.g5.2xlarge).
# - Llama 3: the same repository, train-deploy-llama3-8B-G512xlarge.ipynb, run in 2024 (8B on ml.g5.12xlarge).
# - Merlin: NVIDIA-Merlin/Transformers4Rec issue 794 (an image of ECR, 2024).

STARTUP_SECONDS = Interval(30, 90, 600)
"""From the request to a running instance; not billed (see `hbspec.estimators.job.time`). CodeLlama: 80 s, Llama 3:
73 s, Merlin: 49 s. The high end is assumed: large types wait for capacity."""

IMAGE_PULL_SECONDS = Interval(150, 250, 480)
"""Download of a deep-learning container of about 10 GB, its start, and the installation of requirements. CodeLlama: 171
s, 36 s and 20 s, after 19 s for its data; Llama 3: 217 s, 30 s and 18 s; Merlin: 171 s for the image."""

DOWNLOAD_BYTES_PER_SECOND = Interval(0.1 * GB, 0.35 * GB, 1.5 * GB)
"""Weights from the Hub or from S3, where the instance's network and disk are not slower. CodeLlama: 13.5 GB in 54 s;
Llama 3: 16.1 GB in 42 s; oobabooga/textgen issue 2841: 0.06 GB/s over one connection, 0.67 GB/s over eight."""

TEXT_BYTES_PER_TOKEN = Interval(3, 4, 6)
"""Bytes of a token's text in JSON lines: UTF-8 text has 3 to 6. An assumption."""

NVME_BYTES_PER_SECOND = Interval(0.4 * GB, 1.0 * GB, 3.0 * GB)
"""Sequential speed of a local disk. Assumed: one NVMe drive; large types have several."""

VOLUME_BYTES_PER_SECOND = Interval(0.125 * GB, 0.2 * GB, 0.27 * GB)
"""SageMaker's volumes are gp2, with 128 MiB/s up to 170 GiB and 250 MiB/s from 334 GiB
(https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html)."""

LOAD_BYTES_PER_SECOND = Interval(0.3 * GB, 1.2 * GB, 3.0 * GB)
"""16-bit weights from the page cache to the GPUs, including quantisation. CodeLlama: 13.5 GB in 10.3 s; Llama 3: 16.1
GB in 5.2 s to 6.9 s by each of four processes."""

IMPORT_SECONDS = Interval(20, 45, 120)
"""Imports, tokenising of a few thousand examples, compilation of kernels. CodeLlama: of 482 billed seconds around the
steps, 131 remain for this and for merging."""

SAVE_BYTES_PER_SECOND = Interval(0.1 * GB, 0.8 * GB, 2.0 * GB)
"""A checkpoint from GPU memory to the disk, for which the shipped script waits; at best (a script of the spec's own) to
the page cache."""

SAVE_SECONDS = Interval(0.2, 1, 5)
"""Fixed time per save, regardless of size. CodeLlama: three saves of about 0.5 GB took 1.4 s together."""

DIGESTED_BYTES = 256 * 2**20
"""Bytes of a checkpoint that the shipped script reads again to store SHA-256 digests of its smallest files. A test
keeps it equal to `templates/manifest.py`."""

DIGEST_BYTES_PER_SECOND = Interval(0.4 * GB, 0.8 * GB, 2.0 * GB)
"""SHA-256 of a file in the page cache. Python's hashlib on one core of an AMD EPYC: 0.6 to 0.9 GB/s; the ends are
assumed, for cores with and without SHA instructions."""

SYNC_BYTES_PER_SECOND = Interval(0.05 * GB, 0.2 * GB, 0.5 * GB)
"""Checkpoints to S3. SageMaker copies them while the job continues to train, so the job waits only for the last one.
Assumed; large files of a finished model were copied at 0.33 GB/s (CodeLlama)."""

MERGE_BYTES_PER_SECOND = Interval(0.06 * GB, 0.14 * GB, 0.4 * GB)
"""16-bit weights loaded again, merged with the adapters, and written. CodeLlama: loading 13.5 GB took 31 s, and the
whole merge less than 131 s."""

UPLOAD_BYTES_PER_SECOND = Interval(0.02 * GB, 0.05 * GB, 0.5 * GB)
"""The result to S3. SageMaker packs it into a `model.tar.gz` by default, and gzip on weights is slower than any
network: 0.02 to 0.05 GB/s on one core, assumed. The high end is for unpacked results: CodeLlama uploaded 13.5 GB in 41
s, including the end of the job."""

UPLOAD_SECONDS = Interval(5, 15, 60)
"""The end of the job, regardless of the result's size. Assumed."""

SPOT_SHARE = Interval(0.2, 0.4, 1.0)
"""The bill of a managed-spot job, as a share of the on-demand bill for the same time. AWS promises "up to" 90 % off;
runs that print "Managed Spot Training savings" printed 54 %, 63 %, 70 % (huggingface/notebooks, 05_spot_instances) and
78 %. Spot never costs more than on demand."""

INTERRUPTIONS_PER_HOUR = Interval(0.0001, 0.01, 0.16)
"""Interruptions per hour of a spot instance. Assumed between two sources that are far apart: AWS's Spot Instance
Advisor puts types into bands from below 5 % to above 20 % per month (0.00007 to 0.0003 per hour), and Bamboo (Thorpe et
al., NSDI 2023) replays traces of EC2's p3 with 10 %, 16 % and 33 % of the instances per hour."""

SPOT_WAIT_SECONDS = Interval(0, 300, 7200)
"""Waiting for spot capacity, at the start and after each interruption; not billed. Assumed."""

MEASURED_ERROR = Interval(0.9, 1.0, 1.1)
"""Factor on a rate that was measured for this job (`calibration`): the variation between runs. Of LLMFineTuningBench
(A100-80GB, LoRA of Mistral 7B), six jobs were run twice, and their rates differ by 7 % to 10 %."""

MEASURED_RESERVE_ERROR = 0.03
"""Relative half-width of a reserve that was measured for this job. Assumed: no public job prints the reserves of two
runs. The allocator answers the same requests with the same segments, but the order of rows, and when the host frees
what the GPU still reads, differ from run to run."""

MEASURED_BESIDE_ERROR = 0.25 * GB
"""Half-width, in bytes, of what a measured process holds beside its reserve. Assumed: another driver, and what it loads
of libraries, move the CUDA context by as much as `MEMORY.context` lies between its least and its expected size."""
