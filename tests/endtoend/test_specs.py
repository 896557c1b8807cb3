"""Every spec that people may copy is checked and compiled, the flawed one by force."""

from __future__ import annotations

from pathlib import Path

import pytest

from hbspec.api import check, compile_spec
from hbspec.targets import names

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))


@pytest.mark.parametrize("target", names())
@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_it_compiles(spec, target):
    flawed = not check(spec).ok
    assert flawed == (spec.stem == "heartbeat-as-written")
    alone = ["evaluation=[]", *(["deployment.ab_test=null"] if target == "cloudformation" else [])]
    paths = [artifact.path for artifact in compile_spec(spec, target, overrides=alone, force=flawed)]
    assert paths == sorted(set(paths))
    assert ("FORCED.txt" in paths) == flawed
