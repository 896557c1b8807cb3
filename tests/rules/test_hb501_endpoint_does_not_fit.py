"""HB501: the model's weights on the endpoint's GPU."""

from __future__ import annotations

from judged import SPECS, codes, edge, estimated, judged, said

ALTERNATIVE = ("deployment", "instance", "alternatives", 0)
SHARE = "deployment: {instance: {type: ml.g5.2xlarge}, tensor_parallel: 1, gpu_memory_utilization: %s}"


def test_the_edge_of_an_alternative_is_its_number_of_gpus(tmp_path):
    two = "deployment: {tensor_parallel: 2, instance: {alternatives: [ml.g6.12xlarge]}}"
    edge("HB501", two, "deployment.instance.alternatives", ["ml.g6.12xlarge"], ["ml.g6.8xlarge"], tmp_path)


def test_the_edge_is_the_engines_share_that_holds_weights_adapters_and_engine(tmp_path):
    """Just within it there is no room for a request yet: what HB502 says."""
    served = estimated(SHARE % 0.95, tmp_path).analysis.serving
    least = served.terms["weights"] + served.terms.get("adapters", 0) + served.engine_bytes.low
    enough = least / served.usable
    within, beyond = (codes(SHARE % f"{enough + more:.6f}", tmp_path) for more in (0.00001, -0.00001))
    assert within ^ beyond == {"HB501", "HB502"}
    assert "HB501" in beyond


def test_the_t4_of_the_plan_cannot_serve_it():
    (found,) = said("HB501", SPECS / "heartbeat-as-written.yaml")
    assert found.route == ("deployment", "instance", "type")
    assert found.severity == "error"
    for words in ("19.2 GB", "14.56 GiB", "T4", "bfloat16", "FlashAttention-2"):
        assert words in found.message


def test_an_alternative_is_a_warning_at_its_own_place(tmp_path):
    small = "deployment: {tensor_parallel: 1, instance: {type: ml.p5.48xlarge, alternatives: [ml.g4dn.2xlarge]}}"
    (found,) = judged("HB501", small, tmp_path)
    assert (found.route, found.severity) == (ALTERNATIVE, "warning")


def test_an_alternative_with_too_few_gpus(tmp_path):
    (found,) = judged("HB501", "deployment: {instance: {alternatives: [ml.g5.2xlarge]}}", tmp_path)
    assert found.message == "tensor_parallel is 4, but ml.g5.2xlarge has 1 GPU"
    assert found.help == "remove ml.g5.2xlarge from the alternatives"


def test_four_gpus_hold_what_one_does_not(tmp_path):
    four = "deployment: {instance: {type: ml.g4dn.12xlarge}, tensor_parallel: %d}"
    assert judged("HB501", four % 4, tmp_path) == []
    assert len(judged("HB501", four % 1, tmp_path)) == 1


def test_what_the_engine_may_not_use_is_not_there(tmp_path):
    (found,) = judged("HB501", SHARE % 0.8, tmp_path)
    assert found.help == "raise gpu_memory_utilization above 0.8"
    assert judged("HB501", SHARE % 0.95, tmp_path) == []


def test_a_type_that_does_not_exist_is_left_to_hb506(tmp_path):
    wrong = "deployment: {instance: {type: ml.g5.13xlarge, alternatives: [ml.g4dn.2xlarge]}}"
    assert judged("HB501", wrong, tmp_path) == []
    assert len(judged("HB506", wrong, tmp_path)) == 1


def test_a_gpu_of_unknown_memory_is_not_judged(tmp_path):
    assert judged("HB501", "deployment: {instance: {type: ml.g7.12xlarge}}", tmp_path) == []


def test_the_advised_gpu_is_large_enough_for_the_share_that_the_engine_may_use(tmp_path):
    """19.77 GB are needed and the engine takes 0.9 of a GPU: 21.97 GB, and not 19.77."""
    from hbspec.units import bytes_text

    (found,) = judged("HB501", "deployment: {instance: {type: ml.g4dn.2xlarge}, tensor_parallel: null}", tmp_path)
    served = estimated("deployment: {instance: {type: ml.g4dn.2xlarge}, tensor_parallel: null}", tmp_path).serving
    least = served.terms["weights"] + served.terms.get("adapters", 0) + served.engine_bytes.low
    assert f"at least {bytes_text(least / 0.9)} of usable memory" in found.help


def test_of_a_sliver_of_the_gpu_the_usual_share_is_advised(tmp_path):
    sliver = "deployment: {instance: {type: ml.g4dn.2xlarge}, tensor_parallel: null, gpu_memory_utilization: 1e-320}"
    (found,) = judged("HB501", sliver, tmp_path)
    assert found.help.endswith("of usable memory and set gpu_memory_utilization: 0.9")


TIGHT = """
model: {id: mistralai/Mistral-Small-Instruct-2409}
hyperparameters: {lora_r: 1, target_modules: [q_proj]}
deployment:
  instance: {type: ml.g5.2xlarge}
  tensor_parallel: 1
  quantization: %s
  gpu_memory_utilization: 1.0
  max_model_len: 64
  concurrency: 1
  max_lora_rank: 1
"""


def test_a_module_in_16_bits_beside_the_quantised_ones(tmp_path):
    (found,) = judged("HB501", TIGHT % "fp8", tmp_path)
    assert (found.severity, found.confidence) == ("warning", "likely")
    assert "once it is quantised, but while it is loaded, it needs about" in found.message
    assert judged("HB501", TIGHT % "nf4", tmp_path) == []


def test_a_share_that_is_too_small_is_the_cause_where_the_usual_one_is_enough(tmp_path):
    small = "model: {id: Qwen/Qwen2.5-7B}\nbudget: null\ndeployment: {quantization: none, tensor_parallel: null, %s}"
    fragment = small % "instance: {type: ml.g5.2xlarge}, max_model_len: 2048"
    edge("HB501", fragment, "deployment.gpu_memory_utilization", 0.9, 0.5, tmp_path)
    (found,) = judged("HB501", fragment.replace("2048", "2048, gpu_memory_utilization: 0.5"), tmp_path)
    assert found.route == ("deployment", "gpu_memory_utilization")


def test_a_share_of_a_gpu_that_is_too_small_anyway_is_not_the_cause(tmp_path):
    fragment = "deployment: {instance: {type: ml.g4dn.2xlarge}, tensor_parallel: null, gpu_memory_utilization: 0.5}"
    (found,) = judged("HB501", fragment, tmp_path)
    assert found.route == ("deployment", "instance", "type")
