"""Every spec that people may copy is checked and compiled, the flawed one by force."""

from __future__ import annotations

from pathlib import Path

import pytest

from hbspec.api import check, compile_spec
from hbspec.targets import names, target_of

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))


FLAWED = ("-as-written", "-as-planned")
"""How the names of specs end that show what hbspec finds."""
PAIRS = [
    (spec, target)
    for spec in SPECS
    for target in names()
    if target_of(target).trains or "\ndeployment:" in spec.read_text(encoding="utf-8")
]


@pytest.mark.parametrize(("spec", "target"), PAIRS, ids=lambda part: getattr(part, "stem", part))
def test_it_compiles(spec, target):
    flawed = not check(spec).ok
    assert flawed == spec.stem.endswith(FLAWED)
    alone = [] if target == "evaluation" else ["evaluation=[]"]
    alone += ["deployment.ab_test=null"] if target == "cloudformation" else []
    paths = [artifact.path for artifact in compile_spec(spec, target, overrides=alone, force=flawed)]
    assert paths == sorted(set(paths))
    assert ("FORCED.txt" in paths) == flawed
