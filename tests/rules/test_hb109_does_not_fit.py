"""HB109: training memory against the GPU."""

from __future__ import annotations

import re

import pytest
from judged import edge, estimated, judged, laid, largest_within, on_hardware

from hbspec.api import check
from hbspec.rules import hb109_does_not_fit as hb109
from hbspec.units import bytes_text

BATCH = "hyperparameters.per_device_batch_size"
ROOMY = "budget: {max_cost: 9999 USD}\ninstance: {max_runtime: 99h}\nhyperparameters: {max_steps: 30}"


def test_edge(tmp_path):
    most = largest_within("HB109", ROOMY, BATCH, 1, 1000, tmp_path)
    assert 1 < most < 999
    edge("HB109", ROOMY, BATCH, most, most + 1, tmp_path)


def test_edge_of_the_memory_of_a_gpu(tmp_path):
    gpu = "instance: {type: null, gpu: RTX 3060, gpus: 8, price: 30 USD/h}"
    least = largest_within("HB109", gpu, "instance.gpu_memory", 10**11, 10**9, tmp_path, "B")
    edge("HB109", gpu, "instance.gpu_memory", f"{least} B", f"{least - 1} B", tmp_path)


def test_an_error_where_even_the_low_end_is_too_much(tmp_path):
    (found,) = judged("HB109", "model: {id: Qwen/Qwen2.5-72B}\nbudget: {max_cost: 9999 USD}", tmp_path)
    assert (found.severity, found.confidence, found.route) == ("error", "likely", ("instance", "type"))
    device = estimated("model: {id: Qwen/Qwen2.5-72B}", tmp_path).memory.fullest
    expected, least = bytes_text(device.needed), bytes_text(device.process.low)
    assert found.message == (
        f"a GPU needs about {expected} (at least {least}) for tensors and the CUDA context alone, but 42.3 GB of the "
        "A100-40 is usable; the largest parts are quantized weights 35.1 GB, embedding 2.49 GB, output head 2.49 GB"
    )


def found_with(usable, folder):
    analysis = on_hardware("", folder, lambda old: old._replace(gpu=old.gpu._replace(usable_bytes=int(usable))))
    return list(hb109.check(analysis))


def test_an_error_where_what_is_expected_is_too_much_and_a_warning_where_only_the_high_end_is(tmp_path):
    """Expected are the tensors and the context: the allocator gives its reserve back before it fails."""
    device = estimated("", tmp_path).memory.fullest
    process, needed = device.process, device.needed
    assert process.low < needed < process.expected < process.high
    for usable, severity in (
        (process.low - 1, "error"),
        (needed - 1, "error"),
        (needed, "warning"),
        (process.high - 1, "warning"),
        (process.high, None),
    ):
        assert [one.severity for one in found_with(usable, tmp_path)] == ([severity] if severity else [])


def test_the_message_says_what_is_expected_and_the_range(tmp_path):
    device = estimated("", tmp_path).memory.fullest
    (error,) = found_with(device.needed - 1, tmp_path)
    assert re.match(r"a GPU is expected to need about [0-9.]+ GB \([0-9.]+ GB to [0-9.]+ GB\), but ", error.message)
    (reserving,) = found_with(device.process.expected - 1, tmp_path)
    tensors, process, most = map(bytes_text, (device.needed, device.process.expected, device.process.high))
    assert reserving.message.startswith(
        f"a GPU needs about {tensors} for tensors and the CUDA context, and about {process} (up to {most}) with what "
        "the allocator would reserve beside them, but "
    )
    (warning,) = found_with(device.process.high - 1, tmp_path)
    high, expected = bytes_text(device.process.high), bytes_text(device.process.expected)
    assert warning.message.startswith(f"a GPU may need {high} (about {expected} is expected), but ")


def test_pages_of_an_optimizer_are_never_an_error(tmp_path):
    paged = "model: {id: Qwen/Qwen2.5-3B}\nhyperparameters: {optim: paged_adamw_32bit, method: full}"
    device = estimated(paged, tmp_path).memory.fullest
    assert device.paged > 0
    beside = device.process.high - device.paged
    for usable, severity in (
        (beside, "warning"),
        (beside + device.paged - 1, "warning"),
        (beside + device.paged, None),
    ):
        analysis = on_hardware(paged, tmp_path, lambda old, usable=usable: of_memory(old, usable))
        found = list(hb109.check(analysis))
        assert [one.severity for one in found] == ([severity] if severity else [])
        assert all("paged optimizer states exceed" in one.message for one in found)


def of_memory(hardware, usable):
    return hardware._replace(gpu=hardware.gpu._replace(usable_bytes=int(usable)))


class TestHelp:
    def test_the_micro_batch_that_is_offered_is_the_largest_that_fits(self, tmp_path):
        batch = "hyperparameters: {{per_device_batch_size: {}, gradient_accumulation_steps: {}}}"
        (found,) = judged("HB109", batch.format(30, 4), tmp_path)
        assert found.help == "set per_device_batch_size to 10 and gradient_accumulation_steps to 12"
        assert judged("HB109", batch.format(10, 12), tmp_path) == []
        assert judged("HB109", batch.format(15, 8), tmp_path) != []

    @pytest.mark.parametrize(
        ("fragment", "help_"),
        [
            (
                "hyperparameters: {gradient_checkpointing: false, per_device_batch_size: 4}",
                "set gradient_checkpointing to true",
            ),
            (
                "model: {id: Qwen/Qwen2.5-7B}\ninstance: {parallelism: fsdp}\n"
                "hyperparameters: {method: full, bnb_quant_type: null, bnb_double_quant: null}",
                "set sync_each_batch to true (gradients are reduced after every micro-batch)",
            ),
            (
                "model: {id: Qwen/Qwen2.5-72B}\ninstance: {parallelism: single}",
                "set parallelism to pipeline (one GPU computes at a time)",
            ),
        ],
    )
    def test_a_single_change_that_fits_and_keeps_the_instance(self, fragment, help_, tmp_path):
        (found,) = judged("HB109", fragment, tmp_path)
        assert found.help == help_

    def test_where_one_change_is_not_enough_two_are_named(self, tmp_path):
        fragment = "hyperparameters: {gradient_checkpointing: false, per_device_batch_size: 64}"
        (found,) = judged("HB109", fragment, tmp_path)
        assert found.help == (
            "set gradient_checkpointing to true, per_device_batch_size to 8 and gradient_accumulation_steps to 32"
        )

    def test_else_the_cheapest_instance_type_that_fits(self, tmp_path):
        (found,) = judged("HB109", "model: {id: Qwen/Qwen2.5-72B}\nbudget: {max_cost: 9999 USD}", tmp_path)
        assert found.help.startswith("set instance.type to ml.")

    def test_where_nothing_is_found_the_memory_that_a_gpu_would_need(self, tmp_path):
        alone = "model: {id: Qwen/Qwen2.5-72B}\ninstance: {type: null, gpu: A100-40, gpus: 1, price: 30 USD/h}"
        needed = bytes_text(estimated(alone, tmp_path).memory.fullest.process.high)
        (found,) = judged("HB109", alone, tmp_path)
        assert found.help == (
            f"use a GPU with at least {needed} of usable memory; "
            "no single change or pair of changes tried is certain to make it fit"
        )

    def test_a_change_that_brings_an_error_is_not_named(self, tmp_path):
        fragment = "hyperparameters: {per_device_batch_size: 30, gradient_accumulation_steps: 4}"
        analysis = estimated(fragment, tmp_path).analysis
        for refused, rows, steps in ((30, 10, 12), (10, 6, 20), (6, 5, 24)):
            help_ = hb109.advise(analysis, lambda changed, refused=refused: changed.plan.training.micro_batch < refused)
            assert help_ == f"set per_device_batch_size to {rows} and gradient_accumulation_steps to {steps}"
        assert hb109.advise(analysis, lambda _changed: False).startswith("use a GPU with at least ")

    def test_nothing_is_tried_for_a_finding_that_is_not_shown(self, tmp_path, monkeypatch):
        tried = []
        monkeypatch.setattr(hb109, "advise", lambda *_: tried.append(1) or "")
        assert judged("HB109", "model: {id: Qwen/Qwen2.5-72B} # hbspec: allow HB109", tmp_path) != []
        assert tried == [1]
        allowed = "model: {id: Qwen/Qwen2.5-72B}\ninstance: {type: ml.p4d.24xlarge} # hbspec: allow HB109 -- measured"
        assert judged("HB109", allowed, tmp_path) == []
        assert tried == [1]


GENERATED = (
    "model: {id: Qwen/Qwen2.5-1.5B-Instruct}\ntask: grpo\ndata: {type: prompt_only, validation: null}\n"
    "reward: {functions: [finetune.py:train]}\nbudget: {max_cost: 9999 USD}\ninstance: {max_runtime: 99h}\n"
    "hyperparameters: {max_steps: 1, gradient_accumulation_steps: 128, max_length: 14336, max_completion_length: 12288}"
)


def test_completions_that_are_too_many_at_once_are_generated_in_smaller_batches(tmp_path):
    (found,) = judged("HB109", GENERATED, tmp_path)
    assert "while generating completions" in found.message
    assert "key value cache" in found.message
    (helped,) = [one for one in check(laid(GENERATED, tmp_path)).diagnostics if one.code == "HB109"]
    assert helped.help.startswith("set steps_per_generation to ")
