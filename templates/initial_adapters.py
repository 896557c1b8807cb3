"""Adapters that training goes on from: where they lie, whether they are those of the settings, and how they are loaded.

New adapters are made as the settings say, and get the weights of the others: what is trained is what was planned, or
the run is refused. TRL (1.16, `__init__` of `DPOTrainer` and `KTOTrainer`) copies such adapters: the copy is the
reference. Heavy libraries are imported where adapters are found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fingerprint import INITIAL, SHOWN_DIFFERENCES, contents, differences
from removal import remove
from settings import Invocation, RefusedError, Settings

ADAPTER_FILE = "adapter_config.json"
"""What peft saves beside an adapter (peft.utils.CONFIG_NAME)."""
WEIGHTS_FILE = "adapter_model.safetensors"
FILES = (ADAPTER_FILE, WEIGHTS_FILE)
"""What is read of an adapter, as peft saves it."""
TINY_FOLDER = "initial-adapter"
"""A rehearsal's own, in the folder of its base model."""
REFERENCE = "ref"
"""TRL's name of the copy that it compares with; a model folder has it as a folder of its own."""
SAME = {"r": "LORA_R", "lora_alpha": "LORA_ALPHA", "use_rslora": "USE_RSLORA", "use_dora": "USE_DORA"}
"""Entries of `ADAPTER_FILE` and the settings that must say the same."""
UNLIKE = {"bias": "none", "rank_pattern": {}, "alpha_pattern": {}, "peft_type": "LORA"}
"""Entries that must be as here: the script trains adapters of one rank and one scale, and no biases."""


class Initial(NamedTuple):
    """Adapters that were found.

    Attributes:
        name: the setting ADAPTER.
        folder: where their files lie.
        said: what a fingerprint says of the files, by name.
    """

    name: str
    folder: Path
    said: Mapping[str, str]


def folder_of(invocation: Invocation) -> Path | None:
    """Where the adapters lie, if on this machine: `--adapter-dir`, or the local folder that ADAPTER may be."""
    named, given = invocation.settings.ADAPTER, invocation.folders.adapter_dir
    return given or (Path(named) if named is not None and Path(named).is_dir() else None)


def written_over(invocation: Invocation) -> Iterator[str]:
    """Why the model would be written over the adapters that it goes on from."""
    model, read = invocation.folders.model_dir, folder_of(invocation)
    if read is not None and model.resolve() == read.resolve():
        yield f"--model-dir {model} is the folder of ADAPTER, {read}: pass another --model-dir"


def refusals(invocation: Invocation) -> Iterator[str]:
    """Why a run cannot go on from the adapters that its settings name; nothing where it can, as far as is known yet."""
    settings, folder = invocation.settings, folder_of(invocation)
    name, given = settings.ADAPTER, invocation.folders.adapter_dir
    if name is None:
        if settings.ADAPTER_REVISION is not None:
            yield f"ADAPTER_REVISION={settings.ADAPTER_REVISION} has no effect without ADAPTER: set it to their name"
        if given is not None:
            yield f"--adapter-dir {given} has no effect without ADAPTER: set it to the adapters' name"
        return
    said = f"ADAPTER={name}"
    if settings.METHOD == "full":
        yield f"{said} has no effect with METHOD=full: merge it into the model first, or use METHOD=lora"
    if settings.TASK == "reward":
        yield f"{said} with TASK=reward: adapters have no head that rewards; merge them into the model first"
    if settings.PARALLELISM == "zero3":
        yield f"{said} with PARALLELISM=zero3, which cuts adapters up before they are loaded: use zero2 or fsdp"
    if invocation.folders.tiny:
        return  # a rehearsal makes its own
    if folder is None and name.startswith((".", "/", "~", "s3:")):
        yield f"{said} is not a folder of this machine: pass --adapter-dir FOLDER with its files"
    elif folder is not None:
        yield from _unusable(settings, folder)


def _unusable(settings: Settings, folder: Path) -> Iterator[str]:
    """Why what lies in a folder is not what the settings would train."""
    said = f"ADAPTER={settings.ADAPTER}"
    if lacking := [file for file in FILES if not (folder / file).is_file()]:
        yield f"{said}: {folder} holds no {' and no '.join(lacking)}: name a folder that peft has saved adapters in"
    else:
        yield from _unlike(settings, folder)


def _unlike(settings: Settings, folder: Path) -> Iterator[str]:
    """In what adapters are not those that the settings would make, as far as their configuration says."""
    name = settings.ADAPTER
    try:
        held = json.loads((folder / ADAPTER_FILE).read_bytes())
        given = {key: held.get(key) for key in (*SAME, *UNLIKE)}
    except (ValueError, AttributeError):
        yield f"ADAPTER={name}: {folder / ADAPTER_FILE} does not hold a JSON object: save the adapters again"
        return
    for key, ours in SAME.items():
        theirs, wanted = given[key] or 0, getattr(settings, ours)
        if theirs != wanted:
            shown = str(bool(theirs)).lower() if isinstance(wanted, bool) else theirs
            here = str(wanted).lower() if isinstance(wanted, bool) else f"{wanted:g}"
            yield f"ADAPTER={name} has {key} {shown}, and {ours} is {here}: set {ours}={shown}"
    for key, usual in UNLIKE.items():
        if given[key] not in (usual, None):
            yield f"ADAPTER={name} has {key} {given[key]}, which this script does not train: merge it into the model"


def find(invocation: Invocation, base: str) -> Initial | None:
    """The adapters that all ranks load; None where new ones are trained. On the Hub they are downloaded.

    Args:
        invocation: the run's settings and folders.
        base: where the base model is, which is a folder with adapters of its own in a rehearsal.

    Raises:
        RefusedError: they are not those that the settings would make, or cannot be downloaded.
    """
    name, folder = invocation.settings.ADAPTER, folder_of(invocation)
    if name is None:
        return None
    if invocation.folders.tiny:
        return Initial(name, Path(base) / TINY_FOLDER, {})
    if folder is not None:
        return Initial(name, folder, contents(folder, FILES.__contains__))
    from huggingface_hub import snapshot_download

    revision = invocation.settings.ADAPTER_REVISION
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(FILES)))
    except (OSError, ValueError) as reason:
        first = (str(reason).strip().splitlines() or [type(reason).__name__])[0]
        at = "" if revision is None else f" at ADAPTER_REVISION={revision}"
        raise RefusedError([f"ADAPTER={name}{at} cannot be downloaded: {first}"]) from None
    if problems := list(_unusable(invocation.settings, folder)):
        raise RefusedError(problems)
    return Initial(name, folder, contents(folder, FILES.__contains__))


def applied(model: Any, config: Any, found: Initial | None) -> tuple[Any, Any]:
    """The model that a trainer is given, and the configuration of the adapters that it makes.

    Args:
        model: the base model.
        config: of the adapters, as the settings say; None where all weights are trained.
        found: adapters to go on from; None makes new ones.

    Raises:
        RefusedError: the adapters have other weights than those of the configuration, or were changed meanwhile.
    """
    if found is None:
        return model, config
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
    from peft.utils import load_peft_weights

    if found.said and (lines := differences(found.said, contents(found.folder, FILES.__contains__))):
        said = f"ADAPTER={found.name} was changed while the job started: start again"
        raise RefusedError([said, *lines[:SHOWN_DIFFERENCES]])
    adapted = get_peft_model(model, config)
    weights = load_peft_weights(str(found.folder), device="cpu")
    ours = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    if problems := list(_other_weights(found.name, _shapes(ours), _shapes(weights))):
        raise RefusedError(problems)
    set_peft_model_state_dict(adapted, weights)
    return adapted, None


def _shapes(weights: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in weights.items()}


def _other_weights(
    name: str, ours: Mapping[str, tuple[int, ...]], theirs: Mapping[str, tuple[int, ...]]
) -> Iterator[str]:
    """Weights that only one side has, or that are of another shape."""
    action = f"set TARGET_MODULES and MODULES_TO_SAVE as in its {ADAPTER_FILE}, and MODEL_ID to its base model"
    for first, other, verb in ((ours, theirs, "lacks"), (theirs, ours, "has")):
        only = sorted(first.keys() - other.keys())
        if only:
            rest = "" if verb == "lacks" else ", which are not trained here"
            yield f"ADAPTER={name} {verb} {len(only)} weights{rest}, the first is {only[0]}: {action}"
    for key in sorted(ours.keys() & theirs.keys()):
        if ours[key] != theirs[key]:
            yield f"ADAPTER={name}: {key} is {theirs[key]}, and here {ours[key]}: {action}"
            return


def write_tiny(model: Any, config: Any, base: Path) -> None:
    """Writes a rehearsal's adapters into the folder of its base model: random ones, which change what it says."""
    from peft import get_peft_model

    config.init_lora_weights = False
    get_peft_model(model, config).save_pretrained(base / TINY_FOLDER)


def drop_reference(folder: Path) -> None:
    """Removes TRL's copy from a saved model: it is the adapters that training began with."""
    copy = folder / REFERENCE
    if all((copy / file).is_file() for file in FILES):
        remove(copy)


def fingerprinted(found: Initial | None) -> dict[str, str]:
    """What a fingerprint says of the adapters that training goes on from."""
    return {f"{INITIAL}{name}": held for name, held in found.said.items()} if found is not None else {}
