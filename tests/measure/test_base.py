"""The base model of a measured job: what transformers loads of it, and that every word is one token."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from hbspec.measure.base import BaseModelError, write_base
from hbspec.measure.rows import lines

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 512,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "torch_dtype": "bfloat16",
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}


@pytest.mark.parametrize("kind", ["llama", "qwen2", "mistral", "gemma2", "phi3", "qwen3_moe"])
def test_rows_have_the_length_that_they_are_given_whatever_the_type_s_tokenizer(kind, tmp_path):
    write_base({"model_type": kind, **SIZES, **(EXPERTS if "moe" in kind else {})}, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    conversations = [json.loads(line)["messages"] for line in lines((6, 100, 511), "language_modeling").splitlines()]
    texts = [tokenizer.apply_chat_template(messages, tokenize=False) for messages in conversations]
    assert [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] == [6, 100, 511]
    assert max(max(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]) < 512
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert model.dtype == torch.bfloat16
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    ids = torch.tensor([tokenizer(texts[1], add_special_tokens=False)["input_ids"]])
    assert torch.isfinite(model(input_ids=ids, labels=ids).loss)


def test_tied_weights_stay_tied_and_untied_ones_do_not(tmp_path):
    for tied in (True, False):
        folder = tmp_path / str(tied)
        write_base({"model_type": "qwen2", **SIZES, "tie_word_embeddings": tied}, folder)
        model = AutoModelForCausalLM.from_pretrained(folder)
        assert (model.lm_head.weight is model.model.embed_tokens.weight) is tied


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "nothing"}, "transformers does not build this model: "),
        ({"hidden_size": "wide"}, "transformers does not build this model: "),
        ({"quantization_config": {"bits": 4}}, "the published weights are quantised"),
        ({"vocab_size": 64}, "the vocabulary of 64 words is smaller than the "),
    ],
)
def test_what_cannot_be_built(changed, said, tmp_path):
    with pytest.raises(BaseModelError) as reason:
        write_base({"model_type": "qwen2", **SIZES, **changed}, tmp_path)
    assert str(reason.value).startswith(said)
    assert "\n" not in str(reason.value)
