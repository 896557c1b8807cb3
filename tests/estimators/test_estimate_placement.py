from __future__ import annotations

import pytest
from planned import planned

from hbspec.catalog import catalog
from hbspec.catalog.parameters import weights
from hbspec.estimators.step.placement import Shards, shards, spread

MAPS = [
    # `device_map="auto"` of transformers 5.23.0 on the meta device, 39 GB a GPU: layers by GPU, where the head is
    ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", 8, True, [3, 15, 15, 15, 15, 1, 0, 0], 5),
    ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", 8, False, [7, 10, 10, 10, 10, 10, 7, 0], 6),
    ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", 4, True, [11, 24, 24, 5], 3),
    ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", 4, False, [15, 18, 18, 13], 3),
    ("Qwen/Qwen2.5-7B", 4, True, [2, 21, 5, 0], 2),
    ("Qwen/Qwen2.5-7B", 4, False, [6, 11, 11, 0], 3),
    ("meta-llama/Llama-3.3-70B-Instruct", 8, True, [5, 15, 15, 15, 15, 15, 0, 0], 6),
    ("meta-llama/Llama-3.3-70B-Instruct", 8, False, [9, 11, 11, 11, 11, 11, 11, 5], 7),
]


@pytest.mark.parametrize(("model", "gpus", "quantized", "layers", "head"), MAPS)
def test_layers_lie_where_transformers_puts_them(model, gpus, quantized, layers, head):
    architecture = catalog().models[model].architecture
    outer = 2 * architecture.vocab_size * architecture.hidden_size
    body = sum(
        weight.parameters * (0.5 if quantized and weight.kind == "linear" else 2)
        for weight in weights(architecture)
        if weight.kind not in ("embedding", "head")
    )
    stages = spread(
        architecture.num_hidden_layers,
        body / architecture.num_hidden_layers,
        outer,
        outer,
        gpus,
        quantized=quantized,
    )
    assert [stage.layers for stage in stages] == layers
    assert [stage.head for stage in stages].index(True) == head
    assert stages[0].embedding
    assert stages[-1].last == architecture.num_hidden_layers


@pytest.mark.parametrize(
    ("parallelism", "sharding", "expected"),
    [
        ("ddp", None, Shards(1, 1, 1)),
        ("zero1", None, Shards(1, 1, 16)),
        ("zero2", None, Shards(1, 16, 16)),
        ("zero3", None, Shards(16, 16, 16)),
        ("fsdp", "full", Shards(16, 16, 16)),
        ("fsdp", "hybrid", Shards(8, 8, 8)),
        ("fsdp", "none", Shards(1, 1, 1)),
    ],
)
def test_what_is_cut_over_two_hosts(parallelism, sharding, expected):
    plan = planned(instance={"parallelism": parallelism, "count": 2})
    assert shards(plan._replace(sharding=sharding)) == expected
