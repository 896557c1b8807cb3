"""A disk that is full while a run saves: what torch and safetensors raise may not say so, and the run does."""

from __future__ import annotations

import errno
import importlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from training_bench import Bench, losses, sums

SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "1e-3",
    "MAX_LENGTH": "64",
    "MAX_STEPS": "2",
    "SAVE_STEPS": "1",
}


class Usage(NamedTuple):
    """As `shutil.disk_usage` has it."""

    total: int = 10**9
    used: int = 10**9
    free: int = 0


def refuse_to_write(monkeypatch: pytest.MonkeyPatch, bench: Bench, name: str, inside: str) -> None:
    """A method of the trainer fails as torch does on a full disk, where it writes into a folder of this name."""
    from trl import SFTTrainer

    original = getattr(SFTTrainer, name)

    def write(self: Any, place: Any, *arguments: Any, **named: Any) -> Any:
        if inside in str(place):
            raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 22912 vs 22800")
        return original(self, place, *arguments, **named)

    monkeypatch.setattr(SFTTrainer, name, write)
    usage = shutil.disk_usage
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: Usage() if Path(path).is_relative_to(bench.folder) else usage(path)
    )


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("method", "inside"), [("_save_optimizer_and_scheduler", "checkpoint-2"), ("save_model", ".hbspec-unfinished")]
)
def test_what_could_not_be_saved_is_said_with_the_room_that_is_left(
    bench: Bench, job: Callable[..., str], monkeypatch: pytest.MonkeyPatch, method: str, inside: str
) -> None:
    bench.write(SETTINGS, sums(4))
    with monkeypatch.context() as full:
        refuse_to_write(full, bench, method, inside)
        with pytest.raises(RuntimeError, match="unexpected pos") as raised:
            job()
    (note,) = raised.value.__notes__
    assert note.startswith(str(bench.folder))
    assert inside in note
    assert "0 bytes are free there" in note
    assert len(losses(job())) == (1 if inside == "checkpoint-2" else 0), "what was saved before is gone on from"


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("module", "name", "inside"),
    [
        ("checkpoints", "hbspec-run.json", "checkpoints"),
        ("model_folder", "hbspec-model.json", "model"),
        ("run_record", "run.json", "output"),
        ("tiny", "", "output/tiny-model"),
    ],
)
def test_a_note_that_finds_no_room_says_where(
    bench: Bench, job: Callable[..., str], monkeypatch: pytest.MonkeyPatch, module: str, name: str, inside: str
) -> None:
    """The system's error names no file once it is open."""
    bench.write(SETTINGS, sums(4))
    found = importlib.import_module(module)
    called = "write" if module == "tiny" else "store"
    original = getattr(found, called)
    with monkeypatch.context() as full:

        def write(*arguments: Any) -> Any:
            if module == "tiny" or (arguments[0].name == name and "tiny-model" not in str(arguments[0])):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return original(*arguments)

        full.setattr(found, called, write)
        with pytest.raises(OSError, match="No space left") as raised:
            job()
    (note,) = raised.value.__notes__
    assert note.startswith(f"{bench.folder}/{inside} could not be saved: ")
    job()
