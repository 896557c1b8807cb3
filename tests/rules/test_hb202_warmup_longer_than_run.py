"""HB202: the warm-up against the run."""

from __future__ import annotations

from judged import codes, judged

NO_EDGE = "a warm-up just within the run is HB244's"
ONE_EPOCH = "hyperparameters: {max_steps: null, num_train_epochs: 1}"  # 69 updates


def edge(fragment, key, within, beyond, folder):
    """A warm-up within the run is of more than half of it, which HB244 says."""
    found = [codes(fragment, folder, [f"hyperparameters.{key}={value}"]) for value in (within, beyond)]
    assert found == [{"HB244"}, {"HB202"}]


def test_edge(tmp_path):
    edge("", "warmup_steps", 299, 300, tmp_path)


def test_edge_of_the_share(tmp_path):
    edge("", "warmup_ratio", 0.9966, 0.9967, tmp_path)  # 298.98, 299.01


def test_edge_of_a_run_counted_in_epochs(tmp_path):
    edge(ONE_EPOCH, "warmup_steps", 68, 69, tmp_path)


def test_edge_of_the_steps_as_a_share(tmp_path):
    edge("", "warmup_steps", 0.9966, 0.9967, tmp_path)


def test_both_numbers_of_updates_are_named(tmp_path):
    (found,) = judged("HB202", "hyperparameters: {warmup_steps: 500}", tmp_path)
    assert found.message == (
        "warmup_steps 500 covers all 300 updates of the run: the learning rate never reaches its peak"
    )
