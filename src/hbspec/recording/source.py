"""Where a config is read from: a file or folder, or the Hub by an id, at a revision that is written down."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from hbspec.recording.program import RecordingError

LARGEST = 16 << 20
"""Bytes of a config.json."""

ID = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+")


class Source(NamedTuple):
    """A config and where it is from.

    Attributes:
        values: the fields of config.json.
        said: the source as it is written into the file.
    """

    values: Mapping[str, Any]
    said: Mapping[str, str]


def read(word: str, revision: str | None) -> Source:
    """The config of a path or an id.

    Raises:
        RecordingError: the file or repository does not exist, cannot be reached, or is not a config.
    """
    place = Path(word)
    if place.is_dir():
        place /= "config.json"
    if place.is_file():
        content = _content(place)
        return Source(_parsed(content, str(place)), {"config": word, "sha256": sha256(content).hexdigest()})
    if place.suffix == ".json" or word.startswith((".", "/", "~")) or not ID.fullmatch(word):
        raise RecordingError(f"{word}: neither a config.json nor the id of a model")
    found = _from_hub(word, revision)
    content = _content(found)
    said = {"id": word, "revision": found.parent.name, "sha256": sha256(content).hexdigest()}
    return Source(_parsed(content, word), said)


def _content(place: Path) -> bytes:
    try:
        size = place.stat().st_size
        if size > LARGEST:
            raise RecordingError(f"{place} has {size:,} bytes; a config.json has at most {LARGEST:,}")
        return place.read_bytes()
    except OSError as reason:
        raise RecordingError(f"{place} cannot be read: {reason.strerror}") from reason


def _parsed(content: bytes, name: str) -> Mapping[str, Any]:
    try:
        values = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as reason:
        raise RecordingError(f"{name} is not JSON: {reason}") from reason
    if not isinstance(values, dict):
        raise RecordingError(f"{name} is not a mapping of fields, as every config.json is")
    return values


def _from_hub(model_id: str, revision: str | None) -> Path:
    """The config.json of a repository, downloaded or from the local cache."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(hf_hub_download(model_id, "config.json", revision=revision))
    except GatedRepoError as reason:
        raise RecordingError(
            f"{model_id} is gated: accept its licence on the Hub, and log in with `hf auth login`"
        ) from reason
    except LocalEntryNotFoundError as reason:
        raise RecordingError(
            f"{model_id}: the Hub cannot be reached, and the local cache lacks its config.json; "
            "give the path of a config.json"
        ) from reason
    except RevisionNotFoundError as reason:
        raise RecordingError(f"{model_id} has no revision {revision}; leave out --revision for the newest") from reason
    except RepositoryNotFoundError as reason:
        raise RecordingError(f"the Hub has no model {model_id}, or it is private and needs `hf auth login`") from reason
    except EntryNotFoundError as reason:
        raise RecordingError(f"{model_id} has no config.json; give the path of one") from reason
    except HFValidationError as reason:
        raise RecordingError(f"{model_id} is not the id of a model") from reason
    except Exception as reason:  # of the network below
        raise RecordingError(f"{model_id} cannot be read from the Hub: {type(reason).__name__}") from reason
