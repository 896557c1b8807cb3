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
BLOCKS = {
    "model_type": "minimax",
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "block_size": 32,
    "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    "vocab_size": 99,
}
"""The last of a row's blocks is not padded, but shorter; and the first pass runs less than those behind it."""

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


@pytest.mark.long
@pytest.mark.parametrize("text", ["tokens=96", "tokens=75,batch=3", "tokens=20,batch=2"])
def test_rows_that_are_padded_to_chunks_are_as_their_trace(text, recorded_once, monkeypatch):
    """The mask of eager attention, which Mamba does not make, would be 3 % of so small a model."""
    monkeypatch.setitem(CONFIGS, "mamba2", MAMBA2)
    case = parse(f"mamba2,attention=eager,method=full,{text}")
    assert closed(case, architecture_of(recorded_once(MAMBA2))) == pytest.approx(peak(case), rel=0.01)


@pytest.mark.long
@pytest.mark.parametrize("text", ["tokens=40,batch=2", "tokens=17"])
def test_a_loop_over_tokens_is_as_its_trace(text, recorded_once, monkeypatch):
    monkeypatch.setitem(CONFIGS, "mamba", MAMBA)
    case = parse(f"mamba,attention=eager,method=full,{text}")
    assert closed(case, architecture_of(recorded_once(MAMBA))) == pytest.approx(peak(case), rel=0.01)


@pytest.mark.long
@pytest.mark.parametrize("text", ["method=full,tokens=320,batch=2", "method=full,tokens=150"])
def test_a_loop_over_chunks_is_as_its_trace(text, recorded_once, monkeypatch):
    monkeypatch.setitem(CONFIGS, "delta", DELTA)
    case = parse(f"delta,{text}")
    assert closed(case, architecture_of(recorded_once(DELTA))) == pytest.approx(peak(case), rel=0.01)


@pytest.mark.long
@pytest.mark.parametrize("text", ["tokens=20,batch=2", "tokens=64", "tokens=50,batch=3", "tokens=150,batch=2"])
def test_a_loop_whose_last_pass_is_shorter_is_as_its_trace(text, recorded_once, monkeypatch):
    monkeypatch.setitem(CONFIGS, "blocks", BLOCKS)
    recorded = architecture_of(recorded_once(BLOCKS))
    case = parse(f"blocks,method=full,gradient_checkpointing=false,{text}")
    assert closed(case, recorded) == pytest.approx(peak(case), rel=0.005)


@pytest.mark.long
def test_rows_of_two_chunks_are_apart_where_their_passes_are_not_alike(recorded_once):
    by_length = [program for program in recorded_once(BLOCKS)["programs"] if "chunk" in program]
    assert {tuple(sorted(program)) for program in by_length} == {("chunk", "one", "ragged", "two", "whole")}
    assert {program["chunk"] for program in by_length} == {BLOCKS["block_size"]}


@pytest.mark.parametrize("chunk", [1, 32, 64, 128, 256])
def test_rows_are_not_told_by_tokens(chunk):
    """Else what each row has would be taken for what grows with tokens."""
    from hbspec.recording.forward import Point
    from hbspec.recording.lengths import ChunkLengths
    from hbspec.recording.program import RecordingError
    from hbspec.recording.sizes import FittedSizes

    for length in (one for each in ChunkLengths.classes(chunk) for one in (each, *each.parted)):
        for points in (length.together, length.several):
            shared = FittedSizes([Point(1, tokens, masked=False) for _, tokens in points])
            with pytest.raises(RecordingError, match="not a polynomial"):
                shared.form([rows * 720 for rows, _ in points], "it")


def test_a_size_may_grow_with_the_square_of_what_the_last_chunk_has():
    """Three rows of 75 tokens have 11 in their last chunk of 32."""
    from hbspec.catalog.recorded_program import form
    from hbspec.recording.forward import Point
    from hbspec.recording.sizes import FittedSizes

    points = [Point(1, 87, masked=False), Point(2, 114, masked=False), Point(3, 155, masked=False)]
    points += [Point(2, 185, masked=False), Point(1, 213, masked=False)]
    chunks = [-(-point.length // 32) for point in points]
    sizes = [point.batch * (5 + 7 * (rest := point.length - 32 * (number - 1)) ** 2 + 3 * rest)
             for point, number in zip(points, chunks, strict=True)]  # fmt: skip
    fixed, token, pair = form(FittedSizes(points, chunks, 32).form(sizes, "it"), 3, 3)
    assert fixed + token * 3 * 75 + pair * 3 * 75**2 == 3 * (5 + 7 * 11**2 + 3 * 11)


def test_a_length_has_a_class():
    classes = {"one": 1, "whole": 1, "ragged": 1}
    apart = classes | {"two": 1}
    assert [length_class(length, 64, apart) for length in (64, 65, 128, 129)] == ["one", "two", "whole", "ragged"]
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
