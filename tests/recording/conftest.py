"""Models that are recorded once for all tests of this folder."""

from __future__ import annotations

import pytest

OLMO = {
    "model_type": "olmo",
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 512,
    "max_position_embeddings": 4096,
    "sliding_window": None,
}
"""A type that is in no family of the catalog."""


@pytest.fixture(scope="session")
def recorded_file():
    """Records a config in the dtypes of a usual step."""
    from hbspec.recording.files import recorded
    from hbspec.recording.record import REGIMES
    from hbspec.recording.source import Source

    made = {}

    def record(values):
        key = repr(values)
        if key not in made:
            made[key] = recorded(Source(values, {"config": "config.json"}), REGIMES[:3])
        return made[key]

    return record


@pytest.fixture(scope="session")
def olmo(recorded_file):
    """The file of a small OLMo."""
    return recorded_file(OLMO)


@pytest.fixture(scope="session")
def recorded_once():
    """Records a config in the dtypes of full fine-tuning, and of adapters on weights of 16 bits."""
    from hbspec.recording.files import recorded
    from hbspec.recording.record import REGIMES
    from hbspec.recording.source import Source

    made = {}

    def record(values):
        key = repr(values)
        if key not in made:
            made[key] = recorded(Source(values, {}), REGIMES[:1])
        return made[key]

    return record
