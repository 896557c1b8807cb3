"""A spec's shape: every defect once, at its key, with an action."""

from __future__ import annotations

from pathlib import Path

import pytest

from hbspec.showing.secrets import redact
from hbspec.source import load, load_mapping
from hbspec.spec import Spec, read, section_keys
from hbspec.spec.sections import Hyperparameters

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
        ("lora_r=8", "HB020", ("lora_r",), "top level of a spec", "belongs under `hyperparameters`"),
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
        ("budget.max_cost=5,00 USD", "HB023", ("budget", "max_cost"), "'5,00'", "5.00"),
        ("instance.max_runtime=1,5h", "HB023", ("instance", "max_runtime"), "'1,5'", "1.5"),
        ("instance.price=1,52 USD/h", "HB023", ("instance", "price"), "'1,52'", "1.52"),
        ("instance.volume=1,5 GB", "HB023", ("instance", "volume"), "'1,5'", "1.5"),
        ("instance.max_runtime=3h-1h", "HB023", ("instance", "max_runtime"), "3h-1h", "unit"),
        (
            "monitoring={loss: {decreasing_over: \u0663 steps}}",
            "HB023",
            ("monitoring", "loss", "decreasing_over"),
            "steps",
            "300 steps",
        ),
        ("hyperparameters.lora_dropout=1.5", "HB024", ("hyperparameters", "lora_dropout"), "1.5", "range"),
        ("hyperparameters.lora_r=0", "HB024", ("hyperparameters", "lora_r"), "0", "range"),
        ("instance.parallelism=dpp", "HB025", ("instance", "parallelism"), "'dpp'", "'ddp'"),
        ("hbspec=2", "HB025", ("hbspec",), "2", "1"),
        ('hbspec="1"', "HB022", ("hbspec",), "is a string ('1'), not a number", "write 1"),
        ("hbspec=one", "HB022", ("hbspec",), "is a string ('one'), not a number", "write 1"),
        ("instance.parallelism=DDP", "HB025", ("instance", "parallelism"), "'DDP'", "did you mean 'ddp'?"),
        ("hyperparameters.LORA_ALPHA=8", "HB020", ("hyperparameters", "LORA_ALPHA"), "LORA_ALPHA", "`lora_alpha`?"),
        ("LORA_R=8", "HB020", ("LORA_R",), "top level of a spec", "`lora_r` belongs under `hyperparameters`"),
        (
            "data.tokens={mean: 700, max: 689}",
            "HB024",
            ("data", "tokens"),
            "the mean of 700 tokens is above the longest",
            "one of",
        ),
        ("software={trl: newest}", "HB022", ("software", "trl"), "'newest'", "version"),
        ("hyperparameters.target_modules=3", "HB022", ("hyperparameters", "target_modules"), "3", "write"),
    ],
)
def test_one_defect_one_finding(override, code, route, says, action):
    ((found, at, message, help_text),) = findings(override)
    assert (found, at) == (code, route)
    assert says in message
    assert action in help_text or action in message


@pytest.mark.parametrize("written", ["hunter2", "hub/token", "[x]", "arn:aws:s3:::bucket"])
def test_what_stands_for_a_secret_is_not_repeated(written):
    ((code, at, message, action),) = findings(f"sagemaker.secrets={{HF_TOKEN: '{written}'}}")
    assert (code, at) == ("HB023", ("sagemaker", "secrets", "HF_TOKEN"))
    assert message == redact(message) == "sagemaker.secrets.HF_TOKEN is not the ARN of a secret"
    assert "arn:aws:secretsmanager" in action


def test_a_variable_is_a_secret_or_written_out():
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-a1b2c3"
    ((code, at, message, _),) = findings(f"sagemaker={{environment: {{HF_TOKEN: x}}, secrets: {{HF_TOKEN: '{arn}'}}}}")
    assert (code, at) == ("HB024", ("sagemaker",))
    assert "HF_TOKEN is in environment and in secrets" in message


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


def test_a_misspelt_key_is_not_said_to_be_missing_as_well(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(BASE.read_text().replace("hbspec: 1", "hbspc: 1").replace("  type:", "  typ:"))
    found = {(entry.code, entry.route): entry.help for entry in read(load(path))}
    assert found == {
        ("HB020", ("hbspc",)): "did you mean `hbspec`?",
        ("HB020", ("instance", "typ")): "did you mean `type`?",
    }


def renamings(text, tmp_path):
    (tmp_path / "spec.yaml").write_text(f"extends: ./base.yaml\n{text}\n")
    (tmp_path / "base.yaml").write_text("hyperparameters: {lora_alpha: 8}")
    found = (one for one in read(load(tmp_path / "spec.yaml")) if one.code == "HB020")
    return [(fix.route[-1], fix.value.key, fix.safe) for one in found for fix in one.fixes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hyperparameters: {lora_rnk: 8}", [("lora_rnk", "lora_r", False)]),
        ("deployment: {instance: {typ: x, Count: 1}}", [("typ", "type", False), ("Count", "count", False)]),
        ("nmae: x", [("nmae", "name", False)]),
        ("hyperparameters: {lora_rnk: 8, lora_r: 8}", []),  # it is there already
        ("hyperparameters: {lora_alph: 8}", []),  # in the base
        ("instance: {gpui: 8}", []),  # gpu or gpus
        ("lora_r: 8", []),  # of another section
        ("hyperparameters: {lora_rank_of_all: 8}", []),
    ],
)
def test_a_certain_typo_in_a_key_has_a_fix(text, expected, tmp_path):
    assert renamings(text, tmp_path) == expected


def required(section, route=()):
    """The routes of all keys that the language cannot do without, of sections that the base has or lacks."""
    for name, field in section.model_fields.items():
        if field.is_required():
            yield (*route, name)


@pytest.mark.parametrize("spelled", [str.upper, str.title, lambda key: key.upper().replace("_", "-")])
@pytest.mark.parametrize("route", [*required(Spec), *required(Hyperparameters, ("hyperparameters",))])
def test_case_hyphens_and_underscores_do_not_hide_which_key_is_meant(route, spelled):
    document = load(BASE)
    section = dict(document.values if len(route) == 1 else document.values[route[0]])
    key = route[-1]
    section = {spelled(name) if name == key else name: value for name, value in section.items()}
    (finding,) = read(load_mapping(section if len(route) == 1 else {**document.values, route[0]: section}))
    assert (finding.code, finding.route) == ("HB020", (*route[:-1], spelled(key)))
    assert finding.help == f"did you mean `{key}`?"


@pytest.mark.parametrize(
    ("theirs", "key"),
    [("lr", "learning_rate"), ("batch_size", "per_device_batch_size"), ("num-epochs", "num_train_epochs")],
)
def test_what_other_programs_call_a_hyperparameter_is_understood(theirs, key):
    values = load(BASE).values
    (finding,) = read(load_mapping({**values, "hyperparameters": {**values["hyperparameters"], theirs: 1}}))
    assert (finding.code, finding.help) == ("HB020", f"did you mean `{key}`?")


def test_a_version_in_quotes_has_the_number_as_its_fix():
    (finding,) = read(load(BASE, overrides=['hbspec="1"']))
    assert [(fix.route, fix.value) for fix in finding.fixes] == [(("hbspec",), 1)]


LISTS = {
    "sagemaker.vpc.subnets": ["sagemaker.vpc.security_groups=[sg-1]"],
    "sagemaker.vpc.security_groups": ["sagemaker.vpc.subnets=[subnet-1]"],
    "instance.alternatives": [],
    "hyperparameters.target_modules": [],
    "hyperparameters.modules_to_save": [],
    "evaluation": [],
    "monitoring.metrics": [],
    "reward.functions": [],
    "deployment.instance.alternatives": [],
}
"""Every list of the language, and what else its section needs."""


@pytest.mark.parametrize("value", ["[5]", '[""]', "[null]"])
@pytest.mark.parametrize("key", LISTS)
def test_a_wrong_value_in_a_list_is_one_finding_at_the_value(key, value):
    ((code, route, _, _),) = findings(*LISTS[key], f"{key}={value}")
    assert route == (*key.split("."), 0)
    assert code in {"[5]": ["HB022"], "[null]": ["HB021"]}.get(value, ["HB022", "HB024"])


AXOLOTL = """base_model: NousResearch/Llama-3.2-1B
load_in_4bit: true
datasets: [{path: teknium/GPT4-LLM-Cleaned, type: alpaca}]
val_set_size: 0.1
adapter: qlora
sequence_len: 2048
micro_batch_size: 2
wandb_project:
optimizer: adamw_bnb_8bit
bf16: auto
"""
FACTORY = """model_name_or_path: meta-llama/Meta-Llama-3-8B-Instruct
stage: sft
do_train: true
finetuning_type: lora
dataset: identity,alpaca_en_demo
template: llama3
cutoff_len: 2048
learning_rate: 1.0e-4
"""
OF_OTHERS = {
    "axolotl": AXOLOTL,
    "LLaMA-Factory": FACTORY,
    "TRL": "model_name_or_path: m\ndataset_name: d\nuse_peft: true\nlearning_rate: 2e-4\n",
    "torchtune": "tokenizer: {_component_: torchtune.models.llama3.llama3_tokenizer}\nepochs: 1\n",
    "accelerate": "compute_environment: LOCAL_MACHINE\ndistributed_type: FSDP\nnum_processes: 8\n",
}


@pytest.mark.parametrize("program", OF_OTHERS)
def test_a_configuration_of_another_program_is_named_and_not_refused_key_by_key(program, tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text(OF_OTHERS[program])
    (finding,) = read(load(path))
    assert (finding.code, finding.route) == ("HB026", ())
    assert finding.message == f"this is a configuration of {program}, not an hbspec spec"
    path.write_text(f"hbspec: 1\n{OF_OTHERS[program]}")
    assert {entry.code for entry in read(load(path))} == {"HB020", "HB021"}


@pytest.mark.parametrize(
    ("given", "message", "action"),
    [
        ("orpo", "trl.experimental.orpo", "choose dpo"),
        ("ppo", "no longer", "choose grpo"),
        ("Online-DPO", "trl.experimental.online_dpo", "choose grpo"),
        ("dpoo", "not one of", "did you mean 'dpo'?"),
    ],
)
def test_another_task_is_answered_by_what_it_is(given, message, action):
    ((code, route, said, helps),) = findings(f"task={given}")
    assert (code, route) == ("HB025", ("task",))
    assert message in said
    assert helps.startswith(action)


@pytest.mark.parametrize("given", ["5", "rewards", "rewards.py", "rewards.py:", "../rewards.py:f", "a b.py:f"])
def test_a_reward_function_is_one_of_a_file(given):
    ((code, route, message, _),) = findings(f"reward={{functions: [{given!r}]}}")
    assert (code, route) == ("HB022", ("reward", "functions", 0))
    assert "rewards.py:correct" in message
