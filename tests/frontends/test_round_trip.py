"""What is compiled for a framework is read back as the same training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hbspec.api import compile_spec, estimate
from hbspec.cli.foreign import asked

BASE = Path(__file__).parents[1] / "rules/base.yaml"
OTHERWISE = {"trainer", "framework", "software", "objective", "eval_steps", "epochs", "warmup_steps"}
"""Fields that the file does not say: who trains, with what, and defaults of the shipped script under `max_steps`."""
FULL = (
    "hyperparameters.method=full",
    *(f"hyperparameters.{key}=null" for key in ("lora_r", "lora_alpha", "lora_dropout", "bnb_quant_type")),
    "hyperparameters.bnb_double_quant=null",
)
WAYS = {
    "qlora": (),
    "lora": ("hyperparameters.method=lora", "hyperparameters.target_modules=[q_proj, v_proj]"),
    "full": (*FULL, "instance.parallelism=zero2"),
    "zero3": (*FULL, "instance.parallelism=zero3"),
    "long": ("hyperparameters.max_length=4096", "hyperparameters.per_device_batch_size=2"),
    "eager": ("hyperparameters.attn_implementation=eager",),
    "kept": ("hyperparameters.gradient_checkpointing=false",),
    "8 bit": ("hyperparameters.optim=adamw_bnb_8bit",),
}
STORED = "hyperparameters.bnb_4bit_quant_storage=bfloat16"
TARGETS: dict[str, tuple[str, ...]] = {
    "trl": (),
    "axolotl": (STORED, "software.adapter_dtype=float32"),
    "llamafactory": (STORED, "software.adapter_dtype=float32", "hyperparameters.loss=standard"),
}
FILES = {"trl": "sft.yaml", "axolotl": "axolotl.yaml", "llamafactory": "llamafactory.yaml"}


def compiled(folder: Path, target: str, overrides: tuple[str, ...]) -> tuple[str, list[str]]:
    """The configuration, and the files beside it that say how it is launched."""
    for artifact in compile_spec(BASE, target, overrides=overrides, force=True):
        (folder / artifact.path).write_bytes(artifact.content)
    beside = [folder / name for name in ("accelerate.yaml", "deepspeed.json") if (folder / name).exists()]
    return str(folder / FILES[target]), [str(path) for path in beside]


@pytest.mark.one_in(5)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("way", WAYS)
def test_it_is_the_same_training(target: str, way: str, tmp_path: Path) -> None:
    given = (*TARGETS[target], *WAYS[way])
    if way in ("full", "zero3"):
        given = tuple(one for one in given if one not in (STORED, "software.adapter_dtype=float32"))
        given += ("software.weights_dtype=float32",) if target == "llamafactory" and way == "full" else ()
    file, beside = compiled(tmp_path, target, given)
    plan = estimate(BASE, overrides=given).analysis.plan
    instance = estimate(BASE).analysis.spec.instance
    ways = (
        {"beside": beside, "parallelism": None} if target == "trl" else {"beside": [], "parallelism": plan.parallelism}
    )
    asking: dict[str, Any] = asked((), program=None, on=instance.type, region=instance.region, **ways)
    read = estimate(file, **asking).analysis.plan
    ours, theirs = plan.training._asdict(), read.training._asdict()
    differing = {name: (ours[name], theirs[name]) for name in ours.keys() - OTHERWISE if ours[name] != theirs[name]}
    assert differing == {}
    assert (plan.parallelism, plan.effective_batch_size) == (read.parallelism, read.effective_batch_size)
    assert plan.trainable_parameters == read.trainable_parameters
