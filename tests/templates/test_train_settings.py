from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import beside
import pytest
import settings
from folder_lock import alone_in
from handover import parse, refuse_folders
from settings import Folders, Invocation, RefusedError, Settings
from training_bench import SEED, TEMPLATES


def refused(*arguments: str, environment: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(RefusedError) as caught:
        parse(["--MODEL_ID", "m", *arguments], environment or {})
    return caught.value.problems


def test_the_seeds_eleven_names_are_settings() -> None:
    assert set(SEED) < set(settings.names())


def test_the_file_hands_over_texts_and_becomes_typed_values(tmp_path: Path) -> None:
    (tmp_path / "hyperparameters.json").write_text(json.dumps(SEED))
    found = parse(["--config-dir", str(tmp_path)], {}).settings
    assert found == Settings(
        MODEL_ID="deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
        LEARNING_RATE=1e-4,
        MAX_STEPS=300,
        PER_DEVICE_BATCH_SIZE=1,
        GRADIENT_ACCUMULATION_STEPS=32,
        MAX_LENGTH=4096,
        LORA_R=16,
        LORA_ALPHA=32.0,
        LORA_DROPOUT=0.05,
        BNB_QUANT_TYPE="nf4",
        BNB_DOUBLE_QUANT=True,
    )


def test_the_command_line_wins_over_the_file_in_either_spelling(tmp_path: Path) -> None:
    (tmp_path / "hyperparameters.json").write_text(json.dumps(SEED))
    found = parse(["--config-dir", str(tmp_path), "--LORA_R", "8", "--learning_rate=2e-4", "--max_steps", "7"], {})
    assert (found.settings.LORA_R, found.settings.LEARNING_RATE, found.settings.MAX_STEPS) == (8, 2e-4, 7)
    assert found.settings.LORA_ALPHA == 32


def test_what_sagemakers_own_tools_add_is_passed_over(tmp_path: Path) -> None:
    added = {"sagemaker_program": "train.py", "sagemaker_container_log_level": "20"}
    (tmp_path / "hyperparameters.json").write_text(json.dumps(SEED | added))
    assert parse(["--config-dir", str(tmp_path)], {}).settings.LORA_R == 16


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "hyperparameters.json").write_text(json.dumps({"LORA_RANK": "16", "SEED": 7, "MAX_LENGTH": "4k"}))
    with pytest.raises(RefusedError) as caught:
        parse(["--config-dir", str(tmp_path), "--learning-rte", "1", "--BNB_DOUBLE_QUANT", "True", "--LORA_R"], {})
    text = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 7
    for part in (
        "--learning-rte is not a setting",
        "--LORA_R needs a value",
        "LORA_RANK in",
        "SEED in",
        "MAX_LENGTH='4k': must be a whole number, 1 or more",
        "BNB_DOUBLE_QUANT='True': must be true or false",
        "MODEL_ID is missing",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEARNING_RATE", "0"), ("LEARNING_RATE", "nan"), ("LEARNING_RATE", "fast"), ("MAX_STEPS", "0"),
        ("MAX_STEPS", "3.5"), ("LORA_DROPOUT", "1"), ("WARMUP_RATIO", "1"), ("METHOD", "QLoRA"), ("OPTIM", "adamw"),
        ("LR_SCHEDULER_TYPE", "cos"), ("BNB_QUANT_TYPE", "nf5"), ("BF16", "yes"), ("TARGET_MODULES", "q_proj"),
        ("TARGET_MODULES", "[]"), ("MODULES_TO_SAVE", '"lm_head"'), ("PARALLELISM", "tensor"), ("MODEL_ID", " "),
        ("DATA_FORMAT", "alpaca"), ("SEED", "-1"),
    ],
)  # fmt: skip
def test_values_that_do_not_parse_are_refused_by_name(name: str, value: str) -> None:
    assert [problem.split("=")[0] for problem in refused(f"--{name}", value)] == [name]


def test_lists_and_flags_parse() -> None:
    found = parse(["--MODEL_ID", "m", "--TARGET_MODULES", '["q_proj", "v_proj"]', "--USE_DORA", "true"], {}).settings
    assert found.TARGET_MODULES == ("q_proj", "v_proj")
    assert found.USE_DORA is True


def test_contradictions_are_refused() -> None:
    assert "set one of them" in refused("--BF16", "true", "--FP16", "true")[0]
    assert "set one of them" in refused("--WARMUP_RATIO", "0.1", "--WARMUP_STEPS", "5")[0]
    assert "SAVE_STEPS=50" in refused("--LOAD_BEST_MODEL_AT_END", "true", "--EVAL_STEPS", "20")[0]
    torchrun = {"RANK": "0", "WORLD_SIZE": "4"}
    assert "4 were launched" in refused("--PARALLELISM", "pipeline", environment=torchrun)[0]
    assert "torchrun" in refused("--PARALLELISM", "ddp")[0]
    assert "BNB_4BIT_QUANT_STORAGE" in refused("--PARALLELISM", "fsdp", environment=torchrun)[0]
    assert "zero3" in refused("--PARALLELISM", "zero3", environment=torchrun)[0]
    parse(["--MODEL_ID", "m", "--PARALLELISM", "ddp"], torchrun)


def test_folders_come_from_sagemakers_environment_and_the_command_line_beats_it() -> None:
    environment = {"SM_CHANNEL_TRAIN": "/data/a", "SM_MODEL_DIR": "/data/m"}
    folders = parse(["--MODEL_ID", "m", "--model-dir", "/data/other"], environment).folders
    assert folders.train_dir == Path("/data/a")
    assert folders.model_dir == Path("/data/other")
    assert folders.checkpoint_dir == Path("/opt/ml/checkpoints")


def test_folders_that_this_machine_lacks_are_asked_for_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "train").mkdir()
    lacking = Folders(
        train_dir=tmp_path / "nowhere", model_dir=tmp_path / "file/model", checkpoint_dir=tmp_path / "new/checkpoints",
        output_data_dir=tmp_path / "file",
    )  # fmt: skip
    with pytest.raises(RefusedError) as caught:
        refuse_folders(Invocation(Settings(MODEL_ID="any"), lacking))
    assert caught.value.problems == (
        f"the folder {tmp_path}/nowhere to train on does not exist: pass --train-dir FOLDER",
        f"{tmp_path}/file/model cannot be written: pass --model-dir FOLDER",
        f"{tmp_path}/file cannot be written: pass --output-data-dir FOLDER",
    )
    there = {name: tmp_path / name for name in ("model_dir", "checkpoint_dir", "output_data_dir")}
    refuse_folders(Invocation(Settings(MODEL_ID="any"), Folders(train_dir=tmp_path / "train", **there)))


@pytest.mark.parametrize("name", ["model_dir", "checkpoint_dir", "output_data_dir"])
@pytest.mark.parametrize("place", ["circle", "x" * 300], ids=["circle", "long"])
def test_a_path_that_leads_nowhere_is_no_traceback(tmp_path: Path, name: str, place: str) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    there = {name: tmp_path / name for name in ("model_dir", "checkpoint_dir", "output_data_dir")}
    lacking = Folders(train_dir=tmp_path / "train", **there | {name: tmp_path / place})
    with pytest.raises(RefusedError) as caught:
        refuse_folders(Invocation(Settings(MODEL_ID="any"), lacking))
    assert caught.value.problems == (f"{tmp_path / place} cannot be written: pass {settings.option(name)} FOLDER",)


def test_a_folder_that_cannot_be_made_is_refused_by_its_option(tmp_path: Path) -> None:
    folders = Folders(
        model_dir=tmp_path / "m", checkpoint_dir=Path("/proc/checkpoints"), output_data_dir=tmp_path / "o"
    )
    with pytest.raises(RefusedError) as caught, alone_in(folders):
        raise AssertionError("it was made")
    (problem,) = caught.value.problems
    assert problem.startswith("/proc/checkpoints cannot be made (")
    assert problem.endswith("pass another --checkpoint-dir")


def test_an_empty_path_is_not_the_folder_that_the_script_runs_in() -> None:
    """As a variable of a shell that is not set leaves it."""
    assert refused("--checkpoint-dir=", "--model-dir", "") == (
        "--checkpoint-dir='': must not be empty",
        "--model-dir='': must not be empty",
    )
    assert parse(["--MODEL_ID", "m"], {"SM_MODEL_DIR": ""}).folders.model_dir == Folders().model_dir


@pytest.mark.parametrize("name", ["a/b.json", "nowhere.json"])
def test_a_rehearsal_refuses_a_file_that_is_not_beside_the_script(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.json").write_text("{}")
    words = ("--tiny", "--model-config", str(tmp_path / "config.json"), "--PARALLELISM", "zero2", "--DEEPSPEED", name)
    assert refused(*words) == (f"DEEPSPEED={name} is not a file beside this script",)


def test_every_setting_is_in_the_usage_and_each_default_parses_back() -> None:
    for name in settings.names():
        assert f"--{name} " in settings.usage()
    spelled = {name: str(value) for name, value in settings.defaults().items() if value not in (None, ())}
    given = [f"--{name}={text.lower() if text in ('True', 'False') else text}" for name, text in spelled.items()]
    assert parse(["--MODEL_ID", "m", *given], {}).settings == Settings(MODEL_ID="m")


def test_choices_are_names_that_transformers_knows() -> None:
    from transformers import SchedulerType
    from transformers.training_args import OptimizerNames

    assert set(settings.OPTIMIZERS) <= {entry.value for entry in OptimizerNames}
    assert set(settings.SCHEDULERS) <= {entry.value for entry in SchedulerType}


def test_a_refusal_is_lines_on_standard_error_and_exit_code_2_before_anything_heavy_is_imported() -> None:
    program = (
        "import sys, train\n"
        "code = train.main(['--LORA_RANK', '16', '--MAX_STEPS', 'many'])\n"
        "print(sorted({'torch', 'transformers', 'trl', 'peft', 'numpy'} & set(sys.modules)))\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=TEMPLATES)
    assert done.returncode == 2
    assert done.stdout == "[]\n"
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["train.py"] * 3


def test_the_requirements_are_what_is_installed_and_leave_torch_to_the_image() -> None:
    from importlib.metadata import version

    import transformers  # noqa: F401 - one of the pins

    lines = [line for line in (TEMPLATES / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    pins = dict(line.split("#")[0].strip().split("==") for line in lines)
    assert {name: version(name) for name in pins} == pins
    assert "torch" not in pins
    assert all("  # " in line or " # " in line for line in lines), "every pin says why"


@pytest.mark.parametrize("tiny", [(), ("--tiny",)])
@pytest.mark.parametrize("named", ["acme/base", None])
def test_an_adapter_is_no_base_model(tmp_path: Path, tiny: tuple[str, ...], named: str | None) -> None:
    """transformers would load the base below it, and TRL would train a fresh adapter there."""
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": named}))
    (problem,) = refused("--MODEL_ID", str(tmp_path), "--LEARNING_RATE", "1e-4", *tiny)
    assert problem.startswith(
        f"MODEL_ID={tmp_path} holds an adapter (adapter_config.json) and not a whole model: merge"
    )
    assert ("into its base, acme/base, first" in problem) == (named is not None)


def test_an_adapter_beside_weights_is_refused_whatever_its_file_holds(tmp_path: Path) -> None:
    for name, text in (("config.json", "{}"), ("adapter_config.json", "[")):
        (tmp_path / name).write_text(text)
    (problem,) = refused("--MODEL_ID", str(tmp_path), "--METHOD", "full")
    assert "merge it into its base first" in problem


@pytest.mark.parametrize("text", ["{", "[]", "\ud800", None])
def test_a_deepspeed_json_that_holds_no_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.setattr(beside, "__file__", str(tmp_path / "beside.py"))
    if text is not None:
        (tmp_path / "ds.json").write_bytes(text.encode(errors="surrogatepass"))
    (problem,) = refused(
        "--LEARNING_RATE", "1e-4", "--PARALLELISM", "zero2", "--DEEPSPEED", "ds.json", environment={"RANK": "0"}
    )
    assert problem.startswith("DEEPSPEED=ds.json does not hold" if text else "DEEPSPEED=ds.json is not a file")


def test_deepspeed_is_told_what_the_fingerprint_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not what the file holds by then."""
    import loading

    monkeypatch.setattr(loading, "config_of", lambda _: dict)
    run = Invocation(Settings(MODEL_ID="m", PARALLELISM="zero2", DEEPSPEED="gone.json"), Folders())
    told = loading.trainer_arguments(run, "float32", evaluated=False, engine={"gradient_clipping": 0.5})
    assert told["deepspeed"] == {"gradient_clipping": 0.5}
