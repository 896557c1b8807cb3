"""What the author leaves open works: it is no error, and the job is compiled with what was planned."""

from __future__ import annotations

import json
from datetime import date
from itertools import groupby

import pytest

from hbspec.analysis import analyse
from hbspec.api import compile_spec, estimate
from hbspec.catalog import catalog
from hbspec.catalog.families import WRAPPERS
from hbspec.catalog.families.wrappers import REFUSED
from hbspec.catalog.parameters import total_parameters
from hbspec.estimators.verdict import Verdict
from hbspec.plan.epochs import INPUTS_DROPPED
from hbspec.rules.harmless import errors_of
from hbspec.source import load_mapping
from hbspec.spec import read

AS_OF = date(2026, 11, 24)
METHODS = ("qlora", "lora", "full")
PLACES = [
    ("ml.p5en.48xlarge", "ddp"), ("ml.p5en.48xlarge", "fsdp"), ("ml.g5.48xlarge", "fsdp"),
    ("ml.g4dn.12xlarge", "ddp"), ("ml.g4dn.12xlarge", "fsdp"), ("ml.p3.16xlarge", "ddp"),
    ("ml.g5.2xlarge", "single"), ("ml.g5.48xlarge", "pipeline"),
]  # fmt: skip
SIZES = {"HB109", "HB125", "HB126", "HB127", "HB301", "HB501"}
"""What says that a machine is too small, or too slow: no default helps there."""

NOT_LOADED = "HB234"
"""What says that the shipped script cannot load a model: another model or script has to be named."""

GATED = "HB523"
"""What says that an endpoint cannot load a gated model: another copy of it has to be named."""

UNTEMPLATED = "HB233"
"""What says that a model has no chat template: one has to be named."""

MODELS = catalog().models
SHAPES = [name for name in MODELS.originals() if (found := MODELS[name].architecture) and not found.quant_method]


def type_of(name: str) -> str:
    return MODELS[name].model_type


BY_TYPE = {
    kind: sorted(models, key=lambda name: total_parameters(MODELS[name].architecture))
    for kind, models in groupby(sorted(SHAPES, key=type_of), key=type_of)
}
SMALLEST_AND_LARGEST = [name for names in BY_TYPE.values() for name in dict.fromkeys((names[0], names[-1]))]
"""Of every type: what works by default depends on the family, and on the size only in what fits."""


def stated(model: str) -> set[str]:
    """Errors that a model has whatever is left open."""
    wrapper = MODELS[model].architecture.wrapper
    refused = bool(wrapper) and WRAPPERS[wrapper].built == REFUSED
    facts = {NOT_LOADED: refused, GATED: MODELS[model].gated, UNTEMPLATED: model in catalog().untemplated}
    return {code for code, holds in facts.items() if holds}


def minimal(model: str, method: str = "lora", place: tuple[str, str] = PLACES[0], **hyperparameters):
    """A spec with nothing but what has to be said."""
    kind, parallelism = place
    return {
        "hbspec": 1,
        "name": "minimal",
        "model": {"id": model},
        "data": {"format": "messages", "train": {"uri": "s3://bucket/train/", "examples": 2000}},
        "instance": {"type": kind, "region": "us-east-1", "parallelism": parallelism, "max_runtime": "99h"},
        "hyperparameters": {
            "method": method,
            "learning_rate": 1e-4,
            "per_device_batch_size": 1,
            "max_length": 1024,
            **hyperparameters,
        },
    }


def written(spec, route) -> bool:
    for key in route:
        spec = spec.get(key) if isinstance(spec, dict) else None
    return spec is not None


def errors(spec, *, fits: bool = False):
    """The errors of a spec; of one that is said to fit, replays of its memory decide nothing."""
    document = load_mapping(spec)
    analysis = analyse(document, read(document), catalog(), AS_OF)
    if fits:
        vars(analysis)["memory_verdict"] = Verdict.FITS
    return errors_of(analysis)


def compiled(spec) -> dict[str, str]:
    """The hyperparameters of the launched job; `force`, since the machine may be too small."""
    files = {artifact.path: artifact.content for artifact in compile_spec(spec, "launch", force=True)}
    return json.loads(files["hyperparameters.json"])


def pairs(turn: int) -> list[tuple[str, tuple[str, str]]]:
    """Every place, each with a method; of any two turns that follow each other no place has the same one."""
    return [(METHODS[(turn + number) % len(METHODS)], place) for number, place in enumerate(PLACES)]


def test_every_method_meets_every_place():
    met = {pair for turn in range(len(METHODS)) for pair in pairs(turn)}
    assert len(met) == len(METHODS) * len(PLACES)


@pytest.mark.one_in(10)
@pytest.mark.parametrize(("turn", "model"), [*enumerate(SMALLEST_AND_LARGEST)])
def test_nothing_that_is_left_open_is_an_error(turn, model):
    """Every model meets every place and every method: its family's defaults depend on the one or on the other."""
    for method, place in pairs(turn):
        spec = minimal(model, method, place) | {"deployment": {"instance": {"type": "ml.p5.48xlarge"}}}
        found = errors(spec, fits=True)
        assert [entry for entry in found if not written(spec, entry.route)] == [], (method, place)
        assert {entry.code for entry in found} <= SIZES | stated(model), (method, place)


CASES = {
    "sdpa that gpt-oss has not": (
        minimal("openai/gpt-oss-20b"), "attn_implementation", "eager", "transformers refuses sdpa for gpt_oss",
    ),
    "sdpa that gemma 2 has not": (
        minimal("google/gemma-2-9b"), "attn_implementation", "eager", "transformers refuses sdpa for gemma2",
    ),
    "dropout on fused experts": (
        minimal("Qwen/Qwen3-30B-A3B"), "lora_dropout", 0.0, "peft refuses dropout on fused parameters",
    ),
    "4 bits under FSDP": (
        minimal("Qwen/Qwen2.5-7B", "qlora", ("ml.g5.48xlarge", "fsdp")),
        "bnb_4bit_quant_storage", "bfloat16", "FSDP shards 4-bit weights in the compute dtype",
    ),
    "4 bits under FSDP without bfloat16": (
        minimal("Qwen/Qwen2.5-7B", "qlora", ("ml.g4dn.12xlarge", "fsdp")),
        "bnb_4bit_quant_storage", "float16", "FSDP shards 4-bit weights in the compute dtype",
    ),
    "checkpoints that are all evaluated": (
        minimal("Qwen/Qwen2.5-7B", load_best_model_at_end=True, eval_steps=20),
        "save_steps", 60, "load_best_model_at_end needs every checkpoint evaluated",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_default_that_works_is_listed_and_handed_over(case):
    spec, key, value, reason = CASES[case]
    (assumed,) = [entry for entry in estimate(spec).assumed if entry.route == ("hyperparameters", key)]
    assert (assumed.value, assumed.source) == (value, reason)
    assert compiled(spec)[key.upper()] == str(value)


@pytest.mark.parametrize("case", CASES)
def test_what_the_author_writes_is_kept(case):
    spec, key, _, _ = CASES[case]
    usual = {"attn_implementation": "sdpa", "lora_dropout": 0.05, "bnb_4bit_quant_storage": "uint8", "save_steps": 50}
    spec = spec | {"hyperparameters": spec["hyperparameters"] | {key: usual[key]}}
    assert compiled(spec)[key.upper()] == str(usual[key])
    assert ("hyperparameters", key) in {entry.route for entry in errors(spec)}


def test_where_the_scripts_own_default_works_it_is_not_handed_over():
    spec = minimal("Qwen/Qwen2.5-7B", "qlora")
    assert compiled(spec).keys() == {
        "MODEL_ID", "LEARNING_RATE", "PER_DEVICE_BATCH_SIZE", "MAX_LENGTH"
    }  # fmt: skip


def test_transformers_4_took_sdpa():
    spec = minimal("google/gemma-2-9b") | {"software": {"transformers": "4.57.0"}}
    assert "ATTN_IMPLEMENTATION" not in compiled(spec)


@pytest.mark.parametrize(("transformers", "kernel"), [("4.35.2", "eager"), ("4.36.0", "sdpa"), ("4.57.0", "sdpa")])
def test_attention_was_eager_before_transformers_chose_sdpa(transformers, kernel):
    spec = minimal("meta-llama/Llama-3.1-8B") | {"software": {"transformers": transformers}}
    assert estimate(spec).plan.training.attention == kernel


@pytest.mark.parametrize(("bitsandbytes", "dropped"), [("0.43.1", False), ("0.43.2", True), ("0.50", True)])
def test_inputs_of_four_bit_products_were_kept_before_a_patch_release(bitsandbytes, dropped):
    spec = minimal("meta-llama/Llama-3.1-8B", "qlora") | {"software": {"bitsandbytes": bitsandbytes}}
    assert estimate(spec).plan.training.has(INPUTS_DROPPED) == dropped


class TestMethodUnderZero3:
    """ZeRO-3 does not shard 4-bit weights, so that the usual qlora would be an error that nobody wrote (HB123)."""

    def spec(self, **hyperparameters):
        spec = minimal("Qwen/Qwen2.5-7B", place=("ml.p4d.24xlarge", "zero3"), **hyperparameters)
        del spec["hyperparameters"]["method"]
        return spec

    def test_left_open_it_is_lora(self):
        (assumed,) = [one for one in estimate(self.spec()).assumed if one.route == ("hyperparameters", "method")]
        assert (assumed.value, assumed.source) == ("lora", "the shipped script loads no 4-bit weights under ZeRO-3")
        assert compiled(self.spec())["METHOD"] == "lora"
        assert errors(self.spec()) == []

    @pytest.mark.parametrize("asked", [{"method": "qlora"}, {"bnb_quant_type": "nf4"}])
    def test_4_bits_that_are_asked_for_are_an_error(self, asked):
        spec = self.spec()
        spec["hyperparameters"] |= asked
        assert [entry.code for entry in errors(spec)] == ["HB123"]

    def test_elsewhere_it_is_the_scripts_own(self):
        spec = self.spec()
        spec["instance"]["parallelism"] = "zero2"
        assert estimate(spec).plan.training.method == "qlora"
        assert "METHOD" not in compiled(spec)


class TestEngineRank:
    def test_the_smallest_that_serves_the_adapters(self):
        spec = minimal("Qwen/Qwen2.5-7B", lora_r=48) | {"deployment": {"instance": {"type": "ml.g5.12xlarge"}}}
        (assumed,) = [entry for entry in estimate(spec).assumed if entry.route == ("deployment", "max_lora_rank")]
        assert (assumed.value, assumed.source) == (64, "the smallest value the engine accepts for lora_r 48")
        assert errors(spec) == []

    def test_none_above_the_engines_largest(self):
        spec = minimal("Qwen/Qwen2.5-7B", lora_r=513) | {"deployment": {"instance": {"type": "ml.g5.12xlarge"}}}
        assert "HB503" in {entry.code for entry in errors(spec)} | {
            code for entry in errors(spec) for code, _ in entry.also
        }
