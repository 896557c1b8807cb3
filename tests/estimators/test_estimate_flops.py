from __future__ import annotations

import pytest
from planned import R1

from hbspec.catalog import catalog
from hbspec.catalog.parameters import linear_parameters
from hbspec.estimators.flops import attention_flops, linear_weights_visited, micro_batch_flops

TERA = 10**12
ADAPTERS = 134_217_728


def counted(tokens, checkpointing, adapters=ADAPTERS):
    architecture = catalog().models[R1].architecture
    return micro_batch_flops(architecture, 1, tokens, adapters=adapters, checkpointing=checkpointing, rank=16)


def test_what_a_counter_counted_on_the_real_model():
    """Counted with torch's formulas over the traced 32B model with rank 16 on all linear modules."""
    assert counted(4096, True).forward / TERA == pytest.approx(285.10, abs=0.01)
    assert counted(4096, True).total / TERA == pytest.approx(882.98, abs=0.01)
    assert counted(1024, True).total / TERA == pytest.approx(202.19, abs=0.01)
    assert counted(4096, False).total / TERA == pytest.approx(603.99, rel=1e-3)


def test_attention_is_a_ninth_at_4096_tokens():
    found = counted(4096, True)
    assert found.attention / found.total == pytest.approx(0.11, abs=0.005)


def test_attention_grows_with_the_square():
    architecture = catalog().models[R1].architecture
    assert attention_flops(architecture, 1, 2000) == 4 * attention_flops(architecture, 1, 1000)
    assert attention_flops(architecture, 3, 1000) == 3 * attention_flops(architecture, 1, 1000)


def test_full_fine_tuning_takes_six_per_weight_and_token():
    """At few tokens attention is nothing: 2 forward and 4 backward for every weight but the embedding."""
    found = counted(1, False, adapters=None)
    visited = linear_parameters(catalog().models[R1].architecture) + 152_064 * 5120
    assert found.total == pytest.approx(6 * visited, rel=1e-4)


def test_only_visited_experts_compute():
    architecture = catalog().models["mistralai/Mixtral-8x7B-v0.1"].architecture
    assert linear_weights_visited(architecture) == pytest.approx(12.6e9, rel=0.01)
