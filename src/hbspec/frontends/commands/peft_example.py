"""peft's example of supervised tuning, whose script takes TRL's `SFTConfig` with arguments of its own for the model.

Source: https://github.com/huggingface/peft v0.19.1, examples/sft/train.py and utils.py.
"""

from __future__ import annotations

from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, node_of
from hbspec.source.nodes import Entries, MapNode, ScalarNode

SOURCE = "peft's example, examples/sft/train.py"
TRAINING = "hyperparameters"
NAMES = {
    "use_peft_lora": "use_peft",
    "use_4bit_quantization": "load_in_4bit",
    "use_8bit_quantization": "load_in_8bit",
    "use_nested_quant": "use_bnb_nested_quant",
    "bnb_4bit_quant_storage_dtype": "bnb_4bit_quant_storage",
}
"""Its arguments by TRL's names for the same."""
HARMLESS = ("chat_template_format", "add_special_tokens", "append_concat_token", "splits", "bnb_4bit_compute_dtype")
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "down_proj", "up_proj", "gate_proj"]
ADAPTERS = {"lora_r": 64, "lora_alpha": 16, "lora_dropout": 0.1}


def is_example(tree: MapNode) -> bool:
    """Whether arguments are those of the example."""
    return not tree.entries.keys().isdisjoint(NAMES)


def as_trl(tree: MapNode) -> MapNode:
    """The arguments under TRL's names."""
    entries: Entries = {}
    for key, (span, node) in tree.entries.items():
        if key == "use_reentrant":
            entries["gradient_checkpointing_kwargs"] = (span, MapNode({key: (span, node)}, span))
        elif key == "use_flash_attn":
            if isinstance(node, ScalarNode) and node.value is True:
                entries["attn_implementation"] = (span, node_of("flash_attention_2", node.span))
        else:
            entries[NAMES.get(key, key)] = (span, node)
    return MapNode(entries, tree.span)


def put_defaults(foreign: Foreign, building: Building) -> None:
    """What the script takes where a command says nothing."""
    unsloth = foreign.get("use_unsloth")
    if unsloth and unsloth.flag:
        building.unread(unsloth, "either", "trains by Unsloth")
    foreign.get(*HARMLESS)
    adapts, storage = foreign.peek("use_peft"), foreign.peek("bnb_4bit_quant_storage")
    if adapts and adapts.flag:
        for key, value in ADAPTERS.items():
            if not foreign.peek(key):
                building.default((TRAINING, key), value, SOURCE)
        if not foreign.peek("lora_target_modules"):
            building.default((TRAINING, "target_modules"), TARGETS, SOURCE)
    if storage and "float" in storage.text:
        building.default(("software", "weights_dtype"), storage.text, "peft's example, examples/sft/utils.py")
    recomputes = foreign.peek("gradient_checkpointing_kwargs")
    if recomputes is None:
        building.default((TRAINING, "use_reentrant"), False, SOURCE)
