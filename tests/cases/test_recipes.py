"""Public recipes that people run: nothing above a note is said about any of them.

Each was translated from the repository, the path and the commit that its first line names, with the values that stand
there or that the framework takes by default; `any_framework.py` stands for the framework. Where the source leaves the
GPUs to its reader, the spec says so and names some that hold it. A finding here is a false alarm, or a mistake of the
recipe's authors; a spec is never changed to silence one.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from hbspec.api import check
from hbspec.diagnostics import Severity

AS_OF = date(2026, 11, 24)
RECIPES = {path.stem: path for path in sorted((Path(__file__).parent / "recipes").glob("*.yaml"))}
SOURCE = re.compile(r"# Source: [\w.-]+/[\w.-]+, \S+, commit [0-9a-f]{40}")

TRUE = {
    "sagemaker-codellama-7b-qlora": {"HB115", "HB213", "HB301"},
    "sagemaker-llama-3-70b-fsdp-qlora": {"HB115", "HB213"},
    "sagemaker-mistral-7b-qlora": {"HB115", "HB213", "HB301"},
}
"""What is said of recipes, and is true of them: the notebooks ask for volumes that these instance types do not get, and
carry QLoRA's `warmup_ratio` of 0.03 along with a constant schedule, which never warms up. How long their rows are
is not said: if all are as long as they may be, two of them take longer than the two days of their limit."""


@pytest.mark.one_in(9)
@pytest.mark.parametrize("name", RECIPES)
def test_nothing_is_wrong_with_a_public_recipe(name):
    said = [entry for entry in check(RECIPES[name], as_of=AS_OF).diagnostics if entry.severity is not Severity.NOTE]
    assert [f"{one.code} {one.message}" for one in said if one.code not in TRUE.get(name, ())] == []
    assert TRUE.get(name, set()) <= {one.code for one in said}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_names_its_source(name):
    assert SOURCE.match(RECIPES[name].read_text(encoding="utf-8"))


def test_recipes_of_every_framework_and_method():
    texts = [path.read_text(encoding="utf-8") for path in RECIPES.values()]
    assert len(texts) >= 60
    for word in (
        "method: full",
        "method: lora",
        "method: qlora",
        "nf4",
        "int8",
        "packing: true",
        "fsdp",
        "zero3",
        "single",
    ):
        assert any(word in text for text in texts), word
