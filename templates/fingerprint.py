"""What a run learns from: its fingerprint goes into every checkpoint, so that no other run goes on from it.

Two runs with one fingerprint train the same model. Data are told apart by names and sizes, not by reading them: a file
that changes and keeps its size is not seen. Weights of one architecture all have one size, so of a local base model the
content counts: small files in whole, and evenly spaced blocks of larger ones. Only the standard library is imported, so
that a checkpoint of another run is refused before anything heavy is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lines import data_files
from settings import Invocation, Settings

PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets", "tokenizers")
"""What trains. Another major or minor version may train otherwise; a patch version is only noted."""

WHOLE_BYTES = 32 * 2**20
BLOCKS, BLOCK_BYTES = 64, 2**16
"""Read of a larger file, from its first bytes, which describe the tensors, to its last. Of 200 files that is 0.8 GiB, a
second of SHA-256. The plan leaves it out: loading reads the same bytes again, and many more."""

Fingerprint = dict[str, dict[str, Any]]
"""Keys and values, as JSON has them, in three parts.

learned: another value makes another model. loaded: the same, known only when the model is loaded. noted: another value
makes the same model, up to rounding and the draw of dropout.
"""


def fingerprint(invocation: Invocation, processes: int) -> Fingerprint:
    """What a run learns from, but for what is known when the model is loaded (see `loaded`).

    Args:
        invocation: the run's settings after a rehearsal's overrides, and its folders.
        processes: how many train together.
    """
    settings, folders = invocation.settings, invocation.folders
    learned, noted = _settings(settings)
    learned |= {
        "effective batch": processes * settings.PER_DEVICE_BATCH_SIZE * settings.GRADIENT_ACCUMULATION_STEPS,
        "checkpoint files": _layout(settings.PARALLELISM, processes),
        **_model(invocation),
        **{f"training data {name}": size for name, size in _data(folders.train_dir)},
        **{f"code {path.name}": _digest(path) for path in sorted(Path(__file__).parent.glob("*.py"))},
        **{package: ".".join(version(package).split(".")[:2]) for package in PACKAGES},
    }
    noted |= {"processes": processes} | {f"release of {package}": version(package) for package in PACKAGES}
    chosen_by = learned if settings.LOAD_BEST_MODEL_AT_END else noted
    chosen_by |= {f"validation data {name}": size for name, size in _data(folders.validation_dir)}
    return {"learned": learned, "loaded": {}, "noted": noted}


def loaded(compute: str, commit: str | None) -> dict[str, Any]:
    """What is known when the model is loaded.

    Args:
        compute: dtype of the matrix products, which the GPU decides where no setting does.
        commit: the commit of the weights on the Hub, which a branch like `main` moves; None for a local folder.
    """
    return {"compute dtype": compute, "commit of the weights": commit}


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


def _layout(parallelism: str, processes: int) -> str:
    """How a checkpoint's files are made: ZeRO's states are cut for a number of processes, FSDP's can be cut anew."""
    if parallelism.startswith("zero"):
        return f"{parallelism} over {processes} processes"
    return parallelism if parallelism == "fsdp" else "whole"


def _model(invocation: Invocation) -> dict[str, Any]:
    """The base model beyond its name: a rehearsal's architecture, or what the files of a local folder hold."""
    if invocation.folders.tiny:
        return {"base model": f"random weights of config.json {_digest(invocation.config_file)}"}
    folder = Path(invocation.settings.MODEL_ID)
    held = contents(folder) if folder.is_dir() else {}
    return {"base model": "published weights", **{f"base model {name}": said for name, said in held.items()}}


def contents(folder: Path) -> dict[str, str]:
    """Size and `sampled_digest` of every file in a folder and below it, by relative path.

    Links are followed, as loaders do; hidden folders such as `.git` and `.cache` are left out.

    Raises:
        OSError: a folder cannot be looked into.
    """
    files = sorted((path.relative_to(folder).as_posix(), path) for path in _files(folder, frozenset()))
    return {name: f"{path.stat().st_size} bytes, SHA-256 {sampled_digest(path)}" for name, path in files}


def _files(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Regular files in a folder and below it; a link to a folder above is a circle, and is not followed."""
    above |= {folder.resolve()}
    for path in folder.iterdir():
        if path.is_file():
            yield path
        elif path.is_dir() and not path.name.startswith(".") and path.resolve() not in above:
            yield from _files(path, above)


def _data(folder: Path) -> Iterator[tuple[str, str]]:
    return _sizes(folder, data_files(folder) if folder.is_dir() else ())


def _sizes(folder: Path, files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in files:
        yield path.relative_to(folder).as_posix(), f"{path.stat().st_size} bytes"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


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
