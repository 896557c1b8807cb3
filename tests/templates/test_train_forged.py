"""A manifest that lacks what it must list, or was made for another run, is damage."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, ClassVar

import manifest
import pytest
import removal
from checkpoints import find_start, write_owner
from manifest import damage, write_manifest
from saved_checkpoints import MINE, rewrite, saved


class TestForged:
    LAYOUTS: ClassVar[dict[str, tuple[dict[str, Any], int, set[str]]]] = {
        "adapters": (
            {"METHOD": "qlora", "checkpoint files": "whole"},
            1,
            {"adapter_model.safetensors", "adapter_config.json", "optimizer.pt", "scheduler.pt", "rng_state.pth"},
        ),
        "all weights": (
            {"METHOD": "full", "checkpoint files": "whole"},
            2,
            {"model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state_0.pth", "rng_state_1.pth"},
        ),
        "fsdp": (
            {"METHOD": "lora", "checkpoint files": "fsdp"},
            2,
            {
                "pytorch_model_fsdp_0/.metadata",
                "optimizer_0/.metadata",
                "scheduler.pt",
                "rng_state_0.pth",
                "rng_state_1.pth",
            },
        ),
        "zero": (
            {"METHOD": "full", "checkpoint files": "zero3 over 1 processes"},
            1,
            {
                "latest",
                "global_step4/zero_pp_rank_0_mp_rank_00_model_states.pt",
                "global_step4/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt",
                "rng_state.pth",
            },
        ),
    }

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_a_file_that_is_needed_can_be_left_out_of_no_manifest(self, tmp_path: Path, layout: str) -> None:
        learned, processes, names = self.LAYOUTS[layout]
        mine = {"learned": learned, "loaded": {}, "noted": {"processes": processes}}
        checkpoint = tmp_path / "checkpoint-4"
        for name in names:
            (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
            (checkpoint / name).touch()
        (checkpoint / "trainer_state.json").write_text('{"global_step": 4}')
        whole = manifest.contents(checkpoint)
        write_manifest(checkpoint, mine, whole)
        assert find_start(tmp_path, mine).checkpoint == checkpoint
        for name in whole:
            content = (checkpoint / name).read_bytes()
            (checkpoint / name).unlink()
            rewrite(checkpoint, files={other: entry for other, entry in whole.items() if other != name})
            assert "is missing" in str(damage(checkpoint)), name
            with pytest.raises(RuntimeError, match="the trainer saved"):
                write_manifest(checkpoint, mine, {other: whole[other] for other in whole if other != name})
            (checkpoint / name).write_bytes(content)

    def test_a_digest_that_was_taken_can_be_left_out_of_no_manifest(self, tmp_path: Path) -> None:
        checkpoint = saved(tmp_path, 4)
        files = json.loads((checkpoint / manifest.MANIFEST).read_text())["files"]
        for name, entry in files.items():
            rewrite(checkpoint, files=files | {name: {"bytes": entry["bytes"]}})
            assert damage(checkpoint) == f"{name} has no SHA-256 digest in its hbspec.json"
            assert damage(checkpoint, digests=False) == damage(checkpoint)

    def test_which_files_are_digested_is_the_same_for_one_host_and_for_many(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each host digests its smallest files; together they are more than a manifest has digests of."""
        monkeypatch.setattr(manifest, "DIGESTED_BYTES", 400)
        checkpoint = saved(tmp_path, 4)
        alone = json.loads((checkpoint / manifest.MANIFEST).read_text())["files"]
        hosts: dict[str, Any] = {}
        for name in alone:
            whole = (checkpoint / name).read_bytes()
            hosts[name] = {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}
        write_manifest(checkpoint, MINE, hosts)
        assert json.loads((checkpoint / manifest.MANIFEST).read_text())["files"] == alone
        assert damage(checkpoint) is None

    def test_nothing_listed_is_nothing_saved(self, tmp_path: Path) -> None:
        checkpoint = saved(tmp_path, 4)
        for path in checkpoint.iterdir():
            if path.name != manifest.MANIFEST:
                removal.remove(path)
        rewrite(checkpoint, files={})
        assert "adapter_model.safetensors is missing" in find_start(tmp_path, MINE).notes[0]

    @pytest.mark.parametrize(
        "theirs", [None, {}, [], {"learned": None, "loaded": {}, "noted": {}}, {**MINE, "loaded": None}], ids=repr
    )
    def test_one_that_says_nothing_of_its_run_is_not_gone_on_from(self, tmp_path: Path, theirs: Any) -> None:
        write_owner(tmp_path, MINE)
        older, newer = saved(tmp_path, 2), saved(tmp_path, 4)
        write_owner(newer, MINE)
        rewrite(newer, fingerprint=theirs)
        start = find_start(tmp_path, MINE)
        assert start.checkpoint == older
        assert "checkpoint-4 is damaged and is passed over" in start.notes[0]

    @pytest.mark.parametrize(
        "content",
        [
            b"[" * 200_000,
            b'{"format_version": 1, "step": 4, "fingerprint": ' + b"[" * 900 + b"]" * 900 + b"}",
            b"9" * 5_000,
            b" " * (17 * 2**20),
            b'{"format_version": 1, "step": 4, "files": {}}',
            b'{"format_version": 1, "step": "\\ud800", "files": {}, "fingerprint": {}}',
        ],
        ids=["deep", "too deep to compare", "a number", "large", "no fingerprint", "not a step"],
    )
    def test_whatever_a_manifest_holds_it_is_passed_over(self, tmp_path: Path, content: bytes) -> None:
        older, newer = saved(tmp_path, 2), saved(tmp_path, 4)
        (newer / manifest.MANIFEST).write_bytes(content)
        start = find_start(tmp_path, MINE)
        assert start.checkpoint == older
        assert "checkpoint-4 is damaged and is passed over" in start.notes[0]

    def test_a_pipe_in_its_place_is_not_waited_for(self, tmp_path: Path) -> None:
        older, newer = saved(tmp_path, 2), saved(tmp_path, 4)
        (newer / manifest.MANIFEST).unlink()
        os.mkfifo(newer / manifest.MANIFEST)
        assert find_start(tmp_path, MINE).checkpoint == older

    def test_files_elsewhere_are_not_a_checkpoints(self, tmp_path: Path) -> None:
        checkpoint = saved(tmp_path, 4)
        (tmp_path / "elsewhere").touch()
        files = json.loads((checkpoint / manifest.MANIFEST).read_text())["files"]
        for name in ("../elsewhere", str(tmp_path / "elsewhere")):
            rewrite(checkpoint, files=files | {name: {"bytes": 0}})
            assert f"{name} is missing" in str(damage(checkpoint))
