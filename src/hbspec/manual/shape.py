"""Defects in a spec's shape, HB020 to HB044: one page each, read by the docs, by `explain` and by the tests."""

from __future__ import annotations

from hbspec.manual.page import Page

_ENTRIES = (
    Page(
        code="HB020",
        name="unknown-key",
        summary="The spec language does not have this key.",
        why="A misspelled key would otherwise be ignored silently, and the job would run with a default.",
        example="hyperparameters: {lora_rank: 16}",
        instead="hyperparameters: {lora_r: 16}",
    ),
    Page(
        code="HB021",
        name="missing-key",
        summary="A required key is missing.",
        why="Values that determine memory, time or cost are never guessed.",
        example="hyperparameters: {max_length: null}",
        instead="hyperparameters: {max_length: 1024}",
    ),
    Page(
        code="HB022",
        name="wrong-type",
        summary="The value has the wrong type: a string for a number, a list for a mapping.",
        why="Values are never converted silently: `'16'` may be a rank or a mistake.",
        example='hyperparameters: {lora_r: "16"}',
        instead="hyperparameters: {lora_r: 16}",
    ),
    Page(
        code="HB023",
        name="not-a-quantity",
        summary="A quantity has no unit, or a unit of another quantity.",
        why="16 hours are 3,600 times as long as 16 seconds, and a GiB is 7 % larger than a GB.",
        example="instance: {max_runtime: 16}",
        instead="instance: {max_runtime: 16h}",
    ),
    Page(
        code="HB024",
        name="out-of-range",
        summary="A number is outside the key's range.",
        why="A rank of zero or a dropout of one trains nothing.",
        example="hyperparameters: {lora_dropout: 1.5}",
        instead="hyperparameters: {lora_dropout: 0.05}",
    ),
    Page(
        code="HB025",
        name="not-a-choice",
        summary="The value is not one of the key's choices.",
        why="Each choice decides what is estimated and what is compiled.",
        example="instance: {parallelism: dpp}",
        instead="instance: {parallelism: ddp}",
    ),
    Page(
        code="HB026",
        name="other-programs-configuration",
        summary="The file configures another program, and no front end reads it: accelerate alone, for one.",
        why="Such a file describes a training run, or how it is started, in that program's keys and with its defaults. "
        "It is reported once and not key by key. Files of axolotl, TRL, LLaMA-Factory, torchtune and HyperPod are "
        "judged.",
        example="compute_environment: LOCAL_MACHINE\ndistributed_type: FSDP\nnum_processes: 8",
        instead="hyperparameters: {max_length: 2048, per_device_batch_size: 2}\ninstance: {parallelism: fsdp}",
    ),
    Page(
        code="HB030",
        name="file-not-read",
        summary="A file that the spec names (`model.config`, `data.profile`, `instance.deepspeed`, "
        "`data.chat_template`, `calibration.record`) cannot be read, or is not JSON where it should be.",
        why="Memory and time are estimated from these files, and the job trains with the chat template. Only regular "
        "files inside the project are read.",
        example="data: {profile: ./missing.profile.json}",
        instead="data: {tokens: {mean: 374, max: 689}}",
    ),
    Page(
        code="HB031",
        name="architecture-not-supported",
        summary="A `config.json` lacks a field, contradicts itself, or describes an unknown architecture.",
        why="Parameters, memory and FLOPs are counted tensor by tensor; a guess would be off by gigabytes.",
        example="model: {config: ./bert.config.json}",
        instead="model: {id: Qwen/Qwen2.5-7B}",
    ),
    Page(
        code="HB032",
        name="not-a-profile",
        summary="The file `data.profile` is not a profile written by `hbspec data profile`.",
        why="Time and cost are estimated from the token lengths in the profile; a damaged profile would distort them "
        "silently.",
        example="data: {profile: ./config.json}",
        instead="data: {tokens: {mean: 374, max: 689}}",
    ),
    Page(
        code="HB033",
        name="deepspeed-key-refused",
        summary="A key or value of the DeepSpeed JSON (`instance.deepspeed`) is one that DeepSpeed refuses or ignores.",
        why="DeepSpeed refuses an unknown key in a section and ignores one at the top level, so that a misspelled "
        "bucket size stops the job, or leaves its memory at a default. Keys and types are those of DeepSpeed 0.19.8.",
        example="instance: {parallelism: zero2, deepspeed: ./misspelt.ds.json}",
        instead="instance: {parallelism: zero2, deepspeed: ./ds.json}",
    ),
    Page(
        code="HB034",
        name="chat-template-refused",
        summary="The chat template (`data.chat_template`) is not one that is shipped, or does not render a "
        "conversation.",
        why="The job turns every conversation into text with this template, and finds the assistant's words in that "
        "text, which alone are trained. A template that does not parse, drops messages or changes other parts of the "
        "text with an answer stops the job after it has started to cost money. A file is rendered here as in the job, "
        "with jinja2.",
        example="model: {id: meta-llama/Llama-3.1-8B}\ndata: {chat_template: lama3}\n"
        "sagemaker: {environment: {HF_HOME: /opt/ml/input/data/hub}}",
        instead="model: {id: meta-llama/Llama-3.1-8B}\ndata: {chat_template: llama3}\n"
        "sagemaker: {environment: {HF_HOME: /opt/ml/input/data/hub}}",
    ),
    Page(
        code="HB035",
        name="record-refused",
        summary="The file `calibration.record` is not a record as `hbspec measure` wrote it.",
        why="A record replaces estimates of speed and memory, so that a number that was not measured would be taken "
        "for one that was. A record of another version, one that was changed since it was written, and one with "
        "numbers that no measurement has are refused, and nothing of them is used.",
        example="calibration: {record: ./train.profile.json}",
        instead="calibration: {tokens_per_second_per_gpu: 1200}",
    ),
    Page(
        code="HB040",
        name="target-needs-more",
        summary="A key that the target requires is missing.",
        why="SageMaker rejects a request without a role or an output folder, and neither can be guessed.",
        example="sagemaker: {role: null}",
        instead='sagemaker: {role: "arn:aws:iam::111122223333:role/ExecutionRole"}',
    ),
    Page(
        code="HB041",
        name="source-not-copied",
        summary="The source folder of the script cannot be copied into the job.",
        why="The job runs a copy of the folder. Files that are missing, very large or outside the project are not "
        "copied.",
        example="script: {entry_point: train.py, source_dir: ../elsewhere}",
        instead="script: {entry_point: train.py, source_dir: ./src}",
    ),
    Page(
        code="HB042",
        name="secret-in-source",
        summary="A file that would be copied into the job appears to contain a secret.",
        why="The copy is uploaded to S3, where everyone with access to the bucket can read it.",
        example="script: {entry_point: train.py, source_dir: ./with-a-token}",
        instead="script: {entry_point: train.py, source_dir: ./src}",
    ),
    Page(
        code="HB043",
        name="request-refused",
        summary="AWS, or the serving engine in its container, would reject what the spec compiles to.",
        why="Names, patterns, enums and sizes are checked against the service's published API model before anything is "
        "sent, and an endpoint's environment against what its engine accepts: vLLM's arguments and AWS's translation "
        "to them, and LMI's options.",
        example="sagemaker: {output: models}",
        instead='sagemaker: {output: "s3://bucket/models/"}',
    ),
    Page(
        code="HB044",
        name="not-a-variable-name",
        summary="A hyperparameter that the script reads from its environment is not a valid variable name.",
        why="Environment variables consist of letters, digits and underscores; a shell would run anything else as a "
        "command.",
        example="script: {entry_point: train.py, reads: environment, hyperparameters: {warm-up: 3}}",
        instead="script: {entry_point: train.py, reads: environment, hyperparameters: {warm_up: 3}}",
    ),
)

PAGES = {entry.code: entry for entry in _ENTRIES}
