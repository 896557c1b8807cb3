"""The rehearsal: a tiny random model of the same architecture, so that a job's wiring can be proven on a CPU.

It is written to disk as a model folder (config, weights, tokenizer) and then loaded like the real one, so that every
line that a real job runs is run. What differs is listed in `OVERRIDES`, printed, and stored in run.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conversations import Conversation
from settings import Invocation, RefusedError, Settings

LAYERS = 2
EXPERTS = 4
VOCABULARY = 2048
BLOCK, ROWS = 64, 32
"""What divides the columns and the rows of every matrix that bitsandbytes quantises. Its blocks are 64 weights, and its
product for CPUs with AVX512-BF16 takes whole blocks of a row, and 32 rows at a time."""
HEAD_DIMS = (16, 32, 64)
"""Sizes of a head; the smallest that makes queries whole blocks, and keys whole rows."""


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


def rehearsal(invocation: Invocation, launched: bool) -> tuple[Settings, tuple[Override, ...]]:
    """The settings that a run really uses, and every override that made them so.

    Args:
        invocation: what was asked for.
        launched: whether a launcher started this process.
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
        if changes.get("PARALLELISM", settings.PARALLELISM) == "ddp" and not launched:
            changes["PARALLELISM"] = "single"
            made.append(Override("PARALLELISM", "ddp", "single", "no launcher started this process"))
        changes |= {"BF16": False, "FP16": False}
    if folders.max_updates is not None:
        before = str(settings.MAX_STEPS or f"{settings.epochs:g} epochs")
        made.append(Override("MAX_STEPS", before, str(folders.max_updates), "--max-updates"))
        changes["MAX_STEPS"] = folders.max_updates
    return replace(settings, **changes), tuple(made)


NOT_SHRUNK = ("dbrx", "gpt2", "kimi_k2", "opt")
"""Types that learn a vector for every position, which keeps a model large, or name their sizes otherwise, as GPT-2 and
DBRX do, or that transformers builds only with code of the model's repository."""

EXPERT_FIELDS = "num_experts", "num_local_experts", "n_routed_experts"
VISITED_FIELDS = "num_experts_per_tok", "top_k_experts"
"""What config.json calls the experts of a layer, and those that a token visits."""

LINEAR_HEADS, LINEAR_HEAD_DIM = ROWS, 4
"""Key heads of linear attention, and the size of one; a matrix has a row for each value head."""


def shrink(config: Mapping[str, Any], vocabulary: int) -> dict[str, Any]:
    """A config.json's content with everything that sizes the model made tiny; what shapes it stays.

    The ratio of query to key-value heads is kept (two key-value heads, or one), so are biases, norms, tying, activation
    and positions. An MLP is 128 wide for each time that the real one is as wide as its model. Left out: a quantisation
    of the published weights, a vision or audio part.

    >>> tiny = shrink({"model_type": "qwen2", "hidden_size": 5120, "num_attention_heads": 40,
    ...                "num_key_value_heads": 8, "intermediate_size": 27648, "num_hidden_layers": 64}, 512)
    >>> tiny["num_attention_heads"], tiny["num_key_value_heads"], tiny["hidden_size"], tiny["intermediate_size"]
    (10, 2, 320, 640)
    """
    full = {**config, **config["text_config"]} if isinstance(config.get("text_config"), dict) else dict(config)
    if full.get("model_type") in NOT_SHRUNK:
        raise RefusedError([f"--tiny: models of type {full['model_type']} are not made tiny"])
    left_out = ("quantization_config", "text_config", "vision_config")
    tiny = {key: value for key, value in full.items() if key not in left_out}
    heads = int(full["num_attention_heads"])
    kv_heads = int(full.get("num_key_value_heads") or heads)
    few = min(2, kv_heads)
    queries = tiny["num_attention_heads"] = heads // kv_heads * few
    if "num_key_value_heads" in full:
        tiny["num_key_value_heads"] = few
    head_dim = next(size for size in HEAD_DIMS if queries * size % BLOCK == 0 and few * size % ROWS == 0)
    if full.get("head_dim"):
        tiny["head_dim"] = head_dim
    tiny["hidden_size"] = head_dim * queries
    for key in [key for key in full if "intermediate_size" in key]:
        if full[key]:
            tiny[key] = 2 * BLOCK * max(1, round(full[key] / full["hidden_size"]))
    tiny |= _experts(full) | _linear_attention(full) | _latent_attention(full) | _global_heads(full, head_dim, few)
    layers = tiny["num_hidden_layers"] = min(LAYERS, full["num_hidden_layers"])
    if full.get("layer_types"):
        kinds = list(dict.fromkeys(full["layer_types"]))  # one layer of each kind, in the order they appear
        tiny["layer_types"] = (kinds * layers)[:layers]
    for key in ("max_window_layers", "no_rope_layers", "moe_layers"):
        tiny.pop(key, None)  # counted in layers that are gone; the defaults fit
    rotated = int(head_dim * full.get("partial_rotary_factor", 1)) // 2
    for key in ("rope_scaling", "rope_parameters"):
        if isinstance(full.get(key), dict):
            tiny[key] = {
                name: value[:rotated] if isinstance(value, list) else value for name, value in full[key].items()
            }
    tiny["vocab_size"] = vocabulary
    for key in ("bos_token_id", "eos_token_id", "pad_token_id"):
        tiny.pop(key, None)
    return tiny


def _experts(full: Mapping[str, Any]) -> dict[str, Any]:
    """How many experts there are, and how many of them a token visits.

    Gemma 4's router is a linear module, with a row for each expert.
    """
    most = ROWS if full.get("top_k_experts") else EXPERTS
    some = {key: min(most, full[key]) for key in EXPERT_FIELDS if full.get(key)}
    return some | {key: min(EXPERTS // 2, full[key]) for key in VISITED_FIELDS if full.get(key)}


def _linear_attention(full: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes of linear attention, with the ratio of value to key heads, and where a layer attends to everything."""
    values, keys = full.get("linear_num_value_heads"), full.get("linear_num_key_heads")
    if not values or not keys:
        return {}
    return {
        "linear_num_value_heads": LINEAR_HEADS * (values // keys),
        "linear_num_key_heads": LINEAR_HEADS,
        "linear_value_head_dim": LINEAR_HEAD_DIM,
        "linear_key_head_dim": LINEAR_HEAD_DIM,
        "full_attention_interval": LAYERS,
    }


def _latent_attention(full: Mapping[str, Any]) -> dict[str, Any]:
    """The widths of what queries, keys and values are projected from; the first layer is dense if several are."""
    if not full.get("kv_lora_rank"):
        return {}
    ranks = {key: BLOCK for key in ("kv_lora_rank", "q_lora_rank") if full.get(key)}
    groups = {key: 1 for key in ("n_group", "topk_group") if full.get(key)}
    return {**ranks, **groups, "first_k_dense_replace": min(1, full.get("first_k_dense_replace") or 0)}


def _global_heads(full: Mapping[str, Any], head_dim: int, few: int) -> dict[str, Any]:
    """Heads of the layers that attend to everything, twice as wide, where they differ from the others'."""
    if not full.get("global_head_dim"):
        return {}
    keys = full.get("num_global_key_value_heads")
    return {"global_head_dim": 2 * head_dim, "num_global_key_value_heads": min(few, keys) if keys else None}


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


def write(invocation: Invocation, conversations: Sequence[Conversation], folder: Path) -> None:
    """Writes the tiny model's folder: config.json, model.safetensors, tokenizer. Same seed and data, same model."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = invocation.settings
    config = json.loads(invocation.config_file.read_text(encoding="utf-8"))
    kind = family(settings.MODEL_ID, str(config["model_type"]))
    words = (message["content"] for conversation in conversations for message in conversation.messages)
    tokenizer = train_tokenizer(words, kind)
    tiny = shrink(config, vocabulary=-(-len(tokenizer) // 64) * 64)
    model_type = tiny.pop("model_type")
    ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    torch.manual_seed(settings.SEED)
    made = AutoConfig.for_model(model_type, **{**tiny, **ids, "dtype": "float32", "torch_dtype": "float32"})
    AutoModelForCausalLM.from_config(made, dtype=torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
