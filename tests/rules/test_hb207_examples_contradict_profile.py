"""HB207: the spec against the profile of its data."""

from __future__ import annotations

import pytest
from judged import HERE, SPECS, codes, edge, judged, said

PROFILE = "data: {tokens: null, profile: ./train.profile.json, train: {examples: 1758}}"
DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture
def profile(tmp_path):
    (tmp_path / "train.profile.json").write_text((HERE / "train.profile.json").read_text())


@pytest.mark.parametrize("beyond", [1757, 1759])
def test_edge(beyond, tmp_path):
    edge("HB207", PROFILE, "data.train.examples", 1758, beyond, tmp_path)


def test_edge_of_the_digest(tmp_path):
    edge("HB207", PROFILE, "data.digest", DIGEST, f"{DIGEST[:-1]}1", tmp_path)


def test_the_training_split_of_the_seed_has_fewer_examples():
    (found,) = said("HB207", SPECS / "heartbeat-as-written.yaml")
    assert (found.severity, found.route) == ("error", ("data", "train", "examples"))
    assert found.message == (
        "data.train.examples is 2,198, but the profile counts 1,758: 300 updates are 5.46 epochs, not 4.35"
    )


@pytest.mark.usefixtures("profile")
def test_the_digest_of_other_data(tmp_path):
    (found,) = judged("HB207", f"{PROFILE[:-1]}, digest: {DIGEST[:-1]}1}}", tmp_path)
    assert found.route == ("data", "digest")
    assert found.message == f"data.digest is {DIGEST[:-1]}1, but the profile's is {DIGEST}: it describes other data"


@pytest.mark.usefixtures("profile")
def test_the_steps_of_an_epoch_follow_the_profile(tmp_path):
    fragment = "data: {profile: ./train.profile.json}\nhyperparameters: {max_steps: null, num_train_epochs: 2}"
    (found,) = judged("HB207", fragment, tmp_path)
    assert "110 updates are 2.00 epochs" in found.message


def test_a_profile_that_cannot_be_read_is_one_finding_whatever_the_length(tmp_path):
    fragment = "data: {tokens: null, profile: ./none.json}\nhyperparameters: {max_length: 100000000}"
    assert "HB030" in codes(fragment, tmp_path)
