"""What is compared before a run goes on from a checkpoint: settings, code, data, the base model and libraries."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import fingerprint
import pytest
from settings import Folders, Invocation, Settings


def made(invocation: Invocation, processes: int) -> fingerprint.Fingerprint:
    """The fingerprint of a run that reads its data now."""
    folders = invocation.folders
    train, validation = (
        {path.name: digest(path) for path in sorted(folder.iterdir())}
        for folder in (folders.train_dir, folders.validation_dir)
    )
    return fingerprint.fingerprint(invocation, processes, train, validation)


def digest(path: Path) -> str:
    found = fingerprint.Digest()
    found.take(path.read_bytes())
    return str(found)


class TestFingerprint:
    @pytest.fixture(autouse=True)
    def training(self) -> None:
        """A fingerprint holds the versions of what trains, which must be installed."""
        import torch  # noqa: F401

    @pytest.fixture
    def invocation(self, tmp_path: Path) -> Invocation:
        for name in ("train", "validation"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "data.jsonl").write_text("{}\n")
        folders = Folders(train_dir=tmp_path / "train", validation_dir=tmp_path / "validation")
        return Invocation(Settings(MODEL_ID="Qwen/Qwen2.5-7B-Instruct"), folders)

    def change(self, invocation: Invocation, processes: int = 1, **changes: Any) -> set[str]:
        """Keys of what is learned that differ after a change of settings."""
        changed = Invocation(replace(invocation.settings, **changes), invocation.folders)
        one, other = made(invocation, 1), made(changed, processes)
        assert json.loads(json.dumps(one)) == one, "what a checkpoint gives back is compared with what is made"
        lines = fingerprint.differences(one["learned"], other["learned"])
        return {line.rpartition(" was ")[0] for line in lines}

    def test_every_setting_decides_what_its_row_says(
        self, invocation: Invocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "fingerprint.py"))
        (tmp_path / "ds.json").write_text("{}")  # a file beside the script
        for entry in fields(Settings):
            value = getattr(invocation.settings, entry.name)
            other = (not value) if isinstance(value, bool) else f"{value}x" if isinstance(value, str) else 3.25
            if entry.name in ("DEEPSPEED", "CHAT_TEMPLATE"):
                other = "ds.json"
            learned = entry.metadata["learned"].holds(invocation.settings)
            assert (entry.name in self.change(invocation, **{entry.name: other})) == learned, entry.name

    @pytest.mark.parametrize("name", ["LEARNING_RATE", "LORA_R", "TARGET_MODULES", "SEED", "MAX_LENGTH", "MODEL_ID"])
    def test_what_is_learned(self, invocation: Invocation, name: str) -> None:
        assert self.change(invocation, **{name: "other"}) == {name}

    @pytest.mark.parametrize("name", ["SAVE_STEPS", "EVAL_STEPS", "LOGGING_STEPS", "SAVE_TOTAL_LIMIT"])
    def test_what_is_not(self, invocation: Invocation, name: str) -> None:
        assert self.change(invocation, **{name: 7}) == set()

    def test_the_same_effective_batch_by_another_split_is_only_noted(self, invocation: Invocation) -> None:
        twice = Invocation(replace(invocation.settings, GRADIENT_ACCUMULATION_STEPS=8), invocation.folders)
        assert self.change(twice, processes=4, GRADIENT_ACCUMULATION_STEPS=2, PARALLELISM="ddp") == set()
        assert self.change(twice, PER_DEVICE_BATCH_SIZE=2, GRADIENT_ACCUMULATION_STEPS=4) == set()
        assert self.change(twice, PER_DEVICE_BATCH_SIZE=2) == {"effective batch"}
        assert self.change(twice, processes=2) == {"effective batch"}

    def test_files_that_another_sharding_cannot_read(self, invocation: Invocation) -> None:
        assert self.change(invocation, PARALLELISM="fsdp") == {"checkpoint files"}
        assert self.change(invocation, PARALLELISM="pipeline") == set()

    def test_a_longer_run_is_the_same_only_where_the_schedule_does_not_end(self, invocation: Invocation) -> None:
        assert self.change(invocation, MAX_STEPS=7) == {"MAX_STEPS", "NUM_TRAIN_EPOCHS"}
        assert self.change(invocation, NUM_TRAIN_EPOCHS=3.0) == set(), "3 is what not set means"
        endless = Invocation(replace(invocation.settings, LR_SCHEDULER_TYPE="constant"), invocation.folders)
        assert self.change(endless, MAX_STEPS=7) == set()
        warmed = replace(invocation.settings, LR_SCHEDULER_TYPE="constant_with_warmup", WARMUP_RATIO=0.1)
        assert self.change(Invocation(warmed, invocation.folders), MAX_STEPS=7) == {"MAX_STEPS", "NUM_TRAIN_EPOCHS"}

    def test_what_chooses_the_best_checkpoint_decides_the_result(self, invocation: Invocation) -> None:
        chosen = replace(invocation.settings, LOAD_BEST_MODEL_AT_END=True, EVAL_STEPS=10)
        assert self.change(Invocation(chosen, invocation.folders), EVAL_STEPS=5) == {"EVAL_STEPS"}
        found = made(Invocation(chosen, invocation.folders), 1)
        assert "validation data data.jsonl" in found["learned"]
        assert "validation data data.jsonl" in made(invocation, 1)["noted"]

    def test_data_and_code_by_digest(
        self, invocation: Invocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = made(invocation, 1)
        (tmp_path / "train/more.jsonl").write_text("{}\n")
        (tmp_path / "train/data.jsonl").write_text("{}\n{}\n")
        monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "fingerprint.py"))
        (tmp_path / "job.py").write_text("pass\n")
        lines = fingerprint.differences(before["learned"], made(invocation, 1)["learned"])
        assert any(
            line.startswith("training data data.jsonl was 3 bytes, SHA-256 ca3d163bab055381 there") for line in lines
        )
        assert "training data more.jsonl was missing there and is 3 bytes, SHA-256 ca3d163bab055381 here" in lines
        assert any(line.startswith("code job.py was ") for line in lines)

    def test_deepspeeds_json_by_its_content(
        self, invocation: Invocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "fingerprint.py"))
        for name, text in (
            ("one.json", '{"gradient_clipping": 1.0, "zero_optimization": {"stage": 2}}'),
            ("same.json", '{"zero_optimization": {\n"stage": 2}, "gradient_clipping": 1.0}'),
            ("other.json", '{"gradient_clipping": 0.5, "zero_optimization": {"stage": 2}}'),
        ):
            (tmp_path / name).write_text(text)
        zero = replace(invocation.settings, PARALLELISM="zero2", DEEPSPEED="one.json")
        run = Invocation(zero, invocation.folders)
        assert self.change(run, DEEPSPEED="same.json") == set()
        assert self.change(run, DEEPSPEED="other.json") == {"content of DEEPSPEED"}
        assert self.change(run, DEEPSPEED=None) == {"content of DEEPSPEED"}
        mine = made(run, 1)
        (tmp_path / "one.json").write_text("{}")
        assert fingerprint.engine(mine) == {"gradient_clipping": 1.0, "zero_optimization": {"stage": 2}}
        assert fingerprint.engine(made(invocation, 1)) is None

    def test_patch_versions_are_only_noted(self, invocation: Invocation, monkeypatch: pytest.MonkeyPatch) -> None:
        found = []
        for release in ("2.9.0+cu128", "2.9.1", "2.10.0"):
            monkeypatch.setattr(fingerprint, "version", lambda _, release=release: release)
            found.append(made(invocation, 1))
        assert fingerprint.differences(found[0]["learned"], found[1]["learned"]) == []
        assert "release of torch was 2.9.0+cu128 there" in str(
            fingerprint.differences(found[0]["noted"], found[1]["noted"])
        )
        assert "torch was 2.9 there and is 2.10 here" in fingerprint.differences(
            found[0]["learned"], found[2]["learned"]
        )

    def test_a_rehearsal_is_never_the_real_run(self, invocation: Invocation, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text("{}")
        tiny = replace(invocation.folders, tiny=True, model_config=tmp_path / "config.json")
        one = made(invocation, 1)
        other = made(Invocation(invocation.settings, tiny), 1)
        assert len(fingerprint.differences(one["learned"], other["learned"])) == 1

    def test_the_files_of_a_local_model_count(self, invocation: Invocation, tmp_path: Path) -> None:
        weights = tmp_path / "model/model.safetensors"
        weights.parent.mkdir()
        weights.write_bytes(b"12345")
        local = Invocation(replace(invocation.settings, MODEL_ID=str(tmp_path / "model")), invocation.folders)
        before = made(local, 1)["learned"]
        assert before["base model model.safetensors"] == "5 bytes, SHA-256 5994471abb01112a"
        weights.write_bytes(b"54321")
        lines = fingerprint.differences(before, made(local, 1)["learned"])
        assert len(lines) == 1
        assert lines[0].startswith(
            "base model model.safetensors was 5 bytes, SHA-256 5994471abb01112a there and is 5 bytes"
        )

    def test_the_files_below_a_local_model_count_too(self, invocation: Invocation, tmp_path: Path) -> None:
        model, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
        elsewhere.mkdir()
        local = Invocation(replace(invocation.settings, MODEL_ID=str(model)), invocation.folders)
        files = [model / "w/a.safetensors", model / "additional_chat_templates/default.jinja", elsewhere / "a.bin"]
        for path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("one")
        (model / "linked").symlink_to(elsewhere)
        (model / "w/back").symlink_to(model)
        (model / ".git").mkdir()
        (model / "pipe").mkdir()
        os.mkfifo(model / "pipe/pipe")
        before = made(local, 1)["learned"]
        for path in (*files, model / ".git/index"):
            path.write_text("two")
        lines = fingerprint.differences(before, made(local, 1)["learned"])
        assert [line.partition(" was ")[0] for line in lines] == [
            "base model additional_chat_templates/default.jinja",
            "base model linked/a.bin",
            "base model w/a.safetensors",
        ]

    def test_of_a_large_file_blocks_from_the_first_byte_to_the_last_count(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fingerprint, "WHOLE_BYTES", 1000)
        monkeypatch.setattr(fingerprint, "BLOCK_BYTES", 2)
        path = tmp_path / "model.safetensors"

        def seen(place: int) -> bool:
            path.write_bytes(bytes(2000))
            before = fingerprint.sampled_digest(path)
            path.write_bytes(bytes(place) + b"x" + bytes(1999 - place))
            return fingerprint.sampled_digest(path) != before

        places = [place for place in range(2000) if seen(place)]
        assert len(places) == 2 * fingerprint.BLOCKS
        assert {0, 1, 1998, 1999} <= set(places)
        assert max(b - a for a, b in pairwise(places)) <= 32
