"""What CreateTrainingJob refuses across members is found in a compiled request before it is sent."""

from __future__ import annotations

import copy
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from compiled import HEARTBEAT, body

from hbspec.diagnostics import route_text
from hbspec.targets.aws.refusals import refused
from hbspec.targets.aws.requests import BODY_RULES, REGION_RULES, schema_problems, validate

JOB = "CreateTrainingJob"
TABLE = yaml.safe_load(Path(__file__).with_name("request_faults.yaml").read_text(encoding="utf-8"))
FAULTS = {fault["name"]: fault for fault in TABLE["faults"]}
REGION = TABLE["region"]
WANTED = 40
REPEATED = re.compile(r"\{(\d+)\*(.)\}")


@cache
def compiled() -> dict[str, Any]:
    return body(HEARTBEAT)


@cache
def shape() -> Any:
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2")).operation_model(JOB).input_shape


def planted(fault: dict[str, Any]) -> dict[str, Any]:
    """The compiled request with a fault."""
    request = copy.deepcopy(compiled())
    for place in fault.get("delete", ()):
        *path, last = place.split(".")
        section: Any = request
        for part in path:
            section = section[part]
        del section[last]
    for place, value in fault.get("set", {}).items():
        *path, last = place.split(".")
        section = request
        for part in path:
            section = section[int(part)] if part.isdigit() else section[part]
        section[last] = written_out(value)
    return request


def written_out(value: Any) -> Any:
    """A value in which `{3*x}` is `xxx`."""
    if isinstance(value, dict):
        return {key: written_out(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [written_out(inner) for inner in value]
    return REPEATED.sub(lambda found: int(found[1]) * found[2], value) if isinstance(value, str) else value


def test_the_compiled_request_has_no_problem() -> None:
    assert validate(JOB, compiled(), REGION) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_botocore_does_not_see_is_told_at_its_place(name: str) -> None:
    fault = FAULTS[name]
    request = planted(fault)
    assert not ParamValidator().validate(request, shape()).has_errors()
    assert schema_problems(JOB, request) == []
    assert {(problem.check, route_text(problem.route)) for problem in validate(JOB, request, REGION)} == {
        (fault["rule"], fault["refused"])
    }
    assert {finding.code for finding in refused(JOB, request, REGION)} == {"HB043"}
    assert fault["source"].startswith("https://")


def test_there_are_enough_of_them_and_every_rule_has_one() -> None:
    assert [name for name, count in Counter(fault["name"] for fault in TABLE["faults"]).items() if count > 1] == []
    assert len({str(planted(fault)) for fault in FAULTS.values()}) == len(FAULTS) >= WANTED
    rules = {rule.__name__ for rule in (*BODY_RULES[JOB], *REGION_RULES[JOB])}
    assert {fault["rule"] for fault in FAULTS.values()} == rules
