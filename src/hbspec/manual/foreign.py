"""Defects in files of other programs that are judged as they are: one page each."""

from __future__ import annotations

from hbspec.manual.page import Page

_ENTRIES = (
    Page(
        code="HB027",
        name="training-not-estimated",
        summary="A file of another program describes a training that is not estimated.",
        why="Reinforcement learning, preference pairs and reward models hold other models and other rows than "
        "supervised tuning. An estimate of the supervised job would be far too small.",
        example="base_model: Qwen/Qwen2.5-7B\nadapter: qlora\nload_in_4bit: true\nlearning_rate: 2e-4\nrl: dpo",
        instead="base_model: Qwen/Qwen2.5-7B\nadapter: qlora\nload_in_4bit: true\nlearning_rate: 2e-4",
    ),
    Page(
        code="HB028",
        name="key-of-no-version",
        summary="The program whose file this is does not have this key.",
        why="axolotl and TRL ignore a key that they do not know, so that the job runs with a default; LLaMA-Factory "
        "stops. The keys are those of a version that the message names, read in the program's own package.",
        example="base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nmicro_batch_sise: 2",
        instead="base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nmicro_batch_size: 2",
    ),
    Page(
        code="HB029",
        name="key-not-estimated",
        summary="A key of another program's file influences memory or time, and the estimate does not know it.",
        why="The verdict on memory is only as good as what was understood. A warning says that memory may differ, and "
        "in which direction; a note says that only time may. A job is not called too large because of a key that may "
        "make it smaller.",
        example="base_model: Qwen/Qwen2.5-7B\nlearning_rate: 2e-5\nmicro_batch_size: 2\ntiled_mlp: true",
        instead="base_model: Qwen/Qwen2.5-7B\nlearning_rate: 2e-5\nmicro_batch_size: 2",
    ),
    Page(
        code="HB036",
        name="value-filled-in-later",
        summary="A value of another program's file is a placeholder.",
        why="What `${oc.env:BATCH}` or `{{ batch }}` becomes is known when the file is used, and nothing is run to "
        "find out. The framework's default is taken meanwhile, if it has one.",
        example='base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nmicro_batch_size: "${BATCH}"',
        instead="base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nmicro_batch_size: 2",
    ),
)

PAGES = {entry.code: entry for entry in _ENTRIES}
