"""A spec's shape: every defect once, at its key, with an action."""

from __future__ import annotations

from pathlib import Path

import pytest

from hbspec.source import load
from hbspec.spec import Spec, read, section_keys

BASE = Path(__file__).parents[1] / "rules" / "base.yaml"


def findings(*overrides: str):
    result = read(load(BASE, overrides=overrides))
    return (
        [] if isinstance(result, Spec) else [(entry.code, entry.route, entry.message, entry.help) for entry in result]
    )


def test_the_base_is_a_spec():
    assert findings() == []


@pytest.mark.parametrize(
    ("override", "code", "route", "says", "action"),
    [
        ("hyperparameters.lora_rank=8", "HB020", ("hyperparameters", "lora_rank"), "lora_rank", "`lora_r`"),
        ("lora_r=8", "HB020", ("lora_r",), "top of a spec", "belongs under `hyperparameters`"),
        ("instance.xyzzy=8", "HB020", ("instance", "xyzzy"), "xyzzy", "type"),
        (
            "hyperparameters.learning_rate=null",
            "HB021",
            ("hyperparameters", "learning_rate"),
            "missing",
            "learning_rate:",
        ),
        ("name=null", "HB021", ("name",), "missing", "name:"),
        ('hyperparameters.lora_r="16"', "HB022", ("hyperparameters", "lora_r"), "'16'", "whole number"),
        ("hyperparameters.lora_r=1.5", "HB022", ("hyperparameters", "lora_r"), "1.5", "whole number"),
        ("instance=3", "HB022", ("instance",), "3", "mapping"),
        ("evaluation=3", "HB022", ("evaluation",), "3", "list"),
        ("instance.spot=yes", "HB022", ("instance", "spot"), "'yes'", "true or false"),
        ("instance.max_runtime=16", "HB023", ("instance", "max_runtime"), "16", "unit"),
        ("budget.max_cost=525", "HB023", ("budget", "max_cost"), "525", "unit"),
        ("instance.price=36 CAD", "HB023", ("instance", "price"), "36 CAD", "unit"),
        ("instance.max_runtime=-3h", "HB023", ("instance", "max_runtime"), "-3h", "unit"),
        ("hyperparameters.lora_dropout=1.5", "HB024", ("hyperparameters", "lora_dropout"), "1.5", "range"),
        ("hyperparameters.lora_r=0", "HB024", ("hyperparameters", "lora_r"), "0", "range"),
        ("instance.parallelism=dpp", "HB025", ("instance", "parallelism"), "'dpp'", "'ddp'"),
        ("hbspec=2", "HB025", ("hbspec",), "2", "1"),
        ("data.tokens={mean: 700, max: 689}", "HB024", ("data", "tokens"), "700 tokens, above the longest", "one of"),
        ("software={trl: newest}", "HB022", ("software", "trl"), "'newest'", "version"),
        ("hyperparameters.target_modules=3", "HB022", ("hyperparameters", "target_modules"), "3", "write"),
    ],
)
def test_one_defect_one_finding(override, code, route, says, action):
    ((found, at, message, help_text),) = findings(override)
    assert (found, at) == (code, route)
    assert says in message
    assert action in help_text or action in message


def test_all_at_once():
    codes = sorted(entry[0] for entry in findings("hyperparameters.lora_rank=8", "instance.max_runtime=16", "name=3"))
    assert codes == ["HB020", "HB022", "HB023"]


def test_claims_keep_their_spelling():
    spec = read(load(BASE, overrides=["expect={training.epochs: 4.40, training.examples_processed: 9600}"]))
    assert isinstance(spec, Spec)
    assert spec.expect == {"training.epochs": "4.40", "training.examples_processed": "9600"}


def test_keys_of_sections():
    assert section_keys(()) == tuple(Spec.model_fields)
    assert "max_cost" in section_keys(("budget",))
    assert "min_score" in section_keys(("evaluation", 0))
    assert section_keys(("expect",)) is None
    assert section_keys(("budget", "exchange_rates", "USD")) == ("rate", "date")
