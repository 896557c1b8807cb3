"""Files of rows: `hbspec data check` and the job read the same of them, whole and cut, whatever the layout."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from read_twice import checked, put, trained

from hbspec.dataset.layouts import recognised
from hbspec.dataset.records import Layout

TURNS = [{"role": "user", "content": "q"}], [{"role": "assistant", "content": "a\u2028\u00e9"}]
ROWS: list[dict[str, Any]] = [
    {"prompt": "q", "completion": 'a,"\n\u00e9'},
    {"prompt": "q", "completion": ""},
    {"prompt": "q"},
    {"prompt": TURNS[0], "completion": TURNS[1]},
    {"prompt": TURNS[0], "completion": TURNS[0]},
    {"text": "a\u2028\u00e9", "id": 3},
    {"text": " "},
    {"messages": [*TURNS[0], *TURNS[1]]},
    {"messages": TURNS[0]},
    {"chosen": "a", "rejected": "b"},
]
LAYOUTS = [
    Layout(kind, written)
    for kind in ("language_modeling", "prompt_completion")
    for written in ("conversational", "standard")
]


def table(kind: str, rows: list[dict[str, Any]]) -> bytes:
    """A file of these rows; a cell of CSV is the text of its value."""
    if kind == "data.json":
        return json.dumps(rows, indent=1).encode()
    if kind == "lines.json":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["text"]
    buffer = io.BytesIO()
    if kind == "data.csv":
        text = io.TextIOWrapper(buffer, "utf-8", newline="")
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(rows)
        text.flush()
        text.detach()
    else:
        try:
            pq.write_table(pa.Table.from_pylist(rows, None if rows else pa.schema([("text", pa.string())])), buffer)
        except pa.ArrowException:  # texts and lists in one column
            return table(kind, rows[:1])
    return buffer.getvalue()


@examples(150)
@given(
    st.sampled_from(["data.json", "lines.json", "data.csv", "data.parquet"]),
    st.lists(st.sampled_from(ROWS), max_size=4),
    st.sampled_from(LAYOUTS),
    st.sampled_from([None] * 4 + [0, 7, -1, -9]),
)
def test_they_say_the_same_of_tables_whole_and_cut(
    name: str, rows: list[dict[str, Any]], layout: Layout, end: int | None
) -> None:
    with TemporaryDirectory() as folder:
        channel = put(Path(folder), {name: table(name, rows)[:end]})
        assert trained(channel, layout) == checked(channel, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_table_holds_the_same_examples_whatever_its_file(layout: Layout, tmp_path: Path) -> None:
    rows = [row for row in ROWS if recognised(row) == layout][:1] * 3
    (tmp_path / "first").mkdir()
    first = trained(put(tmp_path / "first", {"lines.jsonl": table("lines.json", rows)}), layout)
    assert (first[0], len(first[1])) == (set(), 3)
    for name in ("data.json", "lines.json", "data.parquet", *(["data.csv"] if layout.format == "standard" else [])):
        (tmp_path / name).mkdir()
        channel = put(tmp_path / name, {name: table(name, rows)})
        assert trained(channel, layout) == checked(channel, layout) == first
