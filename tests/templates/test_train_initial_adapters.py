"""Training goes on from adapters: they are loaded whole, held to the settings, and the reference is a copy of them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_train_tasks import DPO, KTO, PAIRS, RATED, SMALL, asked, put, said
from training_bench import Bench, losses

Job = Callable[..., str]
STARTED = {"ADAPTER": "someone/adapters"}
CHATS = [{"messages": asked(number) + said(f"It is {number + 1}.")} for number in range(10)]


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / "adapter_model.safetensors"))


def test_dpo_compares_with_a_copy(bench: Bench, job: Job) -> None:
    import torch

    put(bench, DPO | STARTED, PAIRS, PAIRS[:2])
    output = job()
    assert losses(output)[0] == pytest.approx(0.693147, abs=1e-4), "the reference is what training began with"
    before, after = weights(bench.folder / "output/tiny-model/initial-adapter"), weights(bench.folder / "model")
    assert before.keys() == after.keys()
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    near = [torch.allclose(before[name], after[name], atol=0.05) for name in before]
    assert moved, "it trained"
    assert all(near), "it went on from these"
    assert not (bench.folder / "model/ref").exists()
    assert sorted(path.name for path in (bench.folder / "model/adapters/candidate").iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors"
    ]  # fmt: skip
    new = sum(weight.numel() for weight in before.values())
    assert bench.record["parameters"]["trainable"] == new


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        (DPO, PAIRS),
        pytest.param(KTO, RATED, marks=pytest.mark.long),
        pytest.param(SMALL, CHATS, marks=pytest.mark.long),
    ],
    ids=["dpo", "kto", "sft"],
)
def test_a_stopped_run_goes_on_from_its_checkpoint_and_not_from_the_adapters(
    bench: Bench, job: Job, settings: dict[str, str], rows: list[Any]
) -> None:
    put(bench, settings | STARTED | {"MAX_STEPS": "4", "SAVE_STEPS": "1", "SAVE_TOTAL_LIMIT": "9"}, rows)
    whole, ended = losses(job()), weights(bench.folder / "model")
    for name in ("model", "checkpoints/checkpoint-4", "checkpoints/checkpoint-3"):
        shutil.rmtree(bench.folder / name)
    assert losses(job()) == whole[2:]
    again = weights(bench.folder / "model")
    assert all(bool((again[name] == held).all()) for name, held in ended.items())


def test_a_folder_of_adapters_on_a_base_model_that_lies_here(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch
    import train

    one = {"MAX_STEPS": "1", "PARALLELISM": "single"}
    put(bench, SMALL | one, CHATS)
    job()
    base, given = bench.folder / "base", bench.folder / "given"
    (bench.folder / "output/tiny-model").rename(base)
    (bench.folder / "model").rename(given)
    for name in ("checkpoints", "output"):
        shutil.rmtree(bench.folder / name)
    put(bench, SMALL | one | {"ADAPTER": "s3://bucket/adapters/"}, CHATS)
    monkeypatch.setenv("SM_CHANNEL_MODEL", str(base))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    words = [word for word in bench.arguments if word != "--tiny"]
    assert train.main(words) == 2
    assert (
        "ADAPTER=s3://bucket/adapters/ is not a folder of this machine: pass --adapter-dir" in capsys.readouterr().err
    )
    monkeypatch.setenv("SM_CHANNEL_ADAPTER", str(given))
    assert train.main(words) == 0
    before, after = weights(given), weights(bench.folder / "model")
    assert all(torch.allclose(before[name], after[name], atol=0.02) for name in before)
    manifest = json.loads((bench.folder / "checkpoints/checkpoint-1/hbspec.json").read_text())
    assert "initial adapter adapter_model.safetensors" in manifest["fingerprint"]["loaded"]
    (given / "adapter_config.json").write_text((given / "adapter_config.json").read_text() + "\n")
    capsys.readouterr()
    assert train.main(words) == 2
    assert "initial adapter adapter_config.json was " in capsys.readouterr().err
    for name in ("model", "output", "checkpoints"):
        shutil.rmtree(bench.folder / name)
    assert train.main([*words, "--TARGET_MODULES", '["q_proj"]']) == 2
    assert "which are not trained here, the first is base_model.model.model.layers.0" in capsys.readouterr().err


CONFIG = {"peft_type": "LORA", "r": 16, "lora_alpha": 32, "use_rslora": False, "use_dora": False, "bias": "none"}


@pytest.mark.parametrize(
    ("settings", "config", "says"),
    [
        ({}, CONFIG, None),
        ({"LORA_R": "8"}, CONFIG, "has r 16, and LORA_R is 8: set LORA_R=16"),
        ({"LORA_ALPHA": "16"}, CONFIG, "has lora_alpha 32, and LORA_ALPHA is 16: set LORA_ALPHA=32"),
        ({}, CONFIG | {"use_dora": True}, "has use_dora true, and USE_DORA is false: set USE_DORA=true"),
        ({}, CONFIG | {"rank_pattern": {"q": 4}}, "has rank_pattern {'q': 4}, which this script does not train"),
        ({}, CONFIG | {"peft_type": "IA3"}, "has peft_type IA3, which this script does not train"),
        ({}, [], "does not hold a JSON object: save the adapters again"),
        ({}, None, "holds no adapter_config.json: name a folder that peft has saved adapters in"),
        ({"METHOD": "full"}, CONFIG, "has no effect with METHOD=full: merge it into the model first"),
        ({"TASK": "reward", "DATA_TYPE": "preference"}, CONFIG, "with TASK=reward: adapters have no head that rewards"),
    ],
)
def test_adapters_that_are_not_those_of_the_settings(
    settings: dict[str, str], config: Any, says: str | None, tmp_path: Path
) -> None:
    from handover import parse
    from settings import RefusedError

    (tmp_path / "adapter_model.safetensors").touch()
    if config is not None:
        (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    given = {"MODEL_ID": "m", "PARALLELISM": "single", "ADAPTER": str(tmp_path)} | settings
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    if says is None:
        parse(words, {})
        return
    with pytest.raises(RefusedError, match=re.escape(says)):
        parse(words, {})


def test_a_folder_that_nothing_names_and_one_that_would_be_written_over(tmp_path: Path) -> None:
    from handover import parse
    from initial_adapters import written_over
    from settings import Folders, Invocation, RefusedError, Settings

    with pytest.raises(RefusedError, match="has no effect without ADAPTER"):
        parse(["--MODEL_ID", "m", "--PARALLELISM", "single", "--adapter-dir", str(tmp_path)], {})
    there = Invocation(Settings(MODEL_ID="m", ADAPTER=str(tmp_path)), Folders(model_dir=tmp_path))
    assert len(list(written_over(there))) == 1


@pytest.mark.long
def test_two_ranks_compare_with_the_copy(bench: Bench) -> None:
    put(bench, DPO | STARTED | {"PARALLELISM": "ddp", "PRECOMPUTE_REF_LOG_PROBS": "true"}, PAIRS)
    output = bench.run(ranks=2)
    assert losses(output)[0] == pytest.approx(0.693147, abs=1e-4)
    assert bench.record["examples_of_each_update"] == [8, 4]


def test_adapters_of_the_hub_are_those_of_their_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from handover import parse
    from initial_adapters import find
    from settings import Folders, Invocation, RefusedError, Settings

    asked_for: list[tuple[str, str | None]] = []

    def download(name: str, revision: str | None = None, **_: Any) -> str:
        asked_for.append((name, revision))
        raise OSError("not there")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    pinned = Settings(MODEL_ID="m", ADAPTER="acme/first", ADAPTER_REVISION="v1.0")
    with pytest.raises(RefusedError, match=r"ADAPTER=acme/first at ADAPTER_REVISION=v1\.0 cannot"):
        find(Invocation(pinned, Folders(model_dir=tmp_path)), "base")
    assert asked_for == [("acme/first", "v1.0")]
    with pytest.raises(RefusedError, match=r"ADAPTER_REVISION=v1\.0 has no effect without ADAPTER"):
        parse(["--MODEL_ID", "m", "--PARALLELISM", "single", "--ADAPTER_REVISION", "v1.0"], {})
