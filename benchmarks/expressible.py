"""How many public configurations a spec can say: each row of what they say, whether the language has it, and a bound.

767 pairs of a public configuration and its hardware were read (axolotl 067b021c, LLaMA-Factory ff6d4d12, TRL f2cd5771,
alignment-handbook 925acdfe, PEFT 5d602fdb, torchtune bd2a0fc7, sagemaker-hyperpod-recipes 26319955, SageMaker notebooks
2d519b52 and 5068b114, SkyPilot 07f9af68, modal llm-finetuning 9e977043). `ROWS` are the settings that the language did
not have then, each with the number of pairs that say it; 216 pairs said none of them. Whether the language has them now
is asked of the language itself: of its keys and of the values that they take.

The pairs themselves are not kept, so that how often two rows are in one pair is not known. Of the pairs that say a row
which is still missing there are at most as many as these rows sum up to, and at least as many as the largest of them:

- at least `pairs - sum of what is missing` can be said fully (no pair says two of them);
- at most `pairs - the largest of what is missing` can (every pair that says one of them says the largest).

Both are bounds of what the list holds; what nobody listed is not in them. "harmless" rows decide neither memory, time
nor counts, and are said all the same.

    python benchmarks/expressible.py
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from hbspec.spec import Spec

PAIRS, SAID_BEFORE = 767, 216
"""Pairs that were read, and those that said none of `ROWS`."""

Sections = Mapping[str, Any]


class Row(NamedTuple):
    """What public configurations say.

    Attributes:
        says: the setting, as the frameworks call it.
        pairs: how many say it.
        spec: sections of a spec that say it, for each of the ways to say it; empty where it cannot be said.
    """

    says: str
    pairs: int
    spec: tuple[Sections, ...] = ()


def hyperparameters(**values: Any) -> Sections:
    """A section of hyperparameters."""
    return {"hyperparameters": values}


FROZEN = {"method": "full", "unfrozen_parameters": ["model.layers.[0-3].*"]}

ROWS = (
    Row(
        "saves_per_epoch, save_strategy epoch",
        197,
        (hyperparameters(saves_per_epoch=4), hyperparameters(save_strategy="epoch")),
    ),
    Row(
        "evals_per_epoch, eval_strategy epoch, eval batch size",
        162,
        (hyperparameters(evals_per_epoch=4, per_device_eval_batch_size=2), hyperparameters(eval_strategy="epoch")),
    ),
    Row("no cap on the length", 129, (hyperparameters(max_length=None), hyperparameters(max_length="none"))),
    Row(
        "dataset other than messages, several, weighted",
        118,
        (
            {"data": {"format": "alpaca"}},
            {"data": {"format": "sharegpt"}},
            {"data": {"type": "prompt_completion", "format": "standard"}},
            {"data": {"train": {"uri": "s3://b/t/", "weights": {"a.jsonl": 0.5, "b/": 2.0}}}},
        ),
    ),
    Row("val_set_size as a share of train", 109, ({"data": {"validation": {"share": 0.05}}},)),
    Row("Adam betas", 85, (hyperparameters(adam_beta1=0.9, adam_beta2=0.95, adam_epsilon=1e-8),)),
    Row("merge at the end", 74, (hyperparameters(merge_weights=True),)),
    Row("multimodal", 50),
    Row("preference or RL", 49, ({"task": "dpo"}, {"task": "grpo"})),
    Row("Liger kernels beyond the loss", 37, (hyperparameters(liger=True),)),
    Row(
        "FSDP version, reshard_after_forward, sync_each_batch",
        33,
        ({"instance": {"fsdp_version": 1, "reshard_after_forward": False}}, hyperparameters(sync_each_batch=True)),
    ),
    Row("quantisation-aware training", 29),
    Row(
        "other attention",
        26,
        (
            hyperparameters(attn_implementation="flash_attention_3"),
            hyperparameters(attn_implementation="kernels-community/vllm-flash-attn3"),
            hyperparameters(attn_implementation="flex_attention"),
            hyperparameters(attn_implementation="xformers"),
        ),
    ),
    Row("activation offloading", 20, (hyperparameters(activation_offloading=True),)),
    Row("MoE kernels", 18),
    Row("quantize_moe_experts", 16, (hyperparameters(quantize_moe_experts=True),)),
    Row("added tokens, resized embeddings", 15, ({"model": {"added_tokens": 4}},)),
    Row("optimizer_in_bwd", 14, (hyperparameters(optimizer_in_bwd=True),)),
    Row("target modules as a pattern", 11, (hyperparameters(target_modules=r".*\.(q_proj|v_proj)"),)),
    Row("use_reentrant", 9, (hyperparameters(use_reentrant=True),)),
    Row("unfrozen_parameters, spectrum, freeze, LISA", 9, (hyperparameters(**FROZEN),)),
    Row("lora_target_parameters", 9, (hyperparameters(target_parameters=["mlp.experts.gate_up_proj"]),)),
    Row("lr_scheduler_kwargs", 7, (hyperparameters(lr_scheduler_kwargs={"num_cycles": 2}),)),
    Row("pretraining", 6, ({"task": "pretrain"},)),
    Row("knowledge distillation", 6),
    Row("warm-up as a share", 5, (hyperparameters(warmup_steps=0.03),)),
    Row("context or sequence parallel", 5, ({"instance": {"context_parallel": 2}},)),
    Row("expert parallel", 4, ({"instance": {"expert_parallel": 2}},)),
    Row("target modules absent: peft's choice", 3, (hyperparameters(target_modules="default"),)),
    Row("offload of parameters only, or to NVMe", 1, ({"instance": {"offload": "parameters"}},)),
)
"""Frequencies of the list. Its rows of several settings are split up here as they are counted there; the trainer is in
every pair, and is said by `software.trainer`."""

LEAST: dict[str, dict[str, Any]] = {
    "model": {"id": "Qwen/Qwen2.5-7B"},
    "data": {},
    "instance": {"gpu": "A100-80", "gpus": 1},
    "hyperparameters": {"learning_rate": 1e-4, "per_device_batch_size": 1, "max_length": 512},
}


def takes(sections: Sections) -> bool:
    """Whether the language has these keys and takes these values."""
    spec: dict[str, Any] = {"hbspec": 1, "name": "said", **LEAST}
    for name, values in sections.items():
        spec[name] = {**LEAST.get(name, {}), **values} if isinstance(values, Mapping) else values
    try:
        Spec.model_validate(spec)
    except ValidationError:
        return False
    return True


def is_said(row: Row) -> bool:
    """Whether every way in which public configurations say a row can be said."""
    return bool(row.spec) and all(map(takes, row.spec))


def main() -> None:
    """Print every row, and the bounds."""
    missing = [row for row in ROWS if not is_said(row)]
    for row in ROWS:
        print(f"{row.pairs:5}  {'missing' if row in missing else 'said':<8} {row.says}")
    lost = sum(row.pairs for row in missing)
    least, most = PAIRS - lost, PAIRS - max((row.pairs for row in missing), default=0)
    print(f"{len(ROWS) - len(missing)} of {len(ROWS)} rows are said; what is missing is in at most {lost} pairs")
    print(f"of {PAIRS} pairs {max(SAID_BEFORE, least)} to {most} can be said fully; {SAID_BEFORE} could before")


if __name__ == "__main__":
    main()
