"""A credential anywhere in what a command is given is in nothing that the command prints."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import cycle
from pathlib import Path

import pytest

from hbspec.cli import main
from hbspec.cli.first_spec import STARTER


def _corpus():
    spec = spec_from_file_location("secret_corpus", Path(__file__).parents[1] / "showing" / "secret_corpus.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CORPUS = _corpus()
SECRETS = {name: secret for name, (secret, _) in CORPUS.SECRETS.items()}
SHAPES = (
    "Hugging Face", "NVIDIA", "npm", "OpenAI project", "DeepSeek", "AWS access key", "AWS secret access key",
    "Slack bot", "Slack webhook", "SendGrid", "JSON Web Token", "Azure application", "password in a URL",
    "Atlassian", "Slack cookie", "Azure shared access signature", "Telegram bot", "Discord bot", "Google refresh",
)  # fmt: skip
"""One for each way in which a form is written; `tests/showing` has them all."""
FORMATS = ("text", "json", "sarif", "github")

SPEC = STARTER.read_text(encoding="utf-8")
IN_SPECS = {
    "value": "hyperparameters:\n  optim: {0}\n",
    "key": "{0}: 1\n",
    "key of a section": "sagemaker:\n  {0}: x\n",
    "free key": "sagemaker:\n  environment: {{{0}: x}}\n",
    "free value": "sagemaker:\n  tags: {{k: {0}}}\n",
    "name": "name: {0}\n",
    "model": "model: {{id: {0}}}\n",
    "role": "sagemaker: {{role: {0}}}\n",
    "data": "data: {{train: {{uri: 's3://bucket/{0}/'}}}}\n",
    "missing file": "data: {{profile: ./{0}.json}}\n",
    "extends": "extends: ./{0}.yaml\n",
    "anchor": "hyperparameters: &{0} {{optim: 5}}\n",
    "alias": "hyperparameters: *{0}\n",
    "comment": "hyperparameters: {{optim: 5}} # {0}\n",
    "tag": "name: !{0} x\n",
    "duplicate": "{0}: 1\n{0}: 2\n",
    "syntax": "name: [{0}\n",
    "claim": "expect: {{{0}: 5}}\n",
    "line break": 'name: "a\\n{0}"\n',
}
ON_THE_LINE = {
    "override": ["check", "job.yaml", "--set", "sagemaker.tags.k={0}"],
    "override key": ["check", "job.yaml", "--set", "{0}=1"],
    "broken override": ["check", "job.yaml", "--set", "{0}"],
    "option": ["check", "job.yaml", "--{0}"],
    "command": ["{0}"],
    "format": ["check", "job.yaml", "--format", "{0}"],
    "code": ["explain", "{0}"],
    "missing spec": ["check", "nowhere/{0}.yaml"],
    "missing spec as SARIF": ["check", "a b/{0}.yaml", "--format", "sarif"],
    "missing spec on GitHub": ["check", "{0}.yaml", "--format", "github"],
    "missing data": ["data", "check", "{0}.jsonl"],
    "missing profile": ["data", "check", "--profile", "{0}", "data.jsonl"],
    "missing tokenizer": ["data", "profile", "data.jsonl", "--tokenizer", "{0}"],
    "output": ["data", "profile", "data.jsonl", "-o", "nowhere/{0}"],
    "folder": ["compile", "job.yaml", "-o", "job.yaml/{0}"],
    "day": ["check", "job.yaml", "--as-of", "{0}"],
    "estimate": ["estimate", "job.yaml", "--set", "model.id={0}", "--format", "json"],
    "estimate as text": ["estimate", "job.yaml", "--set", "name={0}"],
    "region": ["estimate", "job.yaml", "--set", "instance.region={0}"],
}
IN_DATA = {
    "placeholder": {"messages": [{"role": "user", "content": "{%s}"}, {"role": "assistant", "content": "x"}]},
    "field": {"messages": [{"role": "user", "content": "x", "%s": 1}, {"role": "assistant", "content": "x"}]},
    "role": {"messages": [{"role": "%s", "content": "x"}]},
    "content": {"messages": [{"role": "user", "content": ["%s"]}]},
    "key": {"%s": []},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "data.jsonl").write_text('{"messages": [{"role": "user", "content": "a"}]}\n')
    return tmp_path


def printed(capsys, *words):
    main(words)
    said = capsys.readouterr()
    assert "internal error" not in said.err
    return said.out + said.err


def without(section, spec):
    """The starter without a section that a test replaces."""
    lines, kept = spec.splitlines(keepends=True), []
    inside = False
    for line in lines:
        if line[:1].strip() and not line.startswith("#"):
            inside = line.startswith(f"{section}:")
        kept += [] if inside else [line]
    return "".join(kept)


def written(folder, secret, text):
    """`bad.yaml` with a secret in one place."""
    (folder / "bad.yaml").write_text(without(text.split(":")[0], SPEC) + text.format(secret), encoding="utf-8")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("place", IN_SPECS)
def test_in_a_spec(folder, capsys, place):
    secret = SECRETS[SHAPES[0]]
    written(folder, secret, IN_SPECS[place])
    for form in FORMATS:
        assert CORPUS.hidden(secret) not in printed(capsys, "check", "bad.yaml", "--format", form), form
    for command in (["estimate", "bad.yaml"], ["compile", "bad.yaml", "-o", "out", "--force"]):
        assert CORPUS.hidden(secret) not in printed(capsys, *command), command


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", SHAPES[1:])
def test_in_a_spec_in_another_form(folder, capsys, name):
    """One redactor stands before all formats: each place shows each form of a secret in one of them."""
    for form, (place, text) in zip(cycle(FORMATS), IN_SPECS.items(), strict=False):
        written(folder, SECRETS[name], text)
        assert CORPUS.hidden(SECRETS[name]) not in printed(capsys, "check", "bad.yaml", "--format", form), place


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", SHAPES)
def test_on_the_command_line(folder, capsys, name):
    secret = SECRETS[name]
    for place, words in ON_THE_LINE.items():
        given = [word.format(secret) for word in words]
        assert CORPUS.hidden(secret) not in printed(capsys, *given), place


@pytest.mark.parametrize("name", SHAPES)
def test_in_data(folder, capsys, name):
    secret = SECRETS[name]
    for place, record in IN_DATA.items():
        (folder / "bad.jsonl").write_text(json.dumps(record) % secret + "\n", encoding="utf-8")
        for form in ("text", "json", "github"):
            assert CORPUS.hidden(secret) not in printed(capsys, "data", "check", "bad.jsonl", "--format", form), place
        assert CORPUS.hidden(secret) not in printed(capsys, "data", "profile", "bad.jsonl"), place


def test_json_of_two_hidden_keys_keeps_both(folder, capsys):
    for secret in (SECRETS["Hugging Face"], SECRETS["npm"]):
        with (folder / "bad.jsonl").open("a") as file:
            file.write(json.dumps(IN_DATA["placeholder"]) % secret + "\n")
    names = json.loads(printed(capsys, "data", "check", "bad.jsonl", "--format", "json"))["data"]["findings"]
    assert [len(finding["names"]) for finding in names if finding["code"] == "HB058"] == [2]


def test_a_hidden_key_in_a_route_is_a_word(folder, capsys):
    (folder / "bad.yaml").write_text(SPEC + f"{SECRETS['npm']}: 1\n", encoding="utf-8")
    found = json.loads(printed(capsys, "check", "bad.yaml", "--format", "json"))
    assert ["<redacted>"] in [entry["route"] for entry in found["diagnostics"]]


def test_nothing_invisible_reaches_the_terminal(folder, capsys):
    for words in (
        ["check", "a\u202eb.yaml"],
        ["check", "job.yaml", "--\x1b[31m\u2066x"],
        ["explain", "\x1b]0;x\x07\u202e"],
        ["init", "a\u202eb.yaml"],
        ["check", "a\u202eb.yaml", "--format", "github"],
        ["data", "check", "\u2067.jsonl"],
        ["compile", "job.yaml", "--set", "name=a\u202eb"],
    ):
        said = printed(capsys, *words)
        assert not set("\x1b\x07\u202e\u2066\u2067") & set(said), words


if sys.platform == "win32":
    pytest.skip("names of files there cannot hold these signs", allow_module_level=True)


@pytest.mark.parametrize(
    "value", ["[s3cr3tpw]", "{v: s3cr3tpw}", "[[s3cr3tpw]]", '["s3cr3tpw", 1]', "\n    - s3cr3tpw"]
)
@pytest.mark.parametrize("output", FORMATS)
def test_a_value_of_another_kind_under_a_secret_s_name_is_not_shown(value, output, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("job.yaml").write_text(f"hbspec: 1\nname: x\nsagemaker:\n  environment:\n   DB_PASSWORD: {value}\n")
    main(["check", "job.yaml", "--format", output])
    assert "s3cr3tpw" not in "".join(capsys.readouterr())


def test_nor_is_one_that_the_command_line_gives(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("job.yaml").write_text(SPEC)
    main(["check", "job.yaml", "--set", "sagemaker.environment.DB_PASSWORD=[s3cr3tpw]"])
    assert "s3cr3tpw" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "value",
    [
        '{EXTRA_HEADER: "Authorization: Basic s3cr3tpw"}, bogus: 1',
        '{EXTRA_HEADER: "x-api-key: aa s3cr3tpw"}, bogus: 1',
        '{EXTRA_HEADER: "password: my secret s3cr3tpw"}, bogus: 1',
        '{EXTRA_HEADER: \'Authorization: Digest username="bob", response="s3cr3tpw"\'}, bogus: 1',
        '{DB_PASSWORD: "correct\n  s3cr3tpw", MORE: 1}, bogus: 1',
        "{WANDB_API_KEY: '\n  s3cr3tpw\n  ', MORE: 1}, bogus: 1",
        "{DB_PASSWORD: correct\n  s3cr3tpw, MORE: 1}, bogus: 1",
        '{CONFIG: "{\\"password\\": \\"my s3cr3tpw\\"}", MORE: 1}, bogus: 1',
    ],
)
def test_nor_are_values_of_several_words_or_lines(value, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    spec = without("sagemaker", SPEC)
    Path("job.yaml").write_text(f"{spec}sagemaker: {{role: 5, environment: {value}}}\n")
    for output in FORMATS:
        assert "s3cr3tpw" not in printed(capsys, "check", "job.yaml", "--format", output)
    for words in (["estimate", "job.yaml"], ["compile", "job.yaml", "--force", "-o", "out"]):
        assert "s3cr3tpw" not in printed(capsys, *words)
