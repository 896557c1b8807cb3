"""HB521: GPUs of an endpoint's instance that the engine does not use."""

from __future__ import annotations

from judged import edge, judged

SMALL = "model: {id: Qwen/Qwen2.5-14B-Instruct}\ndeployment: {instance: {type: ml.p4d.24xlarge}}"


def test_the_edge_is_the_instance_s_last_gpu(tmp_path):
    edge("HB521", SMALL, "deployment.tensor_parallel", 8, 4, tmp_path)


def test_both_numbers_are_said(tmp_path):
    (found,) = judged("HB521", f"{SMALL}".replace("}}", "}, tensor_parallel: null}"), tmp_path)
    assert found.route == ("deployment", "instance", "type")
    assert found.message == "tensor_parallel is 1, but ml.p4d.24xlarge has 8 GPUs: 7 are idle and billed"


def test_heads_that_do_not_divide_are_not_suggested(tmp_path):
    seven = SMALL.replace("14B", "7B").replace("}}", "}, tensor_parallel: 4}")  # 28 heads
    (found,) = judged("HB521", seven, tmp_path)
    assert found.help == "use an instance type with 4 GPUs"


def test_an_own_image_may_start_several_engines(tmp_path):
    image = "sagemaker: {serving_image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/vllm:0.27.1-cu130}"
    assert judged("HB521", f"{SMALL.replace('}}', '}, tensor_parallel: 4}')}\n{image}", tmp_path) == []


def test_an_alternative_with_more_gpus_than_the_engine_uses(tmp_path):
    fragment = "deployment: {instance: {type: ml.g5.12xlarge}}"
    alternatives = "deployment.instance.alternatives"
    edge("HB521", fragment, alternatives, ["ml.g6.12xlarge"], ["ml.g5.48xlarge"], tmp_path)


def test_alternatives_are_not_named_beside_a_first_choice_with_idle_gpus(tmp_path):
    fragment = SMALL.replace("ml.p4d.24xlarge", "ml.p4d.24xlarge, alternatives: [ml.p5.48xlarge]")
    (found,) = judged("HB521", fragment, tmp_path)
    assert found.route == ("deployment", "tensor_parallel")
