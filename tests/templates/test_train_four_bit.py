"""4-bit weights on a CPU: sizes that any kernel takes, and weights that nothing but the adapters changes.

Where a CPU has AVX512-BF16, bitsandbytes repacks the weights for every call of a model that does not train. The
tests say so of every CPU (`packing_cpu`), so that what the script does about it can fail on any.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import bitsandbytes as bnb
import metrics
import pytest
import shrinking
import tiny
import torch
from base_model import Base
from conversations import Conversation
from handover import parse
from loading import load_model
from peft import PeftModel
from settings import Settings
from training_bench import QWEN_32B, Bench, losses, sums
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig
from transformers.integrations.bitsandbytes import replace_with_bnb_linear
from transformers.quantizers.base import get_keys_to_not_convert

from hbspec.catalog import catalog
from hbspec.catalog.families import WRAPPERS
from hbspec.catalog.families.wrappers import REFUSED

Job = Callable[..., str]


def is_refused(name: str) -> bool:
    """Whether the shipped script loads no model of this type (HB234)."""
    wrapper = getattr(catalog().models[name].architecture, "wrapper", "")
    return bool(wrapper) and WRAPPERS[wrapper].built == REFUSED


CATALOG: dict[str, dict[str, Any]] = {
    name: catalog().models.config(name)
    for name in catalog().models.originals()
    if catalog().models[name].architecture is not None
    and catalog().models[name].model_type not in shrinking.NOT_SHRUNK
    and not is_refused(name)
}
UNUSUAL = {
    "odd heads, one key": QWEN_32B | {"num_attention_heads": 5, "num_key_value_heads": 1},
    "as many keys as heads": QWEN_32B | {"num_key_value_heads": None},
    "one head": QWEN_32B | {"num_attention_heads": 1, "num_key_value_heads": 1},
    "a narrow MLP": QWEN_32B | {"intermediate_size": 1024},
    "many queries a key": QWEN_32B | {"num_attention_heads": 64, "num_key_value_heads": 4},
}
SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-32B-Instruct",
    "LEARNING_RATE": "5e-3",
    "LR_SCHEDULER_TYPE": "constant",
    "PER_DEVICE_BATCH_SIZE": "2",
    "GRADIENT_ACCUMULATION_STEPS": "1",
    "MAX_LENGTH": "256",
    "LORA_DROPOUT": "0.0",
}
UPDATES = 6


def four_bit_layers(model: torch.nn.Module) -> dict[str, Any]:
    return {name: module for name, module in model.named_modules() if isinstance(module, bnb.nn.Linear4bit)}


@pytest.fixture
def packing_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU that packs: new layers believe that it has AVX512-BF16, whether it has or not."""
    monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: True)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("config", (CATALOG | UNUSUAL).values(), ids=(CATALOG | UNUSUAL).keys())
def test_each_quantised_matrix_of_each_tiny_model_is_whole_blocks(config: Mapping[str, Any]) -> None:
    shrunk = shrinking.shrink(config, vocabulary=512) | {"pad_token_id": 0}
    ratio = shrunk["num_attention_heads"] / (shrunk.get("num_key_value_heads") or shrunk["num_attention_heads"])
    text = config.get("text_config", config)
    assert ratio == text["num_attention_heads"] / (text.get("num_key_value_heads") or text["num_attention_heads"])
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(shrunk.pop("model_type"), **shrunk))
    replace_with_bnb_linear(model, get_keys_to_not_convert(model), BitsAndBytesConfig(load_in_4bit=True))
    found = four_bit_layers(model)
    own = config["model_type"] == "falcon"  # a subclass of nn.Linear, which transformers does not quantise
    assert len(found) >= (0 if own else 4 * shrunk["num_hidden_layers"] - 2)
    assert [
        f"{name}: {layer.out_features} x {layer.in_features}"
        for name, layer in found.items()
        if (layer.out_features % shrinking.ROWS or layer.in_features % shrinking.BLOCK) and layer.out_features > 1
    ] == []  # a gate of one row is never whole blocks; the script keeps kernels from packing anything on a CPU
    # the width of a tiny model is that of its queries, and GLM-4's keys have 24 heads of queries each
    assert sum(parameter.numel() for parameter in model.parameters()) < 5_000_000 * max(1, ratio / 16)


def loaded(folder: Path, config: Mapping[str, Any]) -> Any:
    (folder / "config.json").write_text(json.dumps(config))
    asked = parse(["--MODEL_ID", "any/model", "--tiny", "--model-config", str(folder / "config.json")], {})
    conversations = [Conversation(str(number), tuple(messages)) for number, messages in enumerate(sums(8))]
    tiny.write(asked, conversations, folder / "tiny")
    return load_model(
        Base(str(folder / "tiny"), None, {}), Settings(MODEL_ID="any/model", BF16=False), torch.float32, 0
    ).eval()


@pytest.mark.parametrize(
    "model", ["deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "Qwen/Qwen2.5-7B", "google/gemma-3-1b-it", "microsoft/phi-4"]
)
def test_a_tiny_model_is_evaluated_packed(tmp_path: Path, model: str) -> None:
    """The packing is Python and runs on any CPU; the product is compiled in only where the CPU has AVX512-BF16."""
    base = loaded(tmp_path, CATALOG[model])
    ids = torch.arange(24).reshape(1, -1)
    with torch.no_grad():
        plain = base(input_ids=ids, labels=ids).loss
    for layer in four_bit_layers(base).values():
        packed, state = bnb.functional._convert_weight_packed_for_cpu(
            layer.weight.data, copy.deepcopy(layer.weight.quant_state)
        )
        assert state.packing_format_for_cpu
        assert packed.shape == (layer.out_features, layer.in_features // 2)
        layer.support_avx512bf16_for_cpu = True
    if bnb.functional.has_avx512bf16():
        with torch.no_grad():
            assert base(input_ids=ids, labels=ids).loss == pytest.approx(float(plain), rel=0.02)
        assert all(layer.weight.quant_state.packing_format_for_cpu for layer in four_bit_layers(base).values())


@pytest.mark.usefixtures("packing_cpu")
def test_no_layer_of_a_loaded_model_packs(tmp_path: Path) -> None:
    base = loaded(tmp_path, QWEN_32B)
    layers = four_bit_layers(base)
    assert len(layers) == 2 * 7
    before = {name: bnb.functional.dequantize_4bit(each.weight.data, each.quant_state) for name, each in layers.items()}
    ids = torch.arange(24).reshape(1, -1)
    with torch.no_grad():
        base(input_ids=ids)
    base.state_dict()
    for name, layer in layers.items():
        after = bnb.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
        assert torch.equal(before[name], after), name


@pytest.fixture
def trained(bench: Bench, job: Job, packing_cpu: None) -> Callable[..., tuple[list[float], list[float]]]:
    """Losses and evaluated losses of a job in checkpoint and model folders of a given name."""
    bench.write(SETTINGS | {"MAX_STEPS": str(UPDATES)}, sums(40), sums(8, seed=9))

    def run(name: str, *more: str) -> tuple[list[float], list[float]]:
        folders = ("--checkpoint-dir", f"{bench.folder}/{name}", "--model-dir", f"{bench.folder}/{name}-model")
        output = job(*folders, *more)
        return losses(output), [float(found) for found in re.findall(metrics.METRICS["eval:loss"], output)]

    return run


def test_neither_an_evaluation_nor_a_save_changes_what_is_learned(bench: Bench, trained: Any) -> None:
    plain, [plain_end] = trained("plain")
    broken, evaluated = trained("broken", "--EVAL_STEPS", "2", "--SAVE_STEPS", "2")
    assert len(plain) == UPDATES
    assert broken == plain
    assert evaluated[-1] == plain_end

    last = bench.folder / "broken" / f"checkpoint-{UPDATES}"
    last.rename(bench.folder / "away")
    resumed, evaluated_again = trained("broken", "--EVAL_STEPS", "2", "--SAVE_STEPS", "2")
    assert resumed == pytest.approx(plain[4:], rel=1e-6)
    assert evaluated_again == pytest.approx(evaluated[-1:], rel=1e-6)


@pytest.mark.usefixtures("packing_cpu")
def test_the_adapter_saved_after_an_evaluation_merges_into_the_base_that_it_was_trained_on(
    bench: Bench, trained: Any
) -> None:
    trained("run", "--EVAL_STEPS", "2", "--SAVE_STEPS", "2")
    settings = Settings(MODEL_ID="any/model", BF16=False)
    base = load_model(Base(bench.record["model_folder"], None, {}), settings, torch.float32, 0)
    adapted = PeftModel.from_pretrained(base, bench.folder / "run-model").eval()
    ids = torch.arange(24).reshape(1, -1)
    with torch.no_grad():
        before = adapted(input_ids=ids, labels=ids).loss
        merged = adapted.merge_and_unload()
        assert merged(input_ids=ids, labels=ids).loss == pytest.approx(float(before), rel=0.02)
