"""The bodies of the requests that make an endpoint, or bring a model to a live one, and the engine's variables."""

from __future__ import annotations

import json

import pytest
from compiled import AS_WRITTEN, BASE, HEARTBEAT, files, refusals

from hbspec.catalog.engines import refusals as engine_refusals
from hbspec.targets.aws.serving_container import LONGEST_TIMEOUT, SHORTEST_TIMEOUT


def bodies(spec, *overrides):
    compiled = files(spec, "deployment", *overrides, force=True)
    return {
        path.removesuffix(".json"): json.loads(content) for path, content in compiled.items() if path.endswith(".json")
    }


def environment(spec, *overrides):
    return bodies(spec, *overrides)["create_model"]["PrimaryContainer"]["Environment"]


TEST = "endpoint: live, baseline: today, served_model_name: assistant"


@pytest.mark.parametrize("spec", [AS_WRITTEN, HEARTBEAT], ids=lambda path: path.stem)
def test_the_seeds_traffic_is_split_nine_to_one(spec):
    found = bodies(spec)
    baseline, challenger = found["create_endpoint_config"]["ProductionVariants"]
    # the script takes the rest of the baseline from the live endpoint
    assert baseline == {"VariantName": "baseline", "ModelName": "llama-4-scout-model", "InitialVariantWeight": 0.9}
    assert (challenger["VariantName"], challenger["InitialVariantWeight"]) == ("challenger", 0.1)
    assert found["create_model"]["ModelName"] == challenger["ModelName"]
    assert found["update_endpoint"]["EndpointName"] == "heartbeat-live"
    assert "create_endpoint" not in found
    desired = found["update_endpoint_weights_and_capacities"]["DesiredWeightsAndCapacities"]
    assert [(entry["VariantName"], entry["DesiredWeight"]) for entry in desired] == [
        ("baseline", 0.9),
        ("challenger", 0.1),
    ]


@pytest.mark.parametrize("share", ["0.3", "0.05", "0.333", "1e-3"])
def test_weights_are_the_shares_as_written(share):
    override = f"deployment.ab_test={{{TEST}, candidate_weight: {share}}}"
    today, candidate = bodies(BASE, override)["create_endpoint_config"]["ProductionVariants"]
    assert candidate["InitialVariantWeight"] == float(share)
    assert str(today["InitialVariantWeight"]) == str(round(1 - float(share), 6))


@pytest.mark.parametrize("share", ["0.3", "1"])
def test_a_shadow_takes_copies_beside_all_of_the_traffic(share):
    config = bodies(BASE, f"deployment.ab_test={{{TEST}, candidate_weight: {share}, shadow: true}}")
    (baseline,) = config["create_endpoint_config"]["ProductionVariants"]
    (shadow,) = config["create_endpoint_config"]["ShadowProductionVariants"]
    assert (baseline["InitialVariantWeight"], shadow["InitialVariantWeight"]) == (1.0, float(share))
    assert "update_endpoint_weights_and_capacities" not in config


@pytest.mark.parametrize("adapters", ["separate", "merged"])
@pytest.mark.parametrize("name", ["assistant", "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"])
def test_one_request_is_for_both_arms(name, adapters):
    override = f"deployment.ab_test={{{TEST}, candidate_weight: 0.5}}"
    found = bodies(BASE, override, f"deployment.ab_test.served_model_name={name}", f"deployment.adapters={adapters}")
    assert found["request"]["model"] == name
    variables = found["create_model"]["PrimaryContainer"]["Environment"]
    if adapters == "merged":
        assert variables["SM_VLLM_SERVED_MODEL_NAME"] == name
    else:
        assert json.loads(variables["SM_VLLM_LORA_MODULES"])["name"] == name
        assert variables["SM_VLLM_SERVED_MODEL_NAME"] != name, "the base model must not answer for the adapters"


def test_a_test_needs_the_name_of_requests():
    override = "deployment.ab_test={baseline: today, candidate_weight: 0.1}"
    assert refusals(BASE, "deployment", override) == [("HB040", "deployment.ab_test.served_model_name")]
    named = bodies(BASE, override, "deployment.ab_test.served_model_name=assistant")
    assert named["update_endpoint"]["EndpointName"] == "base", "it joins the endpoint of the spec's own name"
    assert named["create_model"]["ModelName"].startswith("base-ab"), "and is another deployment than that"
    other = bodies(BASE, override, f"deployment.ab_test={{{TEST}, candidate_weight: 0.1}}")
    assert other["create_model"]["ModelName"] != named["create_model"]["ModelName"], "as is one on another endpoint"


def test_all_of_the_traffic_is_no_test():
    assert ("HB024", "deployment.ab_test") in refusals(
        BASE, "deployment", f"deployment.ab_test={{{TEST}, candidate_weight: 1}}"
    )


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
    assert "s3api head-object --region us-east-1 --bucket bucket --key models/base/output/model.tar.gz" in script


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


LMI = ("deployment.engine=djl-lmi", "deployment.quantization=fp8")


def test_the_other_engine_takes_its_own_names():
    found = environment(BASE, *LMI, "deployment.adapters=merged")
    assert (found["OPTION_TENSOR_PARALLEL_DEGREE"], found["OPTION_QUANTIZE"]) == ("4", "fp8")
    assert (found["OPTION_DTYPE"], found["OPTION_MAX_ROLLING_BATCH_SIZE"]) == ("bf16", "4")
    assert found["OPTION_ROLLING_BATCH"] == "disable"
    assert not {"HF_MODEL_ID", "OPTION_MODEL_ID", "OPTION_MAX_NUM_SEQS"} & set(found)  # the folder is the model


def test_the_other_engine_finds_adapters_in_the_folder_of_the_model():
    found = environment(BASE, *LMI)
    assert found["OPTION_MODEL_ID"] == "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"
    assert (found["OPTION_ENABLE_LORA"], found["OPTION_MAX_LORAS"]) == ("true", "1")
    assert "OPTION_LORA_MODULES" not in found
    assert found["OPTION_MODEL_LOADING_TIMEOUT"] == str(
        bodies(BASE, *LMI)["create_endpoint_config"]["ProductionVariants"][0][
            "ContainerStartupHealthCheckTimeoutInSeconds"
        ]
    )


def test_the_other_engine_lacks_bitsandbytes():
    assert ("HB043", "deployment.quantization") in refusals(BASE, "deployment", LMI[0], force=True)


def test_what_answers_has_a_known_name():
    base = "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"
    assert environment(BASE)["SM_VLLM_SERVED_MODEL_NAME"] == base
    assert environment(BASE, "deployment.adapters=merged")["SM_VLLM_SERVED_MODEL_NAME"] == "candidate"


def test_what_the_estimate_assumes_is_said():
    found = environment(BASE)
    assert (found["SM_VLLM_MAX_NUM_BATCHED_TOKENS"], found["SM_VLLM_ENABLE_PREFIX_CACHING"]) == ("2048", "true")
    assert found["SM_VLLM_MAX_LORAS"] == "1"
    assert environment(BASE, "deployment.concurrency=4000")["SM_VLLM_MAX_NUM_BATCHED_TOKENS"] == "4000"


def test_bitsandbytes_runs_in_the_last_image_that_has_it():
    image = bodies(BASE)["create_model"]["PrimaryContainer"]["Image"]
    assert image.rpartition(":")[2].startswith("0.27.1-")
    image = bodies(BASE, "deployment.quantization=none")["create_model"]["PrimaryContainer"]["Image"]
    assert image.rpartition(":")[2].startswith("0.30.0-")


def own(name, *overrides):
    found = bodies(BASE, f"sagemaker.serving_image=111122223333.dkr.ecr.us-east-1.amazonaws.com/{name}", *overrides)
    (variant,) = found["create_endpoint_config"]["ProductionVariants"]
    return found["create_model"]["PrimaryContainer"]["Environment"], variant.get("InferenceAmiVersion")


def test_an_own_image_has_the_host_of_its_cuda_and_the_names_of_its_engine():
    variables, host = own("djl-inference:0.38.0-lmi29.0.0-cu130", "deployment.quantization=none")
    assert "OPTION_DTYPE" in variables
    assert host == "al2023-ami-sagemaker-inference-gpu-4-1"
    variables, host = own("mine/vllm:0.27.1-gpu-cu129")
    assert "SM_VLLM_DTYPE" in variables
    assert host == "al2-ami-sagemaker-inference-gpu-3-1"


def test_an_own_image_of_an_unknown_engine_needs_its_name():
    image = "sagemaker.serving_image=111122223333.dkr.ecr.us-east-1.amazonaws.com/assistant:7"
    assert ("HB040", "deployment.engine") in refusals(BASE, "deployment", image, force=True)
    variables, host = own("assistant:7", "deployment.engine=vllm", "deployment.quantization=none")
    assert "SM_VLLM_DTYPE" in variables
    assert host is None


def test_other_weights_are_named_or_mounted():
    found = environment(BASE, "deployment.model=Qwen/Qwen2.5-32B-Instruct-AWQ", "deployment.quantization=awq")
    assert found["SM_VLLM_MODEL"] == "Qwen/Qwen2.5-32B-Instruct-AWQ"
    assert "SM_VLLM_QUANTIZATION" not in found  # the weights' own config says it
    container = bodies(BASE, "deployment.model=s3://bucket/awq", "deployment.quantization=awq")["create_model"]
    (source,) = container["PrimaryContainer"]["AdditionalModelDataSources"]
    assert source["S3DataSource"] == {
        "S3DataType": "S3Prefix",
        "S3Uri": "s3://bucket/awq/",
        "CompressionType": "None",
    }
    variables = container["PrimaryContainer"]["Environment"]
    assert variables["SM_VLLM_MODEL"] == f"/opt/ml/additional-model-data-sources/{source['ChannelName']}"


def test_the_copy_that_was_trained_is_served_beside_its_adapters():
    container = bodies(BASE, "model.source=s3://bucket/qwen")["create_model"]["PrimaryContainer"]
    (source,) = container["AdditionalModelDataSources"]
    assert source["S3DataSource"]["S3Uri"] == "s3://bucket/qwen/"
    variables = container["Environment"]
    assert variables["SM_VLLM_MODEL"] == f"/opt/ml/additional-model-data-sources/{source['ChannelName']}"
    assert variables["SM_VLLM_SERVED_MODEL_NAME"] == "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"


def test_the_endpoint_is_in_the_job_s_network():
    vpc = "sagemaker.vpc={subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d]}"
    assert bodies(BASE, vpc)["create_model"]["VpcConfig"] == {
        "SecurityGroupIds": ["sg-0a1b2c3d"],
        "Subnets": ["subnet-0a1b2c3d"],
    }


MATRIX = [
    (engine, adapters, quantization, dtype)
    for engine in ("vllm", "djl-lmi")
    for adapters in ("separate", "merged")
    for quantization in ("none", "fp8", *(("nf4",) if engine == "vllm" else ()))
    for dtype in ("bfloat16", "float16")
]


@pytest.mark.parametrize(("engine", "adapters", "quantization", "dtype"), MATRIX)
def test_the_engine_takes_every_variable(engine, adapters, quantization, dtype):
    found = environment(
        BASE,
        f"deployment.engine={engine}",
        f"deployment.adapters={adapters}",
        f"deployment.quantization={quantization}",
        f"deployment.dtype={dtype}",
        "deployment.kv_cache_dtype=fp8",
        "model.revision=abc",
    )
    release = "0.27.1" if quantization == "nf4" else "0.30.0"
    assert engine_refusals(engine, found, release) == []
    assert len(found) > 8


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
    assert SHORTEST_TIMEOUT == small < medium < large <= LONGEST_TIMEOUT


def test_without_autoscaling_nothing_scales():
    assert not {"register_scalable_target", "put_scaling_policy"} & set(bodies(HEARTBEAT))


def test_autoscaling_tracks_the_concurrency_of_the_new_variant():
    override = "deployment.autoscaling={min: 1, max: 3}"
    found = bodies(HEARTBEAT, override)
    target, policy = found["register_scalable_target"], found["put_scaling_policy"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    endpoint, variants = found["update_endpoint"]["EndpointName"], found["create_endpoint_config"]["ProductionVariants"]
    assert target["ResourceId"] == policy["ResourceId"] == f"endpoint/{endpoint}/variant/{variants[1]['VariantName']}"
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 2.8


def test_the_tag_of_the_deployment_is_not_the_author_s():
    tags = 'sagemaker.tags={"hbspec:deployment": mine}'
    assert refusals(BASE, "deployment", tags) == [("HB643", "sagemaker.tags.hbspec:deployment")]
    found = bodies(BASE, "sagemaker.tags={project: heartbeat}")
    for name in ("create_model", "create_endpoint_config", "create_endpoint", "put_metric_alarm"):
        assert found[name]["Tags"] == [
            {"Key": "project", "Value": "heartbeat"},
            {"Key": "hbspec:deployment", "Value": "base"},
        ]


def test_an_update_is_rolled_back_by_an_alarm_on_failed_requests():
    found = bodies(BASE)
    config = found["update_endpoint"]["DeploymentConfig"]
    alarm = found["put_metric_alarm"]
    assert config["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": alarm["AlarmName"]}]}
    assert (alarm["MetricName"], alarm["Statistic"]) == ("InvocationModelErrors", "Average")
    assert {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]} == {
        "EndpointName": "base",
        "VariantName": "candidate",
    }
    policy = config["BlueGreenUpdatePolicy"]
    assert policy["MaximumExecutionTimeoutInSeconds"] > (policy["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"])


@pytest.mark.parametrize(
    ("override", "kept"), [("deployment.autoscaling={min: 1, max: 3}", True), ("name=base", False)]
)
def test_an_update_keeps_the_instances_of_what_scales(override, kept):
    assert bodies(BASE, override)["update_endpoint"]["RetainAllVariantProperties"] is kept
