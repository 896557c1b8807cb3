"""HB127: quantised weights that every GPU loads before FSDP shards them."""

from __future__ import annotations

import re

import pytest
from judged import codes, estimated, judged, largest_within

FSDP = "instance: {type: null, gpu: RTX 3060, gpus: 8, price: 30 USD/h, parallelism: fsdp}\n"
STORED = "hyperparameters: {bnb_4bit_quant_storage: bfloat16, max_length: 256, per_device_batch_size: 1}"
OWN = "script: {entry_point: finetune.py}\nsoftware: {transformers: 4.57.6}\n"


NO_EDGE = "where loading just fits, HB109 says that training is tight"


def test_edge(tmp_path):
    """Where loading fits, HB109 goes on to say whether training does, in the segments that loading leaves."""
    least = largest_within("HB127", FSDP + STORED, "instance.gpu_memory", 10**5, 10**3, tmp_path, "MB")
    inside, outside = (
        codes(FSDP + STORED, tmp_path, [f'instance.gpu_memory="{size} MB"']) for size in (least, least - 1)
    )
    assert outside - inside == {"HB127"}
    assert inside - outside <= {"HB109"}


def test_more_gpus_do_not_help(tmp_path):
    for gpus in (2, 8, 64):
        small = FSDP.replace("gpus: 8", f"gpus: {gpus}, gpu_memory: 16 GB") + STORED
        (found,) = judged("HB127", small, tmp_path)
        assert found.severity == "error"
        assert "only after every GPU has loaded all of them: with transformers 5.23.0 that needs" in found.message
        assert "HB109" not in codes(small, tmp_path)


def test_the_advised_memory_is_enough_to_load(tmp_path):
    small = FSDP.replace("gpus: 8", "gpus: 8, gpu_memory: 16 GB")
    (found,) = judged("HB127", small + STORED, tmp_path)
    advised = float(found.help.split("more than ")[1].split(" GB")[0]) * 1.1  # a GPU of so much has less to use
    assert "HB127" not in codes(small.replace("16 GB", f"{advised:.1f} GB") + STORED, tmp_path)


def test_a_warning_where_it_depends_on_ram_efficient_loading(tmp_path):
    (found,) = judged("HB127", FSDP.replace("gpus: 8", "gpus: 8, gpu_memory: 16 GB") + OWN + STORED, tmp_path)
    assert found.severity == "warning"
    assert "may need" in found.message
    assert "RAM-efficient" in found.help


@pytest.mark.parametrize("other", [pytest.param("method: lora", marks=pytest.mark.long), "method: full"])
def test_what_is_not_quantised_is_loaded_on_the_host(other, tmp_path):
    fragment = FSDP.replace("gpus: 8", "gpus: 8, gpu_memory: 16 GB") + STORED.replace(
        "bnb_4bit_quant_storage: bfloat16", f"{other}, bnb_quant_type: null, bnb_double_quant: null"
    )
    assert judged("HB127", fragment, tmp_path) == []


def test_weights_of_16_bits_that_are_moved_to_the_gpu_first(tmp_path):
    small = FSDP.replace("gpus: 8", "gpus: 8, gpu_memory: 16 GB, loads_whole: true") + OWN
    full = STORED.replace("bnb_4bit_quant_storage: bfloat16", "method: full, bnb_quant_type: null")
    (found,) = judged("HB127", small + full.replace("null,", "null, bnb_double_quant: null,"), tmp_path)
    assert found.message.startswith("FSDP shards weights only after every GPU has loaded all of them: that needs")
    assert "RAM-efficient" in found.help


def test_the_load_is_named_as_the_peak(tmp_path):
    small = FSDP.replace("gpus: 8", "gpus: 8, gpu_memory: 16 GB") + STORED
    assert estimated(small, tmp_path).memory.fullest.moment == "load"


def test_an_instance_type_that_can_load_it_is_named(tmp_path):
    fragment = (
        "model: {id: Qwen/Qwen2.5-72B}\ninstance: {type: ml.g5.48xlarge, parallelism: fsdp}\n"
        "hyperparameters: {bnb_4bit_quant_storage: bfloat16}\nbudget: {max_cost: 9999 USD}\n"
    )
    (found,) = judged("HB127", fragment, tmp_path)
    assert found.help.startswith("set instance.type to ml.")
    name, steps = re.findall(r"to (ml\.\S+|\d+)", found.help + " to 4")[:2]
    changed = [f"instance.type={name}", f"hyperparameters.gradient_accumulation_steps={steps}"]
    assert {"HB109", "HB127"}.isdisjoint(codes(fragment, tmp_path, changed))


def test_the_variable_that_decides_ram_efficient_loading(tmp_path):
    """As in philschmid/llm-sagemaker-sample's notebook for Llama 3 70B on 40 GB GPUs."""
    own = (
        "model: {id: meta-llama/Meta-Llama-3-70B}\ninstance: {parallelism: fsdp, offload: all}\nbudget: null\n"
        "hyperparameters: {bnb_4bit_quant_storage: bfloat16, max_length: 512}\ndeployment: null\n"
        "script: {entry_point: finetune.py}\nsoftware: {transformers: 4.57.6}\n"
        "sagemaker: {environment: {FSDP_CPU_RAM_EFFICIENT_LOADING: %s}}"
    )
    assert judged("HB127", own % '"1"', tmp_path) == judged("HB127", own % '"true"', tmp_path) == []
    assert [found.severity for found in judged("HB127", own % '"false"', tmp_path)] == ["error"]
