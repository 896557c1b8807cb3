"""accelerate's part of a command line: its options above the file that `--config_file` names.

Sources: https://github.com/huggingface/accelerate v1.15.0, src/accelerate/commands/launch.py; and
https://github.com/huggingface/trl v1.16.0, trl/accelerate_configs, whose files `--accelerate_config` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.frontends.commands.named_files import NamedFiles
from hbspec.frontends.known.accelerate import fields
from hbspec.frontends.reading.foreign import Foreign, ForeignKey, node_of
from hbspec.source.nodes import Entries, MapNode, Node, ScalarNode

WAYS = {"use_fsdp": "FSDP", "use_deepspeed": "DEEPSPEED", "multi_gpu": "MULTI_GPU", "use_megatron_lm": "MEGATRON_LM"}
"""Options by which the processes share the work."""
OF_DEEPSPEED = (
    *("zero_stage", "offload_optimizer_device", "offload_param_device", "offload_optimizer_nvme_path"),
    *("offload_param_nvme_path", "zero3_init_flag", "zero3_save_16bit_model", "deepspeed_config_file"),
    *("deepspeed_hostfile", "deepspeed_multinode_launcher", "deepspeed_moe_layer_cls_names"),
)
OTHER = ("config_file", "accelerate_config", "num_cpu_threads_per_process", "tee", "log_dir", "role", "quiet", "cpu")
"""Options that are not keys of its file."""
FILES = ("config_file", "accelerate_config")


def _profile(way: str, part: Mapping[str, Any] | None = None) -> dict[str, Any]:
    kind = {"FSDP": "fsdp_config", "DEEPSPEED": "deepspeed_config"}.get(way)
    inside = {kind: part} if kind else {}
    return {"distributed_type": way, "mixed_precision": "bf16", "num_processes": 8, "num_machines": 1, **inside}


_FSDP = {"fsdp_cpu_ram_efficient_loading": True, "fsdp_offload_params": False}
PROFILES = {
    "single_gpu": _profile("NO"),
    "multi_gpu": _profile("MULTI_GPU"),
    "fsdp1": _profile("FSDP", {**_FSDP, "fsdp_version": 1, "fsdp_reshard_after_forward": "FULL_SHARD"}),
    "fsdp2": _profile("FSDP", {**_FSDP, "fsdp_version": 2, "fsdp_reshard_after_forward": True}),
    "zero1": _profile("DEEPSPEED", {"zero_stage": 1}),
    "zero2": _profile("DEEPSPEED", {"zero_stage": 2}),
    "zero3": _profile("DEEPSPEED", {"zero_stage": 3, "zero3_init_flag": True}),
}


def is_option(key: str) -> bool:
    """Whether `trl` gives a flag to `accelerate launch`."""
    named = (*WAYS, *OF_DEEPSPEED, *OTHER)
    return key in named or key in fields().known or key.startswith("fsdp_")


class Accelerated:
    """accelerate's settings.

    Attributes:
        tree: what its file would say; None if nothing is said.
        missing: the key of a file that is not there, or may not be read.
    """

    def __init__(self, options: Foreign, files: NamedFiles) -> None:
        self.missing: ForeignKey | None = None
        below = self._file(options, files)
        entries = dict(below.entries) if below else {}
        _overlay(entries, options)
        _find_deepspeed(entries, files)
        self.tree = MapNode(entries, None) if entries else None

    def _file(self, options: Foreign, files: NamedFiles) -> MapNode | None:
        named = next((found for key in FILES if (found := options.get(key))), None)
        if named is None:
            return None
        read = files.tree(named.text)
        if read is None and named.key == "accelerate_config" and named.text in PROFILES:
            profile = node_of(PROFILES[named.text], named.node.span)
            return profile if isinstance(profile, MapNode) else None
        self.missing = named if read is None else None
        return read[1] if read else None


def _overlay(entries: Entries, options: Foreign) -> None:
    """Options above the keys of the file."""
    for given in [*options.rest()]:
        if len(given.route) > 1:
            continue
        pair = (given.key_span, given.node)
        if given.key in WAYS:
            if given.flag:
                entries["distributed_type"] = (given.key_span, node_of(WAYS[given.key], given.key_span))
        elif given.key.startswith("fsdp_"):
            _inside(entries, "fsdp_config", given.key, pair)
        elif given.key in OF_DEEPSPEED:
            _inside(entries, "deepspeed_config", given.key, pair)
        elif given.key in fields().known:
            entries[given.key] = pair
        elif given.key == "dynamo_backend" and given.acts:
            entries["dynamo_config"] = (given.key_span, node_of({"dynamo_backend": given.text}, given.node.span))


def _inside(entries: Entries, name: str, key: str, pair: tuple[Any, Node]) -> None:
    span, before = entries.get(name, (pair[0], MapNode({}, pair[0])))
    above = before.entries if isinstance(before, MapNode) else {}
    entries[name] = (span, MapNode({**above, key: pair}, span))


def _find_deepspeed(entries: Entries, files: NamedFiles) -> None:
    """The path of DeepSpeed's JSON as it is from the script's folder."""
    config = entries.get("deepspeed_config", (None, None))[1]
    if not isinstance(config, MapNode) or "deepspeed_config_file" not in config.entries:
        return
    span, node = config.entries["deepspeed_config_file"]
    found = files.found(str(node.value)) if isinstance(node, ScalarNode) else None
    if found:
        _inside(entries, "deepspeed_config", "deepspeed_config_file", (span, ScalarNode(found, found, node.span)))
