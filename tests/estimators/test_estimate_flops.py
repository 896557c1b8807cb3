from __future__ import annotations

import pytest
from planned import FULL, LORA, R1, planned

from hbspec.catalog import catalog
from hbspec.catalog.parameters import linear_parameters
from hbspec.estimators.step.flops import attention_pairs, micro_batch_flops

TERA = 10**12
MIXTRAL = "mistralai/Mixtral-8x7B-v0.1"
SCOUT = "meta-llama/Llama-4-Scout-17B-16E-Instruct"


def counted(tokens, checkpointing=True, model=R1, **values):
    plan = planned(model, gradient_checkpointing=checkpointing, per_device_batch_size=1, loss="standard", **values)
    return micro_batch_flops(plan.architecture, plan.training, tokens)


def forward_flops(architecture, rows, tokens, scored=None):
    """Of the model alone."""
    whole = planned(method=FULL, loss="standard").training
    return micro_batch_flops(architecture, whole, tokens, rows=rows, scored=scored).forward


def test_what_a_counter_counted_on_the_real_model():
    """Counted with torch's formulas over the traced 32B model with rank 16 on all linear modules."""
    assert counted(4096).forward.total == 285_104_224_075_776
    assert counted(4096).recompute.total == 278_683_247_968_256
    assert counted(4096).backward.total == 319_189_084_536_832
    assert counted(1024).total / TERA == pytest.approx(202.19, abs=0.01)


def test_without_checkpointing_the_first_layer_passes_no_gradient_on():
    """Queries, keys and values of the first layer, the adapters' half apart, have an input that nobody asks about."""
    inner = 2 * 1024 * (5120 * (5120 + 1024 + 1024) + 3 * 16 * 5120)
    assert counted(1024).backward.total - counted(1024, False).backward.total == inner
    assert counted(1024, False).recompute.total == 0


def test_attention_is_a_ninth_at_4096_tokens():
    found = counted(4096)
    assert found.attention / found.total == pytest.approx(0.11, abs=0.005)


def test_attention_grows_with_the_square():
    architecture = catalog().models[R1].architecture
    short, long, several = (forward_flops(architecture, *size).attention for size in ((1, 1000), (1, 2000), (3, 1000)))
    assert long == 4 * short
    assert several == 3 * short
    assert short == 4 * 1000**2 * architecture.heads("").query_size * architecture.num_hidden_layers


def test_full_fine_tuning_takes_six_per_weight_and_token():
    """2 forward and 4 backward for every weight but the embedding."""
    found = counted(7, False, method=FULL)
    visited = linear_parameters(catalog().models[R1].architecture) + 152_064 * 5120
    assert found.products == 6 * 7 * visited


def test_reentrant_checkpointing_computes_whole_layers_again():
    """transformers 4 stops nowhere early: the head apart, recomputing is the forward pass."""
    old = counted(512, sections={"software": {"transformers": "4.57.0", "trainer": "transformers"}})
    assert old.forward.total - old.recompute.total == 2 * 512 * 152_064 * 5120


def test_only_visited_experts_compute():
    mixtral, scout = (catalog().models[name].architecture for name in (MIXTRAL, SCOUT))
    one = forward_flops(mixtral, 1, 1).products / 2
    assert one == pytest.approx(12.7e9, rel=0.01)
    assert forward_flops(mixtral._replace(num_experts_per_tok=8), 1, 1).products / 2 == pytest.approx(46.6e9, rel=0.01)
    assert forward_flops(scout, 1, 1).products / 2 > 100e9, "every expert of Llama 4 computes every token"


def test_adapters_on_fused_experts_cost_the_same_whatever_the_tokens():
    plan = planned(MIXTRAL, method={**LORA, "lora_dropout": 0.0}, per_device_batch_size=1, loss="standard")
    one, two, three = (micro_batch_flops(plan.architecture, plan.training, n).forward.products for n in (1, 2, 3))
    assert three - two == two - one
    layers, experts, hidden, size = 32, 8, 4096, 14336
    gate_and_up, down, router = 2 * 32 * 2 * size * hidden, 2 * 16 * size * hidden, 16 * hidden
    assert one - (two - one) == 2 * layers * experts * (gate_and_up + down + router)


def test_listed_experts_have_adapters_of_their_own():
    """Before transformers 5 experts were modules, of which a token pays for those that it visits."""
    old = {"software": {"transformers": "4.57.0"}}
    plan = planned(MIXTRAL, method={**LORA, "lora_dropout": 0.0}, per_device_batch_size=1, sections=old)
    one, two = (micro_batch_flops(plan.architecture, plan.training, n, scored=0).forward.products for n in (1, 2))
    router = 2 * 32 * 8 * 16 * 4096
    assert 2 * one - two == router


def test_a_loss_that_holds_no_logits_computes_them_twice():
    plan = planned(loss="fused", per_device_batch_size=1)
    fused = micro_batch_flops(plan.architecture, plan.training, 1024)
    head = 2 * 1023 * 152_064 * 5120
    assert fused.backward.total - counted(1024).backward.total == 2 * head - 2 * 1024 * 152_064 * 5120
    answers = micro_batch_flops(plan.architecture, plan.training, 1024, scored=24)
    assert fused.forward.total - answers.forward.total == head * 999 / 1023


def test_a_prompt_needs_the_head_once():
    architecture = catalog().models[R1].architecture
    whole, last = forward_flops(architecture, 1, 500), forward_flops(architecture, 1, 500, scored=1)
    assert whole.products - last.products == 2 * 499 * 152_064 * 5120


def test_adapters_add_their_parameters_to_the_forward_pass():
    plan = planned(loss="standard", per_device_batch_size=1)
    with_adapters = micro_batch_flops(plan.architecture, plan.training, 100, rows=1).forward.products
    assert with_adapters - forward_flops(plan.architecture, 1, 100).products == 2 * 100 * plan.trainable_parameters


def test_packed_rows_are_one_row_unless_the_kernel_keeps_them_apart():
    plan = planned(packing=True, per_device_batch_size=4)
    joined = micro_batch_flops(plan.architecture, plan.training, 512).forward.attention
    apart = plan.training._replace(attention="flash_attention_2")
    assert joined == 4 * micro_batch_flops(plan.architecture, apart, 512).forward.attention


def test_pairs_that_kernels_compute():
    qwen, gemma = (catalog().models[name].architecture for name in (R1, "google/gemma-3-1b-it"))
    layers, local, window = gemma.num_hidden_layers, 22, gemma.sliding_window
    assert attention_pairs(qwen, 1000, attention="eager") == 64 * 1000**2
    assert attention_pairs(qwen, 1000) == 64 * 1000 * 1001 / 2
    assert attention_pairs(qwen, 1000, masked=True) == 64 * 1000**2
    assert attention_pairs(gemma, window - 1) == layers * (window - 1) * window / 2
    # a mask says what the window is, and a kernel with a mask computes everything
    causal = 4096 * 4097 / 2
    assert attention_pairs(gemma, 4096) == local * 4096**2 + (layers - local) * causal
    near = sum(min(position, window) for position in range(1, 4097))
    flash = attention_pairs(gemma, 4096, attention="flash_attention_2")
    assert flash == local * near + (layers - local) * causal


def test_chunks_do_not_see_each_other():
    scout = catalog().models[SCOUT].architecture
    chunk = scout.sliding_window
    local = scout.layer_types.count("chunked_attention")
    found = attention_pairs(scout, 2 * chunk + 10, attention="flash_attention_2")
    whole = (scout.num_hidden_layers - local) * (2 * chunk + 10) * (2 * chunk + 11) / 2
    assert found - whole == local * (chunk * (chunk + 1) + 55)
