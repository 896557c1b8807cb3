"""CreateModel, CreateEndpointConfig, CreateEndpoint: the new model beside the one that serves today."""

from __future__ import annotations

import json

import pytest
from compiled import AS_WRITTEN, BASE, HEARTBEAT, files

from hbspec.targets import deployment


def bodies(spec, *overrides):
    compiled = files(spec, "deployment", *overrides, force=True)
    return {
        path.removesuffix(".json"): json.loads(content) for path, content in compiled.items() if path.endswith(".json")
    }


def environment(spec, *overrides):
    return bodies(spec, *overrides)["create_model"]["PrimaryContainer"]["Environment"]


@pytest.mark.parametrize("spec", [AS_WRITTEN, HEARTBEAT], ids=lambda path: path.stem)
def test_the_seeds_traffic_is_split_nine_to_one(spec):
    found = bodies(spec)
    variants = found["create_endpoint_config"]["ProductionVariants"]
    assert [(entry["VariantName"], entry["ModelName"], entry["InitialVariantWeight"]) for entry in variants] == [
        ("baseline", "llama-4-scout-model", 0.9),
        ("candidate", "heartbeat-deepseek-r1-qwen-32b", 0.1),
    ]
    assert sum(entry["InitialVariantWeight"] for entry in variants) == 1
    assert found["create_model"]["ModelName"] == variants[1]["ModelName"]
    assert found["create_endpoint"]["EndpointConfigName"] == found["create_endpoint_config"]["EndpointConfigName"]


@pytest.mark.parametrize("share", ["0.3", "0.05", "0.333", "1e-3"])
def test_weights_are_the_shares_as_written(share):
    override = f"deployment.ab_test={{baseline: today, candidate_weight: {share}}}"
    today, candidate = bodies(BASE, override)["create_endpoint_config"]["ProductionVariants"]
    assert candidate["InitialVariantWeight"] == float(share)
    assert str(today["InitialVariantWeight"]) == str(round(1 - float(share), 6))


def test_without_a_test_the_new_model_serves_alone():
    (variant,) = bodies(BASE)["create_endpoint_config"]["ProductionVariants"]
    assert (variant["VariantName"], variant["ModelName"], variant["InitialVariantWeight"]) == ("candidate", "base", 1.0)
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.g5.12xlarge", 1)


def test_the_model_is_what_the_training_job_writes():
    job = json.loads(files(BASE, "sagemaker")["create_training_job.json"])
    model = bodies(BASE)["create_model"]["PrimaryContainer"]["ModelDataUrl"]
    output = job["OutputDataConfig"]["S3OutputPath"]
    assert model == f"{output}{job['TrainingJobName']}/output/model.tar.gz"
    named = bodies(BASE, "sagemaker.job_name=nightly")["create_model"]["PrimaryContainer"]["ModelDataUrl"]
    assert named.startswith("s3://bucket/models/nightly-")


def test_a_model_that_no_training_job_writes_is_put_there_by_its_author():
    own = "instance={gpu: A100-80, gpus: 8, parallelism: ddp, region: us-east-1}"
    assert bodies(BASE, own)["create_model"]["PrimaryContainer"]["ModelDataUrl"] == (
        "s3://bucket/models/base/output/model.tar.gz"
    )
    script = files(BASE, "deployment", own, force=True)["deploy.sh"].decode()
    assert "training-job" not in script
    assert "create-model --region us-east-1 --cli-input-json file://create_model.json\n" in script


def test_the_engine_is_told_what_the_spec_says():
    found = environment(BASE, "deployment.gpu_memory_utilization=0.85", "deployment.kv_cache_dtype=fp8")
    expected = {
        "TENSOR_PARALLEL_SIZE": "4",
        "MAX_MODEL_LEN": "4096",
        "MAX_NUM_SEQS": "4",
        "GPU_MEMORY_UTILIZATION": "0.85",
        "KV_CACHE_DTYPE": "fp8",
        "QUANTIZATION": "bitsandbytes",
        "DTYPE": "bfloat16",
    }
    assert {key: found[f"SM_VLLM_{key}"] for key in expected} == expected
    assert all(isinstance(value, str) for value in found.values())


def test_separate_adapters_are_named_to_the_engine():
    found = environment(BASE, "deployment.adapters=separate", "deployment.max_lora_rank=64", "model.revision=abc")
    assert found["SM_VLLM_MODEL"] == "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"
    assert (found["SM_VLLM_ENABLE_LORA"], found["SM_VLLM_MAX_LORA_RANK"]) == ("true", "64")
    assert json.loads(found["SM_VLLM_LORA_MODULES"])["path"] == "/opt/ml/model"
    assert found["SM_VLLM_REVISION"] == "abc"


def test_the_other_engine_takes_its_own_names():
    found = environment(BASE, "deployment.engine=djl-lmi", "deployment.adapters=merged")
    assert found["HF_MODEL_ID"] == "/opt/ml/model"
    assert (found["OPTION_TENSOR_PARALLEL_DEGREE"], found["OPTION_QUANTIZE"]) == ("4", "bitsandbytes")
    assert found["OPTION_ROLLING_BATCH"] == "disable"


def test_large_weights_are_given_time_to_arrive():
    timeouts = {
        model: bodies(BASE, f"model.id={model}")["create_endpoint_config"]["ProductionVariants"][0][key]
        for model in (
            "Qwen/Qwen2.5-0.5B",
            "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
            "meta-llama/Llama-3.3-70B-Instruct",
        )
        for key in ("ContainerStartupHealthCheckTimeoutInSeconds",)
    }
    small, medium, large = timeouts.values()
    assert deployment.SHORTEST_TIMEOUT == small < medium < large <= deployment.LONGEST_TIMEOUT


def test_without_autoscaling_nothing_scales():
    assert not {"register_scalable_target", "put_scaling_policy"} & set(bodies(HEARTBEAT))


def test_autoscaling_tracks_the_concurrency_of_the_new_variant():
    override = "deployment.autoscaling={min: 1, max: 3}"
    found = bodies(HEARTBEAT, override)
    target, policy = found["register_scalable_target"], found["put_scaling_policy"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    endpoint, variants = found["create_endpoint"]["EndpointName"], found["create_endpoint_config"]["ProductionVariants"]
    assert target["ResourceId"] == policy["ResourceId"] == f"endpoint/{endpoint}/variant/{variants[1]['VariantName']}"
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 4.0
    script = files(HEARTBEAT, "deployment", override, force=True)["deploy.sh"].decode().splitlines()
    commands = [line.split()[2] for line in script if line.startswith("aws ")]
    assert commands == [
        *("create-model", "create-endpoint-config", "create-endpoint", "wait"),
        *("register-scalable-target", "put-scaling-policy"),
    ]
