"""The rehearsal: a tiny random model of the same architecture, so that a job's wiring can be proven on a CPU.

It is written to disk as a model folder (config, weights, tokenizer) and then loaded like the real one, so that every
line that a real job runs is run. What differs is listed in `OVERRIDES`, printed, and stored in run.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from job_examples import Example
from settings import Invocation, Settings
from shrinking import shrink

VOCABULARY = 2048
COMPLETION = 16
"""Tokens of a completion at most."""


@dataclass(frozen=True, slots=True)
class Override:
    """A setting that the rehearsal changes: from what, to what, and why."""

    name: str
    before: str
    after: str
    reason: str

    def __str__(self) -> str:
        return f"hbspec: override {self.name}: {self.before} -> {self.after} ({self.reason})"


OVERRIDES: tuple[tuple[str, tuple[str, ...] | None, str | int, str], ...] = (
    ("WEIGHTS", None, "random, two layers of the same architecture", "a rehearsal proves the wiring, not the model"),
    ("TOKENIZER", None, "byte-level BPE trained on the training data", "a tiny vocabulary, without a network"),
    ("DEVICE", None, "cpu", "a rehearsal runs anywhere"),
    ("COMPUTE", None, "float32", "bfloat16 matrix products are up to 78 times slower on a CPU without native ones"),
    ("ATTN_IMPLEMENTATION", ("flash_attention_2", "flex_attention"), "sdpa", "the kernel needs a GPU"),
    ("ACTIVATION_OFFLOADING", None, False, "a rehearsal has no GPU to offload from"),
    ("LIGER", None, False, "Liger's kernels need a GPU"),
    ("PARALLELISM", ("pipeline",), "single", "device_map splits layers over GPUs only; it is one process either way"),
    ("PARALLELISM", ("fsdp", "zero1", "zero2", "zero3"), "ddp", "sharding needs GPUs; ranks and their data stay"),
    ("LOGGING_STEPS", None, 1, "a rehearsal is a few updates, and the loss of each is shown"),
)
"""Every change that `--tiny` makes: name, values it applies to (None: all others), the new value, the reason.

A run that no launcher started besides turns a distributed PARALLELISM into single; `--max-updates` replaces MAX_STEPS,
tiny or not."""

WATCHES = ("WATCH_LOSS", "WATCH_GPU_MEMORY", "WATCH_STEP_MIN", "WATCH_STEP_MAX", "WATCH_GRAD_NORM")
"""What is off in a rehearsal, and in a run of a few updates."""

CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WIDE_BAR, LOW_BLOCK = "\uff5c", "\u2581"
"""What DeepSeek's special tokens have in the place of `|` and `_`."""
R1 = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|User|>{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}"
    "<|Assistant|>{{ message['content'].split('</think>')[-1] }}{{ eos_token }}"
    "{% else %}{{ message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|Assistant|><think>\n{% endif %}"
).replace("|", WIDE_BAR)
R1_TOKENS = ("<|begin_of_sentence|>", "<|end_of_sentence|>", "<|_pad_|>", "<|User|>", "<|Assistant|>")
LLAMA = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n{{ message['content'] | trim }}<|eot_id|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)


@dataclass(frozen=True, slots=True)
class Family:
    """A family of chat models: its template in miniature, and its special tokens: begin, end, padding, and the rest."""

    template: str
    tokens: tuple[str, ...]


FAMILIES = {
    "r1": Family(R1, tuple(token.replace("|", WIDE_BAR).replace("_", LOW_BLOCK) for token in R1_TOKENS)),
    "llama": Family(
        LLAMA, ("<|begin_of_text|>", "<|eot_id|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>")
    ),
    "chatml": Family(CHATML, ("<|im_start|>", "<|im_end|>", "<|endoftext|>")),
}


def family(model_id: str, model_type: str) -> Family:
    """The family that a model's chat template is of; ChatML where neither name says so."""
    if "deepseek-r1" in model_id.lower():
        return FAMILIES["r1"]
    return FAMILIES["llama" if model_type.startswith("llama") else "chatml"]


def rehearsal(invocation: Invocation, launched: bool, processes: int = 1) -> tuple[Settings, tuple[Override, ...]]:
    """The settings that a run really uses, and every override that made them so.

    Args:
        invocation: what was asked for.
        launched: whether a launcher started this process.
        processes: how many train together.
    """
    settings, folders = invocation.settings, invocation.folders
    made: list[Override] = []
    changes: dict[str, Any] = {}
    if folders.tiny:
        real = {
            "WEIGHTS": settings.MODEL_ID,
            "TOKENIZER": settings.MODEL_ID,
            "DEVICE": "GPU",
            "COMPUTE": "float16" if settings.FP16 else "bfloat16",
        }
        for name, only, after, reason in OVERRIDES:
            before = real.get(name) or getattr(settings, name)
            if before != after and (only is None or before in only):
                made.append(Override(name, str(before), str(after), reason))
                if name not in real:
                    changes[name] = after
        if settings.ADAPTER is not None:
            reason = "a rehearsal proves the wiring, not the adapters"
            made.append(Override("ADAPTER", settings.ADAPTER, "random adapters of the tiny model", reason))
        generated = _generation(settings, processes)
        changes |= {each.name: int(each.after) for each in generated}
        made += generated
        if changes.get("PARALLELISM", settings.PARALLELISM) == "ddp" and not launched:
            changes["PARALLELISM"] = "single"
            made.append(Override("PARALLELISM", "ddp", "single", "no launcher started this process"))
        changes |= {"BF16": False, "FP16": False}
    if folders.tiny or folders.max_updates is not None:
        for name in WATCHES:
            if (before := getattr(settings, name)) is not None:
                made.append(Override(name, str(before), "off", "a watch is of a whole run, on its own hardware"))
                changes[name] = None
    if folders.max_updates is not None:
        before = str(settings.MAX_STEPS or f"{settings.epochs:g} epochs")
        made.append(Override("MAX_STEPS", before, str(folders.max_updates), "--max-updates"))
        changes["MAX_STEPS"] = folders.max_updates
    return replace(settings, **changes), tuple(made)


def _generation(settings: Settings, processes: int) -> list[Override]:
    """What makes GRPO's completions few, and keeps those of a prompt together on fewer processes than the job has."""
    if settings.TASK != "grpo":
        return []
    group = settings.NUM_GENERATIONS
    steps = settings.STEPS_PER_GENERATION or settings.GRADIENT_ACCUMULATION_STEPS
    dealt = settings.PER_DEVICE_BATCH_SIZE * processes
    evaluated = (settings.PER_DEVICE_EVAL_BATCH_SIZE or settings.PER_DEVICE_BATCH_SIZE) * processes
    together = "a batch holds whole groups of completions, also on fewer processes"
    wanted = {
        "MAX_COMPLETION_LENGTH": (min(settings.MAX_COMPLETION_LENGTH, COMPLETION), "a tiny model has nothing to say"),
        "STEPS_PER_GENERATION": (steps if dealt * steps % group == 0 else steps * group, together),
        "PER_DEVICE_EVAL_BATCH_SIZE": (evaluated // processes if evaluated % group == 0 else group, together),
    }
    usual = {"STEPS_PER_GENERATION": steps, "PER_DEVICE_EVAL_BATCH_SIZE": evaluated // processes}
    return [
        Override(name, str(before), str(after), reason)
        for name, (after, reason) in wanted.items()
        if (before := usual.get(name, settings.MAX_COMPLETION_LENGTH)) != after
    ]


def train_tokenizer(texts: Iterable[str], kind: Family) -> Any:
    """A byte-level BPE tokenizer (transformers.PreTrainedTokenizerFast) trained on texts, with a family's template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=list(kind.tokens),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    begin, end, pad = kind.tokens[:3]
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=begin,
        eos_token=end,
        pad_token=pad,
        additional_special_tokens=list(kind.tokens[3:]),
    )
    wrapped.chat_template = kind.template
    return wrapped


def write(invocation: Invocation, examples: Sequence[Example], folder: Path) -> None:
    """Writes the tiny model's folder: config.json, model.safetensors, tokenizer. Same seed and data, same model."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = invocation.settings
    config = json.loads(invocation.config_file.read_text(encoding="utf-8"))
    kind = family(settings.MODEL_ID, str(config["model_type"]))
    words = (text for example in examples for text in example.texts)
    tokenizer = train_tokenizer(words, kind)
    tiny = shrink(config, vocabulary=-(-len(tokenizer) // 64) * 64)
    model_type = tiny.pop("model_type")
    ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    torch.manual_seed(settings.SEED)
    made = AutoConfig.for_model(model_type, **{**tiny, **ids, "dtype": "float32", "torch_dtype": "float32"})
    model = AutoModelForCausalLM.from_config(made, dtype=torch.float32)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if settings.ADAPTER is not None:
        from initial_adapters import write_tiny
        from loading import adapters, beside_language_model

        write_tiny(model, adapters(settings, beside_language_model(model)), folder)
