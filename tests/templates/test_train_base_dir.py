"""A base model whose files were copied beside the job, in place of the Hub's."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from handover import parse
from settings import RefusedError
from training_bench import Bench, sums

SETTINGS = {
    "MODEL_ID": "acme/gated",
    "METHOD": "lora",
    "PARALLELISM": "single",
    "LEARNING_RATE": "5e-3",
    "MAX_LENGTH": "256",
    "MAX_STEPS": "1",
}


def test_it_is_loaded_and_the_adapter_names_the_model_and_not_the_folder(
    bench: Bench, job: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import train

    bench.write(SETTINGS, sums(8))
    job()
    base = bench.folder / "base"
    (bench.folder / "output/tiny-model").rename(base)
    for name in ("checkpoints", "model", "output"):
        shutil.rmtree(bench.folder / name)
    monkeypatch.setenv("SM_CHANNEL_MODEL", str(base))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert train.main([word for word in bench.arguments if word != "--tiny"]) == 0
    assert (
        json.loads((bench.folder / "model/adapter_config.json").read_text())["base_model_name_or_path"] == "acme/gated"
    )
    assert os.environ["HF_HUB_OFFLINE"] == "1", "nothing is asked of the Hub"
    manifest = json.loads((bench.folder / "checkpoints/checkpoint-1/hbspec.json").read_text())
    assert "base model model.safetensors" in manifest["fingerprint"]["learned"]
    assert train.main([word for word in bench.arguments if word != "--tiny"]) == 0, (
        "the same base: nothing is left to do"
    )
    (base / "generation_config.json").write_text("{}")
    assert train.main([word for word in bench.arguments if word != "--tiny"]) == 2, "another base"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "is empty or not there, and no config.json"),
        (("model.tar.gz",), "holds model.tar.gz, and no config.json: put the files of the model's repository there"),
    ],
)
def test_a_folder_without_a_config_is_refused_at_once(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(RefusedError) as caught:
        parse(["--MODEL_ID", "acme/gated", "--base-dir", str(tmp_path)], {})
    assert [said in problem for problem in caught.value.problems] == [True]


def test_an_adapter_there_is_no_base(tmp_path: Path) -> None:
    for name in ("config.json", "adapter_config.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(RefusedError, match="holds an adapter"):
        parse(["--MODEL_ID", "acme/gated"], {"SM_CHANNEL_MODEL": str(tmp_path)})
