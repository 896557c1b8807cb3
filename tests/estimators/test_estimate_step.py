"""What a micro-batch and an update ask of a GPU, of its host and of its links."""

from __future__ import annotations

import pytest
from planned import FULL, LORA, QLORA, planned

from hbspec.catalog import catalog
from hbspec.estimators.constants import STEP
from hbspec.estimators.step.duration import micro_batch, update
from hbspec.estimators.step.speed import reached, timed, untimed
from hbspec.units import Interval

SINGLE = {"parallelism": "single"}
LLAMA = "meta-llama/Llama-3.1-8B"


def by_hand(gpu, gpus=1, **more):
    return {"type": None, "gpu": gpu, "gpus": gpus, "parallelism": "single", **more}


def test_the_longest_of_work_launches_and_sending_decides():
    found = micro_batch(planned(instance=SINGLE), 689)
    assert found.seconds().expected == found.work() > STEP.launch.expected * found.launches
    launching = found._replace(launches=10**7)
    assert launching.seconds() == STEP.launch * 10**7
    sending = found._replace(sent=Interval.exact(1e4))
    assert sending.seconds().low == 1e4
    streaming = found._replace(streamed=1e4)
    assert streaming.seconds() == Interval.exact(1e4)


def test_what_is_sent_is_partly_hidden_behind_work():
    found = micro_batch(planned(instance=SINGLE), 689)
    sending = found._replace(sent=Interval.exact(found.work() / 10))
    more = sending.seconds().expected - found.seconds().expected
    assert more == pytest.approx(STEP.exposed.expected * found.work() / 10)
    assert sending.seconds().low == found.seconds().low, "at best all of it is hidden"
    assert sending.seconds().high == pytest.approx(found.seconds().high + found.work() / 10)


def test_hooks_of_units_keep_the_host_busy():
    found = micro_batch(planned(instance=SINGLE), 32)._replace(products=0.0)
    hooked = found._replace(units=1000)
    assert hooked.seconds().expected - found.seconds().expected == pytest.approx(
        STEP.launch.expected * STEP.unit * 1000, rel=0.2
    )


def test_a_short_row_waits_for_its_kernels():
    found = micro_batch(planned("Qwen/Qwen2.5-0.5B", instance=SINGLE), 32)
    assert found.seconds().expected == STEP.launch.expected * found.launches > found.work()
    longer = micro_batch(planned("Qwen/Qwen2.5-0.5B", instance=SINGLE), 64)
    assert longer.launches == found.launches


def test_kernels_of_a_layer_count_for_every_layer():
    small, large = (micro_batch(planned(model, instance=SINGLE), 512) for model in ("Qwen/Qwen2.5-0.5B", LLAMA))
    # 24 and 32 layers of the same modules; Qwen's three biases are added inside their products
    assert large.launches / small.launches == pytest.approx(32 / 24, rel=0.02)


def test_unpacking_does_not_depend_on_the_rows():
    plan = planned(instance=SINGLE)
    assert micro_batch(plan, 100).unpacked == micro_batch(plan, 4000).unpacked > 0
    assert micro_batch(planned(method=LORA, instance=SINGLE), 100).unpacked == 0


def test_the_forward_pass_alone_is_less_than_half():
    plan = planned(instance=SINGLE)
    whole, forward = micro_batch(plan, 512), micro_batch(plan, 512, backward=False)
    for part in ("products", "attention", "written", "unpacked", "launches"):
        assert 0 < getattr(forward, part) < getattr(whole, part) / 2, part


def test_a_head_in_float32_costs_more_than_half_the_layers():
    """K-bit preparation without autocast: the head's products run at 19.5 instead of 312 TFLOP/s on an A100."""
    narrow, wide = (
        micro_batch(
            planned(
                LLAMA,
                method={**QLORA, "gradient_checkpointing": True},
                instance=by_hand("A100-80"),
                sections={"software": {"trainer": "loop", "weights_dtype": dtype, "adapter_dtype": "bfloat16"}},
            ),
            1024,
        )
        for dtype in ("bfloat16", "float32")
    )
    head = 4 * 1024 * 128_256 * 4096
    gpu = catalog().gpus["A100-80"]
    slower = head * (1 / untimed(gpu, "float32") - 1 / untimed(gpu, "bfloat16"))
    others = narrow.products * timed(gpu, "bfloat16", 1024) / untimed(gpu, "bfloat16")
    assert wide.products - others == pytest.approx(slower, rel=0.01)
    assert wide.products > 1.5 * narrow.products


def test_attention_of_a_float32_stream_is_wide_unless_its_kernel_takes_none():
    software = {"software": {"trainer": "loop", "weights_dtype": "float32"}}
    sdpa, flash = (
        micro_batch(planned(LLAMA, instance=by_hand("A100-80"), sections=software, attn_implementation=kernel), 4096)
        for kernel in ("sdpa", "flash_attention_2")
    )
    assert sdpa.attention == pytest.approx(16 * flash.attention)


def test_uneven_rows_attend_to_more_pairs():
    even, uneven = (planned(instance=SINGLE, tokens=tokens) for tokens in ((500.0, 500), (500.0, 2000)))
    assert even.unevenness == 1
    assert micro_batch(uneven, 500).attention == pytest.approx(uneven.unevenness * micro_batch(even, 500).attention)
    assert uneven.unevenness > 1.2


def test_a_t4_reaches_what_its_power_allows():
    plan = planned("Qwen/Qwen2.5-0.5B", instance=by_hand("T4"), fp16=True)
    assert reached(plan.hardware.gpu, "float16") == pytest.approx(24e12, rel=0.01)


def test_a_micro_batch_is_handed_over_from_gpu_to_gpu():
    single, handed = (micro_batch(planned(instance={"parallelism": kind}), 689) for kind in ("single", "pipeline"))
    assert handed.seconds().expected == pytest.approx(STEP.handover * single.seconds().expected)


def test_zero_3_fetches_every_tensor():
    plans = (planned(LLAMA, method=FULL, instance={"parallelism": kind}) for kind in ("zero2", "zero3"))
    two, three = (micro_batch(plan, 256) for plan in plans)
    # 9 tensors a layer, embedding, head and the last norm; forward, recompute and backward
    assert three.launches - two.launches == 3 * (9 * 32 + 3) * STEP.fetch


def test_lists_of_tensors_are_passed_over_often():
    lists, fused = (
        update(planned(LLAMA, method=FULL, instance=SINGLE, optim=name)).work
        for name in ("adamw_torch", "adamw_torch_fused")
    )
    assert lists / fused == pytest.approx(23 / 10)  # 20 and 7 passes, and 3 of the clipping
