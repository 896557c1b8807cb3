"""The table of versions against the catalog's families, and its newest rows against the packages themselves."""

from __future__ import annotations

import re
from importlib.metadata import requires, version
from pathlib import Path

import pytest

from hbspec.catalog.families import SUPPORTED
from hbspec.catalog.versions import version_needs
from hbspec.plan.epochs import numbers_of
from hbspec.plan.shipped_script import SOFTWARE

OLD = {"gpt2", "gpt_neox", "opt"}
"""Types that transformers had before the first version that was read, 4.27."""
NEVER = {"kimi_k2"}
"""Types that transformers does not know."""


def newest(package: str, needed: str) -> str | None:
    """The version of `needed` in the newest row of a package."""
    rows = [need for need in version_needs() if (need.kind, need.name, need.package) == ("package", package, needed)]
    return rows[-1].at_least if rows else None


def test_every_family_has_a_first_version():
    families = {need.name for need in version_needs() if need.kind == "family"}
    assert set(SUPPORTED) - OLD - NEVER <= families


def test_the_rows_of_a_package_ascend():
    for package, needed in {(need.name, need.package) for need in version_needs() if need.kind == "package"}:
        rows = [need for need in version_needs() if (need.name, need.package) == (package, needed)]
        for numbers in ([numbers_of(getattr(need, of), 3) for need in rows] for of in ("since", "at_least")):
            assert numbers == sorted(numbers)


def test_every_version_is_a_version():
    for need in version_needs():
        assert re.fullmatch(r"\d+(\.\d+){0,2}", need.at_least), need
        assert need.source, need


@pytest.mark.parametrize("package", ["trl", "peft", "accelerate", "bitsandbytes"])
def test_the_newest_rows_are_what_the_pinned_package_requires(package):
    pytest.importorskip(package)
    assert version(package) == SOFTWARE[package]
    said = dict(
        re.findall(
            r"^(torch|transformers|accelerate)\b[^;\n]*?>=([\d.]+)(?=[^;\n]*$)",
            "\n".join(requires(package) or ()),
            re.M,
        )
    )
    assert {name: newest(package, name) for name in said} == said


def test_the_newest_rows_are_what_transformers_checks():
    utils = pytest.importorskip("transformers.utils.import_utils")
    peft = pytest.importorskip("transformers.integrations.peft")
    assert newest("transformers", "accelerate") == utils.ACCELERATE_MIN_VERSION
    assert newest("transformers", "bitsandbytes") == utils.BITSANDBYTES_MIN_VERSION
    assert newest("transformers", "peft") == peft.MIN_PEFT_VERSION
    text = Path(utils.__file__).read_text(encoding="utf-8")
    assert re.findall(r"Disabling PyTorch because PyTorch >= ([\d.]+)", text) == [newest("transformers", "torch")]
