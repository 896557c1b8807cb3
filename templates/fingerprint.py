"""What a run learns from: its fingerprint goes into every checkpoint, so that no other run goes on from it.

Two runs with one fingerprint train the same model. Data count by their content, which the job has read anyway, and so
does a local base model: small files in whole, and evenly spaced blocks of larger ones. Only the standard library is
imported, so that a checkpoint of another run is refused before anything heavy is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from settings import Invocation, RefusedError, Settings

PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets", "tokenizers")
"""What trains. Another major or minor version may train otherwise; a patch version is only noted."""

WHOLE_BYTES = 32 * 2**20
BLOCKS, BLOCK_BYTES = 64, 2**16
"""Read of a larger file, from its first bytes, which describe the tensors, to its last. Of 200 files that is 0.8 GiB, a
second of SHA-256, before and after it is loaded. The plan leaves it out: loading reads the same bytes, and more."""

ENGINE = "content of DEEPSPEED"
"""The key of DeepSpeed's JSON, which sets the optimizer, the clipping and much else."""

TEMPLATE = "content of CHAT_TEMPLATE"
"""The key of the chat template, which makes the text that is learnt."""

BASE_FILE = "base model "
"""What the keys of a local base model's files begin with."""

INITIAL = "initial adapter "
"""What the keys of the files of adapters begin with that training goes on from."""

WEIGHTS = "weights "
"""What the keys of the files of a base model on the Hub begin with."""

SHOWN_DIFFERENCES, SHOWN_NAMES = 20, 5

Fingerprint = dict[str, dict[str, Any]]
"""Keys and values, as JSON has them, in three parts.

learned: another value makes another model. loaded: the same, known only when the base model is found, or all of it is
there: the dtype of the matrix products, and which weights they are. noted: another value makes the same model, up to
rounding and the draw of dropout.
"""


class Digest:
    """Size and SHA-256 digest of bytes as they come; as a text, what a fingerprint says of a file."""

    def __init__(self) -> None:
        self._size, self._digest = 0, hashlib.sha256()

    def take(self, some: bytes) -> None:
        """The next bytes."""
        self._size += len(some)
        self._digest.update(some)

    def __str__(self) -> str:
        return f"{self._size} bytes, SHA-256 {self._digest.hexdigest()[:16]}"


def fingerprint(
    invocation: Invocation, processes: int, train: Mapping[str, str], validation: Mapping[str, str]
) -> Fingerprint:
    """What a run learns from; `loaded` is empty until the base model is found.

    Args:
        invocation: the run's settings after a rehearsal's overrides, and its folders.
        processes: how many train together.
        train: `Digest` of each file of training data, as a text by its path in the folder, from when it was read.
        validation: the same of the validation data.
    """
    settings = invocation.settings
    learned, noted = _settings(settings)
    learned |= {
        "effective batch": processes * settings.PER_DEVICE_BATCH_SIZE * settings.GRADIENT_ACCUMULATION_STEPS,
        "checkpoint files": _layout(settings.PARALLELISM, processes),
        **_engine(settings),
        **_template(settings),
        **_model(invocation),
        **_batches(settings, processes),
        **{f"training data {name}": said for name, said in train.items()},
        **{f"code {path.name}": _digest(path) for path in sorted(Path(__file__).parent.glob("*.py"))},
        **{package: ".".join(version(package).split(".")[:2]) for package in PACKAGES},
    }
    noted |= {"processes": processes} | {f"release of {package}": version(package) for package in PACKAGES}
    chosen_by = learned if settings.LOAD_BEST_MODEL_AT_END else noted
    chosen_by |= {f"validation data {name}": said for name, said in validation.items()}
    return {"learned": learned, "loaded": {}, "noted": noted}


def mark(mine: Fingerprint) -> str:
    """Sixteen hexadecimal digits, the same for all starts of a run and different for another run."""
    return hashlib.sha256(json.dumps(mine["learned"], sort_keys=True).encode()).hexdigest()[:16]


def is_same(theirs: Fingerprint, mine: Fingerprint) -> bool:
    """Whether one run has both fingerprints. What is loaded is compared as far as this start knows it yet."""
    return theirs["learned"] == mine["learned"] and not _loaded_differences(theirs, mine)


def all_differences(theirs: Fingerprint, mine: Fingerprint) -> list[str]:
    """The `differences` for which two runs are not the same (`is_same`): the first, and how many more there are."""
    lines = differences(theirs["learned"], mine["learned"])
    lines += _loaded_differences(theirs, mine)
    more = len(lines) - SHOWN_DIFFERENCES
    return [*lines[:SHOWN_DIFFERENCES], *([f"and {more} keys more differ"] if more > 0 else [])]


def _loaded_differences(theirs: Fingerprint, mine: Fingerprint) -> list[str]:
    if not mine["loaded"]:
        return []
    # files on the Hub are known only once all of them are there
    waits = not any(key.startswith(WEIGHTS) for key in mine["loaded"])
    known = {key: value for key, value in theirs["loaded"].items() if not (waits and key.startswith(WEIGHTS))}
    return differences(known, mine["loaded"])


def shown(names: Sequence[str]) -> str:
    """The first of many names of files."""
    return ", ".join([*names[:SHOWN_NAMES], *(["…"] if len(names) > SHOWN_NAMES else [])])


def differences(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> list[str]:
    """One line for each key whose values differ, with both; a key that only one side has differs too."""
    return [
        f"{key} was {_shown(theirs, key)} there and is {_shown(mine, key)} here"
        for key in dict.fromkeys((*mine, *theirs))
        if key not in theirs or key not in mine or theirs[key] != mine[key]
    ]


def _shown(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return "missing" if key not in values else "not set" if value is None else str(value)


def _settings(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings that decide what is learned, and the others."""
    learned: dict[str, Any] = {}
    noted: dict[str, Any] = {}
    for entry in fields(settings):
        value = settings.epochs if entry.name == "NUM_TRAIN_EPOCHS" else getattr(settings, entry.name)
        part = learned if entry.metadata["learned"].holds(settings) else noted
        part[entry.name] = list(value) if isinstance(value, tuple) else value
    return learned, noted


def _batches(settings: Settings, processes: int) -> dict[str, Any]:
    """Batches beside the effective one that decide what is learned: answers that KTO compares, completions of GRPO."""
    if settings.TASK == "kto":
        return {"micro-batch": settings.PER_DEVICE_BATCH_SIZE}
    if settings.TASK == "grpo" and settings.STEPS_PER_GENERATION is not None:
        return {"generation batch": processes * settings.PER_DEVICE_BATCH_SIZE * settings.STEPS_PER_GENERATION}
    return {}


def _engine(settings: Settings) -> dict[str, Any]:
    if settings.DEEPSPEED is None:
        return {}
    content = json.loads(Path(__file__).with_name(settings.DEEPSPEED).read_bytes())
    return {ENGINE: json.dumps(content, sort_keys=True, separators=(",", ":"))}


def engine(mine: Fingerprint) -> dict[str, Any] | None:
    """DeepSpeed's JSON as the fingerprint has it, so that a file that is replaced later is not trained with."""
    said = mine["learned"].get(ENGINE)
    return None if said is None else dict(json.loads(said))


def _template(settings: Settings) -> dict[str, Any]:
    if settings.CHAT_TEMPLATE is None:
        return {}
    return {TEMPLATE: str(_of(Path(__file__).with_name(settings.CHAT_TEMPLATE).read_bytes()))}


def chat_template(settings: Settings, mine: Fingerprint) -> str | None:
    """The text of CHAT_TEMPLATE, which is the one that the fingerprint has; None where the tokenizer's own is used.

    Raises:
        RefusedError: the file was replaced since.
    """
    if settings.CHAT_TEMPLATE is None:
        return None
    path = Path(__file__).with_name(settings.CHAT_TEMPLATE)
    content = path.read_bytes()
    if str(_of(content)) != mine["learned"][TEMPLATE]:
        raise RefusedError([f"{path.name} was changed while the job started: start again"])
    return content.decode("utf-8-sig")


def _of(content: bytes) -> Digest:
    digest = Digest()
    digest.take(content)
    return digest


def _layout(parallelism: str, processes: int) -> str:
    """How a checkpoint's files are made: ZeRO's states are cut for a number of processes, FSDP's can be resharded."""
    if parallelism.startswith("zero"):
        return f"{parallelism} over {processes} processes"
    return parallelism if parallelism == "fsdp" else "whole"


def _model(invocation: Invocation) -> dict[str, Any]:
    """The base model beyond its name: a rehearsal's architecture, or what the files of a local folder hold."""
    if invocation.folders.tiny:
        return {"base model": f"random weights of config.json {_digest(invocation.config_file)}"}
    folder = invocation.base_folder
    held = contents(folder) if folder.is_dir() else {}
    return {"base model": "published weights", **{f"{BASE_FILE}{name}": said for name, said in held.items()}}


def contents(folder: Path, wanted: Callable[[str], bool] = lambda _: True) -> dict[str, str]:
    """Size and `sampled_digest` of every file in a folder and below it, by relative path.

    Links are followed, as loaders do; hidden folders such as `.git` and `.cache` are left out.

    Args:
        folder: which exists.
        wanted: asked of each relative path.

    Raises:
        OSError: a folder cannot be looked into.
    """
    files = sorted((path.relative_to(folder).as_posix(), path) for path in _files(folder, frozenset()))
    told = ((name, path) for name, path in files if wanted(name))
    return {name: f"{path.stat().st_size} bytes, SHA-256 {sampled_digest(path)}" for name, path in told}


def _files(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Regular files in a folder and below it; a link to a folder above is a circle, and is not followed."""
    above |= {folder.resolve()}
    for path in folder.iterdir():
        if path.is_file():
            yield path
        elif path.is_dir() and not path.name.startswith(".") and path.resolve() not in above:
            yield from _files(path, above)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def sampled_digest(path: Path) -> str:
    """The first 16 digits of SHA-256 of a file's bytes, or of `BLOCKS` evenly spaced blocks of a large one."""
    size, digest = path.stat().st_size, hashlib.sha256()
    if size <= WHOLE_BYTES:
        return _digest(path)
    with path.open("rb") as file:
        for block in range(BLOCKS):
            file.seek((size - BLOCK_BYTES) * block // (BLOCKS - 1))
            digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()[:16]
