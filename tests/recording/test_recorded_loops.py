"""Layers whose code loops over tokens or pads rows to chunks, at lengths and batches that were not recorded."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from oracle.case import parse
from oracle.shapes import CONFIGS
from oracle.whole_step import peak
from recording.test_recorded_memory import closed

from hbspec.catalog.recorded_file import architecture_of
from hbspec.catalog.recorded_loop import length_class, numbers, program_rows
from hbspec.diagnostics import NotKnownError

MAMBA = {"model_type": "mamba", "hidden_size": 32, "state_size": 4, "num_hidden_layers": 3, "vocab_size": 99}
MAMBA2 = {
    "model_type": "mamba2",
    "hidden_size": 32,
    "state_size": 8,
    "num_heads": 4,
    "head_dim": 16,
    "n_groups": 2,
    "chunk_size": 32,
    "num_hidden_layers": 3,
    "vocab_size": 99,
}
DELTA = {
    "model_type": "qwen3_next",
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "decoder_sparse_step": 1,
    "moe_intermediate_size": 32,
    "shared_expert_intermediate_size": 32,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "layer_types": ["linear_attention", "linear_attention", "linear_attention", "full_attention"],
    "vocab_size": 99,
}
ONE_PASS = {
    "operators": [
        {"inputs": [0], "outputs": [[1]], "freed": []},
        {"inputs": [{"each": [2]}, [1]], "outputs": [[2]], "freed": [{"each": [1]}]},
    ],
    "loop": {
        "at": 1,
        "values": 1,
        "chunks": 1,
        "body": [{"inputs": [[1], 0, "w"], "outputs": [[2]], "freed": [[1]]}],
    },
}


@pytest.fixture(scope="module")
def recorded_once():
    """Records a config in the dtypes of full fine-tuning."""
    from hbspec.recording.files import recorded
    from hbspec.recording.record import REGIMES
    from hbspec.recording.source import Source

    made = {}

    def record(values):
        key = values["model_type"]
        if key not in made:
            made[key] = recorded(Source(values, {}), REGIMES[:1])
        return made[key]

    return record


@pytest.mark.parametrize("text", ["tokens=96", "tokens=75,batch=3", "tokens=20,batch=2"])
def test_rows_that_are_padded_to_chunks_are_as_their_trace(text, recorded_once, monkeypatch):
    """The mask of eager attention, which Mamba does not make, would be 3 % of so small a model."""
    monkeypatch.setitem(CONFIGS, "mamba2", MAMBA2)
    case = parse(f"mamba2,attention=eager,method=full,{text}")
    assert closed(case, architecture_of(recorded_once(MAMBA2))) == pytest.approx(peak(case), rel=0.01)


@pytest.mark.parametrize("text", ["tokens=40,batch=2", "tokens=17"])
def test_a_loop_over_tokens_is_as_its_trace(text, recorded_once, monkeypatch):
    monkeypatch.setitem(CONFIGS, "mamba", MAMBA)
    case = parse(f"mamba,attention=eager,method=full,{text}")
    assert closed(case, architecture_of(recorded_once(MAMBA))) == pytest.approx(peak(case), rel=0.01)


@pytest.mark.parametrize("text", ["method=full,tokens=320,batch=2", "method=full,tokens=150"])
def test_a_loop_over_chunks_is_as_its_trace(text, recorded_once, monkeypatch):
    monkeypatch.setitem(CONFIGS, "delta", DELTA)
    case = parse(f"delta,{text}")
    assert closed(case, architecture_of(recorded_once(DELTA))) == pytest.approx(peak(case), rel=0.01)


def test_a_length_has_a_class():
    classes = {"one": 1, "whole": 1, "ragged": 1}
    assert [length_class(length, 64, classes) for length in (1, 64, 65, 128)] == ["one", "one", "ragged", "whole"]
    assert length_class(7, 1, {"whole": 1}) == "whole"


def test_passes_are_repeated():
    """What moves on with every pass is in a list; what every pass made is in an "each"."""
    rows = program_rows(ONE_PASS, 3)
    assert [row["inputs"] for row in rows] == [[0], [1, 0, "w"], [2, 0, "w"], [2, 3, 3]]
    assert [row["outputs"] for row in rows] == [[[1]], [[2]], [[3]], [[4]]]
    assert rows[-1]["freed"] == [1, 2]
    assert [*numbers([5, [6], "w", None], 10, 1, 2)] == [5, 16, "w", None]


def test_a_loop_of_too_many_passes_is_not_known():
    with pytest.raises(NotKnownError, match="too long to follow"):
        program_rows(ONE_PASS, 10**7)
