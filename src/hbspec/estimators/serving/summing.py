"""What GPUs that share a model send each other while it answers."""

from __future__ import annotations

from math import sqrt

from hbspec.catalog.links import measured_links
from hbspec.diagnostics import Missing, known
from hbspec.estimators.serving.memory import served_model
from hbspec.estimators.step.communication import Link, link, on_nvlink, ring_bytes
from hbspec.plan import Hardware, ServingPlan
from hbspec.units import Interval

HIDDEN_BYTES = 2
"""Of each number of a hidden state."""

WITHOUT_PEERS = "GeForce"
"""Cards whose driver does not let them reach each other's memory: their sums go through the host's, so that of up to
four in a desktop the slow end of what hosts reach is expected (github.com/noonghunna/club-3090 issue 356;
allanchan339.github.io/bug-fixes/2025/05/21/4090-P2P.html)."""

IN_SERVERS = 8
"""So many are found in servers alone, where each has lanes of its own: what hosts reach is expected of them. Eight RTX
4090 without access to each other reach 14 to 15 GB/s with sums of 8 MiB and more, and 4.7 with 512 KiB (nccl-tests in
the public article "RTX4090 GPUDirect P2P Unlocked!" of February 2025), RTX 5090 on PCIe 5 28 (NVIDIA/nccl issue 1639),
and eight L40S 1.2 to 1.8 (the table behind `hbspec.catalog.links`)."""

HALF_SPEED = 350e3
"""Bytes of a sum that a GPU sends at half of the speed of the largest messages, so that small sums take twice as long.
All-reduces over PCIe of two and four L40S and RTX PRO 6000 take 12 to 110 microseconds for 128 and 256 KiB, here 17 to
168 (aiconfigurator-core 0.12.0, the table behind `hbspec.catalog.links`)."""


MORE_LATENCY = {8: Interval(7e-6, 13e-6, 23e-6)}
"""Seconds of a small sum over PCIe beyond those that are fitted (`reduction`), by the number of GPUs: 8 KiB take 8, 13
and 33 microseconds on two, four and eight L40S, 7, 14 and 27 on RTX PRO 6000 (the same table), and 43 on eight RTX 4090
(see `IN_SERVERS`)."""


def summed_over_pcie(plan: ServingPlan, tokens: float) -> Interval:
    """Seconds in which GPUs that no NVLink joins sum the hidden states of so many tokens, twice a layer.

    Each sum is a reduce-scatter and an all-gather, as fast as expected of cards in a host. Of cards whose
    collectives were measured (`hbspec.catalog.links`) the expected speed is theirs, and the ends stay, since hosts
    differ in whether cards reach each other. The latency of a sum, and over NVLink all of it, is part of what is
    fitted (`reduction`), as nearly all measured runs of several GPUs were joined by it. Left out: vLLM's own sums
    of small messages, which need cards that reach each other.

    Args:
        plan: the endpoint.
        tokens: of all requests in one step or one prefill.

    Raises:
        NotKnownError: the architecture or the hardware is not known.
    """
    hardware = known(plan.hardware, Missing("the endpoint's hardware", ("deployment", "instance")))
    parts = plan.tensor_parallel
    if parts == 1 or on_nvlink(hardware):
        return Interval.exact(0.0)
    architecture = served_model(plan)
    sums = 2 * architecture.num_hidden_layers
    sent = 2 * ring_bytes(tokens * architecture.hidden_size * HIDDEN_BYTES, parts)
    moved = _joining(hardware, parts).seconds(sums * (sent + min(sent, HALF_SPEED)), collectives=0)
    return moved + MORE_LATENCY.get(parts, Interval.exact(0.0)) * sums


def _joining(hardware: Hardware, parts: int) -> Link:
    over = link(hardware, parts)
    if WITHOUT_PEERS in hardware.gpu.marketing_name and parts < IN_SERVERS:
        reached = over.bytes_per_second
        return over._replace(bytes_per_second=Interval(reached.low, reached.low, reached.high))
    measured = measured_links().get(hardware.gpu.name, {}).get(parts)
    if measured is None or parts > hardware.gpus_per_instance:
        return over
    speed, ends = measured.bytes_per_second, over.bytes_per_second
    if parts >= IN_SERVERS:  # one host's table, where hosts differ by a factor of ten
        speed = sqrt(speed * ends.expected)
    return over._replace(bytes_per_second=Interval(min(ends.low, speed), speed, max(ends.high, speed)))
