"""A secret that the spec spells otherwise than its value is in no excerpt, whatever line a finding shows."""

from __future__ import annotations

from base64 import b64encode

import pytest

from hbspec.cli import main
from hbspec.cli.first_spec import STARTER

TOKEN = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3h"
BINARY = b64encode(f"hf_{TOKEN}".encode()).decode()
SPELLED = {  # a line below `environment:`, and what of it must not be shown
    "anchor": ("DB_PASSWORD: &pw s3cret99", "s3cret99"),
    "tag": ("DB_PASSWORD: !!str s3cret99", "s3cret99"),
    "tag of one's own": ('DB_PASSWORD: !ENV "s3cret99"', "s3cret99"),
    "anchor and tag": ("DB_PASSWORD: &pw !!str s3cret99", "s3cret99"),
    "anchor of a list": ("DB_PASSWORD: &pw [s3cret99]", "s3cret99"),
    "slashes of a URL": (r'MLFLOW: "https:\/\/carol:geheim99@host\/"', "geheim99"),
    "slashes of a database": (r'DATABASE: "postgres:\/\/carol:geheim99@host\/db"', "geheim99"),
    "token without a colon": ("SENTRY: https://3f9a0c7b5e1d8246a9c0@sentry.io/1", "3f9a0c7b5e1d8246a9c0"),
    "name without a colon": ("SENTRY: https://carolina@sentry.io/1", "carolina"),
    "escape in a form": (r'OTHER: "h\u0066_' + TOKEN + '"', TOKEN[8:]),
    "long escape": (r'OTHER: "h\U00000066_' + TOKEN + '"', TOKEN[8:]),
    "escaped blank": (r'OTHER: "Bearer\u0020' + TOKEN + '"', TOKEN[8:]),
    "escaped blank of another kind": (r'OTHER: "Bearer\x20' + TOKEN + '"', TOKEN[8:]),
    "escape in a key": (r'"DB_pass\u0077ord": s3cret99', "s3cret99"),
    "escape in a key of a list": (r'"DB_pass\x77ord": [s3cret99]', "s3cret99"),
    "escape in what is printed": (r'"pass\u0077ord": "s3c\u0072et99"', r"s3c\u0072et99"),
    "explicit key": ("? DB_PASSWORD\n    : s3cret99", "s3cret99"),
    "zero-width space in a key": ("DB_PASS\u200bWORD: s3cret99", "s3cret99"),
    "zero-width space in a key of a list": ("DB_PASS\u200bWORD: [s3cret99]", "s3cret99"),
    "soft hyphen in a quoted key": ('"DB_PASS\xadWORD": "s3cret99"', "s3cret99"),
    "escaped zero-width space in a key": (r'"DB_PASS\u200bWORD": s3cret99', "s3cret99"),
    "escaped control in a key": (r'"DB_PASS\x1bWORD": s3cret99', "s3cret99"),
    "zero-width space in a form": (f"OTHER: h\u200bf_{TOKEN}", TOKEN[8:]),
    "escaped zero-width space in a value": (rf'OTHER: "hf_{TOKEN[:12]}\u200b{TOKEN[12:]}"', TOKEN[20:]),
    "zero-width space in a URL": ("DATABASE: postgres:/\u200b/carol:geheim99@host/db", "geheim99"),
    "binary": (f"OTHER: !!binary {BINARY}", BINARY[8:]),
    "binary by its whole tag": (f"OTHER: !<tag:yaml.org,2002:binary> {BINARY}", BINARY[8:]),
    "binary of a name": ("DB_PASSWORD: !!binary czNjcmV0OTk=", "czNjcmV0OTk"),
    "binary of a name and a value": ("OTHER: !!binary REJfUEFTU1dPUkQ9czNjcmV0OTk=", "czNjcmV0OTk"),
    "line break": (f'OTHER: "Bearer\\\n      \\ {TOKEN}"', TOKEN[8:]),
}
FAULTS = {
    "value": "{0}",  # an environment variable that is a secret is a finding itself
    "unknown key": "{0}\n  bogus: 1",
    "syntax": "{0}: x: [",
    "unclosed": "{0} # [\n    X: [",
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", SPELLED)
def test_in_a_block(name, fault, tmp_path, monkeypatch, capsys):
    line, hidden = SPELLED[name]
    shown(f"sagemaker:\n  environment:\n    {FAULTS[fault].format(line)}\n", hidden, tmp_path, monkeypatch, capsys)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("end", ["}, bogus: 1}", "}", "", ": x: ["])
@pytest.mark.parametrize("name", SPELLED)
def test_in_a_flow(name, end, tmp_path, monkeypatch, capsys):
    line, hidden = SPELLED[name]
    shown(f"sagemaker: {{role: 5, environment: {{{line}{end}\n", hidden, tmp_path, monkeypatch, capsys)


def test_of_an_alias(tmp_path, monkeypatch, capsys):
    text = "hyperparameters: {optim: &pw s3cret99}\nsagemaker: {environment: {DB_PASSWORD: *pw}}\n"
    shown(text, "s3cret99", tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("sign", ["\u200b", "\xad", "\u034f", "\ufe0f", "\x1b"], ids=ascii)
def test_on_the_command_line(sign, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text(STARTER.read_text(encoding="utf-8"), encoding="utf-8")
    for words in (
        f"sagemaker.environment.DB_PASS{sign}WORD=s3cret99",
        f"DB_PASS{sign}WORD=s3cret99",
        f"name=h{sign}f_{TOKEN}",
    ):
        main(["check", "job.yaml", "--set", words])
        said = "".join(capsys.readouterr())
        assert "s3cret99" not in said, said
        assert TOKEN[8:] not in said, said


def shown(text, hidden, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    spec = STARTER.read_text(encoding="utf-8").partition("sagemaker:")[0]
    (tmp_path / "job.yaml").write_text(spec + text, encoding="utf-8")
    for words in (["check", "job.yaml"], ["estimate", "job.yaml"], ["compile", "job.yaml", "--force", "-o", "out"]):
        main(words)
        said = "".join(capsys.readouterr())
        assert "internal error" not in said
        assert hidden not in said, said
