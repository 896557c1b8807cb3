"""HB123: ZeRO-3 and quantised weights."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged


def test_edge(tmp_path):
    edge("HB123", "", "instance.parallelism", "zero2", "zero3", tmp_path)


def test_weights_that_are_not_quantised_are_sharded(tmp_path):
    assert judged("HB123", "instance: {parallelism: zero3}\nhyperparameters: {method: lora}", tmp_path) == []


def test_what_is_not_sharded_is_named(tmp_path):
    (found,) = judged("HB123", "instance: {parallelism: zero3}", tmp_path)
    assert found.message == (
        "parallelism: zero3 cuts nf4 weights only after every GPU has loaded all of them, and the shipped script "
        "rejects it"
    )


def test_another_script_may_do_it(tmp_path):
    (tmp_path / "finetune.py").write_text("")
    fragment = "script: {entry_point: finetune.py}\ninstance: {parallelism: zero3}\nhyperparameters: {method: qlora}"
    assert judged("HB123", fragment, tmp_path) == []


ZERO3 = "instance: {type: %s, parallelism: zero3}\nmodel: {id: %s}\nbudget: {max_cost: 9999 USD}\n"


@pytest.mark.parametrize(
    ("fragment", "help_", "then"),
    [
        (
            ZERO3 % ("ml.p4d.24xlarge", "Qwen/Qwen2.5-7B"),
            "set parallelism to fsdp and bnb_4bit_quant_storage to bfloat16",
            ["instance.parallelism=fsdp", "hyperparameters.bnb_4bit_quant_storage=bfloat16"],
        ),
        (
            ZERO3 % ("ml.p4d.24xlarge", "Qwen/Qwen2.5-7B") + "hyperparameters: {bnb_quant_type: int8}",
            "set parallelism to zero1",
            ["instance.parallelism=zero1"],
        ),
    ],
)
def test_the_help_leads_into_no_other_error(fragment, help_, then, tmp_path):
    (found,) = judged("HB123", fragment, tmp_path)
    assert found.help == help_
    assert codes(fragment, tmp_path, then) <= codes(fragment, tmp_path) - {"HB123"}


def test_weights_that_fsdp_would_load_whole_are_not_sent_there(tmp_path):
    (found,) = judged("HB123", ZERO3 % ("ml.p4d.24xlarge", "Qwen/Qwen2.5-72B"), tmp_path)
    assert found.help.startswith("set instance.type to ml.")
