"""The ways to share a job are one table; the language and the shipped script know the same ones."""

from __future__ import annotations

import ast
from typing import Any, get_args

import pytest

from hbspec.plan.parallelism import ADVISED, PARALLELISMS, SHARDED, Engine
from hbspec.shipped import templates
from hbspec.spec import choices


def constant(file: str, name: str) -> Any:
    """The value of a constant of the shipped script, which is not imported: it needs torch."""
    tree = ast.parse((templates() / file).read_text())
    (value,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    return eval(ast.unparse(value), {"dict": dict})


def test_the_language_has_the_same_ones():
    assert list(PARALLELISMS)
    assert set(PARALLELISMS) == set(get_args(choices.Parallelism))


def test_the_shipped_script_starts_as_many_processes():
    distributed = [name for name, way in PARALLELISMS.items() if way.distributed]
    assert sorted(distributed) == sorted(constant("settings.py", "DISTRIBUTED"))


def test_the_shipped_script_wraps_the_model_in_the_same_engine():
    wrapped = {name: way.engine.value for name, way in PARALLELISMS.items() if way.distributed}
    assert wrapped == constant("job.py", "WRAPPERS")


@pytest.mark.parametrize("way", PARALLELISMS.values(), ids=PARALLELISMS)
def test_what_is_sharded_grows_from_the_states_to_the_weights(way):
    parts = (way.shards_optimizer, way.shards_gradients, way.shards_weights)
    assert list(parts) == sorted(parts, reverse=True)
    assert way.sharded == (way.name in SHARDED) == (way.engine in (Engine.FSDP, Engine.DEEPSPEED))
    assert not (way.distributed and way.splits_layers)


@pytest.mark.parametrize(
    ("trait", "names"),
    [
        ("uses_one_gpu", ["single"]),
        ("splits_layers", ["pipeline"]),
        ("replicates", ["ddp"]),
        ("takes_strategy", ["fsdp"]),
        ("shards_four_bits", ["fsdp"]),
        ("sharded", list(SHARDED)),
        ("shards_weights", ["fsdp", "zero3"]),
    ],
)
def test_a_trait_belongs_to_these(trait, names):
    assert [name for name, way in PARALLELISMS.items() if getattr(way, trait)] == names


def test_one_that_copies_and_one_that_shards_are_advised():
    assert ADVISED == ("ddp", "fsdp")
