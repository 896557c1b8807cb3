"""How fast ranks send: links in a host as measured, PCIe and networks as intervals over what was measured."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from planned import planned

from hbspec.catalog import catalog
from hbspec.catalog.links import measured_links
from hbspec.catalog.rows import rows
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.step.communication import NETWORK_SHARE, PCIE, link, network, ring_bytes
from hbspec.units import GB

MEASURED = Path(__file__).parents[3] / "shared/facts/interconnect.csv"


def by_hand(gpu, gpus, **more):
    return planned(instance={"type": None, "gpu": gpu, "gpus": gpus, "parallelism": "fsdp", **more}).hardware


def of_type(name, count=1):
    return planned(instance={"type": name, "parallelism": "fsdp", "count": count}).hardware


def test_a_ring_sends_all_but_its_own_share():
    assert ring_bytes(1000, 1) == 0
    assert ring_bytes(1000, 4) == 750


def test_nvlink_is_as_fast_as_measured():
    found = link(of_type("ml.p4d.24xlarge"), 8)
    assert found.bytes_per_second.expected == measured_links()["A100-40"][8].bytes_per_second
    assert found.seconds(0).expected == measured_links()["A100-40"][8].latency


def test_fewer_ranks_have_a_link_of_their_own():
    hardware = of_type("ml.p4d.24xlarge")
    assert link(hardware, 2).bytes_per_second.expected < link(hardware, 8).bytes_per_second.expected
    assert link(hardware, 3) == link(hardware, 4), "the next larger number that was measured"


@pytest.mark.parametrize("gpu", ["V100-32", "H800-80"])
def test_nvlink_without_a_measurement_is_a_share_of_its_line_rate(gpu):
    line = catalog().gpus[gpu].nvlink_bandwidth / 2
    found = link(by_hand(gpu, 8), 8).bytes_per_second
    assert 0.4 * line < found.low < found.expected < found.high < 0.8 * line


@pytest.mark.parametrize("gpu", ["L40S", "RTX PRO 6000"])
@pytest.mark.parametrize("count", [2, 4, 8])
def test_pcie_spans_what_was_measured(gpu, count):
    found = link(by_hand(gpu, count), count).bytes_per_second
    assert found.low <= measured_links()[gpu][count].bytes_per_second <= found.high


def test_pcie_of_the_next_generation_is_twice_as_fast():
    four, five = (link(by_hand(gpu, 4), 4).bytes_per_second for gpu in ("L40S", "RTX PRO 6000"))
    assert four == PCIE[4]
    assert five == PCIE[4] * 2


def test_cards_have_no_nvlink_that_was_not_bought():
    cards, modules = (link(by_hand(gpu, 4), 4).bytes_per_second for gpu in ("A100-PCIe-80", "A100-80"))
    assert cards.high < 30 * GB < modules.low
    assert link(by_hand("RTX 3090", 4), 4).bytes_per_second.high < 30 * GB


def test_a_bridge_may_join_two_cards():
    two, four = (link(by_hand("A100-PCIe-80", count), count).bytes_per_second for count in (2, 4))
    assert two.high > 200 * GB > four.high
    assert two.expected == four.expected


def test_a_ring_crosses_the_border_of_a_host_once():
    """For all of its GPUs: 400 Gb/s are 50 GB/s for each rank, not a sixteenth of them."""
    two = link(of_type("ml.p4d.24xlarge", 2), 16).bytes_per_second
    assert two == NETWORK_SHARE * (400e9 / 8)
    for measured in (57, 32, 30):  # on 2, 3 and 4 of them: NVIDIA/nccl issue 527
        assert two.low <= measured * GB <= two.high * 1.04


def test_ranks_of_one_host_do_not_use_the_network():
    one, two = of_type("ml.p4d.24xlarge"), of_type("ml.p4d.24xlarge", 2)
    assert link(two, 8) == link(one, 8)
    assert link(two, 16).bytes_per_second.expected < link(two, 8).bytes_per_second.expected


def test_a_network_can_be_given_by_hand():
    found = by_hand("A100-80", 8, count=2, network="400 Gb/s")
    assert network(found).bytes_per_second.expected == pytest.approx(NETWORK_SHARE.expected * 400e9 / 8)


def test_without_a_network_several_hosts_are_not_known():
    with pytest.raises(NotKnownError, match="network"):
        link(by_hand("A100-80", 8, count=2), 16)


def test_links_are_slowed_by_the_slower_of_host_and_network():
    cards = by_hand("L40S", 8, count=2, network="3200 Gb/s")
    assert link(cards, 16).bytes_per_second == PCIE[8]


def test_the_table_is_near_every_collective_it_is_derived_from():
    worst = {row["gpus"]: float(row["worst_percent"]) for row in rows("links.csv")}
    assert max(worst.values()) < 50
    assert worst["A100-40;A100-80"] <= 20


@pytest.mark.skipif(not MEASURED.exists(), reason="the measured collectives lie beside the repository")
def test_the_largest_messages_take_what_is_estimated():
    gpus = {"A100 SXM (NVLink)": "A100-80", "H100 SXM (NVLink)": "H100-80", "B200 (NVLink)": "B200"}
    with MEASURED.open(encoding="utf-8", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["gpu"] in gpus and row["message_bytes"] == str(2**29)]
    assert found
    for row in found:
        count, gpu = int(row["gpus"]), gpus[row["gpu"]]
        if row["operation"] != "all_reduce":
            seconds = link(by_hand(gpu, count), count).seconds(ring_bytes(2**29, count))
            assert seconds.low <= float(row["latency_ms"]) / 1e3 <= seconds.high, row
