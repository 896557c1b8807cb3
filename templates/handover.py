"""How settings are handed over: SageMaker's file of texts, the command line, and the environment's folders.

SageMaker hands hyperparameters over as a JSON map of strings (`/opt/ml/input/config/hyperparameters.json`) and its
launchers repeat them on the command line; the command line wins. Only the standard library is imported, so that a
mistake is refused in milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import beside
import initial_adapters
import parsers
import task_settings
from folder_lock import writable
from initial_adapters import ADAPTER_FILE
from manifest import is_checkpoint
from settings import (
    DISTRIBUTED,
    RUN_FILE,
    WRITTEN,
    Folders,
    Invocation,
    RefusedError,
    Settings,
    names,
    option,
)

LAUNCHER_PREFIX = "sagemaker_"
"""Hyperparameters that SageMaker's own tools add for themselves begin so; they are none of ours and are passed over."""

SHARE_UNIT = 1_000_000
"""Shares are compared as multiples of a millionth (transformers 5.23.0, `LARGE_MULTIPLIER`)."""

SHOWN_NAMES = 5

ENVIRONMENT = {
    "train_dir": "SM_CHANNEL_TRAIN",
    "validation_dir": "SM_CHANNEL_VALIDATION",
    "base_dir": "SM_CHANNEL_MODEL",
    "adapter_dir": "SM_CHANNEL_ADAPTER",
    "model_dir": "SM_MODEL_DIR",
    "output_data_dir": "SM_OUTPUT_DATA_DIR",
}
"""Folders that SageMaker's launchers name in the environment; the command line beats them."""


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Invocation:
    """Settings and folders from the command line, the hyperparameter file and the environment.

    A setting is spelled `--LEARNING_RATE 1e-4` or `--learning_rate 1e-4`, `--learning_rate=1e-4` works too.

    Raises:
        RefusedError: unknown names, values that do not parse, settings that contradict each other, all at once.
    """
    problems: list[str] = []
    given, options = _command_line(arguments, problems)
    folders = _folders(options, environment, problems)
    texts = {**_hyperparameters(folders.config_dir, "config_dir" in options, problems), **given}
    values: dict[str, Any] = {}
    for entry in fields(Settings):
        if entry.name in texts:
            try:
                values[entry.name] = entry.metadata["parse"](texts[entry.name])
            except ValueError as reason:
                problems.append(f"{entry.name}={texts[entry.name]!r}: {reason}")
        elif entry.default is MISSING:
            problems.append(f"{entry.name} is missing: set it to {entry.metadata['about']}")
    if problems:
        raise RefusedError(problems)
    settings = Settings(**values)
    invocation = Invocation(settings, folders)
    contradictions = _contradictions(invocation, environment)
    if contradictions:
        raise RefusedError(contradictions)
    return invocation


def _command_line(arguments: Sequence[str], problems: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Settings by name, and options of `Folders` by field name, both as texts."""
    known, options = set(names()), {entry.name for entry in fields(Folders)}
    given: dict[str, str] = {}
    chosen: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word, equals, value = rest.pop(0).partition("=")
        name, folder = word[2:].upper(), word[2:].replace("-", "_")
        if not word.startswith("--") or (name not in known and folder not in options):
            problems.append(f"{word} is not a setting of this script (--help lists them)")
            if rest and not rest[0].startswith("--"):
                rest.pop(0)  # its value, which is not a second mistake
            continue
        if folder == "tiny":
            chosen[folder] = value if equals else "true"
        elif equals or (rest and not rest[0].startswith("--")):
            value = value if equals else rest.pop(0)
            (given if name in known else chosen)[name if name in known else folder] = value
        else:
            problems.append(f"{word} needs a value")
    return given, chosen


def _hyperparameters(folder: Path, asked: bool, problems: list[str]) -> dict[str, str]:
    path = folder / "hyperparameters.json"
    if not path.is_file():
        if asked:
            problems.append(f"{path} is not there")
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as reason:
        problems.append(f"{path} is not JSON: {reason}")
        return {}
    if not isinstance(content, dict):
        problems.append(f"{path} must hold a map of names to texts")
        return {}
    known = set(names())
    texts: dict[str, str] = {}
    for name, value in content.items():
        if name.lower().startswith(LAUNCHER_PREFIX):
            continue
        if name not in known:
            problems.append(f"{name} in {path} is not a setting of this script (--help lists them)")
        elif not isinstance(value, str):
            problems.append(f"{name} in {path} must be a text, as SageMaker hands values over, not {value!r}")
        else:
            texts[name] = value
    return texts


def _folders(options: Mapping[str, str], environment: Mapping[str, str], problems: list[str]) -> Folders:
    values: dict[str, Any] = {name: Path(environment[key]) for name, key in ENVIRONMENT.items() if environment.get(key)}
    read = {"tiny": parsers.flag, "max_updates": parsers.whole(1)}
    for name, text in options.items():
        try:
            values[name] = read.get(name, lambda given: Path(parsers.text(given)))(text)  # "" would be the folder here
        except ValueError as reason:
            problems.append(f"{option(name)}={text!r}: {reason}")
    return Folders(**values)


def problems_of(*asks: Callable[[], object]) -> list[str]:
    """What several checks refuse, all at once."""
    found: list[str] = []
    for ask in asks:
        try:
            ask()
        except RefusedError as refused:
            found += refused.problems
    return list(dict.fromkeys(found))


def refuse_folders(invocation: Invocation) -> None:
    """Asks for folders that this machine lacks, since the defaults are SageMaker's, or that are in each other's way.

    Raises:
        RefusedError: training data is missing, a folder cannot be written, checkpoints would be written into one, the
            model would lie among them, or the base model would be written over; all at once, each with its option.
    """
    folders = invocation.folders
    problems = []
    if not folders.train_dir.is_dir():
        problems.append(f"the folder {folders.train_dir} to train on does not exist: pass --train-dir FOLDER")
    unwritable = [name for name in WRITTEN if not writable(getattr(folders, name))]
    problems += [f"{getattr(folders, name)} cannot be written: pass {option(name)} FOLDER" for name in unwritable]
    if unwritable:
        raise RefusedError(problems)
    if (folders.output_data_dir / RUN_FILE).is_dir():
        problems.append(f"{folders.output_data_dir / RUN_FILE} is a folder: move it away, or pass --output-data-dir")
    if is_checkpoint(folders.checkpoint_dir):
        said = (
            f"--checkpoint-dir {folders.checkpoint_dir} is itself a checkpoint, and a run goes on from the newest one"
        )
        problems.append(f"{said} in a folder: pass --checkpoint-dir {folders.checkpoint_dir.resolve().parent}")
    problems += [*_nested(folders), *_over_base(invocation), *initial_adapters.written_over(invocation)]
    if problems:
        raise RefusedError(problems)


def _nested(folders: Folders) -> Iterator[str]:
    """A model that would be deleted as a checkpoint, or checkpoints that would be delivered as part of the model."""
    model, checkpoints = folders.model_dir.resolve(), folders.checkpoint_dir.resolve()
    if model == checkpoints:
        yield f"--model-dir and --checkpoint-dir are both {folders.model_dir}: pass two folders"
    elif model.is_relative_to(checkpoints):
        yield f"--model-dir {folders.model_dir} lies in --checkpoint-dir {folders.checkpoint_dir}: pass two folders"
    elif checkpoints.is_relative_to(model):
        yield f"--checkpoint-dir {folders.checkpoint_dir} lies in --model-dir {folders.model_dir}: pass two folders"


def _over_base(invocation: Invocation) -> Iterator[str]:
    """Folders in which a save would write into the base model, or could remove it.

    A rehearsal's base lies in the output folder, which may be around it.
    """
    for name in WRITTEN:
        folder: Path = getattr(invocation.folders, name)
        for base in invocation.base_folders:
            written, read = folder.resolve(), base.resolve()
            around = read.is_relative_to(written) and not invocation.folders.tiny and name != "output_data_dir"
            if written.is_relative_to(read) or around:
                said = f"{option(name)} {folder} overlaps the folder of the base model, {base}"
                yield f"{said}: pass another {option(name)}"


def _incomplete_base(folder: Path | None) -> Iterator[str]:
    """Why what is in `--base-dir` cannot be loaded in place of the Hub's files."""
    if folder is None or (folder / "config.json").is_file():
        return
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    held = f"holds {', '.join(names[:SHOWN_NAMES])}" if names else "is empty or not there"
    yield f"--base-dir {folder} {held}, and no config.json: put the files of the model's repository there, unpacked"


def _all_evaluated(settings: Settings) -> bool:
    """Whether every checkpoint falls on an evaluation; a share and a number of updates are never sure to meet."""
    if settings.EVALS_PER_EPOCH is not None or settings.SAVES_PER_EPOCH is not None:
        # whether they meet is known when the updates of an epoch are: `BestTrainer.parted`
        return settings.EVALS_PER_EPOCH is not None or settings.EVAL_STEPS is not None
    every, save = settings.EVAL_STEPS, settings.SAVE_STEPS
    if every is None or (every < 1) != (save < 1):
        return False
    return save % every == 0 if every >= 1 else save * SHARE_UNIT % (every * SHARE_UNIT) == 0


def _contradictions(invocation: Invocation, environment: Mapping[str, str]) -> list[str]:
    """Settings that parse but cannot hold together, and launches that cannot do what they ask."""
    settings, folders = invocation.settings, invocation.folders
    found: list[str] = []
    if settings.BF16 and settings.FP16:
        found.append("BF16 and FP16 are both true: compute has one dtype, set one of them")
    if settings.WARMUP_RATIO is not None and settings.WARMUP_STEPS is not None:
        found.append("WARMUP_RATIO and WARMUP_STEPS are both set: set one of them")
    if settings.LOAD_BEST_MODEL_AT_END and not _all_evaluated(settings):
        found.append(
            f"LOAD_BEST_MODEL_AT_END needs every checkpoint evaluated: SAVE_STEPS={settings.SAVE_STEPS} "
            f"must be a multiple of EVAL_STEPS={settings.EVAL_STEPS}"
        )
    adapter = adapter_problems(settings.MODEL_ID, invocation.base_folder / ADAPTER_FILE)
    found += [*adapter, *_incomplete_base(folders.base_dir)]
    if folders.tiny and not adapter and not invocation.config_file.is_file():
        found.append(f"--tiny needs the architecture: no {invocation.config_file}, see --model-config")
    found += task_settings.refusals(settings)
    found += initial_adapters.refusals(invocation)
    if folders.tiny:
        return [*found, *beside.refusals(settings)]  # it overrides the parallelism, see tiny.OVERRIDES
    processes = int(environment.get("WORLD_SIZE", "1"))
    found += task_settings.generation_refusals(settings, processes)
    if settings.PARALLELISM in DISTRIBUTED and "RANK" not in environment:
        found.append(f"PARALLELISM={settings.PARALLELISM} runs one process a GPU: start it with launch.sh or torchrun")
    if settings.PARALLELISM not in DISTRIBUTED and processes > 1:
        found.append(f"PARALLELISM={settings.PARALLELISM} is one process, but {processes} were launched")
    if settings.METHOD == "qlora" and settings.PARALLELISM == "fsdp" and settings.BNB_4BIT_QUANT_STORAGE == "uint8":
        found.append(
            "PARALLELISM=fsdp leaves 4-bit weights stored as uint8 whole on every GPU: "
            "set BNB_4BIT_QUANT_STORAGE to the compute dtype"
        )
    if settings.METHOD == "qlora" and settings.PARALLELISM == "zero3":
        found.append("PARALLELISM=zero3 does not shard 4-bit weights in this script: use fsdp, or METHOD=lora")
    return [*found, *beside.refusals(settings)]


def adapter_problems(source: str, path: Path) -> list[str]:
    """Why an adapter cannot be the base model.

    transformers (5.23, `AutoModelForCausalLM.from_pretrained`) would load the base that it names and the adapter on top
    of it; TRL then trains an adapter that knows nothing of it.

    Args:
        source: the setting MODEL_ID.
        path: where its `ADAPTER_FILE` lies, if it has one.
    """
    if not path.is_file():
        return []
    try:
        base = json.loads(path.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError):
        base = None
    named = f", {base}," if isinstance(base, str) and base else ""
    said = f"MODEL_ID={source} holds an adapter ({ADAPTER_FILE}) and not a whole model"
    return [f"{said}: merge it into its base{named} first (peft: merge_and_unload), and name the merged model"]
