"""What keys influence: every key of every pinned list is sorted, and one that is not counts as not understood."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import pytest
from frontends_cases import AXOLOTL, TRL, found

import hbspec.frontends
from hbspec.frontends import front_of, names
from hbspec.frontends.known.axolotl import PROGRAM as AXOLOTL_ITSELF
from hbspec.frontends.reading.influence import GONE, MEMORY, NOTHING, READ, SHARED, TABLE, TIME
from hbspec.frontends.reading.pinned import pinned

SOURCES = Path(hbspec.frontends.__file__).parent
STEP = ("reading/axolotl_step.py", "reading/axolotl_model.py")
ARGUMENTS = ("reading/arguments.py", "reading/sharding.py", "reading/deepspeed.py")


def rows():
    """The rows of the table."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def front_has_nested_keys(program):
    """Whether the list of a program has keys inside mappings, named with those above them."""
    return program != SHARED and front_of(program).fields().nested


@pytest.mark.parametrize("name", [name for name in names() if front_of(name).fields().known])
def test_every_key_of_a_pinned_list_is_sorted(name):
    fields = front_of(name).fields()
    assert pinned(name)["sha256"]
    assert fields.known - fields.sorted.keys() == set()


def test_every_row_is_a_key_that_its_framework_has():
    known = {name: front_of(name).fields().known for name in names()}
    known[SHARED] = known["trl"] | known["llamafactory"]
    strange = [row for row in rows() if "." not in row["key"] and row["key"] not in known[row["program"]]]
    assert strange == []


def test_a_row_is_there_once_and_says_what_the_key_does_where_memory_is_influenced():
    table = rows()
    keys = [(row["program"], row["key"]) for row in table]
    assert len(keys) == len({*keys})
    assert {row["influence"] for row in table} <= {READ, NOTHING, TIME, GONE, *MEMORY}
    assert [row for row in table if bool(row["does"]) != (row["influence"] in MEMORY)] == []


@pytest.mark.parametrize("program", [*names(), SHARED])
def test_a_key_that_counts_as_read_is_named_by_the_front_end(program):
    files = [*ARGUMENTS, *([f"{program}.py"] if program != SHARED else [])]
    files += [*STEP] if program == AXOLOTL_ITSELF else []
    folder = {"sagemaker": "calls", "hyperpod": "recipes", "torchtune": "components"}.get(program)
    files += [file.relative_to(SOURCES) for file in SOURCES.glob(f"{folder}/*.py")] if folder else []
    trees = [ast.parse((SOURCES / file).read_text(encoding="utf-8")) for file in files]
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    named = {node.value for node in nodes if isinstance(node.value, str)}
    read = {row["key"] for row in rows() if row["program"] == program and row["influence"] == READ}
    read = {key.rpartition(".")[2] for key in read} if front_has_nested_keys(program) else read
    indirect = {f"{kind}_checkpointing_kwargs" for kind in ("activation", "gradient")}  # made of two words
    assert read - named <= indirect


def test_a_key_inside_a_mapping_that_nobody_has_sorted_is_not_harmless(opened):
    document = opened(f"{AXOLOTL}fsdp_version: 2\nfsdp_config: {{cpu_ram_efficient_loading: true, shards_twice: 3}}\n")
    assert found(document) == [("HB029", "shards_twice")]
    assert "is not known to be harmless" in document.translated.findings[0].message


@pytest.mark.parametrize(("value", "said"), [("true", []), ("false", [("HB029", "fsdp_limit_all_gathers")])])
def test_a_value_may_be_what_is_estimated_anyway(opened, value, said):
    text = f"{TRL}fsdp: full_shard\nfsdp_config: {{fsdp_limit_all_gathers: {value}}}\n"
    assert found(opened(text)) == said
