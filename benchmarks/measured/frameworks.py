"""What each training framework runs where a row of the CSV does not say it, read in the framework's own source.

The first entry whose pattern is found in a row's framework and source counts; the last is a plain Trainer, which is
what a framework that is not listed is taken to run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from measured.row import Row


@dataclass(frozen=True, slots=True)
class Framework:
    """The defaults of one framework.

    Attributes:
        pattern: found in the framework's name or the source's title, in any case.
        source: where the defaults were read.
        trainer: which of the spec's trainers runs nearest to it.
        autocast: whether steps run under autocast where the row's dtype does not say so.
        casts_units: whether "mixed" is FSDP's own MixedPrecision, which gathers in 16 bits, and not autocast.
        adapters: dtype of adapters: "float32", "compute", or "quantised": compute only beside quantised weights.
        kept: dtype of what a quantised model keeps in 16 bits: "float32" after k-bit preparation, else "compute".
        trained: dtype of fully trained weights: "float32" where autocast works on master weights, else "compute".
        double_quant: whether 4-bit scales are quantised where the row does not say so.
        dropout: before the adapters.
        targets: adapted modules where the row names none.
        padded: whether rows are padded to the longest, so that attention has a mask.
        loss: how it is computed where the row does not say so.
        transformers: the version at the time, which decides whether experts are quantised, and how logits are held.
        files: the same for some of a source's files, where each states its own.
        defaults: cells that the framework fills where the row leaves them empty.
        bitsandbytes: the version at the time, which decides what 4-bit products keep.
        unlike_sharded: why what it runs under FSDP has no words in the spec; "" where it has.
        reentrant_sharded: whether checkpointing under FSDP is reentrant; None is what its transformers does.
    """

    pattern: str
    source: str
    trainer: str = "transformers"
    autocast: bool = True
    casts_units: bool = False
    adapters: str = "float32"
    kept: str = "float32"
    trained: str = "compute"
    double_quant: bool = False
    dropout: float = 0.05
    targets: str = "q_proj,v_proj"
    padded: bool = False
    loss: str = "standard"
    transformers: str = "4.45.2"
    defaults: Mapping[str, str] = field(default_factory=dict)
    bitsandbytes: str = "0.43.3"
    unlike_sharded: str = ""
    reentrant_sharded: bool | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    def cell(self, row: Row, column: str) -> str:
        """What the row says, or what the framework does where it says nothing."""
        return row[column] if row[column] not in ("", "?") else self.defaults.get(column, "")

    def transformers_of(self, row: Row) -> str:
        """The version of transformers behind a row."""
        stated = (version for file, version in self.files.items() if row["source_locator"].endswith(file))
        return next(stated, self.transformers)


FMS_FILES = {"refs/a100_80gb.csv": "4.48.1", "refs/a100_80gb_moe.csv": "4.52.4"}
"""foundation-model-stack/fms-acceleration, scripts/benchmarks/refs/requirements.txt and requirements_moe.txt; those of
the other files say 4.45.2."""

FRAMEWORKS = (
    Framework(
        "baseline-peft-bnb",
        "foundation-model-stack/fms-acceleration, scripts/benchmarks; trl 0.11.4 calls the k-bit preparation",
        autocast=False,
        adapters="quantised",
        double_quant=True,
        dropout=0.1,
        files=FMS_FILES,
    ),
    Framework(
        "fms-hf-tuning|fms-acceleration",
        "foundation-model-stack/fms-acceleration, scripts/benchmarks/{defaults,scenarios}.yaml, refs/requirements.txt",
        autocast=False,
        adapters="quantised",
        kept="compute",
        double_quant=True,
        dropout=0.1,
        files=FMS_FILES,
    ),
    Framework(
        "fitcheck",
        "PyPI fitcheck-llm 0.3.1, scripts/measure.py",
        autocast=False,
        dropout=0.0,
        transformers="5.0.0",
        trainer="loop",
    ),
    Framework(
        "method_comparison|custom loop",
        "huggingface/peft, method_comparison/MetaMathQA/{run,utils}.py",
        autocast=False,
        kept="compute",
        dropout=0.0,
        padded=True,
        transformers="5.0.0",
        trainer="loop",
    ),
    Framework(
        "litgpt|lit-gpt",
        "Lightning-AI/litgpt, litgpt/finetune/lora.py (its own LoRA, in the dtype of the weights); versions as in its "
        "tutorials/resource-tables.md",
        trainer="litgpt",
        autocast=False,
        adapters="compute",
        kept="compute",
        bitsandbytes="0.41.1",
        defaults={"grad_accum": "32"},
        unlike_sharded="litgpt under FSDP: one flat parameter holds frozen and adapted weights, and has a gradient",
    ),
    Framework(
        "fsdp_qlora|answerdotai",
        "AnswerDotAI/fsdp_qlora, train.py (`precision` bf16: everything in bfloat16; `CheckpointImpl.NO_REENTRANT`)",
        reentrant_sharded=False,
        autocast=False,
        adapters="compute",
        kept="compute",
        double_quant=True,
        dropout=0.1,
    ),
    Framework(
        "ms-swift",
        "modelscope/ms-swift 2.x, SftArguments: DEFAULT targets (attention's qkv), rank 8, accumulation over 16",
        kept="compute",
        targets="q_proj,k_proj,v_proj",
        padded=True,
        defaults={"grad_accum": "16", "lora_r": "8", "compute_dtype": "bf16"},
    ),
    Framework(
        "h2o",
        "h2oai/h2o-llmstudio: adapters on every linear module, backbone in `backbone_dtype`, float16 autocast",
        targets="all-linear",
        padded=True,
    ),
    Framework(
        "llm-foundry|composer|mosaic",
        "mosaicml/llm-foundry, scripts/train/benchmarking (FSDP, mixed_precision PURE or DEFAULT: fp32 shards)",
        trained="float32",
        defaults={"attention": "flash2"},
    ),
    Framework("torchtitan", "pytorch/torchtitan, train_configs: fp32 shards, computed in bfloat16", trained="float32"),
    Framework(
        "vectorlm",
        "VectorInstitute/vectorlm, vectorlm/utils/model_utils.py: bf16 weights, FSDP with MixedPrecision over them",
        autocast=False,
        casts_units=True,
    ),
    Framework(
        "llama-recipes|jumpstart|llama-cookbook",
        "meta-llama/llama-recipes, configs/{training,fsdp,peft}.py: r 8 on q and v, activation checkpointing, which "
        "policies/activation_checkpointing_functions.py wraps with CheckpointImpl.NO_REENTRANT",
        trained="float32",
        reentrant_sharded=False,
        defaults={"gradient_checkpointing": "y", "lora_r": "8"},
    ),
    Framework(
        "colossal",
        "hpcaitech/ColossalAI, applications/ColossalChat: low-level ZeRO plugin, bf16 with fp32 master weights",
        autocast=False,
        defaults={"compute_dtype": "bf16", "grad_accum": "1"},
    ),
    Framework(
        r"\+ ?deepspeed",
        "QwenLM/Qwen, finetune.py and finetune/ds_config_zero{2,3}.json: DeepSpeed keeps the engine's dtype everywhere",
        adapters="quantised",
        kept="compute",
    ),
    Framework(
        "atorch",
        "intelligent-machine-learning/dlrover, atorch/examples/llama2/fsdp_llama2.py: fp32 weights by `from_config`, "
        "`amp_native`, checkpoints with `no_reentrant`, and a loop that holds the model's outputs",
        trainer="loop",
        trained="float32",
        reentrant_sharded=False,
    ),
    Framework(
        "vertex",
        "GoogleCloudPlatform/vertex-ai-samples, model_oss/peft/instruct_lora.py: a transformers Trainer with fp16 "
        "weights; dockerfile/train.Dockerfile: torch 2.0.1, a transformers of July 2023 and bitsandbytes 0.39.0",
        transformers="4.31.0",
        bitsandbytes="0.39.0",
    ),
    Framework("axolotl", "axolotl-ai-cloud/axolotl: Trainer under bf16, adapters fp32", padded=True),
    Framework(
        "llama-?factory",
        "hiyouga/LLaMA-Factory: model/adapter.py (adapters fp32 unless `pure_bf16`), model_utils/checkpointing.py",
        targets="all-linear",
        padded=True,
        defaults={"gradient_checkpointing": "y", "lora_r": "8"},
    ),
    Framework(
        "torchtune",
        "pytorch/torchtune, recipes: dtype bf16 throughout, its own LoRA, cross-entropy in 8 chunks",
        autocast=False,
        adapters="compute",
        kept="compute",
        double_quant=True,
        loss="chunked",
        padded=True,
    ),
    Framework(
        "trl",
        "huggingface/trl 0.7.5 to 1.0, `peft_module_casting_to_bf16`: adapters, embedding and head of a 4-bit model",
        adapters="quantised",
        kept="compute",
    ),
    Framework("", "a plain transformers Trainer, assumed"),
)


def framework_of(row: Row) -> Framework:
    """The framework of a row."""
    named = f"{row['framework']} {row['source_title']}"
    return next(entry for entry in FRAMEWORKS if re.search(entry.pattern, named, re.IGNORECASE))
