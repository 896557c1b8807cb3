"""`hbspec data convert`: what is written, what is kept apart, and what is left alone."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ALPACA = [
    {"instruction": "Add.", "input": "1 and 2", "output": "3", "id": 7},
    {"instruction": "Who leads?", "input": "", "output": "Montréal.", "system": "Be brief."},
]
ANSWERED = [
    {"messages": [{"role": "user", "content": "Add.\n\n1 and 2"}, {"role": "assistant", "content": "3"}], "id": 7},
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Who leads?"},
            {"role": "assistant", "content": "Montréal."},
        ]
    },
]
SHAREGPT = {
    "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}, {"from": "tool", "value": "r"}]
}
CALL = {"conversations": [{"from": "function_call", "value": "{}"}]}


def lines(*rows: object) -> str:
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


def read(hbspec, name):
    return [json.loads(line) for line in (hbspec.folder / name).read_text().splitlines()]


def test_alpaca_becomes_conversations_whatever_the_file(hbspec):
    hbspec.write("a.jsonl", lines(*ALPACA))
    hbspec.write("b.json", json.dumps(ALPACA))
    (hbspec.folder / "c.jsonl.gz").write_bytes(gzip.compress(lines(*ALPACA).encode()))
    pq.write_table(
        pa.Table.from_pylist([{"system": None, "id": None} | row for row in ALPACA]), hbspec.folder / "d.parquet"
    )
    for name in ("a.jsonl", "b.json", "c.jsonl.gz", "d.parquet"):
        code, out, err = hbspec("data", "convert", name, "-o", f"{name}.out.jsonl")
        assert (code, err) == (0, "")
        assert out == f"2 examples of Alpaca, converted to messages: {name}.out.jsonl\n"
        assert read(hbspec, f"{name}.out.jsonl") == ANSWERED
    assert hbspec("data", "check", "a.jsonl.out.jsonl")[0] == 0


def test_what_cannot_be_converted_is_kept_apart_and_nothing_is_lost(hbspec):
    hbspec.write("s.jsonl", lines(SHAREGPT, CALL, "{bad", {"text": "x"}) + "\n")
    (hbspec.folder / "s.jsonl").open("ab").write(b"\xff\n")
    code, out, err = hbspec("data", "convert", "s.jsonl", "-o", "out.jsonl")
    assert code == 1
    assert out.splitlines()[1] == "4 examples kept apart: out.jsonl.rejected"
    [row] = read(hbspec, "out.jsonl")
    assert [message["role"] for message in row["messages"]] == ["user", "assistant", "tool"]
    kept = read(hbspec, "out.jsonl.rejected")
    assert [entry["line"] for entry in kept] == [2, 3, 4, 6]
    assert (kept[0]["value"], kept[1]["text"], kept[3]["base64"]) == (CALL, "{bad\n", "/wo=")
    assert "it is language modeling (standard), and not ShareGPT" in kept[2]["reason"]
    assert "not one of human, user, gpt" in err


def test_columns_are_renamed_and_others_stay(hbspec):
    hbspec.write("q.csv", "question,answer,score\nq,a,3\n")
    words = ("--column", "prompt=question", "--column", "completion=answer")
    assert hbspec("data", "convert", "q.csv", *words, "-o", "out.jsonl")[0] == 0
    assert read(hbspec, "out.jsonl") == [{"score": "3", "prompt": "q", "completion": "a"}]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a.jsonl",), "name the file to write with -o; its name ends in .jsonl"),
        (("a.jsonl", "-o", "out.parquet"), "name the file to write with -o; its name ends in .jsonl"),
        (("a.jsonl", "-o", "a.jsonl"), "a.jsonl already exists; name another file"),
        (("a.jsonl", "-o", "b.jsonl"), "b.jsonl.rejected already exists; name another file"),
        (("a.jsonl", "-o", "no/out.jsonl"), "no/out.jsonl: the folder no does not exist; create it"),
        (("a.jsonl", "-o", "out.jsonl", "--column", "x"), "--column x: must be NAME=VALUE"),
        (("empty.jsonl", "-o", "out.jsonl"), "empty.jsonl: no examples found"),
    ],
)
def test_what_is_refused_before_anything_is_written(hbspec, words, says):
    hbspec.write("a.jsonl", lines(*ALPACA))
    hbspec.write("empty.jsonl", "")
    hbspec.write("b.jsonl.rejected", "mine")
    before = {path.name: path.read_bytes() for path in hbspec.folder.iterdir()}
    code, out, err = hbspec("data", "convert", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"hbspec: {says}")
    assert {path.name: path.read_bytes() for path in hbspec.folder.iterdir()} == before


@pytest.mark.parametrize("cut", [0, 50, -9])
def test_a_file_that_ends_early_is_not_half_converted(hbspec, cut):
    pq.write_table(pa.Table.from_pylist(ALPACA), hbspec.folder / "whole.parquet")
    (hbspec.folder / "a.parquet").write_bytes((hbspec.folder / "whole.parquet").read_bytes()[:cut])
    code, out, err = hbspec("data", "convert", "a.parquet", "-o", "out.jsonl")
    assert (code, out) == (2, "")
    assert "a.parquet: error[HB051] data-file-refused: the file cannot be read as Parquet" in err
    assert sorted(path.name for path in hbspec.folder.iterdir()) == ["a.parquet", "job.yaml", "whole.parquet"]


def test_a_place_that_cannot_be_written_is_said_by_its_own_name(hbspec):
    hbspec.write("a.jsonl", lines(*ALPACA))
    code, out, err = hbspec("data", "convert", "a.jsonl", "-o", "/proc/out.jsonl")
    assert (code, out) == (2, "")
    assert err == "hbspec: /proc/out.jsonl: No such file or directory; correct the path\n"
