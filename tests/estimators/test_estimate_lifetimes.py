"""What a layer keeps, by formulas that were read off traces by hand; the lives of single tensors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.parameters import lora_parameters
from hbspec.estimators.step.flops import INFERENCE
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Sink
from hbspec.estimators.step.lifetimes.kinds import program_profile
from hbspec.estimators.step.lifetimes.ledger import Form, Ledger
from hbspec.estimators.step.lifetimes.tape import Tape

PROGRAM = INFERENCE._replace(quantization="nf4", double_quant=True, targets="all-linear", rank=16, dropout=True)
WIDTHS = st.tuples(st.integers(1, 64), st.integers(1, 8), st.sampled_from([1, 2, 4]), st.integers(1, 300))


def architecture(hidden: int, groups: int, repeats: int, intermediate: int) -> Architecture:
    return Architecture.from_config(
        {
            "model_type": "qwen2",
            "hidden_size": 64 * hidden,
            "intermediate_size": 64 * intermediate,
            "num_hidden_layers": 4,
            "num_attention_heads": groups * repeats,
            "num_key_value_heads": groups,
            "head_dim": 64,
            "vocab_size": 1000,
            "max_position_embeddings": 8192,
        }
    )


FORMULAS = {
    # bytes a token: h hidden, q queries, k keys, i intermediate, n heads, r rank, x inputs of all adapted modules
    "full": (
        {"quantization": None, "targets": ()},
        lambda h, q, k, i, n, r, x: 16 * h + 4 * q + 4 * k + 8 * i + 4 * n + 8,
    ),
    "full, Liger": (
        {"quantization": None, "targets": (), "liger": True},
        lambda h, q, k, i, n, r, x: 8 * h + 4 * q + 4 * k + 6 * i + 4 * n + 8,
    ),
    "16-bit adapters": (
        {"dropout": False},
        lambda h, q, k, i, n, r, x: 12 * h + 4 * q + 4 * k + 8 * i + 4 * n + 8 + 14 * r,
    ),
    "16-bit adapters, dropout": (
        {},
        lambda h, q, k, i, n, r, x: 8 * h + 4 * q + 4 * k + 6 * i + 4 * n + 8 + 14 * r + 3 * x,
    ),
    "fp32 adapters": (
        {"dropout": False, "trained": 4},
        lambda h, q, k, i, n, r, x: 8 * h + 4 * q + 4 * k + 6 * i + 4 * n + 8 + 28 * r + 4 * x,
    ),
    "fp32 adapters, dropout": (
        {"trained": 4},
        lambda h, q, k, i, n, r, x: 8 * h + 4 * q + 4 * k + 6 * i + 4 * n + 8 + 28 * r + 5 * x,
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
@given(WIDTHS)
def test_a_layer_keeps_what_the_traces_showed(name, widths):
    changes, formula = FORMULAS[name]
    shape = architecture(*widths)
    h, q, k, i = shape.hidden_size, shape.heads("").query_size, shape.heads("").key_value_size, shape.intermediate_size
    kept = program_profile(shape, PROGRAM._replace(**changes)).kept[1]
    expected = formula(h, q, k, i, shape.num_attention_heads, PROGRAM.rank, 5 * h + q + i)
    assert sum(size.per_token for size in kept.values()) == expected
    assert not any(size.per_pair for size in kept.values())


@given(WIDTHS)
def test_checkpointing_keeps_the_input(widths):
    shape = architecture(*widths)
    kept = program_profile(shape, PROGRAM._replace(checkpointing=True)).kept[1]
    assert kept == {"layer_inputs": Form(0, 2 * shape.hidden_size)}


def leaf(tape: Tape, numel: int):
    x = tape.new(Form(numel), 4, "leaf")
    x.node = Sink()
    return x


def alive(ledger: Ledger) -> int:
    return sum(size.fixed for size in ledger.alive().values())


def test_what_nothing_saves_dies_with_its_name():
    ledger = Ledger()
    tape = Tape(ledger)
    x = op.unary(tape, leaf(tape, 10))
    assert alive(ledger) == 40
    x = op.unary(tape, x)
    assert alive(ledger) == 40
    del x
    assert alive(ledger) == 0


def test_what_is_saved_lives_until_the_backward_pass():
    ledger = Ledger()
    tape = Tape(ledger)
    outputs = [op.unary(tape, op.unary(tape, leaf(tape, 10), saves="input"), saves="input")]
    assert alive(ledger) == 120
    tape.backward(outputs)
    assert alive(ledger) == 0


@pytest.mark.parametrize("on_gpu", [True, False])
def test_a_second_gradient_is_added_into_the_first_unless_a_mode_looks_on(on_gpu):
    tape = Tape(Ledger(), on_gpu=on_gpu)
    first, second = tape.new(Form(10), 4), tape.new(Form(10), 4)
    assert (tape.sum(first, second) is first) == on_gpu
    other = op.alias(first)
    assert tape.sum(first, second) is not first
    assert other.storage is first.storage


def test_a_checkpointed_call_is_run_again_until_its_last_saved_tensor():
    ledger, calls = Ledger(), []
    tape = Tape(ledger)

    def layer(x):
        calls.append("begun")
        x = op.unary(tape, op.unary(tape, x, saves="input"), saves="input")
        calls.append("ended")
        return op.unary(tape, x)

    x = tape.checkpoint(layer, leaf(tape, 10))
    assert alive(ledger) == 80  # its input and its output
    outputs = [x]
    del x
    tape.backward(outputs)
    assert calls == ["begun", "ended", "begun"]
    assert alive(ledger) == 0


def test_llama_4_never_had_a_list_of_experts():
    scout = catalog().models["meta-llama/Llama-4-Scout-17B-16E-Instruct"].architecture
    now, before = (program_profile(scout, PROGRAM._replace(experts_listed=listed)) for listed in (False, True))
    assert before == now


def test_adapters_of_listed_experts_have_gradients():
    """Three modules an expert, each with an adapter of its own; the router's is added to its weight."""
    mixtral = catalog().models["mistralai/Mixtral-8x7B-v0.1"].architecture
    program = PROGRAM._replace(experts_listed=True)
    hidden, size, experts = mixtral.hidden_size, mixtral.moe_intermediate_size, mixtral.num_experts
    attention = lora_parameters(mixtral, 16, ["q_proj", "k_proj", "v_proj", "o_proj"]) // mixtral.num_hidden_layers
    adapters = attention + 16 * (hidden + experts) + 16 * experts * 3 * (hidden + size)
    assert program_profile(mixtral, program).gradients[1] == {op.GRADIENTS: Form(program.trained * adapters)}


def test_a_shared_expert_runs_beside_listed_ones_too():
    moe = catalog().models["Qwen/Qwen1.5-MoE-A2.7B"].architecture
    with_it, without = (
        program_profile(one, PROGRAM._replace(experts_listed=True, checkpointing=False)).products[1].forward.per_token
        for one in (moe, moe._replace(shared_expert_intermediate_size=0))
    )
    lacking = 3 * moe.hidden_size * moe.shared_expert_intermediate_size
    assert with_it - without >= lacking
