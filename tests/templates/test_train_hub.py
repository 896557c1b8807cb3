"""Real runs whose base model lies in a cache of the Hub, where a branch can move from one commit to another."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import base_model
import fingerprint
import pytest
from settings import RefusedError
from training_bench import TEMPLATES, Bench, sums

pytestmark = pytest.mark.long

SETTINGS = {
    "MODEL_ID": "acme/tiny",
    "METHOD": "lora",
    "PARALLELISM": "single",
    "LEARNING_RATE": "5e-3",
    "PER_DEVICE_BATCH_SIZE": "2",
    "MAX_LENGTH": "256",
    "MAX_STEPS": "2",
    "SAVE_STEPS": "1",
}
FIRST, SECOND = "1" * 40, "2" * 40


@pytest.fixture
def hub(bench: Bench) -> Path:
    """A cache as huggingface_hub lays it out, with two commits of one model, and a bench that trains on it."""
    bench.write(SETTINGS, sums(8))
    bench.run("--MAX_STEPS", "1")
    repository = bench.folder / "hf/hub/models--acme--tiny"
    for commit in (FIRST, SECOND):
        shutil.copytree(bench.folder / "output/tiny-model", repository / "snapshots" / commit)
        (repository / "snapshots" / commit / "hbspec-model.json").unlink()
    weights = bytearray((repository / "snapshots" / SECOND / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (repository / "snapshots" / SECOND / "model.safetensors").write_bytes(weights)
    (repository / "refs").mkdir()
    for name in ("checkpoints", "model", "output"):
        shutil.rmtree(bench.folder / name)
    return repository


def run(bench: Bench, *more: str) -> subprocess.CompletedProcess[str]:
    words = bench.arguments[1:]
    at = words.index("--model-config")
    del words[at : at + 2]
    environment = {**bench.environment, "HF_HOME": str(bench.folder / "hf"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, str(TEMPLATES / "train.py"), *words, *more]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_a_branch_that_moves_on_the_hub_is_another_base(bench: Bench, hub: Path) -> None:
    (hub / "refs/main").write_text(FIRST)
    first = run(bench)
    assert first.returncode == 0, first.stderr[-4000:]
    delivered = (bench.folder / "model/adapter_model.safetensors").read_bytes()
    manifest = json.loads((bench.folder / "checkpoints/checkpoint-2/hbspec.json").read_text())
    assert manifest["fingerprint"]["loaded"]["commit of the weights"] == FIRST

    (hub / "refs/main").write_text(SECOND)
    moved = f"commit of the weights was {FIRST} there and is {SECOND} here"
    again = run(bench)
    assert (again.returncode, moved in again.stderr) == (2, True), again.stderr[-4000:]
    assert f"{bench.folder}/checkpoints/checkpoint-2 was written by another run" in again.stderr
    others = [
        word
        for name in ("checkpoint", "output-data")
        for word in (f"--{name}-dir", str(bench.folder / "second" / name))
    ]
    second = run(bench, *others)
    assert (second.returncode, moved in second.stderr) == (2, True), second.stderr[-4000:]
    assert "--model-dir" in second.stderr
    assert (bench.folder / "model/adapter_model.safetensors").read_bytes() == delivered

    pinned = run(bench, "--REVISION", FIRST)
    assert (pinned.returncode, "REVISION was not set there and is" in pinned.stderr) == (2, True)
    (hub / "refs/main").write_text(FIRST)
    assert run(bench).returncode == 0


def test_where_no_commit_is_known_the_content_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers.utils

    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(transformers.utils, "cached_file", lambda *_, **__: str(tmp_path / "config.json"))
    monkeypatch.setattr(transformers.utils, "find_adapter_config_file", lambda *_, **__: None)
    found = base_model.published("acme/tiny", "main")
    held = {"config.json": "2 bytes, SHA-256 44136fa355b3678a"}
    assert found == ("acme/tiny", "main", {"weights config.json": held["config.json"]}, tmp_path, held)


def test_a_local_folder_has_no_commit(tmp_path: Path) -> None:
    assert base_model.published(str(tmp_path), None) == (str(tmp_path), None, {}, tmp_path, None)


def test_an_adapter_on_the_hub_is_no_base_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers.utils

    path = tmp_path / "adapter_config.json"
    path.write_text('{"base_model_name_or_path": "acme/base"}')
    monkeypatch.setattr(transformers.utils, "find_adapter_config_file", lambda *_, **__: str(path))
    with pytest.raises(RefusedError, match=r"acme/first holds an adapter .*into its base, acme/base, first"):
        base_model.published("acme/first", None)


def test_a_blob_that_is_changed_in_the_cache_is_another_base(bench: Bench, hub: Path) -> None:
    """The branch leads to the same commit, and the file has the same size."""
    (hub / "refs/main").write_text(FIRST)
    weights = hub / "snapshots" / FIRST / "model.safetensors"
    content = bytearray(weights.read_bytes())
    blob = hub / "blobs" / hashlib.sha256(content).hexdigest()
    blob.parent.mkdir()
    weights.rename(blob)
    weights.symlink_to(blob)
    first = run(bench, "--MAX_STEPS", "1")
    assert first.returncode == 0, first.stderr[-4000:]
    delivered = (bench.folder / "model/adapter_model.safetensors").read_bytes()
    loaded = json.loads((bench.folder / "checkpoints/checkpoint-1/hbspec.json").read_text())["fingerprint"]["loaded"]
    assert {"weights config.json", "weights tokenizer.json", "weights model.safetensors"} <= loaded.keys()

    (weights.parent / "README.md").write_text("other programs read it")
    content[-1] ^= 1
    blob.write_bytes(content)
    again = run(bench, "--MAX_STEPS", "1")
    assert again.returncode == 2, again.stderr[-4000:]
    assert f"weights model.safetensors was {loaded['weights model.safetensors']} there and is" in again.stderr
    assert "weights README" not in again.stderr
    assert (bench.folder / "model/adapter_model.safetensors").read_bytes() == delivered


class TestSign:
    def snapshot(self, folder: Path) -> base_model.Base:
        snapshot = folder / FIRST
        snapshot.mkdir()
        for name in ("config.json", "tokenizer.json", "vocab.json", "a.safetensors", "b.safetensors", "notes.txt"):
            (snapshot / name).write_text(name)
        said = {"commit of the weights": FIRST}
        return base_model.Base("acme/tiny", FIRST, said, snapshot, fingerprint.contents(snapshot))

    def names(self, base: base_model.Base) -> set[str]:
        mine: fingerprint.Fingerprint = {"learned": {}, "loaded": {}, "noted": {}}
        assert base_model.sign(base, mine) == []
        return {key.removeprefix("weights ") for key in mine["loaded"]}

    def test_what_is_loaded_counts_and_no_other_file_of_the_commit(self, tmp_path: Path) -> None:
        base = self.snapshot(tmp_path)
        assert base.folder is not None
        assert self.names(base) == {"config.json", "tokenizer.json"}
        (base.folder / "pytorch_model.bin").touch()
        assert self.names(base) == {"config.json", "tokenizer.json", "pytorch_model.bin"}
        index = base.folder / "model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": {"one": "a.safetensors", "two": "b.safetensors"}}))
        whole = {"config.json", "tokenizer.json", index.name, "a.safetensors", "b.safetensors"}
        assert self.names(base) == whole
        (base.folder / "tokenizer.json").unlink()
        assert self.names(base) == whole - {"tokenizer.json"} | {"vocab.json"}

    def test_what_is_changed_while_it_is_loaded_is_said(self, tmp_path: Path) -> None:
        base = self.snapshot(tmp_path)
        assert base.folder is not None
        (base.folder / "config.json").write_text("other.json!")
        said, line = base_model.sign(base, {"learned": {}, "loaded": {}, "noted": {}})
        assert said == "acme/tiny was changed while it was loaded: start again"
        assert line.startswith("config.json was 11 bytes")

    def test_of_a_local_folder_every_file_counts(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text("{}")
        base = base_model.published(str(tmp_path), None)
        said = {f"base model {name}": held for name, held in fingerprint.contents(tmp_path).items()}
        mine: fingerprint.Fingerprint = {
            "learned": {"base model": "published weights", **said},
            "loaded": {},
            "noted": {},
        }
        assert base_model.sign(base, mine) == []
        (tmp_path / "adapter_config.json").write_text("{}")
        assert "adapter_config.json was missing there" in base_model.sign(base, mine)[1]
        assert mine["loaded"] == {}


def test_a_local_base_that_is_replaced_before_it_is_loaded_is_not_trained_on(
    bench: Bench, job: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import job as shipped
    import train

    bench.write(SETTINGS, sums(8))
    job("--MAX_STEPS", "1")
    base = bench.folder / "base"
    (bench.folder / "output/tiny-model").rename(base)
    for name in ("checkpoints", "model", "output"):
        shutil.rmtree(bench.folder / name)
    weights, load = base / "model.safetensors", shipped.load_model

    def replaced(*arguments: Any) -> Any:
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        return load(*arguments)

    monkeypatch.setattr(shipped, "load_model", replaced)
    words = [word for word in bench.arguments if word != "--tiny"]
    assert train.main([*words, "--MODEL_ID", str(base)]) == 2
    said = capsys.readouterr().err
    assert f"{base} was changed while it was loaded: start again" in said
    assert "model.safetensors was" in said
    assert not list((bench.folder / "checkpoints").glob("checkpoint-*"))


def test_ranks_that_have_read_different_files_do_not_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may be replaced after one rank has read it and before another does."""
    import job as shipped
    import saving
    from checkpoints import Start
    from settings import Folders, Invocation, Settings

    mine: fingerprint.Fingerprint = {"learned": {"training data a.jsonl": "9 bytes"}, "loaded": {}, "noted": {}}

    def gathered(held: list[Any]) -> list[Any]:
        return [*held, {"training data a.jsonl": "8 bytes"}] if isinstance(held[0], dict) else held

    monkeypatch.setattr(saving, "gather_object", gathered)
    folders = Folders(model_dir=tmp_path / "model", output_data_dir=tmp_path / "output")
    with pytest.raises(RefusedError) as caught:
        shipped._check_start(Start(), Invocation(Settings(MODEL_ID="m"), folders), mine)
    assert caught.value.problems == (
        "the ranks would not train the same: start again on the same files",
        "training data a.jsonl was 8 bytes there and is 9 bytes here",
    )
