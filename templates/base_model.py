"""The base model: where it lies, and which weights lie there, so that all ranks and all starts load the same.

Only the standard library is imported with it, so that files in the way are refused before anything heavy is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tiny
from documents import saying_room
from fingerprint import BASE_FILE, SHOWN_DIFFERENCES, WEIGHTS, Fingerprint, contents, differences
from handover import adapter_problems
from job_examples import Example
from model_folder import Place, deliver, refuse_other_model, unfinished
from removal import remove
from settings import TINY_FOLDER, Invocation, RefusedError

REHEARSAL: Fingerprint = {"learned": {"base model": "a rehearsal's own"}, "loaded": {}, "noted": {}}
"""Whose a rehearsal's base model is: every rehearsal's, since each can make it again."""


COMMIT = "commit of the weights"

WEIGHT_FILES = (
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
)  # fmt: skip
"""The first that is there is loaded (transformers 5.23, modeling_utils.py, `_get_resolved_checkpoint_files`)."""

READ = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "chat_template.json",
)  # fmt: skip
VOCABULARIES = ("vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model")
"""What a tokenizer without tokenizer.json is made of."""
TEMPLATES = "additional_chat_templates/"


class Base(NamedTuple):
    """A base model.

    Attributes:
        source: its id on the Hub, or its folder.
        revision: what to load of it: on the Hub a commit, which nobody can move.
        said: what a fingerprint says of its weights beyond the settings.
        folder: where its files lie; None for a rehearsal's own, which no other program writes.
        files: those that will be loaded, as far as they were there when it was found; None for a local folder, whose
            files are in the fingerprint.
    """

    source: str
    revision: str | None
    said: dict[str, Any]
    folder: Path | None = None
    files: dict[str, str] | None = None


def refuse_other_base(invocation: Invocation) -> None:
    """Ends a rehearsal that would write its base model over files that no rehearsal has written.

    Raises:
        RefusedError: with their names.
    """
    if invocation.folders.tiny:
        refuse_other_model(_place(invocation), REHEARSAL)


def find(invocation: Invocation, state: Any, train: Sequence[Example]) -> Base:
    """The base model that all ranks load; a rehearsal's own is written first.

    Args:
        invocation: the run's settings and folders.
        state: accelerate's PartialState.
        train: what a rehearsal's tokenizer is trained on.
    """
    if not invocation.folders.tiny:
        named = invocation.folders.base_dir or invocation.settings.MODEL_ID
        return published(str(named), invocation.settings.REVISION)
    place = _place(invocation)
    with state.main_process_first():
        if state.is_main_process:
            with saying_room(place.folder):
                remove(unfinished(place.folder, REHEARSAL))
                tiny.write(invocation, train, unfinished(place.folder, REHEARSAL))
                deliver(place, REHEARSAL)
    return Base(str(place.folder), None, {})


def published(source: str, revision: str | None) -> Base:
    """A model on the Hub at the commit that its branch, or its tag, leads to now; or a local folder.

    The commit is the name of the cache's folder in which transformers (4.57 and 5.23) finds the files: neither sets
    `config._commit_hash` reliably. Of a file that lies elsewhere the folder's `contents` are told.

    Raises:
        OSError: the model cannot be found.
        RefusedError: it is an adapter.
    """
    from accelerate.utils import gather_object
    from transformers.utils import cached_file, extract_commit_hash, find_adapter_config_file

    if Path(source).is_dir():
        return Base(source, revision, {}, Path(source))
    adapter = find_adapter_config_file(source, revision=revision)
    problems: list[str] = gather_object(adapter_problems(source, Path(adapter)) if adapter else [])
    if problems:
        raise RefusedError(list(dict.fromkeys(problems)))
    file = cached_file(source, "config.json", revision=revision)
    found: list[str | None] = gather_object([extract_commit_hash(file, None)])
    commit = found[0]  # the branch may have moved between two ranks' questions
    folder = Path(file).parent
    if commit is None:
        held = contents(folder)
        return Base(source, revision, {f"{WEIGHTS}{name}": said for name, said in held.items()}, folder, held)
    folder = folder.with_name(commit)
    return Base(source, commit, {COMMIT: commit}, folder, _snapshot_files(folder) if folder.is_dir() else {})


def sign(base: Base, fingerprint: Fingerprint) -> list[str]:
    """Says in a fingerprint what was loaded; all of it was, so that the files on the Hub are there now.

    A commit names a content, but the cache's copy of it can be changed in place, and nothing reads it against its name.

    Returns:
        In what the files are not those that were found before they were loaded, if they are not.
    """
    if base.folder is None:
        return []
    cached = COMMIT in base.said
    now = _snapshot_files(base.folder) if cached else contents(base.folder)
    if base.files is None:
        learned = fingerprint["learned"].items()
        before = {key.removeprefix(BASE_FILE): said for key, said in learned if key.startswith(BASE_FILE)}
        lines = differences(before, now)
    else:
        fingerprint["loaded"] |= {f"{WEIGHTS}{name}": said for name, said in now.items()}
        before = base.files
        lines = differences(*({name: each[name] for name in before.keys() & now} for each in (before, now)))
    said = f"{base.source} was changed while it was loaded: start again"
    return [said, *lines[:SHOWN_DIFFERENCES]] if lines else []


def _snapshot_files(folder: Path) -> dict[str, str]:
    """`contents` of what transformers loads from a commit's folder in the cache, as far as it is there.

    Other programs may have put other files of the commit there, which decide nothing. Left out are names of the blobs
    that the folder links to: a copy of a cache may have none.
    """
    weights = next((name for name in WEIGHT_FILES if (folder / name).is_file()), None)
    names = {*READ, *([] if (folder / "tokenizer.json").is_file() else VOCABULARIES)}
    if weights is not None:
        names |= {weights, *_shards(folder / weights)}
    return contents(folder, lambda name: name in names or name.startswith(TEMPLATES))


def _shards(index: Path) -> set[str]:
    """Files that an index names; none of a single file."""
    if not index.name.endswith(".index.json"):
        return set()
    return set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())


def _place(invocation: Invocation) -> Place:
    return Place(invocation.folders.output_data_dir / TINY_FOLDER, "--output-data-dir")
