"""Rows of serving: what they are read as, and how near the estimates come to sources that no constant has seen."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from made_rows import INFERENCE, SERVED
from measured.fitted import left_out, recorded
from measured.judged import judge
from measured.quantile import quantile
from measured.reason import NotExpressibleError
from measured.row import COLUMNS, Row, read_rows
from measured.score import score
from measured.serving import MEMORY, RATE, at_once, express_serving, judge_serving, rate_of
from measured.serving_fit import START, fit
from measured.serving_gpus import gpu_of
from measured.serving_memory import BEFORE_DYNAMIC_CACHE, memory_of
from measured.serving_rows import run_of

VLLM = {"framework": "vLLM 0.6", "notes": "ISL 500 / OSL 200", "tokens_per_s_per_gpu": "80", "peak_allocated_bytes": ""}


def made(**cells):
    return Row({column: {**SERVED, **VLLM, **cells}.get(column, "") for column in COLUMNS})


@pytest.mark.parametrize(
    ("notes", "length", "prompt", "answer"),
    [
        ("ISL 5000 / OSL 500, concurrency 1", "", 5000, 500),
        ("prompt 256 tokens (seq_len), generates exactly 512; decode-only tok/s=55.8", "256", 256, 512),
        ("seq_len=input length; generates 2048 tokens", "6144", 6144, 2048),
        ("input = output = 128 tokens", "128", 128, 128),
        ("prefill 64 tok -> 639.65 tok/s; decode 64 tok -> 198.848 tok/s", "64", 64, 64),
        ("generated length=seq_len", "4096", 32, 4096),
        ("", "1024", 512, 512),
        ("", "", 32, 128),
    ],
)
def test_lengths_are_read_from_the_words(notes, length, prompt, answer):
    run = run_of(made(notes=notes, seq_len=length))
    assert (run.prompt, run.answer) == (prompt, answer)


@pytest.mark.parametrize(
    ("notes", "counts_prompts", "decode_only"),
    [
        ("source throughput = (in+out)*batch/latency", True, False),
        ("throughput (input + output tokens) / time", True, False),
        ("prompt+generated length not stated in table", False, False),
        ("decode throughput, whole batch", False, True),
        ("whole-batch generate tok/s (prefill included); decode-only tok/s=55.8", False, False),
    ],
)
def test_what_a_rate_counts(notes, counts_prompts, decode_only):
    run = run_of(made(notes=notes))
    assert (run.counts_prompts, run.decode_only) == (counts_prompts, decode_only)


@pytest.mark.parametrize(
    ("framework", "engine"),
    [
        ("transformers (optimum-benchmark)", "transformers"),
        ("NIM (TensorRT-LLM)", "tensorrt-llm"),
        ("vLLM 0.6.3", "vllm-v0"),
        ("text-generation-inference", "tgi"),
        ("AutoAWQ GEMM", "autoawq"),
        ("something new", "fused"),
    ],
)
def test_frameworks(framework, engine):
    assert run_of(made(framework=framework)).engine == engine


@pytest.mark.parametrize(
    ("quant", "name"),
    [("gptq-int8", "gptq8"), ("GPTQ-Int4", "gptq"), ("nf4-dq", "nf4"), ("none", "none"), ("gguf-Q4_K_M", "q4_k_m")],
)
def test_quantisations(quant, name):
    assert run_of(made(quant=quant)).quantization == name


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"quant": "2.5 bits of mine"}, "weights served as"),
        ({"framework": "", "source_title": "a table"}, "not named"),
        ({"model_id": "nobody/nothing"}, "not known"),
        ({"gpu": "Graphcore IPU"}, "GPU"),
        ({"n_gpus": "2", "parallelism": "magic"}, "parallelism"),
    ],
)
def test_what_has_no_words_is_said_with_its_reason(cells, reason):
    (entry,) = judge_serving(made(**cells))
    assert entry.estimate is None
    assert reason in entry.reason


def test_a_gpu_of_two_sizes_is_the_smaller():
    gpu, said = gpu_of("A100 (40/80GB not in CSV)")
    assert (gpu.name, len(said)) == ("A100-40", 1)
    assert gpu_of("A6000Ada-48GB")[0].bandwidth == 960e9
    with pytest.raises(NotExpressibleError, match="not known"):
        gpu_of("Somebody's 12GB")


def test_no_more_requests_at_once_than_the_cache_holds():
    few, many = (
        express_serving(run_of(made(micro_batch="64", gpu=gpu, notes="input = output = 1024 tokens")))
        for gpu in ("A100-40GB", "A100-80GB")
    )
    assert 10 < at_once(few) < 30 < at_once(many) <= 64
    assert rate_of(few).expected < rate_of(many).expected


def test_rates_are_of_all_gpus_unless_of_the_whole_batch():
    shared = {"n_gpus": "2", "parallelism": "tp"}
    assert run_of(made(**shared)).rate == 160
    assert run_of(made(**shared, notes="value in tokens_per_s is DECODE, whole batch")).rate == 80


def test_memory_by_what_the_source_prints():
    assert memory_of(made()) is None
    allocated = memory_of(made(peak_allocated_bytes="14356000000"))
    assert (allocated.value, allocated.process) == (14_356_000_000, False)
    assert memory_of(made(peak_bytes_unknown_metric="1e9", notes="nvml MB=1000")).process
    assert memory_of(made(peak_allocated_bytes="1e9", oom="yes")) is None


@pytest.mark.parametrize(
    ("model", "old"),
    [
        ("NousResearch/Llama-2-7b-hf", True),
        ("TheBloke/LLaMa-65B-GPTQ", True),
        ("lmsys/vicuna-7b-v1.5", True),
        ("Qwen/Qwen-1_8B-Chat", True),
        ("Qwen/Qwen2.5-7B-Instruct", False),
        ("meta-llama/Llama-3.1-8B", False),
        ("Qwen/Qwen3-8B", False),
    ],
)
def test_which_models_were_measured_with_the_old_cache(model, old):
    assert bool(re.search(BEFORE_DYNAMIC_CACHE, model, re.IGNORECASE)) is old


def test_an_old_cache_is_held_twice():
    row = made(
        framework="transformers",
        micro_batch="32",
        peak_allocated_bytes="39331000000",
        notes="prompt 256 tokens (seq_len), generates exactly 512; whole-batch generate tok/s (prefill included)",
    )
    judged = {entry.metric: entry for entry in judge_serving(row)}
    assert judged[MEMORY].estimate.expected == pytest.approx(39_331_000_000, rel=0.02)


def test_without_observations_constants_are_as_assumed():
    assert fit(()) == START


@pytest.fixture(scope="module")
def judged():
    """The published rows, where they lie beside the repository."""
    return judge(read_rows([INFERENCE]), left_out(recorded())) if INFERENCE.exists() else ()


@pytest.mark.long
@pytest.mark.parametrize(("metric", "median", "known"), [(RATE, 0.20, 0.95), (MEMORY, 0.05, 0.9)])
def test_unseen_sources_are_met(judged, metric, median, known):
    if not judged:
        return  # what is recorded of them is below
    values = [entry for entry in judged if metric in entry.measured]
    found = score(judged)["metrics"][metric]
    assert found["n"] >= known * len(values) > 100
    assert found["median_abs_error"] <= median
    assert found["inside"] >= 0.9


def test_recorded_runs_of_unseen_sources_are_met():
    found, without = recorded().serving, left_out(recorded())
    sizes = Counter(one.source for one in found)
    weights = [1 / sizes[one.source] for one in found]
    errors = [abs(one.seconds / one.estimated(without(one.source).serving) - 1) for one in found]
    assert len(sizes) >= 9
    assert quantile(errors, weights, 0.5) <= 0.20


@pytest.mark.parametrize("framework", ["vLLM 0.2.1", "TGI 1.0", "text-generation-inference 0.9"])
def test_engines_before_graphs_have_no_estimate(framework):
    with pytest.raises(NotExpressibleError, match="before CUDA graphs"):
        run_of(made(framework=framework))


@pytest.mark.parametrize(
    ("framework", "engine"), [("vLLM 0.6.3", "vllm-v0"), ("vLLM 0.8.5", "vllm"), ("vLLM 0.23.0", "vllm")]
)
def test_generations_of_vllm_are_told_apart(framework, engine):
    assert run_of(made(framework=framework)).engine == engine


def test_an_unbounded_batch_is_as_many_as_the_cache_holds():
    case = express_serving(run_of(made(notes="ISL 500 / OSL 200, batch unbounded", micro_batch="")))
    held = at_once(case)
    assert 20 < held < 5_000
    longer = express_serving(run_of(made(notes="ISL 1000 / OSL 400, batch unbounded", micro_batch="")))
    assert at_once(longer) == pytest.approx(held / 2, rel=0.01)


def test_an_unbounded_batch_of_an_engine_without_pages_is_not_known():
    (judged,) = judge_serving(made(framework="transformers", notes="batch unbounded", micro_batch=""))
    assert judged.estimate is None
