"""Command lines in scripts and READMEs: the values of a file with the same keys, at the flags of the script."""

from __future__ import annotations

import pytest
from frontends_cases import AXOLOTL, LLAMA_FACTORY, TRL, found

from hbspec.api import InvalidSpecError, check, estimate
from hbspec.cli.command import command
from hbspec.frontends.reading.front import ForeignReader
from hbspec.source import SourceError, load

TRAINING = "hyperparameters"
FSDP = "distributed_type: FSDP\nfsdp_config: {fsdp_version: 2, fsdp_offload_params: true}\nnum_processes: 8\n"


@pytest.fixture
def read(tmp_path):
    """The document of a script, with files around it, on a type of which each instance has eight GPUs."""
    (tmp_path / "pyproject.toml").touch()

    def read(text, name="run.sh", program=None, files=(), on="ml.p4de.24xlarge", overrides=()):
        for path, content in {**dict(files), name: text}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content)
        settings = (f"instance.type={on}", *overrides)
        return load(tmp_path / name, overrides=settings, reader=ForeignReader(program))

    return read


def flags(yaml, between=" \\\n  "):
    """The lines of a flat YAML file as flags."""
    return between.join(f"--{line.replace(': ', ' ', 1)}" for line in yaml.splitlines())


@pytest.mark.parametrize(
    ("start", "yaml"), [("trl sft", TRL), ("llamafactory-cli train", LLAMA_FACTORY), ("trl dpo", f"{TRL}beta: 0.2\n")]
)
def test_flags_say_what_the_keys_of_the_file_say(read, opened, start, yaml):
    line, file = read(f"#!/bin/bash\n{start} {flags(yaml)}\n"), opened(yaml)
    without = {"name": None, "script": None, "instance": None}
    assert {**line.values, **without} == {**file.values, **without}
    assert line.translated.defaults == file.translated.defaults or start == "trl dpo"
    assert line.span((TRAINING, "learning_rate")).start.line > 2


def test_a_finding_is_at_the_flag_and_a_value_where_it_is_assigned(read):
    start = "RANK=64\ntrl sft --model_name_or_path Qwen/Qwen2.5-7B --use_peft"
    text = f"{start} \\\n  --lora_r $RANK --lora_rr 8 --no_packing\n"
    document = read(text)
    assert found(document) == [("HB028", "lora_rr")]
    place = document.span(("TRL", "lora_rr"))
    assert text.splitlines()[place.start.line - 1][place.start.column - 1 : place.end.column - 1] == "--lora_rr"
    assert document.values[TRAINING]["lora_r"] == 64
    assert document.span((TRAINING, "lora_r")).start == (1, 6)


def test_forms_of_flags(read):
    document = read(
        "trl sft --model-name-or-path=Qwen/Qwen2.5-7B --use_peft true --lora_target_modules q_proj v_proj "
        "--gradient_checkpointing_kwargs '{\"use_reentrant\": true}' --max_steps -1 --no_gradient_checkpointing "
        "--learning_rate 1e-5 --learning_rate 2e-5"
    )
    given = document.values[TRAINING]
    assert (given["target_modules"], given["gradient_checkpointing"]) == (["q_proj", "v_proj"], False)
    assert (given["learning_rate"], "max_steps" in given) == (2e-5, False)


@pytest.mark.parametrize(
    ("start", "parallelism", "count"),
    [
        ("torchrun --nproc_per_node 8 sft.py", "ddp", 1),
        ("torchrun --nproc-per-node=8 --nnodes=2 trl/scripts/sft.py", "ddp", 2),
        ("torchrun trl/scripts/sft.py", "single", 1),
        ("python trl/scripts/sft.py", "single", 1),
        ("python3 -m torch.distributed.run --nproc_per_node 8 -m trl.scripts.sft", "ddp", 1),
        ("accelerate launch --num_processes 1 trl/scripts/sft.py", "single", 1),
        ("accelerate launch --use_fsdp --fsdp_version 2 --num_processes 8 trl/scripts/sft.py", "fsdp", 1),
        ("accelerate launch --use_deepspeed --zero_stage 3 trl/scripts/sft.py", "zero3", 1),
        ("accelerate launch trl/scripts/sft.py", "ddp", 1),
        ("CUDA_VISIBLE_DEVICES=3 accelerate launch trl/scripts/sft.py", "single", 1),
        ("deepspeed --include localhost:0,1,2,3,4,5,6,7 trl/scripts/sft.py", "ddp", 1),
        ("srun --gres=gpu:8 torchrun --nproc_per_node gpu --nnodes $N trl/scripts/sft.py", "ddp", 1),
        ("trl sft --num_processes 8 --accelerate_config zero2", "zero2", 1),
        ("uv run trl sft", "ddp", 1),
    ],
)
def test_how_many_processes_share_the_work(read, start, parallelism, count):
    instance = read(f"{start} {flags(TRL)} 2>&1 | tee log.txt").values["instance"]
    assert (instance["parallelism"], instance.get("count", 1)) == (parallelism, count)


def test_fewer_processes_than_gpus_are_said(read):
    document = read(f"export CUDA_VISIBLE_DEVICES=0,1\naccelerate launch trl/scripts/sft.py {flags(TRL)}")
    assert found(document) == [("HB029", "CUDA_VISIBLE_DEVICES")]
    assert found(read(f"torchrun --nproc_per_node 8 trl/scripts/sft.py {flags(TRL)}")) == []


def test_files_on_the_line_are_read_from_the_script_s_folder_or_the_project_s(read):
    text = (
        "accelerate launch --config_file configs/fsdp.yaml scripts/sft.py --config recipes/a.yaml --learning_rate 3e-5"
    )
    files = {"configs/fsdp.yaml": FSDP, "recipes/a.yaml": f"{TRL}lora_r: 8\nwrong_key: 1\n"}
    for name in ("run.sh", "deep/er/run.sh"):
        document = read(text, name, files=files)
        instance = document.values["instance"]
        assert (instance["parallelism"], instance["offload"]) == ("fsdp", "all")
        assert document.values[TRAINING]["learning_rate"] == 3e-5, "a flag counts above the file"
        assert document.span((TRAINING, "max_length")).file.endswith("a.yaml")
        assert found(document) == [("HB028", "wrong_key")]


def test_deepspeed_s_file_is_found_for_the_rules_too(read, tmp_path):
    text = f"deepspeed --num_gpus 8 trl/scripts/sft.py {flags(TRL)} --deepspeed ds/z3.json"
    document = read(text, "jobs/run.sh", files={"ds/z3.json": '{"zero_optimization": {"stage": 3}}'})
    instance = document.values["instance"]
    assert (instance["parallelism"], instance["deepspeed"]) == ("zero3", "../ds/z3.json")
    assert document.origin(("instance", "deepspeed")) == tmp_path / "jobs"
    report = check(str(tmp_path / "jobs/run.sh"), overrides=("instance.type=ml.p4de.24xlarge",))
    assert not [entry for entry in report.diagnostics if "z3.json" in entry.message]


def test_files_that_are_not_there_or_outside_are_named(read, tmp_path):
    (tmp_path.parent / "outside.yaml").write_text(FSDP)
    for path in ("none.yaml", "../outside.yaml", "/etc/hostname"):
        document = read(f"accelerate launch --config_file {path} trl/scripts/sft.py {flags(TRL)}")
        assert found(document) == [("HB029", "config_file")], path
    assert found(read(f"trl sft {flags(TRL)} --config none.yaml")) == [("HB029", "config")]


def test_a_file_outside_the_project_is_read_where_that_is_allowed(read, tmp_path):
    (tmp_path.parent / "outside.yaml").write_text(FSDP)
    read(f"accelerate launch --config_file ../outside.yaml trl/scripts/sft.py {flags(TRL)}")
    on = ("instance.type=ml.p4de.24xlarge",)
    document = load(tmp_path / "run.sh", overrides=on, allow_outside=True, reader=ForeignReader(allow_outside=True))
    assert (document.values["instance"]["parallelism"], found(document)) == ("fsdp", [])


def test_llama_factory_and_axolotl_take_a_file_and_settings_above_it(read):
    files = {"a.yaml": LLAMA_FACTORY, "b.yml": AXOLOTL}
    for start in (
        "llamafactory-cli train a.yaml learning_rate=1e-5",
        "torchrun --nproc_per_node 8 src/train.py a.yaml",
    ):
        document = read(f"FORCE_TORCHRUN=1 {start}", files=files)
        assert document.translated.program == "LLaMA-Factory"
        assert found(document) == []
    axolotl = read("axolotl train b.yml --learning-rate 1e-5", files=files)
    assert (axolotl.translated.program, axolotl.values[TRAINING]["learning_rate"]) == ("axolotl", 1e-5)
    assert read("accelerate launch -m axolotl.cli.train b.yml", files=files).translated.program == "axolotl"


def test_what_is_computed_is_named_with_its_influence_unless_it_is_said_elsewhere(read):
    text = (
        "trl sft --config_file $CONFIG --model_name_or_path Qwen/Qwen2.5-7B --max_length $1 "
        '--learning_rate $(cat lr) --output_dir "$OUT" '
        '--per_device_train_batch_size ${BATCH:-4} $EXTRA "$@"'
    )
    document = read(text)
    said = {finding.route[1:]: (finding.code, str(finding.severity)) for finding in document.translated.findings}
    at = {"max_length": "warning", "learning_rate": "warning", "computed": "note", "config_file": "warning"}
    assert {route[0]: value for route, value in said.items() if route[0] in at} == {
        key: ("HB048", severity) for key, severity in at.items()
    }
    assert sorted(value for route, value in said.items() if route[0] == "flags") == [
        ("HB048", "note"),
        ("HB048", "warning"),
    ]
    assert document.values[TRAINING]["per_device_batch_size"] == 4
    assert dict(document.translated.unread) == {"max_length": "either", "flags": "either", "config_file": "either"}
    again = read(text, overrides=("hyperparameters.max_length=512",))
    assert ("HB048", "max_length") not in found(again)


def test_of_several_trainings_the_first_or_the_named_is_judged(read):
    text = f"trl sft {flags(TRL)}\necho trl sft\npip install trl\ntrl dpo {flags(TRL)} --beta 0.5\n"
    document = read(text)
    assert found(document) == [("HB066", "commands")]
    assert "`trl dpo` in line 1" in document.translated.findings[0].message
    assert read(text, program="shell:2").values["task"] == "dpo"
    with pytest.raises(SourceError, match="--as shell:3 is not the number of a training"):
        read(text, program="shell:3")


def test_a_page_s_blocks_are_scripts(read):
    page = f"# Train\n\n```bash\n$ trl sft {flags(TRL)}\n```\n\n```yaml\nhbspec: 1\n```\n"
    document = read(page, "README.md")
    assert document.span((TRAINING, "learning_rate")).start.line == 6
    assert found(document) == []


@pytest.mark.parametrize(
    "start",
    [
        *("trl grpo", "trl rloo", "python online_dpo.py", "torchrun examples/scripts/nash_md.py"),
        *("python trl/scripts/new.py", "python -m trl.scripts.grpo", "accelerate launch train_grpo_reward.py"),
    ],
)
def test_trainers_that_are_not_estimated_are_refused(read, tmp_path, start):
    assert ("HB027", "task") in found(read(f"{start} {flags(TRL)}"))
    with pytest.raises(InvalidSpecError):
        estimate(str(tmp_path / "run.sh"), overrides=("instance.type=ml.p4de.24xlarge",))


@pytest.mark.parametrize(
    "text",
    [
        *("", "ls -l\n", "python train.py\n", "trl vllm-serve --model x\n", "# trl sft\n", "trl", "torchrun --x"),
        "accelerate launch train.py --lr 1\n",
        "python run_clm.py --model_name_or_path gpt2 --dataset_name wikitext\n",
        "accelerate launch $SCRIPT --bf16\n",
        *("echo 'trl sft", "deepspeed a.py --model_name_or_path x", "sudo", "$ "),
    ],
)
def test_a_script_without_a_training_is_refused_in_one_finding(read, text):
    with pytest.raises(SourceError) as refused:
        read(text)
    assert [entry.code for entry in refused.value.diagnostics] == ["HB067"]


def test_a_script_of_the_author_s_is_said_to_be_unread(read):
    start = "accelerate launch train.py"
    document = read(f"{start} {flags(TRL)} --my_own_batch 3 --run_name x --max_lenght 3")
    assert sorted(found(document)) == [("HB028", "max_lenght"), ("HB029", "my_own_batch"), ("HB068", "script")]
    assert document.values["script"]["entry_point"] == "train.py"


def test_peft_s_example_takes_its_own_defaults(read):
    document = read(
        f"python train.py {flags(TRL)} --use_peft_lora True --use_4bit_quantization True --use_nested_quant True "
        "--bnb_4bit_quant_storage_dtype bfloat16 --use_reentrant True --chat_template_format chatml"
    )
    given = document.values[TRAINING]
    assert (given["method"], given["lora_r"], given["bnb_double_quant"]) == ("qlora", 64, True)
    assert (given["use_reentrant"], document.values["software"]["weights_dtype"]) == (True, "bfloat16")
    assert found(document) == []


def test_a_script_that_does_not_end_is_read_up_to_there(read):
    document = read(f"trl sft {flags(TRL)}\necho 'done\n")
    assert found(document) == [("HB067", "code")]


@pytest.mark.parametrize("between", ["\n", " \\ \n", " \\\n  # --bf16 \\\n"])
def test_flags_that_a_command_does_not_get_are_named(read, between):
    document = read(f"trl sft {flags(TRL)}{between}  --lora_r 64 \\\n --use_peft\n")
    assert found(document) == [("HB067", "left")]
    assert document.values[TRAINING]["method"] == "full"
    place = document.span(("TRL", "left"))
    assert place.start.column == 3


def test_an_imported_script_plans_as_it_does(read, tmp_path, capsys):
    read(f"trl sft {flags(TRL)} --use_peft --load_in_4bit --num_processes 8")
    on, place = ("instance.type=ml.p4de.24xlarge", "data.train.examples=10000"), tmp_path / "spec.yaml"
    given = {parameter.name: parameter.value(()) for parameter in command("import").parameters}
    words = {"file": str(tmp_path / "run.sh"), "output": place, "overrides": on}
    assert command("import").run(**given | words) == 0
    script = estimate(str(tmp_path / "run.sh"), overrides=on)
    assert estimate(str(place)).analysis.plan == script.analysis.plan


def test_a_batch_script_of_slurm_says_its_hosts_and_its_time_limit(read):
    text = (
        "#!/bin/bash\n#SBATCH --nodes=2\n#SBATCH --gpus-per-node=8\n#SBATCH --time=0-02:30:00\n"
        "srun torchrun --nnodes $SLURM_NNODES --nproc_per_node $SLURM_GPUS_ON_NODE trl/scripts/sft.py \\\n"
        f"  {flags(TRL)}\n"
    )
    document = read(text)
    assert document.values["instance"] | {"type": None} == {
        "type": None, "parallelism": "ddp", "count": 2, "max_runtime": "9000s",
    }  # fmt: skip
    assert document.span(("instance", "count")).start == (2, 17)
    assert document.span(("instance", "max_runtime")).start.line == 4
    assert found(document) == []


def test_the_hosts_that_a_script_sets_itself_count_above_those_of_slurm(read):
    text = f"#SBATCH --nodes=4\nSLURM_NNODES=2\ntorchrun --nnodes $SLURM_NNODES trl/scripts/sft.py {flags(TRL, ' ')}\n"
    assert read(text).values["instance"]["count"] == 2
