"""A base model with random weights of the real architecture, and a tokenizer of one-token words, as a model folder.

The weights are a block of random numbers, repeated: no figure of memory or speed depends on them, and to draw billions
of numbers would take longer than to train with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hbspec.measure.rows import SPECIAL, TEMPLATE, WORDS

BLOCK = 1 << 20
"""Numbers that are drawn."""
SPREAD = 0.02
"""Their standard deviation (transformers, `initializer_range`)."""
SHARD = "5GB"
STORED = {"float16", "float32"}
"""Dtypes of published weights that are kept; others become bfloat16."""


class BaseModelError(RuntimeError):
    """transformers does not build the model of a config; the message says why."""


def write_base(config: Mapping[str, Any], folder: Path) -> None:
    """Write the model folder: config.json, weights in safetensors, tokenizer.

    Args:
        config: the model's `config.json`.
        folder: an empty folder.

    Raises:
        BaseModelError: transformers refuses the config, its weights are quantised, or its vocabulary is smaller than
            the words of the data.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    if config.get("quantization_config"):
        raise BaseModelError("the published weights are quantised, and random ones are not: name 16-bit weights")
    given = {key: value for key, value in config.items() if key != "auto_map"}
    stored = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16").removeprefix("torch.")
    dtype = getattr(torch, stored if stored in STORED else "bfloat16")
    try:
        made = AutoConfig.for_model(given.pop("model_type"), **given)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(made, dtype=dtype)
    except Exception as reason:  # transformers raises what it likes
        said = str(reason).strip().partition("\n")[0]
        raise BaseModelError(f"transformers does not build this model: {said}") from reason
    tokenizer = _tokenizer()
    words = int(model.get_input_embeddings().weight.shape[0])
    if words < len(tokenizer):
        raise BaseModelError(f"the vocabulary of {words:,} words is smaller than the {len(tokenizer):,} of the data's")
    model.to_empty(device="cpu")
    model.tie_weights()
    _fill(model)
    model.save_pretrained(folder, max_shard_size=SHARD)
    tokenizer.save_pretrained(folder)


def _fill(model: Any) -> None:
    """Random matrices, norms of ones, and biases of zeros."""
    import torch

    block = torch.empty(BLOCK).normal_(0, SPREAD, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() < 2:
                parameter.fill_(0.0 if name.endswith("bias") else 1.0)
                continue
            flat, drawn = parameter.view(-1), block.to(parameter.dtype)
            for start in range(0, flat.numel(), BLOCK):
                part = flat[start : start + BLOCK]
                part.copy_(drawn[: part.numel()])
        for buffer in model.buffers():
            buffer.zero_()


def _tokenizer() -> Any:
    """A byte-level tokenizer without merges, to which the words of the data are special, with the data's template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    user, assistant, end, begin, pad = SPECIAL
    named = dict.fromkeys((*SPECIAL, *WORDS, *sorted(pre_tokenizers.ByteLevel.alphabet())))
    tokenizer = Tokenizer(models.BPE({word: index for index, word in enumerate(named)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=begin,
        eos_token=end,
        pad_token=pad,
        additional_special_tokens=[user, assistant, *WORDS],
    )
    wrapped.chat_template = TEMPLATE
    return wrapped
