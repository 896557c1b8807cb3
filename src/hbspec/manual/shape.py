"""What can be wrong with a spec's shape: one entry a defect, read by the docs, by `explain` and by the tests."""

from __future__ import annotations

from hbspec.manual.page import Page

_ENTRIES = (
    Page(
        code="HB020",
        name="unknown-key",
        summary="A key that the language does not have.",
        why="A misspelled key would otherwise be ignored in silence, and the job would run with a default.",
        example="hyperparameters: {lora_rank: 16}",
        instead="hyperparameters: {lora_r: 16}",
    ),
    Page(
        code="HB021",
        name="missing-key",
        summary="A key that its section cannot do without.",
        why="Nothing that decides memory, time or money is guessed.",
        example="hyperparameters: {max_length: null}",
        instead="hyperparameters: {max_length: 1024}",
    ),
    Page(
        code="HB022",
        name="wrong-type",
        summary="A value of another kind than the key holds: text for a number, a list for a mapping.",
        why="Values are never converted in silence: `'16'` may be a rank or a mistake.",
        example='hyperparameters: {lora_r: "16"}',
        instead="hyperparameters: {lora_r: 16}",
    ),
    Page(
        code="HB023",
        name="not-a-quantity",
        summary="A quantity without its unit, or with a unit of something else.",
        why="`16` hours, minutes and seconds differ by 3,600 times; GB and GiB by 7 %.",
        example="instance: {max_runtime: 16}",
        instead="instance: {max_runtime: 16h}",
    ),
    Page(
        code="HB024",
        name="out-of-range",
        summary="A number outside what the key can mean.",
        why="A rank of zero or a dropout of one trains nothing.",
        example="hyperparameters: {lora_dropout: 1.5}",
        instead="hyperparameters: {lora_dropout: 0.05}",
    ),
    Page(
        code="HB025",
        name="not-a-choice",
        summary="A word that is not one of the key's choices.",
        why="Each choice selects what is estimated and what is compiled.",
        example="instance: {parallelism: dpp}",
        instead="instance: {parallelism: ddp}",
    ),
    Page(
        code="HB026",
        name="other-programs-configuration",
        summary="A configuration of another training program: axolotl, LLaMA-Factory, TRL, torchtune, accelerate.",
        why="Such a file says how one program trains, in that program's keys and with its defaults. The instance, its "
        "price and the limits that hbspec judges are not in it, so it is named and not refused key by key.",
        example="base_model: Qwen/Qwen2.5-7B\nadapter: qlora\nsequence_len: 2048\nmicro_batch_size: 2",
        instead="model: {id: Qwen/Qwen2.5-7B}\n"
        "hyperparameters: {method: qlora, max_length: 2048, per_device_batch_size: 2}",
    ),
    Page(
        code="HB030",
        name="file-not-read",
        summary="A file that the spec names (`model.config`, `data.profile`) cannot be read as JSON.",
        why="Memory and time follow from what it holds; only regular files inside the project are read.",
        example="data: {profile: ./missing.profile.json}",
        instead="data: {tokens: {mean: 374, max: 689}}",
    ),
    Page(
        code="HB031",
        name="architecture-not-supported",
        summary="A `config.json` that lacks a field, contradicts itself, or is of an architecture that is not known.",
        why="Parameters, memory and FLOPs are counted tensor by tensor; a guess would be off by gigabytes.",
        example="model: {config: ./bert.config.json}",
        instead="model: {id: Qwen/Qwen2.5-7B}",
    ),
    Page(
        code="HB032",
        name="not-a-profile",
        summary="The file under `data.profile` is not what `hbspec data profile` writes.",
        why="Time and cost follow the true lengths; a broken profile would decide them in silence.",
        example="data: {profile: ./config.json}",
        instead="data: {tokens: {mean: 374, max: 689}}",
    ),
    Page(
        code="HB040",
        name="target-needs-more",
        summary="A key that a target cannot do without is missing.",
        why="A request without a role or an output folder would be refused, and neither can be guessed.",
        example="sagemaker: {role: null}",
        instead='sagemaker: {role: "arn:aws:iam::111122223333:role/ExecutionRole"}',
    ),
    Page(
        code="HB041",
        name="source-not-copied",
        summary="The author's source folder cannot be copied into the job.",
        why="The job runs a copy; what is outside the project, missing or very large is not taken along.",
        example="script: {entry_point: train.py, source_dir: ../elsewhere}",
        instead="script: {entry_point: train.py, source_dir: ./src}",
    ),
    Page(
        code="HB042",
        name="secret-in-source",
        summary="A file that would be copied into the job holds what looks like a secret.",
        why="The copy is uploaded to S3 and everyone who may describe the job can read it.",
        example="script: {entry_point: train.py, source_dir: ./with-a-token}",
        instead="script: {entry_point: train.py, source_dir: ./src}",
    ),
    Page(
        code="HB043",
        name="request-refused",
        summary="The service would refuse the request that the spec compiles to.",
        why="The service's own model says so: names, patterns, enums and sizes are checked before anything is sent.",
        example="sagemaker: {output: models}",
        instead='sagemaker: {output: "s3://bucket/models/"}',
    ),
    Page(
        code="HB044",
        name="not-a-variable-name",
        summary="A hyperparameter that a script reads from its environment has a name that no variable can have.",
        why="Shells and SageMaker take letters, digits and underscores; anything else would be run as a command.",
        example="script: {entry_point: train.py, reads: environment, hyperparameters: {warm-up: 3}}",
        instead="script: {entry_point: train.py, reads: environment, hyperparameters: {warm_up: 3}}",
    ),
)

PAGES = {entry.code: entry for entry in _ENTRIES}
