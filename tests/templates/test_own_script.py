"""The example of a script of the author's own, as it is compiled: it trains, is watched, stops, and goes on."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from training_bench import ENVIRONMENT, ROOT, TEMPLATES, Bench, preloaded, run_ranks, sums

from hbspec.api import compile_spec, estimate
from hbspec.watching import file_chunks, lines_of, watch_log

SPEC = ROOT / "docs/own-script/bot.yaml"
ML = b"/opt/ml"


@dataclass(frozen=True)
class OwnJob:
    """The compiled job in a folder that is its /opt/ml."""

    folder: Path
    words: tuple[str, ...]

    @property
    def script(self) -> Path:
        return self.folder / "input/data/code/finetune.py"

    @property
    def record(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "output/data/run.json").read_text()))

    @property
    def failure(self) -> Path:
        return self.folder / "output/failure"

    def checkpoints(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "checkpoints").glob("checkpoint-*"))

    def launch(self, ranks: int = 2, **hyperparameters: str) -> subprocess.Popen[str]:
        """The ranks by the launcher that is compiled beside the script."""
        given = {**json.loads((self.folder / "input/config/hyperparameters.json").read_text()), **hyperparameters}
        (self.folder / "input/config/hyperparameters.json").write_text(json.dumps(given))
        launcher = self.script.with_name("hbspec_launcher.py")
        command = [preloaded().python, launcher, f"--nproc_per_node={ranks}", self.script, *self.words]
        return subprocess.Popen(
            command,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.script.parent,
        )


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the spec's architecture, and a tokenizer."""
    sys.path.insert(0, str(TEMPLATES))
    import tiny
    from conversations import read_conversations
    from settings import Folders, Invocation, Settings

    bench = Bench(tmp_path_factory.mktemp("tiny"))
    bench.write({}, sums(40))
    folders = Folders(tiny=True, model_config=bench.folder / "model-config.json")
    invocation = Invocation(Settings(MODEL_ID="Qwen/Qwen2.5-0.5B-Instruct", METHOD="full"), folders)
    tiny.write(invocation, read_conversations(bench.folder / "train"), bench.folder / "model")
    return bench.folder / "model"


@pytest.fixture
def job(tmp_path: Path, tiny_model: Path) -> OwnJob:
    folder = tmp_path / "ml"
    artifacts = {file.path: file.content for file in compile_spec(SPEC, force=True)}
    for path, content in artifacts.items():
        if path.startswith("source/"):
            target = folder / "input/data/code" / path.removeprefix("source/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.replace(ML, str(folder).encode()))
    for name in ("input/config", "output/data", "checkpoints", "model"):
        (folder / name).mkdir(parents=True)
    Bench(folder / "input/data").write({}, sums(40))
    (folder / "input/data/config").rename(folder / "unused")
    body = json.loads(artifacts["create_training_job.json"])
    (folder / "input/config/hyperparameters.json").write_text(json.dumps(body["HyperParameters"]))
    launched = artifacts["source/launch.sh"].decode()
    words = re.search(r"finetune\.py (.*)", launched)[1].split()
    given = {name: value for name, value in zip(words[::2], words[1::2], strict=True) if name != "--METHOD"}
    given["--MODEL_ID"] = str(tiny_model)
    return OwnJob(folder, tuple(word for pair in given.items() for word in pair))


def test_a_run_of_two_ranks_is_watched_and_counted(job: OwnJob, tmp_path: Path) -> None:
    output = run_ranks([job.script, *job.words])
    assert job.record["examples_consumed"] == 6 * 2 * 2 * 2
    assert (job.record["last_step"], job.record["stopped_by"], job.record["ranks"]) == (6, None, 2)
    assert job.checkpoints() == ["checkpoint-4", "checkpoint-6"]
    assert (job.folder / "model/model.safetensors").is_file()
    (tmp_path / "job.log").write_text(output)
    estimates = estimate(SPEC, overrides=["instance.type=ml.g5.12xlarge"])
    found = watch_log(estimates, lines_of(file_chunks(tmp_path / "job.log", follow=False)), "job.log")
    assert found.state == "done after update 6"
    assert found.tally.metric_lines == 6
    assert [line.partition(":")[0] for line in found.differences] == ["processes", "hardware"], "two, on a CPU"
    assert found.notes == ()
    trained = (job.folder / "model/model.safetensors").read_bytes()
    shutil.rmtree(job.folder / "model")
    output = run_ranks([job.script, *job.words])
    assert "checkpoint-6 is the last update already: nothing is left to train" in output
    assert (job.record["examples_consumed"], job.record["updates"], job.record["last_step"]) == (0, 0, 6)
    assert (job.folder / "model/model.safetensors").read_bytes() == trained
    assert job.checkpoints() == ["checkpoint-4", "checkpoint-6"]


HELD = """
import signal, time
step, heard = Trainer.training_step, []
def held(self, *given, **named):
    if not hasattr(self, "hears"):
        self.hears = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, lambda *told: heard.append(told) or self.hears(*told))
    while self.state.global_step == 3 and not heard and not Path({go!r}).exists():
        time.sleep(0.01)
    return step(self, *given, **named)
Trainer.training_step = held
"""
"""The script goes no further than update 3 until it hears the signal, or may go."""


@pytest.mark.long
def test_a_run_that_is_stopped_goes_on(job: OwnJob, tmp_path: Path) -> None:
    begin, main, rest = job.script.read_text().partition("def main()")
    job.script.write_text(begin + HELD.format(go=str(tmp_path / "go")) + main + rest)
    started = job.launch()
    assert started.stdout is not None
    for line in started.stdout:
        if line.startswith("hbspec: step=3"):
            started.send_signal(signal.SIGTERM)
            break
    rest, _ = started.communicate(timeout=600)
    assert started.returncode == 0, rest
    first = job.record
    assert (first["stopped_by"], first["last_step"]) == ("SIGTERM", 3)
    assert job.checkpoints()[-1] == "checkpoint-3"
    assert not any((job.folder / "model").iterdir())
    (tmp_path / "go").touch()
    output, _ = job.launch().communicate(timeout=600)
    assert f"resumes from {job.folder}/checkpoints/checkpoint-3" in output
    assert first["examples_consumed"] + job.record["examples_consumed"] == 6 * 8
    assert job.record["last_step"] == 6


@pytest.mark.long
def test_a_watch_ends_all_ranks_after_saving(job: OwnJob) -> None:
    started = job.launch(WATCH_STEP_MAX="1e-6")
    output, _ = started.communicate(timeout=600)
    assert started.returncode == 3, output
    assert job.failure.read_text().startswith("an update takes")
    assert job.record["stopped_by"] == "a watch"
    assert job.checkpoints()[-1] == f"checkpoint-{job.record['last_step']}"
    assert "killed, since they still run" not in output


@pytest.mark.long
def test_another_run_is_refused_by_every_rank(job: OwnJob) -> None:
    run_ranks([job.script, *job.words])
    shutil.rmtree(job.folder / "model")
    other = OwnJob(job.folder, tuple("7" if word == "6" else word for word in job.words))
    started = other.launch()
    output, _ = started.communicate(timeout=600)
    assert started.returncode == 2, output
    assert "max_steps was 6 there and is 7 here" in output
    assert job.failure.read_text().startswith(f"{job.folder}/checkpoints")


@pytest.mark.long
def test_two_runs_do_not_write_into_one_folder_at_once(job: OwnJob) -> None:
    lock = os.open(job.folder / "checkpoints", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        started = job.launch(ranks=1)
        output, _ = started.communicate(timeout=600)
    finally:
        os.close(lock)
    assert started.returncode == 2, output
    assert f"another run writes into output_dir {job.folder}/checkpoints now" in output
    assert job.checkpoints() == []


@pytest.mark.long
def test_a_record_that_is_not_this_run_s_is_left(job: OwnJob) -> None:
    theirs = job.folder / "output/data/run.json"
    theirs.write_text('{"mine": 1}')
    output, _ = (started := job.launch(ranks=1)).communicate(timeout=600)
    assert started.returncode == 2, output
    assert f"{theirs} does not say that this run wrote it: move it away" in output
    assert theirs.read_text() == '{"mine": 1}'
    theirs.unlink()
    text = job.script.read_text()
    assert text.count("return job.end()") == 1
    own = '(given.root / "output/data/run.json").write_text("mine")\n    return job.end()'
    job.script.write_text(text.replace("return job.end()", own))
    output, _ = (started := job.launch(ranks=1)).communicate(timeout=600)
    assert started.returncode == 0, output
    assert f"this run is not recorded: {theirs} does not say" in output
    assert theirs.read_text() == "mine"


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
def test_another_model_other_adapters_and_other_data_are_another_run(tmp_path: Path, lora: bool) -> None:
    sys.path.insert(0, str(TEMPLATES))
    import own_fingerprint
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}

    def learned(name: str = "acme/base", examples: int = 4, rank: int = 4) -> dict[str, Any]:
        model: Any = LlamaForCausalLM(LlamaConfig(vocab_size=16, **sizes, name_or_path=name))
        if lora:
            model = get_peft_model(model, LoraConfig(r=rank, target_modules=["q_proj", "v_proj"]))
        arguments = TrainingArguments(output_dir=str(tmp_path), report_to="none", use_cpu=True)
        return own_fingerprint.of_trainer(Trainer(model, arguments, train_dataset=[{}] * examples), {})["learned"]

    first, places = learned(), [tmp_path / "one/base", tmp_path / "two/base"]
    for place in places:
        place.mkdir(parents=True)
    assert learned() == first
    assert learned("acme/other") != first
    assert learned(examples=5) != first
    assert (learned(rank=8) != first) == lora
    assert learned(str(places[0])) == learned(str(places[1]))


@pytest.mark.long
def test_ranks_that_find_different_checkpoints_do_not_train(job: OwnJob) -> None:
    run_ranks([job.script, *job.words])
    shutil.copytree(job.folder / "checkpoints", job.folder / "checkpoints-1")
    shutil.rmtree(job.folder / "checkpoints-1/checkpoint-6")
    shutil.rmtree(job.folder / "checkpoints/checkpoint-6")
    shutil.rmtree(job.folder / "checkpoints/checkpoint-4")
    before = job.checkpoints()
    each = '"checkpoints" if os.environ["RANK"] == "0" else "checkpoints-1"'
    text = job.script.read_text().replace('given.root / "checkpoints"', f"given.root / ({each})")
    job.script.write_text(text.replace("import json\n", "import json\nimport os\n"))
    started = job.launch()
    output, _ = started.communicate(timeout=600)
    assert started.returncode not in (0, -signal.SIGKILL), output
    assert "the ranks do not find the same checkpoint: they would start after updates [0, 4]" in output
    assert job.checkpoints() == before
