"""HB265: optimizers of bitsandbytes under FSDP."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

SHARDED = "instance: {parallelism: fsdp}\ndeployment: null\n"


@pytest.mark.parametrize("beyond", ["adamw_8bit", "adamw_bnb_8bit", "paged_adamw_8bit", "lion_8bit"])
def test_edge(beyond, tmp_path):
    edge("HB265", SHARDED, "hyperparameters.optim", "adamw_torch", beyond, tmp_path)


@pytest.mark.parametrize("parallelism", ["ddp", "zero2"])
def test_whole_weights_and_deepspeed_are_another_matter(parallelism, tmp_path):
    fragment = f"instance: {{parallelism: {parallelism}}}\nhyperparameters: {{optim: adamw_8bit}}"
    assert "HB265" not in codes(fragment, tmp_path)


@pytest.mark.parametrize(
    ("more", "severity"),
    [("", ["error"]), (", fsdp_version: 2", ["error"])],
)
def test_severity(more, severity, tmp_path):
    sharded = SHARDED.replace("fsdp}", f"fsdp{more}}}")
    fragment = f"{sharded}hyperparameters: {{optim: adamw_8bit}}\n"
    assert [found.severity for found in judged("HB265", fragment, tmp_path)] == severity
    own = f"{fragment}script: {{entry_point: finetune.py}}"  # which may run FSDP1 unless it says so
    assert [found.severity for found in judged("HB265", own, tmp_path)] == (["warning"] if more else [])


def test_fsdp1_hands_out_plain_slices(tmp_path):
    """As in axolotl's examples/dbrx/16bit-lora.yaml."""
    fragment = "instance: {parallelism: fsdp, fsdp_version: 1}\nhyperparameters: {optim: paged_adamw_8bit}"
    assert "HB265" not in codes(fragment, tmp_path)


def test_the_optimizer_is_named(tmp_path):
    (found,) = judged("HB265", f"{SHARDED}hyperparameters: {{optim: paged_adamw_8bit}}", tmp_path)
    assert found.message == (
        "paged_adamw_8bit is bitsandbytes', whose kernels do not take the weights that FSDP2 shards"
    )
