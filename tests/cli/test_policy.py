"""`--policy` and `hbspec policy test`, as a user runs them."""

from __future__ import annotations

import hashlib
import json

import pytest

POLICY = "policy: 1\nregions: [eu-*]\nmax_instances: 4\n"


@pytest.fixture
def policed(hbspec):
    hbspec.write("policy.yaml", POLICY)
    hbspec.write("body.json", json.dumps({"TrainingJobName": "x", "ResourceConfig": {"InstanceCount": 5}}, indent=1))
    return hbspec


def codes(out):
    return {entry["code"] for entry in json.loads(out)["diagnostics"] if entry["severity"] == "error"}


def test_named_on_the_command_line_or_in_the_configuration(policed):
    words = ("check", "job.yaml", "--format", "json")
    assert codes(policed(*words)[1]) == set()
    code, out, _ = policed(*words, "--policy", "policy.yaml")
    assert (code, codes(out)) == (1, {"HB685"})
    policed.write("hbspec.toml", 'policy = "policy.yaml"\nignore = ["HB6"]\nseverity = {HB6 = "note"}\n')
    code, out, _ = policed(*words)
    assert (code, codes(out)) == (1, {"HB685"})
    assert "policy.yaml:2 (regions)" in out
    policed.write("hbspec.toml", 'ignore = ["HB685"]\n')
    code, _, err = policed(*words)
    assert code == 2
    assert "HB685 cannot be changed: a policy is not the author's to waive" in err
    policed.write("hbspec.toml", 'policy = "none.yaml"\n')
    assert policed(*words)[:2] == (2, "")


def test_the_digest(policed):
    words = ("check", "job.yaml", "--set", "instance.region=eu-west-1", "--policy-digest")
    digest = hashlib.sha256(POLICY.encode()).hexdigest()
    for right in (digest, digest.upper(), f"sha256:{digest}"):
        assert "HB685" not in policed(*words, right, "--policy", "policy.yaml")[1]
    code, out, err = policed(*words, "0" * 64, "--policy", "policy.yaml")
    assert (code, out) == (2, "")
    assert "HB681" in err
    code, _, err = policed(*words, digest)
    assert (code, err.startswith("hbspec: --policy-digest expects a policy")) == (2, True)
    assert policed(*words, "abc", "--policy", "policy.yaml")[0] == 2


@pytest.mark.parametrize("command", ["compile", "submit"])
def test_nothing_is_compiled_or_submitted(policed, command):
    words = ("--force",) if command == "compile" else ("--dry-run",)
    code, out, err = policed(command, "job.yaml", "--policy", "policy.yaml", *words)
    assert (code, out) == (1, "")
    assert "HB685" in err
    assert not (policed.folder / "build").exists()


def test_a_request(policed):
    code, out, _ = policed("check", "body.json", "--policy", "policy.yaml", "--format", "json")
    assert (code, codes(out)) == (1, {"HB685", "HB687"})
    text = (policed.folder / "body.json").read_bytes()
    assert codes(policed("check", "-", "--policy", "policy.yaml", "--format", "json", stdin=text)[1]) == codes(out)
    code, out, _ = policed("check", "body.json")
    assert code == 1
    assert "this is a configuration of CreateTrainingJob of SageMaker, not an hbspec spec" in out
    assert "--policy FILE" in out


CASES = """\
cases:
  - {file: job.yaml, set: [instance.region=eu-west-1], breaks: []}
  - {file: job.yaml, breaks: [HB685]}
  - {file: body.json, breaks: [max_instances, regions]}
"""


def test_cases(policed):
    policed.write("cases.yaml", CASES)
    code, out, _ = policed("policy", "test", "policy.yaml", "cases.yaml")
    assert (code, out.splitlines()[-1]) == (0, "3 cases, 0 failed")
    policed.write("bad.yaml", "hbspec: 1\nextra: 1\n")
    policed.write("cases.yaml", CASES.replace("[HB685]", "[tags]") + "  - {file: bad.yaml, breaks: [regions]}\n")
    code, out, _ = policed("policy", "test", "policy.yaml", "cases.yaml", "--format", "json")
    told = json.loads(out)
    assert (code, [case["ok"] for case in told["cases"]]) == (1, [True, False, True, False])
    assert told["cases"][1]["broke"] == ["regions"]
    assert told["cases"][3]["broke"] is None
    code, out, _ = policed("policy", "test", "policy.yaml", "cases.yaml")
    assert code == 1
    assert "  expected: tags\n  broken:   regions\n" in out
    assert out.splitlines()[-1] == "4 cases, 2 failed"


def test_cases_that_cannot_be_used(policed):
    for text in ("cases: []\n", "cases: [{file: x, breaks: [region]}]\n", "cases: [{file: x}]\n", "case: 1\n", "- 1\n"):
        policed.write("cases.yaml", text)
        code, out, err = policed("policy", "test", "policy.yaml", "cases.yaml")
        assert (code, out) == (2, ""), text
        assert "help: " in err
