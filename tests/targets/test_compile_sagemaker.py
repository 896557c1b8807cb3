"""CreateTrainingJob: the seed's own names and values, and everything else where the service looks for it."""

from __future__ import annotations

import json
import re

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from compiled import AS_WRITTEN, BASE, BODIES, HEARTBEAT, ROOT, body, files, project, refusals, source_uri

from hbspec.targets.aws.requests import validate
from hbspec.targets.job.shipped_files import training_files

ELEVEN = {
    "MODEL_ID": "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
    "LEARNING_RATE": "1e-4",
    "MAX_STEPS": "300",
    "PER_DEVICE_BATCH_SIZE": "1",
    "GRADIENT_ACCUMULATION_STEPS": "32",
    "MAX_LENGTH": "4096",
    "LORA_R": "16",
    "LORA_ALPHA": "32",
    "LORA_DROPOUT": "0.05",
    "BNB_QUANT_TYPE": "nf4",
    "BNB_DOUBLE_QUANT": "true",
}

WATCHES = {
    "WATCH_LOSS": "300",
    "WATCH_GPU_MEMORY": "35000000000",
    "WATCH_STEP_MIN": "120",
    "WATCH_STEP_MAX": "180",
    "WATCH_GRAD_NORM": "10",
}
"""What the seed watches: the shipped script ends what breaks it for good."""


def test_the_seeds_eleven_hyperparameters_and_nothing_else():
    found = body(AS_WRITTEN, force=True)
    assert found["HyperParameters"] == ELEVEN | WATCHES
    assert list(found["HyperParameters"]) == [*ELEVEN, *WATCHES]
    assert "Environment" not in found


def test_a_job_is_the_same_under_other_watches():
    first = body(BASE, "monitoring={gpu_memory: {max: 35 GB}}")
    other = body(BASE, "monitoring={gpu_memory: {max: 36 GB}, step_time: {max: 2 min}}")
    assert first["HyperParameters"]["WATCH_GPU_MEMORY"] == "35000000000"
    assert other["HyperParameters"]["WATCH_STEP_MAX"] == "120"
    assert first["TrainingJobName"] == other["TrainingJobName"]


def test_the_authors_spelling_is_kept():
    found = body(BASE, "hyperparameters.learning_rate=0.00010", "hyperparameters.lora_alpha=3.2e1")
    assert found["HyperParameters"]["LEARNING_RATE"] == "0.00010"
    assert found["HyperParameters"]["LORA_ALPHA"] == "3.2e1"


@pytest.mark.parametrize(
    ("override", "name", "value"),
    [
        ("hyperparameters.gradient_checkpointing=True", "GRADIENT_CHECKPOINTING", "true"),
        ("hyperparameters.target_modules=[q_proj, v_proj]", "TARGET_MODULES", '["q_proj", "v_proj"]'),
        ("model.revision=abc123", "REVISION", "abc123"),
    ],
)
def test_values_that_are_no_numbers(override, name, value):
    assert body(BASE, override)["HyperParameters"][name] == value


@pytest.mark.parametrize("spec", [AS_WRITTEN, HEARTBEAT, BASE], ids=lambda path: path.stem)
@pytest.mark.parametrize("target", ["sagemaker", "deployment"])
def test_the_service_would_take_every_body(spec, target):
    service = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    region = "us-east-1" if spec == BASE else "ca-central-1"
    compiled = files(spec, target, force=True)
    bodies = {BODIES[path]: json.loads(content) for path, content in compiled.items() if path in BODIES}
    joins = target == "deployment" and spec != BASE
    assert len(bodies) == {"sagemaker": 1, "deployment": 2 if joins else 3}[target]
    for operation, request in bodies.items():
        assert validate(operation, request, region) == []
        shape = service.operation_model(operation).input_shape
        assert not ParamValidator().validate(request, shape).has_errors()


def test_everything_that_the_spec_says_of_the_job():
    found = body(
        BASE,
        "instance.type=ml.g5.48xlarge",
        "instance.count=2",
        "instance.volume=200 GB",
        "instance.spot=true",
        "instance.max_wait=8h",
        "sagemaker.vpc={subnets: [subnet-0123456789abcdef0], security_groups: [sg-0123456789abcdef0]}",
        "sagemaker.tags={team: hockey}",
        "instance.retries=2",
        "data.input_mode=FastFile",
        "sagemaker.environment={NCCL_DEBUG: WARN}",
        "software.allocator=expandable_segments:True",
        "sagemaker.job_name=heartbeat-1",
        "monitoring={metrics: [{name: mine, regex: 'mine=([0-9.]+)'}]}",
        force=True,
    )
    name = found["TrainingJobName"]
    assert re.fullmatch("heartbeat-1-[0-9a-f]{12}", name)
    assert found["ResourceConfig"] == {"InstanceType": "ml.g5.48xlarge", "InstanceCount": 2}, (
        "NVMe: no volume is asked for"
    )
    assert found["EnableManagedSpotTraining"] is True
    assert found["StoppingCondition"] == {"MaxRuntimeInSeconds": 14_400, "MaxWaitTimeInSeconds": 28_800}
    assert found["CheckpointConfig"] == {
        "S3Uri": f"s3://bucket/checkpoints/{name}/checkpoints/",
        "LocalPath": "/opt/ml/checkpoints",
    }
    assert found["VpcConfig"] == {"SecurityGroupIds": ["sg-0123456789abcdef0"], "Subnets": ["subnet-0123456789abcdef0"]}
    assert found["Tags"] == [{"Key": "team", "Value": "hockey"}, {"Key": "hbspec:job", "Value": name}]
    assert found["RetryStrategy"] == {"MaximumRetryAttempts": 2}
    assert {channel["ChannelName"]: channel.get("InputMode") for channel in found["InputDataConfig"]} == {
        "train": "FastFile",
        "validation": "FastFile",
        "code": None,
    }
    assert found["Environment"] == {"NCCL_DEBUG": "WARN", "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}
    assert found["OutputDataConfig"] == {"S3OutputPath": "s3://bucket/models/"}
    channels = {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in found["InputDataConfig"]
    }
    assert channels == {
        "train": "s3://bucket/train/",
        "validation": "s3://bucket/validation/",
        "code": f"s3://bucket/code/{name}/code/",
    }
    names = [metric["Name"] for metric in found["AlgorithmSpecification"]["MetricDefinitions"]]
    assert names[-1] == "mine"
    assert "train:loss" in names


def test_a_copy_of_the_model_is_a_channel_that_the_script_reads():
    compiled = files(BASE, "sagemaker", "model.source=s3://bucket/qwen")
    channels = json.loads(compiled["create_training_job.json"])["InputDataConfig"]
    (model,) = [channel["DataSource"]["S3DataSource"] for channel in channels if channel["ChannelName"] == "model"]
    assert (model["S3Uri"], model["S3DataType"]) == ("s3://bucket/qwen/", "S3Prefix")
    assert b"export SM_CHANNEL_MODEL=/opt/ml/input/data/model\n" in compiled["source/launch.sh"]
    assert b"SM_CHANNEL_MODEL" not in files(BASE, "sagemaker")["source/launch.sh"]


ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-a1b2c3"


def test_secrets_are_read_by_the_job_and_nothing_else_has_them():
    compiled = files(BASE, "sagemaker", f"sagemaker.secrets.HF_TOKEN={ARN}")
    assert b"exec python with_secrets.py HF_TOKEN=" + ARN.encode() + b" -- python " in compiled["source/launch.sh"]
    assert "source/with_secrets.py" in compiled
    assert "HF_TOKEN" not in json.loads(compiled["create_training_job.json"]).get("Environment", {})


def test_a_secrets_variable_has_a_name():
    secret, at = f"sagemaker.secrets.2-TOKEN={ARN}", "sagemaker.secrets.2-TOKEN"
    assert refusals(BASE, "sagemaker", secret) == [("HB643", at)]
    assert refusals(BASE, "sagemaker", secret, force=True) == [("HB044", at)]


def test_what_the_spec_leaves_open():
    found = body(BASE, "sagemaker.code=null", "sagemaker.checkpoints=null", "instance.max_runtime=null", force=True)
    name = found["TrainingJobName"]
    assert source_uri(found) == f"s3://bucket/models/{name}/code/"
    assert found["CheckpointConfig"]["S3Uri"] == f"s3://bucket/models/{name}/checkpoints/"
    assert found["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}
    assert found["Tags"] == [{"Key": "hbspec:job", "Value": name}]
    assert found["ProfilerConfig"] == {"DisableProfiler": True}
    left_out = {"EnableManagedSpotTraining", "VpcConfig", "RetryStrategy", "DebugHookConfig", "Environment"}
    assert not left_out & found.keys()
    assert not any("InputMode" in channel for channel in found["InputDataConfig"])


def test_the_profiler_is_not_mentioned_where_a_region_has_none():
    image = "sagemaker.image=111122223333.dkr.ecr.me-central-1.amazonaws.com/trainer:7"
    assert "ProfilerConfig" not in body(BASE, "instance.region=me-central-1", image, force=True)


def test_the_shipped_script_and_its_regexes_travel_together():
    compiled = files(BASE, "sagemaker")
    source = {path.removeprefix("source/") for path in compiled if path.startswith("source/")}
    shipped = {file.path: file.content for file in training_files()}
    assert source == set(shipped) | {"launch.sh"}
    for name, content in shipped.items():
        assert compiled[f"source/{name}"] == content == (ROOT / "templates" / name).read_bytes()


class TestOwnScript:
    def test_one_that_reads_the_environment_gets_the_bare_names(self, tmp_path):
        found = body(project(tmp_path, "reads: environment"))
        assert found["Environment"] == found["HyperParameters"]
        assert found["Environment"]["LEARNING_RATE"] == "1e-4"
        assert set(found["HyperParameters"]) == set(ELEVEN)

    def test_the_authors_environment_beats_the_hyperparameters(self, tmp_path):
        found = body(project(tmp_path, "reads: environment"), "sagemaker.environment={LORA_R: '8', MORE: x}")
        assert (found["Environment"]["LORA_R"], found["Environment"]["MORE"]) == ("8", "x")
        assert found["HyperParameters"]["LORA_R"] == "16"

    def test_one_that_reads_arguments_gets_no_environment(self, tmp_path):
        spec = project(tmp_path, "reads: arguments")
        found, launch = body(spec), files(spec, "sagemaker")["source/launch.sh"].decode()
        assert "Environment" not in found
        assert "train.py --MODEL_ID deepseek-ai/DeepSeek-R1-Distill-Qwen-32B --LEARNING_RATE 1e-4 " in launch
        assert "export SM_HP_LEARNING_RATE=1e-4\n" in launch

    def test_its_own_hyperparameters_come_last(self, tmp_path):
        found = body(project(tmp_path, "hyperparameters: {curriculum: easy-first, rounds: 3, ema: true, floor: 1e-6}"))
        own = dict(list(found["HyperParameters"].items())[-4:])
        assert own == {"curriculum": "easy-first", "rounds": "3", "ema": "true", "floor": "1e-6"}

    def test_our_metric_regexes_are_not_those_of_another_script(self, tmp_path):
        assert body(project(tmp_path, "reads: arguments"))["AlgorithmSpecification"]["MetricDefinitions"] == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("target", "override", "key"),
        [
            ("sagemaker", "sagemaker.role=null", "sagemaker.role"),
            ("sagemaker", "sagemaker.output=null", "sagemaker.output"),
            ("sagemaker", "data.train.uri=null", "data.train.uri"),
            ("sagemaker", "instance={gpu: A100-80, gpus: 8, parallelism: ddp, region: us-east-1}", "instance.type"),
            ("sagemaker", "instance.region=null", "instance.region"),
            ("sagemaker", "instance.region=eu-mars-1", "sagemaker.image"),
            ("deployment", "deployment=null", "deployment"),
            ("deployment", "sagemaker.role=null", "sagemaker.role"),
            ("deployment", "deployment.instance={gpu: A10G, gpus: 4}", "deployment.instance.type"),
            ("deployment", "deployment.region=eu-mars-1", "sagemaker.serving_image"),
        ],
    )
    def test_what_is_missing_is_an_error_at_its_key(self, target, override, key):
        assert refusals(BASE, target, override, force=True) == [("HB040", key)]

    @pytest.mark.parametrize("target", ["sagemaker", "deployment"])
    def test_everything_that_is_missing_is_said_at_once(self, target):
        found = refusals(BASE, target, "sagemaker=null", force=True)
        assert sorted(found) == [("HB040", "sagemaker.output"), ("HB040", "sagemaker.role")]

    @pytest.mark.parametrize("override", ["instance.type=null", "instance.type=ml.p9.huge"])
    def test_hardware_that_is_not_known(self, override):
        assert refusals(BASE, "launch", override, force=True) == [("HB040", "instance")]

    @pytest.mark.parametrize(
        ("override", "key"),
        [
            ("name=not_a_job_name", "name"),
            ("sagemaker.role=admin", "sagemaker.role"),
            ("sagemaker.output=models", "sagemaker.output"),
            ("instance.keep_alive=30d", "instance.keep_alive"),
            ("sagemaker.environment={1A: b}", "sagemaker.environment"),
            ("instance.type=ml.t3.medium", "instance"),
        ],
    )
    def test_what_the_service_would_refuse_is_not_emitted(self, override, key):
        found = refusals(BASE, "sagemaker", override, force=True)
        assert found
        assert {code for code, _ in found} <= {"HB040", "HB043"}
        assert key in {route for _, route in found}, found

    def test_errors_stop_a_compile_and_force_says_so(self):
        assert "HB401" in {code for code, _ in refusals(AS_WRITTEN, "sagemaker")}
        assert "FORCED.txt" in files(AS_WRITTEN, "sagemaker", force=True)
        assert "FORCED.txt" not in files(BASE, "sagemaker", force=True)
