"""What is imported plans as the file does, and reads the same when it is imported again."""

from __future__ import annotations

import pytest
from frontends_cases import ACCELERATE, PROGRAMS
from hyperpod_cases import RECIPES

from hbspec.api import estimate
from hbspec.cli.command import command
from hbspec.source import load
from hbspec.spec import Spec, read

MORE = {
    "axolotl": "fsdp_version: 2\nfsdp_config: {offload_params: true, reshard_after_forward: false}\n",
    "TRL": "use_peft: true\nload_in_4bit: true\neval_strategy: epoch\npacking: true\npacking_strategy: bfd\n",
    "LLaMA-Factory": "quantization_bit: 4\nval_size: 0.1\npacking: true\nadditional_target: embed_tokens,lm_head\n",
}


def imported(tmp_path, name, text, *words):
    """The spec that the command writes for a file, and its plan and the file's."""
    source, place = tmp_path / name, tmp_path / "spec.yaml"
    source.write_text(text)
    given = {parameter.name: parameter.value(()) for parameter in command("import").parameters}
    code = command("import").run(
        **given | {"file": str(source), "output": place, "on": "ml.p4de.24xlarge"} | dict(words)
    )
    assert code == 0
    return source, place


TEXTS = PROGRAMS | {f"{program} with more": text + MORE[program] for program, text in PROGRAMS.items()} | RECIPES


@pytest.mark.parametrize("program", TEXTS)
def test_the_spec_plans_as_the_file_does(tmp_path, program):
    text = TEXTS[program]
    source, place = imported(tmp_path, "job.yaml", text)
    assert isinstance(read(load(place)), Spec)
    settings = {"overrides": ("data.train.examples=10000",)}
    of_file = estimate(str(source), overrides=("instance.type=ml.p4de.24xlarge", *settings["overrides"]))
    of_spec = estimate(str(place), **settings)
    assert of_spec.plan._replace(assumptions=()) == of_file.plan._replace(assumptions=())
    assert of_spec.memory == of_file.memory


def test_a_comment_names_the_source_of_each_default_and_of_nothing_else(tmp_path):
    _, place = imported(tmp_path, "job.yml", PROGRAMS["axolotl"])
    lines = place.read_text().splitlines()
    assert "  max_length: 4096" in lines
    (dtype,) = (line for line in lines if line.startswith("  adapter_dtype: "))
    assert dtype.startswith("  adapter_dtype: float32 # peft v0.20.0: src/peft/peft_model.py")
    assert not any(line.startswith("  weights_dtype: ") for line in lines), "which follows from method and parallelism"
    assert lines[0].startswith("# Made of job.yml, a file of axolotl.")


def test_what_is_not_estimated_is_said_above_the_spec(tmp_path):
    _, place = imported(tmp_path, "job.yml", PROGRAMS["axolotl"] + "tiled_mlp: true\n")
    assert "# HB029 axolotl's tiled_mlp computes the MLP in parts of the row" in place.read_text()


def test_a_file_beside_it_is_part_of_the_spec(tmp_path):
    beside = tmp_path / "zero3.yaml"
    beside.write_text(ACCELERATE)
    _, place = imported(tmp_path, "sft.yaml", PROGRAMS["TRL"], ("beside", (str(beside),)))
    assert load(place).values["instance"]["parallelism"] == "zero3"


@pytest.mark.parametrize(
    ("program", "old", "new"),
    [
        ("axolotl", "adapter: qlora", "adapter: qlora\nrl: dpo"),
        ("TRL", "dataset_name:", "f_divergence_type: reverse_kl\ndataset_name:"),
    ],
)
def test_the_memory_of_preference_tuning_is_estimated(tmp_path, program, old, new):
    file, on = tmp_path / "job.yaml", ("instance.type=ml.p4de.24xlarge", "data.train.examples=10000")
    text = PROGRAMS[program].replace("sample_packing: true\n", "")
    file.write_text(text)
    alone = estimate(str(file), overrides=on)
    file.write_text(text.replace(old, new))
    paired = estimate(str(file), overrides=on)
    assert paired.plan.training.objective.task == "dpo"
    assert paired.plan.training.trainer == "trl"
    assert paired.memory.fullest.process.expected > alone.memory.fullest.process.expected
