"""The HeartBeat plan: as written, every mistake is named with both its numbers; put right, nothing is left to say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from hbspec.api import check, estimate
from hbspec.catalog.parameters import total_parameters
from hbspec.diagnostics import Severity

SPECS = Path(__file__).parents[2] / "specs"
AS_OF = date(2026, 11, 22)
WRITTEN, RIGHT = SPECS / "heartbeat-as-written.yaml", SPECS / "heartbeat.yaml"


@pytest.fixture(scope="module")
def said():
    report = check(WRITTEN, as_of=AS_OF)
    assert not report.ok
    return [f"{entry.code} {entry.message} | {entry.help}" for entry in report.diagnostics]


@pytest.mark.parametrize(
    "numbers",
    [
        ("claimed as 9600", "9,560", "69 updates per epoch"),  # a nominal count, and the real one
        ("claimed as 4.4", "4.349"),
        ("32", "256", "34.9", "33.4", "gradient_accumulation_steps to 4"),  # one process, or eight
        ("1 of 8 GPUs", "7 are paid for and idle"),
        ("14.0 h x 36.00 CAD/h = 504.00 CAD", "525 CAD"),
        ("16.0 h x 36.00 CAD/h = 576.00 CAD", "525.00 CAD"),
        ("32.77 USD/h", "25.25 USD/h", "EC2's price of 2025-04-28"),
        ("36.00 CAD/h", "29.04 USD/h x 1.38 = 40.07 CAD/h", "derived"),
        ("ml.p4de.24xlarge is not offered in ca-central-1",),
        ("16 GB", "0.127 bits", "19.2 GB to serve", "22.3 GB to train"),
        ("65 GB", "the sum over 8 GPUs"),
        ("ml.g4dn.2xlarge", "19.2 GB", "14.56 GiB", "T4", "without bfloat16 and FlashAttention-2"),
        ("ml.g5.2xlarge", "4 x 4,096", "4.00 GiB"),
        ("67 to 101 tokens", "A10G", "400"),
        ("2s..3s", "17.7 GB streamed per token"),
        ("0.75 USD/h", "0.94 USD/h", "EC2's price"),
        ("18 USD", "25.05 USD", "so 22.56 USD"),
        ("540 USD", "751.50 USD", "so 676.80 USD"),
        ("2,198", "1,758", "5.46 epochs", "4.35"),
        ("max_length 4,096 is never reached", "684"),
    ],
    ids=lambda numbers: numbers[0],
)
def test_as_written_every_point_is_named_with_both_numbers(said, numbers):
    assert any(all(number in message for number in numbers) for message in said), numbers


def test_put_right_nothing_but_old_prices_is_said():
    report = check(RIGHT, as_of=AS_OF)
    assert report.ok
    assert report.allowed == 0
    assert {entry.code for entry in report.diagnostics} <= {"HB305"}
    assert report.count(Severity.NOTE) == 0
    assert report.skipped == {}


def test_put_right_it_is_still_the_same_plan():
    written, right = (yaml.safe_load(path.read_text()) for path in (WRITTEN, RIGHT))
    assert set(written) == set(right)
    assert set(written["expect"]) == set(right["expect"])
    assert written["model"] == right["model"]
    assert written["budget"]["max_cost"] == right["budget"]["max_cost"]
    assert "allow" not in RIGHT.read_text()
    found = estimate(RIGHT, as_of=AS_OF)
    assert (found.plan.counts.optimizer_steps, found.plan.effective_batch_size) == (300, 32)
    assert found.plan.counts.examples == 1758
    assert {claim.verdict for claim in found.claims} == {"confirmed"}
    assert found.unknown == {}


@pytest.fixture(scope="module")
def plans():
    names = {"scout": "llama-4-scout-as-planned", "llama": "llama-3.3-70b-as-planned"}
    return {name: estimate(SPECS / f"{stem}.yaml", as_of=AS_OF) for name, stem in names.items()}


class TestThePlansBefore:
    """What the comments at the top of the specs of earlier plans say."""

    def test_they_differ_from_the_plan_as_written_in_model_and_claims_only(self):
        written = yaml.safe_load(WRITTEN.read_text())
        for path in SPECS.glob("*-as-planned.yaml"):
            planned = yaml.safe_load(path.read_text())
            assert planned["hyperparameters"] == written["hyperparameters"]
            assert planned["data"] == written["data"]
            assert planned["instance"].items() <= written["instance"].items()

    def test_17b_are_active_and_108b_are_held(self, plans):
        scout = plans["scout"]
        assert scout.memory.verdict == "fits"
        sizes = sorted(round(device.process.expected / 1e9) for device in scout.memory.devices)
        assert (sizes[-1], sizes[4]) == (35, 29)
        assert sum(device.terms["experts"] for device in scout.memory.devices) == pytest.approx(193e9, rel=0.01)
        architecture = scout.plan.architecture
        assert round(total_parameters(architecture) / 1e9) == 108
        assert round(2 * total_parameters(architecture) / 1e9) == 216
        assert 70 * 2 < scout.cost.low < scout.cost.high < 70 * 5.5
        alone = estimate(SPECS / "llama-4-scout-as-planned.yaml", overrides=["instance.parallelism=ddp"])
        assert (alone.memory.verdict, round(alone.memory.fullest.process.expected / 1e9)) == ("does_not_fit", 208)

    def test_70b_cost_less_than_a_fifth_of_what_was_planned(self, plans):
        llama = plans["llama"]
        assert round(llama.memory.fullest.process.expected / 1e9) == 9
        assert llama.cost.high < 2000 / 5
        alone = estimate(SPECS / "llama-3.3-70b-as-planned.yaml", overrides=["instance.parallelism=ddp"])
        assert (alone.memory.verdict, round(alone.memory.fullest.process.expected / 1e9)) == ("does_not_fit", 45)
