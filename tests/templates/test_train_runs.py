"""Real training runs of the shipped script, tiny and on the CPU."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable

import metrics
import pytest
from training_bench import HEARTBEAT, SEED, TEMPLATES, Bench, losses, preloaded, run_ranks, sums

UPDATES = 18
SMALL = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "LEARNING_RATE": "5e-3",
    "PER_DEVICE_BATCH_SIZE": "2",
    "GRADIENT_ACCUMULATION_STEPS": "2",
    "MAX_LENGTH": "256",
    "LORA_DROPOUT": "0.0",
}
ARGUMENTS = Bench.arguments.fget
Job = Callable[..., str]


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, str]:
    """The seed's eleven hyperparameters out of SageMaker's file; only the accumulation is smaller, for speed.

    On the real conversations where they lie beside the repository, else on made-up ones.
    """
    bench = Bench(tmp_path_factory.mktemp("seeded"))
    bench.write(SEED | {"PARALLELISM": "pipeline"}, sums(60))
    if HEARTBEAT.is_file():
        (bench.folder / "train/data.jsonl").write_text("\n".join(HEARTBEAT.read_text().splitlines()[:120]))
    return bench, bench.run("--GRADIENT_ACCUMULATION_STEPS", "2", "--max-updates", str(UPDATES))


def test_the_loss_falls(seeded: tuple[Bench, str]) -> None:
    found = losses(seeded[1])
    assert len(found) == UPDATES
    assert sum(found[-4:]) < sum(found[:4])


def test_every_update_prints_a_line_that_the_regexes_read(seeded: tuple[Bench, str]) -> None:
    lines = [line for line in seeded[1].splitlines() if line.startswith("hbspec: step=")]
    assert [int(line.split("=")[1].split()[0]) for line in lines] == list(range(1, UPDATES + 1))
    for line in lines:
        values = {name: float(match[1]) for name, regex in metrics.METRICS.items() if (match := re.search(regex, line))}
        shown = ("loss", "grad_norm", "learning_rate", "epoch", "step_seconds")
        assert set(values) == {f"train:{name}" for name in shown}
        assert values["train:step_seconds"] > 0
    assert float(re.findall(metrics.METRICS["train:learning_rate"], lines[0])[0]) == 1e-4


def test_the_record_says_what_was_counted(seeded: tuple[Bench, str]) -> None:
    bench, output = seeded
    record, examples = bench.record, len((bench.folder / "train/data.jsonl").read_text().splitlines())
    assert record["ranks"] == 1
    assert record["wrapper"] == "PeftModelForCausalLM"
    assert record["compute_dtype"] == "float32"
    assert record["updates"] == record["last_step"] == UPDATES
    assert record["examples_of_each_update"] == [2] * UPDATES
    assert record["examples_per_update"] == 2
    assert record["examples_consumed"] == record["examples_distinct"] == 2 * UPDATES
    assert record["epoch"] == {
        "examples": examples, "distinct": examples, "micro_batches_per_rank": examples, "updates": examples // 2,
    }  # fmt: skip
    assert record["data"]["train"]["read"] == record["data"]["train"]["used"] == examples
    assert record["checkpoints"] == [f"checkpoint-{UPDATES}"]
    assert record["first_loss"] == pytest.approx(losses(output)[0], rel=1e-5)
    assert record["last_loss"] == pytest.approx(losses(output)[-1], rel=1e-5)
    assert {line.split(":")[1].split()[-1] for line in output.splitlines() if "override" in line} == {
        override["name"] for override in record["overrides"]
    }
    assert all(set(override) == {"name", "from", "to", "reason"} for override in record["overrides"])
    assert record["versions"]["trl"] == "1.16.0"


def test_the_base_is_nf4_with_double_quantisation_and_the_adapter_reloads(seeded: tuple[Bench, str]) -> None:
    import bitsandbytes as bnb
    import torch
    from base_model import Base
    from conversations import encode, read_conversations
    from loading import compute_dtype, count_parameters, load_model
    from peft import PeftModel
    from settings import Settings
    from transformers import AutoTokenizer

    bench, _ = seeded
    settings = Settings(MODEL_ID="any", BF16=False)
    base = load_model(Base(bench.record["model_folder"], None, {}), settings, compute_dtype(settings), 0)
    quantised = [module for module in base.modules() if isinstance(module, bnb.nn.Linear4bit)]
    assert len(quantised) == 2 * 7
    states = [module.weight.quant_state for module in quantised]
    assert all(state.quant_type == "nf4" and state.nested for state in states)
    assert not isinstance(base.lm_head, bnb.nn.Linear4bit)

    tokenizer = AutoTokenizer.from_pretrained(bench.folder / "model")
    assert tokenizer.chat_template
    rows, _ = encode(tokenizer, read_conversations(bench.folder / "train")[:8], 4096)

    def loss(model: torch.nn.Module) -> float:
        model.eval()
        with torch.no_grad():
            return sum(
                float(model(input_ids=torch.tensor([row["input_ids"]]), labels=torch.tensor([row["labels"]])).loss)
                for row in rows
            )

    before = loss(base)
    adapted = PeftModel.from_pretrained(base, bench.folder / "model", is_trainable=True)
    assert loss(adapted) < before
    assert count_parameters(adapted) == bench.record["parameters"]
    for name in ("adapter_model.safetensors", "adapter_config.json"):  # vLLM reads the first, LMI the second
        one, other = bench.folder / "model" / name, bench.folder / "model/adapters/candidate" / name
        assert one.read_bytes() == other.read_bytes()
    config = json.loads((bench.folder / "model/adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (16, 32, 0.05)


LEAVING = """
import sys
sys.path.insert(0, {templates!r})
from train import main
code = main(sys.argv[1:])
import torch.distributed
import os
os.write(1, b"still in the group: %r\\n" % torch.distributed.is_initialized())  # at once: both ranks write to one pipe
sys.exit(code)
"""


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, str]:
    """160 examples, micro-batch 3, accumulation 2, 2 ranks, which say at their end whether they have left the group."""
    bench = Bench(tmp_path_factory.mktemp("two-ranks"))
    bench.write(SMALL | {"PARALLELISM": "ddp", "NUM_TRAIN_EPOCHS": "1", "PER_DEVICE_BATCH_SIZE": "3"}, sums(160))
    driver = bench.folder / "leaving.py"
    driver.write_text(LEAVING.format(templates=str(TEMPLATES)))
    return bench, run_ranks([driver, *bench.arguments])


def test_two_ranks_consume_what_an_epoch_deals_out(two_ranks: tuple[Bench, str]) -> None:
    """14 updates and 162 examples, the last update partial."""
    bench, output = two_ranks
    record = bench.record
    assert record["ranks"] == 2
    assert record["wrapper"] == "DistributedDataParallel"
    assert record["examples_per_update"] == 2 * 3 * 2
    assert record["examples_of_each_update"] == [12] * 13 + [6]
    assert record["examples_consumed"] == 162
    assert record["examples_distinct"] == 160
    assert record["epoch"] == {"examples": 162, "distinct": 160, "micro_batches_per_rank": 27, "updates": 14}
    assert len(losses(output)) == 14, "rank 0 alone prints"
    assert losses(output)[-1] < losses(output)[0]
    saved = json.loads((bench.folder / "checkpoints/checkpoint-14/hbspec.json").read_text())["files"]
    assert {"optimizer.pt", "rng_state_0.pth", "rng_state_1.pth", "trainer_state.json"} < set(saved)


def test_the_log_of_two_ranks_says_what_runs_and_what_an_update_computed(two_ranks: tuple[Bench, str]) -> None:
    lines = two_ranks[1].splitlines()
    (run,) = (json.loads(line.removeprefix(metrics.RUN)) for line in lines if line.startswith(metrics.RUN))
    (done,) = (json.loads(line.removeprefix(metrics.DONE)) for line in lines if line.startswith(metrics.DONE))
    assert {name: run[name] for name in ("updates", "after", "ranks", "micro_batch", "accumulation", "gpus")} == {
        "updates": 14, "after": 0, "ranks": 2, "micro_batch": 3, "accumulation": 2, "gpus": [],
    }  # fmt: skip
    assert run["settings"] == two_ranks[0].record["settings"]
    assert done == {"updates": 14, "last_step": 14, "stopped_by": None, "examples_consumed": 162}
    found = [dict(pair.split("=") for pair in line.split()[1:]) for line in lines if line.startswith("hbspec: step=")]
    assert len(found) == 14
    for number, values in enumerate(found, 1):
        rows, longest = (6 if number < 14 else 3), int(values["longest"])
        assert 0.5 * rows * longest < float(values["tokens"]) <= rows * longest
        assert 1 <= float(values["unevenness"]) < 1.5


def test_ranks_leave_their_group_together(two_ranks: tuple[Bench, str]) -> None:
    """A rank that exits while another still writes can abort in gloo's threads, and torchrun then fails the job."""
    assert two_ranks[1].count("still in the group: False") == 2


def test_after_sigterm_a_new_start_goes_on_at_the_next_update(bench: Bench, job: Job) -> None:
    endless = {"MAX_STEPS": "100000", "LR_SCHEDULER_TYPE": "constant"}  # so that another end is the same run
    bench.write(SMALL | endless | {"GRADIENT_ACCUMULATION_STEPS": "4"}, sums(400))
    reading, writing = os.pipe()
    words = [TEMPLATES / "train.py", *bench.arguments]
    running = preloaded().start(words, [0, writing, 2], folder=bench.folder, environment=bench.environment)
    os.close(writing)
    with os.fdopen(reading) as output:
        for line in output:
            if line.startswith("hbspec: step=3 "):
                os.kill(running.pid, signal.SIGTERM)
                break
        rest = output.read()
    assert running.wait() == 0
    first = bench.record
    stopped_at = first["last_step"]
    assert first["stopped_by"] == "SIGTERM"
    assert f"stopped by SIGTERM after update {stopped_at}" in rest
    assert first["checkpoints"] == [f"checkpoint-{stopped_at}"]
    assert not any((bench.folder / "model").iterdir()), "a run that was stopped leaves nothing that looks finished"

    (bench.folder / f"checkpoints/checkpoint-{stopped_at + 7}").mkdir()  # a save that was cut off
    output = job("--MAX_STEPS", str(stopped_at + 2))
    second = bench.record
    assert [int(step) for step in re.findall(r"step=(\d+) loss", output)] == [stopped_at + 1, stopped_at + 2]
    assert second["resumed_from_step"] == stopped_at
    assert (second["updates"], second["last_step"]) == (2, stopped_at + 2)
    assert second["stopped_by"] is None
    assert (bench.folder / "model/adapter_model.safetensors").is_file()

    finished = (bench.folder / "model/adapter_model.safetensors").read_bytes()
    (bench.folder / "model/adapter_model.safetensors").unlink()
    output = job("--MAX_STEPS", str(stopped_at + 2))
    assert "nothing is left to train" in output
    assert losses(output) == []
    assert (bench.folder / "model/adapter_model.safetensors").read_bytes() == finished


def test_a_resumed_run_sees_the_examples_that_an_unbroken_one_would(bench: Bench, job: Job) -> None:
    bench.write(SMALL | {"SAVE_STEPS": "2", "LR_SCHEDULER_TYPE": "constant"}, sums(40))
    whole = losses(job("--MAX_STEPS", "4"))
    (bench.folder / "checkpoints/checkpoint-4").rename(bench.folder / "away")
    assert losses(job("--MAX_STEPS", "4")) == pytest.approx(whole[2:], rel=1e-4)


def test_all_weights_and_evaluation_and_the_best_checkpoint(bench: Bench, job: Job) -> None:
    settings = SMALL | {
        "METHOD": "full", "LEARNING_RATE": "2e-3", "MAX_STEPS": "6", "EVAL_STEPS": "2", "SAVE_STEPS": "2",
        "SAVE_TOTAL_LIMIT": "2", "LOAD_BEST_MODEL_AT_END": "true",
    }  # fmt: skip
    bench.write(settings, sums(40), sums(8, seed=9))
    output = job()
    evaluated = [float(found) for found in re.findall(metrics.METRICS["eval:loss"], output)]
    assert len(evaluated) == 3
    assert evaluated[-1] < evaluated[0]
    record = bench.record
    assert record["checkpoints"] == ["checkpoint-2", "checkpoint-4", "checkpoint-6"]
    assert record["parameters"]["trainable"] == record["parameters"]["total"]
    kept = sorted(path.name for path in (bench.folder / "checkpoints").glob("checkpoint-*"))
    assert kept == ["checkpoint-4", "checkpoint-6"]
    assert (bench.folder / "model/model.safetensors").is_file()
    assert record["data"]["validation"]["used"] == 8


def test_a_local_model_trains_without_any_override_and_keeps_trls_dtypes(
    seeded: tuple[Bench, str], bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of a real job. TRL 1.16 leaves 16-bit weights of a quantised model as they are, adapters too."""
    import loading
    import torch

    models = []
    monkeypatch.setattr("job.count_parameters", lambda model: models.append(model) or loading.count_parameters(model))
    monkeypatch.setattr(Bench, "arguments", property(lambda self: ARGUMENTS(self)[1:]))
    once = {"MAX_STEPS": "1", "PER_DEVICE_BATCH_SIZE": "1", "GRADIENT_ACCUMULATION_STEPS": "1"}
    bench.write(SMALL | once | {"MODEL_ID": seeded[0].record["model_folder"], "BF16": "true"}, sums(8))
    output = job()
    assert bench.record["overrides"] == []
    assert "override" not in output
    assert bench.record["compute_dtype"] == "bfloat16"
    dtypes = {name: parameter.dtype for name, parameter in models[0].named_parameters()}
    others = {dtype for name, dtype in dtypes.items() if "norm" in name or "embed" in name or "lm_head" in name}
    assert others == {torch.bfloat16}
    assert {dtype for name, dtype in dtypes.items() if "lora" in name} == {torch.bfloat16}


def folders_of(bench: Bench, name: str) -> list[str]:
    """Folders for one of several runs."""
    at = bench.folder / name
    return ["--checkpoint-dir", f"{at}/checkpoints", "--model-dir", f"{at}/model", "--output-data-dir", f"{at}/output"]


def test_whole_logits_and_tiles_give_the_same_loss(bench: Bench, job: Job) -> None:
    bench.write(SMALL | {"METHOD": "lora", "MAX_STEPS": "2"}, sums(20), sums(4, seed=9))
    found = {}
    for kind in ("standard", "chunked", "fused"):
        output = job("--LOSS", kind, *folders_of(bench, kind))
        found[kind] = losses(output)
        assert len(re.findall(metrics.METRICS["eval:loss"], output)) == 1, "a validation set is used once at the end"
    assert found["standard"] == pytest.approx(found["fused"], rel=1e-4)
    assert found["chunked"] == found["fused"]


def test_packing_changes_no_loss(bench: Bench, job: Job) -> None:
    """Before the first update the model is the same: examples in one row must not see each other."""
    everything = {"MAX_STEPS": "1", "PER_DEVICE_BATCH_SIZE": "1", "GRADIENT_ACCUMULATION_STEPS": "30"}
    bench.write(SMALL | everything, sums(30))
    apart = losses(job("--PACKING", "false", *folders_of(bench, "apart")))
    assert Bench(bench.folder / "apart").record["examples_consumed"] == 30
    packed = losses(job("--PACKING", "true", *folders_of(bench, "packed")))
    assert Bench(bench.folder / "packed").record["examples_consumed"] == 30
    assert packed == pytest.approx(apart, rel=1e-5)


def test_packed_rows_count_the_examples_in_them(bench: Bench, job: Job) -> None:
    bench.write(SMALL | {"PACKING": "true", "NUM_TRAIN_EPOCHS": "1", "PER_DEVICE_BATCH_SIZE": "1"}, sums(40))
    job()
    record = bench.record
    assert record["examples_consumed"] == 40
    assert record["epoch"]["examples"] < 40, "an epoch deals out rows, and a row holds several examples"
    assert record["examples_distinct"] is None


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "variant",
    [
        {"BNB_QUANT_TYPE": "fp4", "BNB_DOUBLE_QUANT": "false"},
        {"BNB_QUANT_TYPE": "int8", "USE_REENTRANT": "true"},
        {"PACKING": "true", "PACKING_STRATEGY": "wrapped", "MAX_LENGTH": "64"},
        {"BNB_4BIT_QUANT_STORAGE": "bfloat16", "OPTIM": "paged_adamw_8bit"},
        {"USE_DORA": "true", "USE_RSLORA": "true", "TARGET_MODULES": '["q_proj", "v_proj"]'},
        {"METHOD": "lora", "MODULES_TO_SAVE": '["lm_head"]', "GRADIENT_CHECKPOINTING": "false"},
        {"ATTN_IMPLEMENTATION": "eager", "LR_SCHEDULER_TYPE": "cosine", "WARMUP_RATIO": "0.5", "MAX_GRAD_NORM": "0.1"},
    ],
    ids=str,
)
def test_every_way_of_training_runs_and_saves_adapters(bench: Bench, job: Job, variant: dict[str, str]) -> None:
    bench.write(SMALL | {"MAX_STEPS": "4"} | variant, sums(24))
    found = losses(job())
    assert len(found) == 4
    assert found[-1] < found[0]
    assert (bench.folder / "model/adapter_model.safetensors").is_file()
    record = bench.record
    assert 0 < record["parameters"]["trainable"] < record["parameters"]["total"]


def test_shares_of_the_updates(bench: Bench, job: Job) -> None:
    shares = {"MAX_STEPS": "5", "SAVE_STEPS": "0.3", "EVAL_STEPS": "0.3", "WARMUP_STEPS": "0.1"}
    bench.write(SMALL | shares, sums(24), sums(4, seed=1))
    output = job()
    assert sorted(path.name for path in (bench.folder / "checkpoints").glob("checkpoint-*")) == [
        "checkpoint-2", "checkpoint-4", "checkpoint-5",
    ]  # fmt: skip
    assert output.count("eval_loss=") == 3  # and after the last update


def test_a_cap_that_leaves_nothing_to_train_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    import torch  # noqa: F401 - the versions of what trains are asked for
    import train

    bench.write(SMALL | {"MAX_LENGTH": "4", "MAX_STEPS": "1"}, sums(4))
    assert train.main(bench.arguments) == 2
    assert capsys.readouterr().err == "train.py: train: MAX_LENGTH=4 leaves no example with a token to train\n"


def test_evaluation_without_data_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    import train

    bench.write(SMALL | {"EVAL_STEPS": "2", "MAX_STEPS": "1"}, sums(4))
    assert train.main(bench.arguments) == 2
    said = capsys.readouterr().err
    assert "EVAL_STEPS is set" in said
    assert "pass --validation-dir FOLDER" in said


def test_the_wrapper_that_the_parallelism_promises_must_be_there(bench: Bench) -> None:
    """On a CPU the trainer silently makes DDP of FSDP; the same check stops a job that is not sharded as planned."""
    from types import SimpleNamespace

    from counting import Watch
    from job import expected_wrapper

    state, args = SimpleNamespace(is_world_process_zero=False), SimpleNamespace(world_size=1, device="cpu")
    control = SimpleNamespace(should_training_stop=False, should_save=False)
    plain, seen = SimpleNamespace(model_wrapped=object()), []
    with pytest.raises(RuntimeError, match="wrapped as object, not by FSDP"):
        Watch(plain, expected_wrapper("fsdp", 8), {}, seen.append).on_train_begin(args, state, control)
    for alone in ("single", "pipeline", "ddp"):
        Watch(plain, expected_wrapper(alone, 1), {}, seen.append).on_train_begin(args, state, control)
    assert not control.should_training_stop
