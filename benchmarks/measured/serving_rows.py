"""What a serving row measured: which model on what, how many requests of which lengths, and what its rate counts.

By mechanism only: lengths and meanings are read from the notes by the words that sources use; no row is known by its
id, and no source by its name, but for frameworks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from measured.reason import NotExpressibleError
from measured.row import Row

ENGINES = (
    (r"auto-?awq", "autoawq"),
    (r"lit-?gpt", "litgpt"),
    (r"vllm ?v?0\.([89]|[1-9]\d)\b", "vllm"),
    (r"vllm", "vllm-v0"),
    (r"tensorrt|\btrt\b|\bnim\b", "tensorrt-llm"),
    (r"llama\.?cpp|gguf|ollama|kobold|llamafile", "llama.cpp"),
    (r"sglang", "sglang"),
    (r"text-generation-inference|\btgi\b", "tgi"),
    (r"lmdeploy|turbomind", "lmdeploy"),
    (r"exllama|gpt-fast|\bmlc\b|ctranslate|fastertransformer|fastgen|\bmii\b|torch\.compile", "fused"),
    (r"transformers|optimum|hugging ?face|\bhf\b|bitsandbytes|auto-?gptq|accelerate", "transformers"),
)
"""What a framework is called, and the engine that it counts as; the first that is found."""

QUANTIZATIONS = (
    (r"gptq.*(8.?bit|int8)|(8.?bit|int8).*gptq", "gptq8"),
    (r"gptq|exl2|marlin", "gptq"),
    (r"awq", "awq"),
    (r"q4_k_m|q4_0|q4_k_s", "q4_k_m"),
    (r"nf4|fp4|bnb.?4|4.?bit", "nf4"),
    (r"fp8|float8|e4m3", "fp8"),
    (r"int8|8.?bit|q8_0", "int8"),
    (r"^(none|no|-|fp16|bf16|16.?bit|float16|bfloat16)?$", "none"),
)

WHOLE = r"([\d,]+)"
ANSWERS = (
    rf"generat(?:es?|ed|ing) (?:exactly )?{WHOLE}\b",
    rf"\bOSL {WHOLE}",
    rf"decode {WHOLE} tok",
    rf"max_new_tokens ?= ?{WHOLE}",
    rf"{WHOLE} (?:output|new|generated) tokens",
    rf"output(?: length| len| tokens)? ?[=:]? ?{WHOLE}",
)
PROMPTS = (
    rf"prompt(?: length)?(?: of)? ?[=:]? ?{WHOLE}",
    rf"\bISL {WHOLE}",
    rf"prefill {WHOLE} tok",
    rf"{WHOLE} (?:input|prompt) tokens",
    rf"input(?: length| len| tokens)?(?: default)? ?[=:]? ?{WHOLE}",
)
BOTH = rf"input = output = {WHOLE}"
COUNTS_PROMPTS = (
    r"\(?\b(in|inputs?|prompts?) ?(tokens)? ?\+ ?(out|outputs?|generated)\b ?(tokens)?\)? ?(\*|/|\u00d7|per |over )"
)
WITH_PREFILL = r"prefill included|including prefill|end.to.end"
DECODE_ONLY = r"decode throughput|is decode\b|total decode|decode tok/s|decode speed|eval rate|decode rate"
BEFORE_GRAPHS = r"\bvllm ?v?0\.[12]\b|vllm of 2023|vllm \(?2023|(\btgi|text-generation-inference) ?v?(0\.\d|1\.0)\b"
"""Engines before they replayed CUDA graphs: vLLM before 0.3, TGI before 1.1."""
UNBOUNDED = r"unbounded|no (limit|bound) (of|on) (the )?(batch|concurrency)|as many as (fit|the cache holds)"
"""Notes that name no number of requests, since the engine took as many as it could."""
ANY_NUMBER = 1_000_000
"""Requests of such a row: more than a cache holds."""
USUAL_ANSWER = 128
"""Tokens of an answer where nothing says it: benchmarks ask for 50 to 256."""
SHORT_PROMPT = 32
"""Tokens of a prompt that a source does not find worth its number."""


class Run(NamedTuple):
    """What ran, in the words of this module's tables.

    Attributes:
        shared: GPUs that share each layer; all others take turns.
        prompt, answer: tokens of a request.
        counts_prompts: whether the rate counts the prompts' tokens too.
        decode_only: whether the rate's time leaves the prompts out.
        rate: tokens a second of all GPUs and requests; None where not measured.
    """

    id: str
    source: str
    model: str
    parameters: float
    engine: str
    quantization: str
    dtype: str
    gpu: str
    gpus: int
    shared: int
    requests: int
    prompt: int
    answer: int
    cache_dtype: str
    counts_prompts: bool
    decode_only: bool
    rate: float | None


def run_of(row: Row) -> Run:
    """A row of serving as a run.

    Raises:
        NotExpressibleError: with the reason.
    """
    notes = row["notes"]
    gpus = row.whole("n_gpus") or 1
    if re.search(BEFORE_GRAPHS, f"{row['framework']} {notes}", re.IGNORECASE):
        raise NotExpressibleError("an engine before CUDA graphs")
    engine, quantization = _engine(row), _quantization(row)
    prompt, answer = _lengths(row)
    shared = gpus if re.search(r"\btp\b|tensor", row["parallelism"].lower()) else 1
    if gpus > 1 and shared == 1 and not re.search(r"naive|split|pipeline|\bpp|device_map", row["parallelism"].lower()):
        raise NotExpressibleError(f"parallelism {row['parallelism'] or 'of several GPUs'} not known")
    rate = row.number("tokens_per_s_per_gpu")
    whole = re.search(r"whole.batch", notes) and not re.search(r"per.GPU", notes)
    dtype = "float16" if re.search(r"(?<!b)f(p|loat)16", row["compute_dtype"]) else "bfloat16"
    eight = re.search(r"(int8|fp8|8.bit) KV", notes, re.IGNORECASE) or (engine, quantization) == ("tensorrt-llm", "fp8")
    return Run(
        id=row["id"],
        source=row.source,
        model=row["model_id"],
        parameters=row.number("params_b") or 0.0,
        engine=engine,
        quantization=quantization,
        dtype=dtype,
        gpu=row["gpu"],
        gpus=gpus,
        shared=shared,
        requests=row.whole("micro_batch") or (ANY_NUMBER if re.search(UNBOUNDED, notes, re.IGNORECASE) else 1),
        prompt=prompt,
        answer=answer,
        cache_dtype="fp8" if eight else "auto",
        counts_prompts=bool(re.search(COUNTS_PROMPTS, notes, re.IGNORECASE)),
        decode_only=bool(re.search(DECODE_ONLY, notes, re.IGNORECASE))
        and not re.search(WITH_PREFILL, notes, re.IGNORECASE),
        rate=rate * (1 if whole else gpus) if rate else None,
    )


def _engine(row: Row) -> str:
    named = row["framework"]
    for text in (named, row["source_title"]):
        for pattern, engine in ENGINES:
            if re.search(pattern, text, re.IGNORECASE):
                return engine
    if not named:
        raise NotExpressibleError("the serving framework is not named")
    return "fused"


def _quantization(row: Row) -> str:
    stored = row["quant"].lower()
    found = next((name for pattern, name in QUANTIZATIONS if re.search(pattern, stored)), None)
    if found is None:
        raise NotExpressibleError(f"weights served as {row['quant']}")
    if found == "int8" and re.search(r"config INT8\b(?!\+)|without decomposition", row["notes"]):
        raise NotExpressibleError("LLM.int8 without outliers, which has no word in the spec")
    return found


def _lengths(row: Row) -> tuple[int, int]:
    """Tokens of the prompt and of the answer."""
    notes, length = row["notes"], row.whole("seq_len")
    both = _first((BOTH,), notes)
    answer, prompt = both or _first(ANSWERS, notes), both or _first(PROMPTS, notes)
    if re.search(r"generated length ?= ?seq_len", notes):
        answer = length
    if re.search(r"seq_len ?= ?input", notes):
        prompt = length
    if prompt is None:
        prompt = length - answer if length and answer and length > answer else SHORT_PROMPT
        if length and answer is None:
            prompt, answer = max(1, length // 2), max(1, length // 2)
    return max(prompt, 1), answer or USUAL_ANSWER


def _first(patterns: Sequence[str], notes: str) -> int | None:
    found = next((match for pattern in patterns if (match := re.search(pattern, notes, re.IGNORECASE))), None)
    return int(found[1].replace(",", "")) if found and found[1].strip(",") else None
