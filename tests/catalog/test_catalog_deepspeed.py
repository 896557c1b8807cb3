"""The keys of DeepSpeed's configuration."""

from __future__ import annotations

import pytest

from hbspec.catalog.deepspeed import problems

USUAL = {
    "fp16": {"enabled": "auto", "loss_scale": 0, "loss_scale_window": 1000, "initial_scale_power": 16},
    "bf16": {"enabled": "auto"},
    "optimizer": {"type": "AdamW", "params": {"lr": "auto", "betas": "auto", "eps": "auto", "weight_decay": "auto"}},
    "scheduler": {"type": "WarmupLR", "params": {"warmup_min_lr": "auto", "warmup_num_steps": "auto"}},
    "zero_optimization": {
        "stage": 3,
        "offload_optimizer": {"device": "cpu", "pin_memory": True},
        "offload_param": {"device": "cpu", "pin_memory": True},
        "overlap_comm": True,
        "contiguous_gradients": True,
        "sub_group_size": 1e9,
        "reduce_bucket_size": "auto",
        "stage3_prefetch_bucket_size": "auto",
        "stage3_param_persistence_threshold": "auto",
        "stage3_max_live_parameters": 1e9,
        "stage3_max_reuse_distance": 1e9,
        "stage3_gather_16bit_weights_on_model_save": True,
    },
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "steps_per_print": 2000,
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
    "wall_clock_breakdown": False,
}
"""The JSON of https://huggingface.co/docs/transformers/deepspeed for ZeRO-3 with offload."""


def said(values):
    return [(one.key, one.action) for one in problems(values)]


def test_the_documented_json_is_clean():
    assert said(USUAL) == []


@pytest.mark.parametrize(
    ("zero", "key", "action"),
    [
        ({"overlap_com": True}, "overlap_com", "did you mean `zero_optimization.overlap_comm`?"),
        ({"shards": 1}, "shards", "delete `zero_optimization.shards`"),
        ({"stage": 4}, "stage", "set `zero_optimization.stage` to one of them"),
        ({"stage": True}, "stage", "set `zero_optimization.stage` to one of them"),
        ({"overlap_comm": "perhaps"}, "overlap_comm", "write true or false or delete `zero_optimization.overlap_comm`"),
        ({"reduce_bucket_size": 0}, "reduce_bucket_size", "set `zero_optimization.reduce_bucket_size` to above 0"),
        ({"reduce_bucket_size": 1.5}, "reduce_bucket_size", None),
        ({"reduce_bucket_size": [1]}, "reduce_bucket_size", None),
        ({"reduce_bucket_size": None}, "reduce_bucket_size", None),
        ({"reduce_bucket_size": 10**400}, "reduce_bucket_size", None),
        ({"offload_optimizer": "cpu"}, "offload_optimizer", None),
        ({"offload_optimizer": {"device": "gpu"}}, "offload_optimizer.device", None),
        ({"offload_optimizer": {"pinned": True}}, "offload_optimizer.pinned", None),
        ({"mics_shard_size": 8}, "mics_shard_size", "delete `zero_optimization.mics_shard_size`"),
    ],
)
def test_what_a_section_refuses(zero, key, action):
    ((found, said_to_do),) = said({"zero_optimization": zero})
    assert found == f"zero_optimization.{key}"
    assert action in (None, said_to_do)


@pytest.mark.parametrize(
    "zero",
    [
        {"reduce_bucket_size": 5e8}, {"reduce_bucket_size": "500000000"}, {"overlap_comm": "True"},
        {"overlap_comm": None}, {"stage3_max_live_parameters": 0}, {"reduce_scatter": 1}, {"stage": "auto"},
    ],
)  # fmt: skip
def test_what_pydantic_converts_is_not_an_error(zero):
    assert said({"zero_optimization": zero}) == []


def test_the_top_level():
    assert said({"train_bach_size": 8}) == [("train_bach_size", "did you mean `train_batch_size`?")]
    assert said({"amp": {}}) == [("amp", "delete `amp`")]
    assert said({"communication_data_type": "fp32", "tensor_parallel": {}, "vocabulary_size": 8}) == []
    assert said({"zero_optimization": 1})[0][0] == "zero_optimization"
