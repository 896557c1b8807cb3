"""The shipped script under FSDP2, on two CPU processes: what is whole, what is held, what is freed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from training_bench import QWEN_32B, TEMPLATES, Bench, losses, run_ranks, sums

pytestmark = pytest.mark.long

SHARDED = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "LEARNING_RATE": "5e-3",
    "PER_DEVICE_BATCH_SIZE": "2",
    "GRADIENT_ACCUMULATION_STEPS": "2",
    "MAX_STEPS": "2",
    "MAX_LENGTH": "256",
    "LORA_DROPOUT": "0.0",
    "PARALLELISM": "fsdp",
}


class Run(NamedTuple):
    """A run's losses, and what rank 0 saw of it."""

    losses: list[float]
    told: dict[str, Any]


def run(folder: Path, **settings: str) -> Run:
    bench, told = Bench(folder, QWEN_32B), folder / "told.json"
    bench.write(SHARDED | settings, sums(24))
    output = run_ranks([Path(__file__).with_name("sharded.py"), TEMPLATES, told, *bench.arguments])
    assert bench.record["wrapper"].startswith("FSDP")
    return Run(losses(output), json.loads(told.read_text()))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """QLoRA with 4-bit weights that are stored in the dtype of the others."""
    return run(tmp_path_factory.mktemp("plain"), BNB_4BIT_QUANT_STORAGE="float32")


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same with every setting of this page turned, and 4-bit weights in integers."""
    turned = {"SYNC_EACH_BATCH": "true", "RESHARD_AFTER_FORWARD": "false", "BNB_4BIT_QUANT_STORAGE": "uint8"}
    return run(tmp_path_factory.mktemp("synced"), **turned)


def test_every_rank_holds_the_whole_model_and_its_shards_at_once(plain: Run) -> None:
    """accelerate keeps the state dict of the loaded model until the last shard is made."""
    whole = sum(plain.told["parameters"].values())
    assert plain.told["peak"] - plain.told["before"] == pytest.approx(whole / 2, rel=0.03)
    assert set(plain.told["sharded"]) == {"DTensor"}
    assert plain.told["sharded"]["DTensor"] == pytest.approx(whole / 2, rel=0.01)


def test_integers_stay_whole_on_every_rank(plain: Run, synced: Run) -> None:
    packed = synced.told["parameters"]["Params4bit"]
    assert synced.told["sharded"]["Params4bit"] == packed == plain.told["parameters"]["Params4bit"]
    others = sum(synced.told["parameters"].values()) - packed
    assert synced.told["peak"] - synced.told["before"] == pytest.approx(others / 2, rel=0.03)


def test_gradients_stay_unsharded_until_the_last_micro_batch(plain: Run) -> None:
    for first, last in zip(plain.told["micro_batches"][::2], plain.told["micro_batches"][1::2], strict=True):
        trained = first["trained"]
        assert (first["unsharded"], first["sharded"]) == (2 * trained, 0)
        assert (last["unsharded"], last["sharded"]) == (0, trained)


def test_gradients_are_reduced_after_every_micro_batch_where_that_is_asked_for(synced: Run) -> None:
    assert {(each["unsharded"], each["sharded"] - each["trained"]) for each in synced.told["micro_batches"]} == {(0, 0)}


def test_weights_stay_gathered_from_forward_to_backward_where_that_is_asked_for(plain: Run, synced: Run) -> None:
    assert plain.told["gathered"] < 0.5
    assert synced.told["gathered"] > 0.95


def test_neither_changes_what_is_learned(plain: Run, synced: Run) -> None:
    assert len(plain.losses) == 2
    assert synced.losses == pytest.approx(plain.losses, rel=1e-4)


FACTS = """
import contextlib, os, torch, torch.distributed as dist
from torch.distributed.fsdp import (
    FullyShardedDataParallel as FSDP, MixedPrecision, MixedPrecisionPolicy, fully_shard,
)
dist.init_process_group("gloo")
half = torch.bfloat16

def tell(line):
    # both ranks write to one pipe: a line is one write, which the other cannot divide
    os.write(1, f"{line}\\n".encode())

def gradients(version):
    torch.manual_seed(0)
    model = torch.nn.Linear(64, 64, bias=False)
    if version == 1:
        policy = MixedPrecision(param_dtype=half, reduce_dtype=half)
        model = FSDP(model, device_id=torch.device("cpu"), mixed_precision=policy, use_orig_params=True)
    else:
        fully_shard(model, mp_policy=MixedPrecisionPolicy(param_dtype=half, reduce_dtype=half))
        model.set_requires_gradient_sync(False)
    with model.no_sync() if version == 1 else contextlib.nullcontext():
        for _ in range(2):
            model(torch.randn(4, 64)).float().sum().backward()
    if version == 1:
        return model._handle.flat_param.grad
    (managed,) = model._get_fsdp_state()._fsdp_param_groups[0].fsdp_params
    return managed.unsharded_accumulated_grad if managed.unsharded_accumulated_grad is not None else \
        managed._unsharded_param.grad

for version in (1, 2):
    found = gradients(version)
    tell(f"grad {dist.get_rank()} {version} {found.dtype} {found.numel()}")
packed = torch.nn.Linear(64, 64, bias=False)
packed.weight = torch.nn.Parameter(torch.zeros(2048, 1, dtype=torch.uint8), requires_grad=False)
try:
    FSDP(packed, device_id=torch.device("cpu"), use_orig_params=True)
except ValueError as refused:
    tell(f"refused {dist.get_rank()} {refused}")
dist.destroy_process_group()
"""


def test_accumulated_gradients_have_the_dtype_of_mixed_precision(tmp_path: Path) -> None:
    """Of both versions, in torch itself; and FSDP1 refuses integers."""
    program = tmp_path / "facts.py"
    program.write_text(FACTS)
    output = run_ranks([program])
    for rank in (0, 1):
        for version in (1, 2):
            assert f"grad {rank} {version} torch.bfloat16 4096" in output
        assert f"refused {rank} Cannot flatten integer dtype tensors" in output
