"""What calls of SageMaker's estimators and of ModelTrainer say, what they leave open, and what is not theirs."""

from __future__ import annotations

import pytest
from sagemaker_cases import ESTIMATOR, TRAINER, said

from hbspec.api import InvalidSpecError, check, estimate
from hbspec.cli.command import MisuseError, command
from hbspec.diagnostics import Severity
from hbspec.frontends.calls.script_arguments import canonical
from hbspec.source import SourceError
from hbspec.spec import Spec, read

TRAINING = "hyperparameters"


def test_an_estimator_is_a_job(coded):
    document = coded(ESTIMATOR)
    assert document.values["instance"] == {
        "type": "ml.g5.12xlarge",
        "count": 2,
        "spot": True,
        "max_runtime": "172800 s",
        "max_wait": "259200 s",
        "keep_alive": "1800 s",
        "volume": "300 GB",
        "parallelism": "ddp",
    }
    given = document.values[TRAINING]
    assert (given["method"], given["bnb_quant_type"], given["lora_r"]) == ("qlora", "nf4", 32)
    assert (given["per_device_batch_size"], given["num_train_epochs"], given["learning_rate"]) == (2, 3, 2e-4)
    assert (given["max_length"], given["bf16"], given["merge_weights"]) == (2048, True, True)
    assert document.values["script"]["entry_point"] == "run_sft.py"
    assert document.values["software"]["transformers"] == "4.56.2"
    assert document.values["software"]["torch"] == "2.8.0"
    assert document.values["data"]["train"]["uri"] == "s3://bucket/train/"
    account = document.values["sagemaker"]
    assert (account["checkpoints"], account["environment"]) == ("s3://bucket/checkpoints", {"NCCL_DEBUG": "INFO"})
    assert isinstance(read(document), Spec)


def test_a_model_trainer_is_a_job(coded):
    document = coded(TRAINER)
    instance = document.values["instance"]
    assert (instance["type"], instance["max_runtime"], instance["region"]) == ("ml.p4d.24xlarge", "7200 s", "us-west-2")
    assert instance["parallelism"] == "ddp"
    assert document.values["model"]["id"] == "Qwen/Qwen2.5-7B"
    assert (document.values[TRAINING]["method"], document.values[TRAINING]["max_length"]) == ("lora", 4096)
    assert document.values["software"]["transformers"] == "4.56.2"
    assert document.values["data"]["train"]["uri"] == "s3://bucket/train/"


@pytest.mark.parametrize(
    ("text", "dropped", "limit"),
    [(ESTIMATOR, "    max_run=2 * 24 * 60 * 60,\n", "86400 s"), (TRAINER, "max_runtime_in_seconds=7200", "3600 s")],
    ids=["estimator", "trainer"],
)
def test_the_limit_is_the_sdk_s_where_nothing_says_it(coded, text, dropped, limit):
    document = coded(text.replace(dropped, ""))
    assert document.values["instance"]["max_runtime"] == limit
    assert "sagemaker" in document.translated.defaults["instance", "max_runtime"]


def test_a_value_is_where_the_author_wrote_it(coded):
    document = coded(ESTIMATOR)
    lines = ESTIMATOR.splitlines()
    for route, wanted in {("model", "id"): 'model_id = "Qwen', (TRAINING, "learning_rate"): '"lr"'}.items():
        span = document.span(route)
        assert wanted in lines[span.start.line - 1]
    span = document.span(("instance", "max_runtime"))
    assert lines[span.start.line - 1][span.start.column - 1 : span.end.column - 1] == "2 * 24 * 60 * 60"


def test_without_distribution_one_process_trains(coded):
    text = ESTIMATOR.replace('    distribution={"torch_distributed": {"enabled": True}},\n', "")
    assert coded(text).values["instance"]["parallelism"] == "single"
    starts = text.replace("run_sft.py", "start.sh")
    assert coded(starts).values["instance"]["parallelism"] == "ddp"


@pytest.mark.parametrize(
    ("distribution", "code", "may"),
    [
        ('{"smdistributed": {"dataparallel": {"enabled": True}}}', Severity.NOTE, ""),
        ('{"smdistributed": {"modelparallel": {"enabled": True}}}', Severity.WARNING, "SageMaker's modelparallel"),
    ],
)
def test_sagemaker_s_own_ways_are_not_estimated(coded, distribution, code, may):
    document = coded(ESTIMATOR.replace('{"torch_distributed": {"enabled": True}}', distribution))
    (finding,) = (one for one in document.translated.findings if one.code == "HB029")
    assert finding.severity is code
    assert may in document.translated.may_need("more")


def test_what_the_script_decides_is_guessed_and_said(coded):
    bare = "".join(line for line in ESTIMATOR.splitlines(keepends=True) if "4bit" not in line and "lora" not in line)
    document = coded(bare.replace('    "merge_weights": True,\n', "").replace('    "bf16": True,\n', ""))
    (message,) = said(document, "HB068")
    assert "precision float32" in message
    assert "method full" in message
    assert "SageMaker's script" in document.translated.may_need("more")
    assert (TRAINING, "method") in document.translated.guessed


def test_what_is_said_elsewhere_is_not_guessed(coded):
    document = coded(TRAINER, f"{TRAINING}.bf16=true", f"{TRAINING}.lora_r=8", "software.weights_dtype=bfloat16")
    (message,) = said(document, "HB068")
    assert not any(word in message for word in ("precision", "lora_r", "dtype"))
    assert "target_modules" in message


def test_nothing_is_found_wrong_with_a_guess(tmp_path):
    file = tmp_path / "job.py"
    file.write_text(TRAINER)
    report = check(str(file), overrides=("data.train.examples=1000",))
    assert "HB068" in {entry.code for entry in report.diagnostics}
    assert not {"HB261", "HB260"} & {entry.code for entry in report.diagnostics}


def test_a_computed_argument_is_named_at_its_place(coded):
    text = ESTIMATOR.replace('"ml.g5.12xlarge"', 'os.environ["TYPE"]').replace('"epochs": 3', '"epochs": args.epochs')
    document = coded(text)
    assert "type" not in document.values["instance"]
    assert 'instance_type is computed (`os.environ["TYPE"]`): not read' in said(document, "HB048")
    assert "hyperparameters.epochs is computed (`args.epochs`): not read" in said(document, "HB048")
    span = document.spans["SageMaker", "instance_type"]
    assert 'os.environ["TYPE"]' in text.splitlines()[span.start.line - 1]


def test_a_computed_argument_that_is_said_elsewhere_is_not_named(coded):
    text = ESTIMATOR.replace('"ml.g5.12xlarge"', 'os.environ["TYPE"]')
    document = coded(text, "instance.type=ml.g5.2xlarge")
    assert not any("instance_type" in message for message in said(document, "HB048"))


def test_what_no_estimate_needs_is_one_note(coded):
    (finding,) = (one for one in coded(ESTIMATOR).translated.findings if one.code == "HB048")
    assert finding.severity is Severity.NOTE
    assert finding.message == "role is computed: not read; no estimate needs it"


def test_computed_hyperparameters_lower_the_confidence(coded):
    document = coded(ESTIMATOR.replace("=hyperparameters,", "=read_hyperparameters(),"))
    assert "hyperparameters" in document.translated.may_need("more")
    assert "hyperparameters is computed (`read_hyperparameters()`): not read" in said(document, "HB048")


def test_an_argument_of_the_script_alone_may_decide_memory(coded):
    document = coded(ESTIMATOR.replace('"merge_weights": True', '"sparse_layers": 4'))
    assert "SageMaker's sparse_layers" in document.translated.may_need("more")
    assert document.values["script"][TRAINING]["sparse_layers"] == 4


def test_one_of_several_jobs_is_judged_and_the_others_are_named(coded):
    text = f'{ESTIMATOR}large = HuggingFace(entry_point="a.py", instance_type="ml.p5.48xlarge", instance_count=1)\n'
    document = coded(text)
    assert document.values["instance"]["type"] == "ml.g5.12xlarge"
    (message,) = said(document, "HB066")
    assert "`large = HuggingFace(…)` at line 41" in message
    for name in ("large", "2"):
        assert coded(text, program=f"sagemaker:{name}").values["instance"]["type"] == "ml.p5.48xlarge"
    with pytest.raises(SourceError, match="no job of the file is bound to small"):
        coded(text, program="sagemaker:small")


def test_hyperparameters_that_are_set_later_count(coded):
    document = coded(ESTIMATOR.replace("estimator.fit", "estimator.set_hyperparameters(lora_r=8)\nestimator.fit"))
    assert document.values[TRAINING]["lora_r"] == 8


@pytest.mark.parametrize(
    "call",
    [
        'HuggingFace(tensorflow_version="2.6", instance_type="ml.g5.xlarge")',
        'JumpStartEstimator(model_id="meta-textgeneration-llama-2-7b", instance_type="ml.g5.xlarge")',
        'ModelTrainer.from_recipe(training_recipe="llama", compute=None)',
        'PyTorch(training_recipe="training/llama", instance_type="ml.p5.48xlarge")',
    ],
)
def test_trainings_that_are_not_in_the_file_are_refused(tmp_path, call):
    file = tmp_path / "job.py"
    file.write_text(f"job = {call}\n")
    with pytest.raises(InvalidSpecError) as refused:
        estimate(str(file))
    assert {entry.code for entry in refused.value.report.diagnostics} == {"HB027"}


@pytest.mark.parametrize(
    "text",
    [
        "from mine import ModelTrainer\nModelTrainer(compute=1)\n",
        "from skorch import HuggingFace\nHuggingFace(instance_type='ml.g5.xlarge')\n",
        "print('no job')\n",
        "",
    ],
)
def test_code_that_starts_no_job_is_an_error(coded, text):
    with pytest.raises(SourceError, match="HB067"):
        coded(text)


@pytest.mark.parametrize("name", ["grpo.py", "scripts/run_dpo.py", "train_reward.py", "start_verl.sh"])
def test_a_script_that_names_another_task_is_refused_until_the_task_is_said(coded, name):
    text = ESTIMATOR.replace("run_sft.py", name)
    assert len(said(coded(text), "HB027")) == 1
    assert said(coded(text, "task=sft"), "HB027") == []


def test_a_model_s_name_is_not_a_task(coded):
    assert said(coded(ESTIMATOR.replace('f"{model_id}-qlora"', '"DeepSeek-R1-Distill-Qwen-7B"')), "HB027") == []


def test_a_warm_pool_of_no_time_is_none(coded):
    document = coded(ESTIMATOR.replace("keep_alive_period_in_seconds=1800", "keep_alive_period_in_seconds=0"))
    assert "keep_alive" not in document.values["instance"]


def test_an_item_that_may_be_set_leaves_the_others(coded):
    text = ESTIMATOR.replace("estimator = ", "if token:\n    hyperparameters['lora_r'] = 16\nestimator = ")
    document = coded(text)
    assert document.values[TRAINING]["num_train_epochs"] == 3
    assert "hyperparameters.lora_r is computed (`16`): not read" in said(document, "HB048")


def test_a_command_names_the_program(coded):
    text = TRAINER.replace('entry_script="train.py"', 'command="accelerate launch --config_file a.yaml sft.py"')
    document = coded(text.replace("    distributed=Torchrun(),\n", ""))
    assert document.values["script"]["entry_point"] == "sft.py"
    assert document.values["instance"]["parallelism"] == "ddp"


def test_an_argument_that_the_sdk_does_not_have_is_found(coded):
    document = coded(ESTIMATOR.replace("max_run=", "max_runs="))
    assert "has no key `max_runs`" in said(document, "HB028")[0]


def test_the_imported_spec_plans_as_the_file_does(tmp_path):
    file, place = tmp_path / "job.py", tmp_path / "spec.yaml"
    file.write_text(ESTIMATOR)
    given = {parameter.name: parameter.value(()) for parameter in command("import").parameters}
    assert command("import").run(**given | {"file": str(file), "output": place, "region": "us-east-1"}) == 0
    settings = {"overrides": ("data.train.examples=10000", "instance.region=us-east-1")}
    of_file, of_spec = estimate(str(file), **settings), estimate(str(place), **settings)
    assert of_spec.plan._replace(assumptions=()) == of_file.plan._replace(assumptions=())
    assert of_spec.memory == of_file.memory


def test_a_fix_of_a_spec_is_not_offered_for_code(tmp_path):
    file = tmp_path / "job.py"
    file.write_text(ESTIMATOR.replace("max_wait=3", "max_wait=1"))
    report = check(str(file), overrides=("data.train.examples=1000",))
    assert "HB315" in {entry.code for entry in report.diagnostics}
    assert not any(entry.fixes for entry in report.diagnostics)


def test_the_option_names_a_front_end_and_a_job():
    option = next(one for one in command("check").parameters if one.name == "program")
    assert option.value(("sagemaker:estimator",)) == "sagemaker:estimator"
    with pytest.raises(MisuseError, match="did you mean sagemaker"):
        option.value(("sagemake:estimator",))


def test_names_of_arguments_have_one_meaning():
    assert canonical("model-name") == canonical("base_model") == "model_id"
    assert canonical("train_batch_size") == canonical("PER_DEVICE_TRAIN_BATCH_SIZE") == "per_device_train_batch_size"
