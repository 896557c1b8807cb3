"""Laws of operations: sums, proportions, monotony."""

from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.roles import fused_targets
from hbspec.estimators.step.flops import answering, attention_pairs, micro_batch_flops
from hbspec.estimators.step.lifetimes.ledger import ROWS_TOKENS
from hbspec.plan import Training
from hbspec.plan.training_choices import resolve_training
from hbspec.spec import Spec

COUNTED = ((name, catalog().models[name].architecture) for name in catalog().models.originals())
MODELS = sorted(name for name, found in COUNTED if found and not found.family.unadapted)
"""Models of which peft adapts every linear module."""

KERNELS = ["sdpa", "eager", "flash_attention_2"]
architectures = st.sampled_from([catalog().models[name].architecture for name in MODELS])
lengths = st.integers(1, 5000)


@st.composite
def trainings(draw: st.DrawFn) -> Training:
    """Any training that decides which products there are."""
    method = draw(st.sampled_from(["qlora", "lora", "full"]))
    values = {
        "method": method,
        "learning_rate": 1e-4,
        "max_steps": 1,
        "per_device_batch_size": draw(st.integers(1, 8)),
        "gradient_accumulation_steps": 1,
        "max_length": 5000,
        "gradient_checkpointing": draw(st.booleans()),
        "attn_implementation": draw(st.sampled_from(KERNELS)),
        "loss": draw(st.sampled_from(["standard", "chunked", "fused"])),
    }
    if method != "full":
        targets = st.sampled_from(["all-linear", ["q_proj", "v_proj"], ["o_proj", "down_proj"]])
        values |= {
            "lora_r": draw(st.sampled_from([1, 8, 64])),
            "lora_alpha": 16.0,
            "lora_dropout": draw(st.sampled_from([0.0, 0.1])),
            "target_modules": draw(targets),
            "modules_to_save": draw(st.sampled_from([None, ["lm_head"], ["embed_tokens", "lm_head"]])),
            "use_dora": draw(st.booleans()),
        }
    if method == "qlora":
        values["bnb_quant_type"] = draw(st.sampled_from(["nf4", "int8"]))
    spec = {
        "hbspec": 1,
        "name": "laws",
        "model": {"id": MODELS[0]},
        "data": {"train": {"examples": 10}, "tokens": {"mean": 100.0, "max": 100}},
        "instance": {"gpu": "A100-80", "gpus": 1, "parallelism": "single"},
        "software": {"transformers": draw(st.sampled_from(["5.23.0", "4.57.0"]))},
        "hyperparameters": values,
    }
    return resolve_training(Spec.model_validate(spec), bf16=True)[0]


def fixed(architecture: Architecture, training: Training) -> bool:
    """Whether some work is done however few tokens there are."""
    fused = training.adapters and fused_targets(architecture, training.target_modules)
    return bool(training.use_dora or fused)


@examples(150)
@given(architectures, trainings(), lengths)
def test_the_total_is_the_sum_of_all_passes(architecture, training, tokens):
    found = micro_batch_flops(architecture, training, tokens)
    assert found.total == sum(each.total for each in found)
    assert found.total == found.products + found.attention
    assert all(part >= 0 for each in found for part in each)
    assert found.forward.total > 0
    assert (found.recompute.total > 0) == training.gradient_checkpointing


@examples(150)
@given(architectures, trainings(), lengths, st.integers(1, 9))
def test_operations_are_linear_in_rows(architecture, training, tokens, rows):
    one, two, many = (micro_batch_flops(architecture, training, tokens, rows=n).total for n in (1, 2, rows))
    assert many == pytest.approx(one + (rows - 1) * (two - one))
    if not fixed(architecture, training):
        assert many == pytest.approx(rows * one)


@examples(150)
@given(architectures, trainings(), lengths, st.integers(1, 100))
def test_more_tokens_never_take_fewer_operations(architecture, training, tokens, more):
    fewer, found = (micro_batch_flops(architecture, training, n) for n in (tokens, tokens + more))
    assert all(small.total <= large.total for small, large in zip(fewer, found, strict=True))
    assert fewer.total < found.total or (not architecture.stateless and more < ROWS_TOKENS)


@examples(150)
@given(architectures, trainings(), lengths)
def test_checkpointing_computes_again_and_the_first_layers_gradient(architecture, training, tokens):
    """Beside what is computed again, only the gradient of the first layer's input can be added."""
    kept = micro_batch_flops(architecture, training._replace(gradient_checkpointing=False), tokens)
    again = micro_batch_flops(architecture, training._replace(gradient_checkpointing=True), tokens)
    assert again.forward == kept.forward
    assert again.recompute.total <= again.forward.total
    assert again.backward.total >= kept.backward.total
    if not training.adapters:
        assert again.backward == kept.backward


@examples(100)
@given(architectures.filter(lambda found: found.is_sparse), trainings(), lengths)
def test_more_visited_experts_never_take_fewer_operations(architecture, training, tokens):
    few, some, every = (
        micro_batch_flops(architecture._replace(num_experts_per_tok=visits), training, tokens).total
        for visits in (1, architecture.num_experts_per_tok, architecture.num_experts)
    )
    assert few <= some <= every


@examples(100)
@given(architectures, trainings(), lengths)
def test_a_forward_pass_alone_is_no_more_than_that_of_training(architecture, training, tokens):
    """Equal, but for DoRA, which multiplies twice where dropout tells the two inputs apart."""
    alone = micro_batch_flops(architecture, training._replace(lora_dropout=0.0), tokens).forward
    trained = micro_batch_flops(architecture, training, tokens).forward
    assert alone.attention == trained.attention
    if training.use_dora and training.lora_dropout:
        assert alone.products <= trained.products
    else:
        assert alone == trained
    bare = micro_batch_flops(architecture, training._replace(method="full"), tokens, scored=0).forward
    assert bare.products <= alone.products
    if not architecture.stateless:
        return  # its serving is not known
    served = answering(architecture)
    assert served.token * training.micro_batch * tokens <= bare.products
    if not architecture.shared_expert_intermediate_size:  # else every expert computes every token in training
        assert served.token * training.micro_batch * tokens == bare.products


@examples(150)
@given(architectures, lengths, st.sampled_from(KERNELS), st.booleans())
def test_no_kernel_computes_more_than_all_pairs(architecture, tokens, kernel, masked):
    everything = architecture.num_hidden_layers * tokens**2
    found = attention_pairs(architecture, tokens, attention=kernel, masked=masked)
    assert architecture.num_hidden_layers * tokens <= found <= everything
    assert attention_pairs(architecture, tokens, attention="flash_attention_2") <= found
