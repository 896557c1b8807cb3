"""The tables of endpoints that ran: what vLLM printed when it started, and sweeps of concurrency against latency.

Each row names where it was published. Rows are facts of a run and belong to this project: unlike those of
`benchmarks/accuracy.py`, they are read from its own folder. What an author left to the engine has the engine's default
of its release: 256 sequences and 2,048 tokens at once, 1,024 and 8,192 where a GPU has 70 GiB or more and is not an
A100 (vllm/engine/arg_utils.py), 8,192 tokens for the class `LLM`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hbspec.catalog import Gpu, catalog
from hbspec.catalog.gpus import unlisted_gpu
from hbspec.plan import Hardware, ServingPlan
from hbspec.plan.engine_share import SGLANG
from hbspec.units import GIB
from measured.models import NoArchitectureError, architecture_of
from measured.reason import NotExpressibleError

HERE = Path(__file__).parent
DEPLOYED = ("vllm", "djl-lmi")
"""The engines that targets start."""
EXPRESSED = (*DEPLOYED, SGLANG)
"""The engines of a spec."""
FIRST_GRAPHS = (0, 3)
"""The releases of vLLM before it replayed CUDA graphs (v0.3.0, January 2024) run another program."""
USUAL_SHARE = 0.9
ANY_REQUEST = (1024, 256)
"""Tokens of a request where only the size of the cache is asked for."""
FIRST_V1 = (0, 8)
"""The first release of vLLM whose usual engine is V1."""

KEPT_ASIDE = frozenset(
    {
        "tenstorrent/tt-inference-server",
        "vllm-project/vllm pull request 20759",
        "Nebius-Academy/LLM-Engineering-Essentials",
        "public notes on Qwen3-235B on four RTX PRO 6000 (August 2026)",
        "public notes on Qwen3-235B on eight L40S (September 2025)",
    }
)
"""Sources that were found after the constants had been fitted, and to which none is."""


class Start(NamedTuple):
    """One start of an engine, the tokens of its cache, and what it said it holds beside it.

    Attributes:
        version: of vLLM; of LMI, that of the vLLM inside (the notes of its release name it).
        max_num_seqs: requests that are sampled at once; None where neither the author nor a default says.
        tokens: of the cache; None where the log was not published.
        weights_gib, activations_gib, outside_gib, graphs_gib: what a GPU holds, in GiB ("model weights take", "PyTorch
            activation peak", "non_torch_memory", "Estimated CUDA graph memory"); None where not logged.
        total_gib: all of them that the engine takes off its share ("Total non KV cache memory"), or the share less
            "Available KV cache memory".
    """

    id: str
    engine: str
    version: tuple[int, ...]
    model: str
    gpu: str
    memory_gib: float | None
    utilization: float | None
    max_num_batched_tokens: int
    max_num_seqs: int | None
    tensor_parallel: int
    quantization: str
    kv_cache_dtype: str
    eager: bool
    tokens: int | None
    weights_gib: float | None
    activations_gib: float | None
    outside_gib: float | None
    graphs_gib: float | None
    total_gib: float | None
    source: str
    locator: str

    @property
    def group(self) -> str:
        """The engine and its generation, which are scored apart."""
        return group_of(self.engine, self.version)


class Point(NamedTuple):
    """One concurrency of a sweep: milliseconds to the first token and of each further one; None where not measured.

    Attributes:
        cached: whether the engine has cached the prompts, which are then not read again.
    """

    id: str
    engine: str
    version: tuple[int, ...]
    model: str
    gpu: str
    tensor_parallel: int
    quantization: str
    prompt: int
    answer: int
    concurrency: int
    cached: bool
    ttft_ms: float | None
    tpot_ms: float | None
    eager: bool
    source: str
    locator: str

    @property
    def group(self) -> str:
        """The engine and its generation, which are scored apart."""
        return group_of(self.engine, self.version)


OLD = "V0"


def group_of(engine: str, version: tuple[int, ...]) -> str:
    """The name of an engine, and of one of a spec the generation of the vLLM inside."""
    return f"{engine} {'V1' if version >= FIRST_V1 else OLD}" if engine in DEPLOYED else engine


def starts() -> tuple[Start, ...]:
    """Every start of the table."""
    return tuple(Start._make(_read(row, Start)) for row in _rows("cache_lines.csv"))


def points() -> tuple[Point, ...]:
    """Every point of the table."""
    return tuple(Point._make(_read(row, Point)) for row in _rows("sweeps.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


LOGGED = ("weights_gib", "activations_gib", "outside_gib", "graphs_gib", "total_gib")

READERS: Mapping[str, Callable[[str], Any]] = {
    "version": lambda text: tuple(int(part) for part in text.split(".")),
    **dict.fromkeys(("eager", "cached"), lambda text: text == "yes"),
    **dict.fromkeys(
        ("memory_gib", "utilization", "ttft_ms", "tpot_ms", *LOGGED), lambda text: float(text) if text else None
    ),
    **dict.fromkeys(("max_num_seqs", "tokens"), lambda text: int(text) if text else None),
    **dict.fromkeys(
        ("max_num_batched_tokens", "tensor_parallel", "prompt", "answer", "concurrency"),
        lambda text: int(text or 0),
    ),
}


def _read(row: Mapping[str, str], kind: type[Start] | type[Point]) -> list[Any]:
    return [READERS.get(name, str)(row[name]) for name in kind._fields]


def plan_of(row: Start | Point) -> ServingPlan:
    """The endpoint of a row.

    Raises:
        NotExpressibleError: with the reason.
    """
    if row.engine not in EXPRESSED:
        raise NotExpressibleError("an engine that no spec names")
    if row.engine in DEPLOYED and row.version < FIRST_GRAPHS:
        raise NotExpressibleError("an engine before CUDA graphs")
    if isinstance(row, Point):
        return _plan(row, _gpu(row.gpu, None), (row.prompt, row.answer), row.concurrency, USUAL_SHARE)
    if row.utilization is None:
        raise NotExpressibleError("the share of the GPU that the engine may use is not stated")
    if row.max_num_seqs is None and row.engine in DEPLOYED:
        raise NotExpressibleError("the requests that are sampled at once are not stated")
    return _plan(row, _gpu(row.gpu, row.memory_gib), ANY_REQUEST, row.max_num_seqs or 1, row.utilization)


def _plan(row: Start | Point, gpu: Gpu, request: tuple[int, int], concurrency: int, share: float) -> ServingPlan:
    prompt, answer = request
    try:
        architecture = architecture_of(row.model, None).architecture
    except NoArchitectureError as reason:
        raise NotExpressibleError(str(reason)) from reason
    return ServingPlan(
        architecture=architecture,
        hardware=Hardware(row.gpu, None, gpu, row.tensor_parallel, 1, None),
        region=None,
        price=None,
        engine=row.engine,
        quantization=row.quantization,
        dtype="float16" if gpu.bf16 is False else "bfloat16",
        kv_cache_dtype=row.kv_cache_dtype if isinstance(row, Start) else "auto",
        adapters="merged",
        lora_r=0,
        lora_parameters=None,
        max_lora_rank=0,
        tensor_parallel=row.tensor_parallel,
        max_model_len=prompt + answer,
        concurrency=concurrency,
        utilization=share,
        input_tokens=float(prompt),
        output_tokens=answer,
        scaling=(1, 1),
        assumptions=(),
        stored=None if row.quantization == "none" else row.quantization,
    )


@cache
def _gpu(name: str, gib: float | None) -> Gpu:
    return unlisted_gpu(name, int(gib * GIB)) if gib else catalog().gpus[name]
