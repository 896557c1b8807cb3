"""Several hosts that see the same folders, as under Slurm and on Kubernetes: each says and clears the same."""

from __future__ import annotations

import os
from pathlib import Path

import documents
import manifest
import pytest
import removal


def test_two_hosts_store_one_document_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sync = tmp_path / "hbspec-run.json", os.fsync
    monkeypatch.setenv("RANK", "0")

    def meanwhile(number: int) -> None:
        """The other host is through before this one has put its file into place."""
        monkeypatch.setattr(os, "fsync", sync)
        monkeypatch.setenv("RANK", "8")
        documents.store(path, {"said": "the same"})
        sync(number)

    monkeypatch.setattr(os, "fsync", meanwhile)
    documents.store(path, {"said": "the same"})
    assert documents.load(path)["said"] == "the same"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_checkpoint_that_another_host_has_discarded_meanwhile_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "checkpoint-2"
    checkpoint.mkdir()
    (checkpoint / "trainer_state.json").touch()
    listed = Path.iterdir

    def late(folder: Path):  # type: ignore[no-untyped-def]
        monkeypatch.setattr(Path, "iterdir", listed)
        removal.remove(folder)
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", late)
    manifest.discard(checkpoint)
    assert not checkpoint.exists()
