"""HB278: what the estimates of another framework rest on."""

from __future__ import annotations

import pytest
from judged import AS_OF, codes, edge, laid

from hbspec.api import check
from hbspec.plan.resolution import DERIVED_FROM_TRL, RUN_BY
from hbspec.rules.hb278_framework_not_measured import LEFT_OUT, STEPS
from hbspec.spec.choices import FRAMEWORKS


def test_edge(tmp_path):
    edge("HB278", "deployment: null", "software.trainer", "trl", "unsloth", tmp_path)


def test_it_is_a_note(tmp_path):
    (said,) = check(laid("software: {trainer: unsloth}\ndeployment: null", tmp_path), as_of=AS_OF).diagnostics
    assert (said.code, said.severity) == ("HB278", "note")
    assert "TRL's SFTTrainer" in said.message


def test_every_framework_has_what_it_rests_on():
    assert {*FRAMEWORKS} == {*RUN_BY} == {*LEFT_OUT}
    assert {*RUN_BY.values()} <= {*STEPS}


@pytest.mark.parametrize("trainer", FRAMEWORKS)
def test_the_rules_of_the_shipped_script_are_off(trainer, tmp_path):
    fragment = (
        f"software: {{trainer: {trainer}}}\ninstance: {{parallelism: fsdp, offload: all}}\ndeployment: null\n"
        "data: {type: preference}\n"
        "hyperparameters: {loss: in_place, attn_implementation: flash_attention_3, optim: galore_adamw}"
    )
    assert codes(fragment, tmp_path).isdisjoint({"HB124", "HB228", "HB238", "HB214", "HB277"})


@pytest.mark.parametrize("trainer", FRAMEWORKS)
def test_preference_tuning_is_trl_s_or_is_not_estimated(trainer, tmp_path):
    fragment = f"task: dpo\nsoftware: {{trainer: {trainer}}}\ndeployment: null\ndata: {{type: preference}}"
    found = {entry.code: entry.message for entry in check(laid(fragment, tmp_path), as_of=AS_OF).diagnostics}
    if trainer in DERIVED_FROM_TRL:
        assert "TRL's DPOTrainer" in found["HB278"]
    assert ("HB270" in found) is (trainer not in DERIVED_FROM_TRL)
    assert ("HB278" in found) is (trainer in DERIVED_FROM_TRL)
