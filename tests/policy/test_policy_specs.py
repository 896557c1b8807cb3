"""A spec that breaks a line of a policy is never let through, whatever else it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from mutated_specs import mutated
from policies import POLICY, spec

from hbspec.analysis import analyse
from hbspec.api import InvalidSpecError, check, compilation
from hbspec.catalog import catalog
from hbspec.configuration import Configuration
from hbspec.policy import read_policy
from hbspec.policy.cases import CODES
from hbspec.policy.lines import broken_lines
from hbspec.policy.spec_facts import subject_of
from hbspec.source import load_mapping
from hbspec.spec import read

DAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    file.write_text(POLICY)
    return read_policy(file)


def judged(values, policy):
    document = load_mapping(values)
    typed = read(document)
    assert not isinstance(typed, list), typed
    return {CODES[found.code] for found in broken_lines(subject_of(analyse(document, typed, catalog(), DAY)), policy)}


def only(policy, line):
    """The policy with one of its lines: costs take most of the time."""
    others = dict.fromkeys(("max_job_cost", "approvals", "max_monthly_cost"))
    return policy if line in others else replace(policy, lines=policy.lines.model_copy(update=others))


def test_the_spec_keeps_every_line(policy):
    assert judged(spec(), policy) == set()


def test_a_thousand_specs_that_break_a_line_are_refused(policy):
    found = [(line, judged(values, only(policy, line)), values) for line, values in mutated(1005)]
    assert [(line, values) for line, lines, values in found if line not in lines] == []


def test_approval(policy):
    values = spec()
    values["instance"]["count"] = 2
    values["data"]["train"]["examples"] = 2_000_000
    assert "approvals" not in judged(values, policy)
    values["sagemaker"]["tags"]["approved-by"] = "mallory"
    assert "approvals" in judged(values, policy)


def test_own_figures_count_where_the_policy_accepts_them(policy):
    values = spec()
    values["instance"] |= {"price": "1000 USD/h"}
    assert "max_job_cost" not in judged(values, policy)
    accepting = replace(policy, lines=policy.lines.model_copy(update={"accept_own_figures": True}))
    assert "max_job_cost" in judged(values, accepting)


@pytest.mark.parametrize(
    "comment", ["# hbspec: allow HB688", "# hbspec: allow spot-required", "# hbspec: allow-file HB688"]
)
def test_neither_a_comment_nor_a_configuration_silences_it(policy, tmp_path, comment):
    import yaml

    values = spec()
    values["instance"]["spot"] = False
    text = yaml.safe_dump(values)
    assert "  spot: false\n" in text
    file = tmp_path / "spec.yaml"
    file.write_text(text.replace("  spot: false\n", f"  spot: false {comment}\n"))
    silent = Configuration(select=("HB1",), ignore=("HB6",), per_file_ignores=(("*", ("HB6",)),))
    for configuration in (Configuration(), silent):
        report = check(file, policy=policy, configuration=configuration, as_of=DAY)
        (found,) = (entry for entry in report.diagnostics if entry.code == "HB688")
        assert found.severity == "error"
        assert (found.file, found.span.start.line) == (str(file), text.splitlines().index("  spot: false") + 1)
    (told,) = (entry for entry in check(file, policy=policy, as_of=DAY).diagnostics if entry.code == "HB071")
    assert "does not allow what breaks a policy" in told.message


def test_force_does_not_override_it(policy):
    values = spec()
    values["instance"]["region"] = "us-east-1"
    with pytest.raises(InvalidSpecError) as refused:
        compilation(values, policy=policy, force=True)
    assert "HB685" in {entry.code for entry in refused.value.report.diagnostics}
