"""HB034, and `data.chat_template` where rules read it: what a check says of a template that the spec names."""

from __future__ import annotations

import sys

import pytest
from judged import codes, judged, laid

from hbspec.api import check

LLAMA = "model: {id: meta-llama/Llama-3.1-8B}"
TRAINS = "{% for m in messages %}{{ m.role + m.content + eos_token }}{% endfor %}"


def spec(named: str) -> str:
    return f"{LLAMA}\ndata: {{chat_template: {named}}}"


@pytest.mark.parametrize("named", ["llama3", "chatml", "./mine.jinja"])
def test_a_template_that_trains_gives_the_model_one(named, tmp_path):
    (tmp_path / "mine.jinja").write_text(TRAINS)
    assert not codes(spec(named), tmp_path) & {"HB030", "HB034", "HB233"}


@pytest.mark.parametrize(
    ("named", "help_"), [("lama3", "use llama3"), ("ChatML", "use chatml"), ("xyzzy", "use one of these, or the path")]
)
def test_a_name_that_is_not_shipped(named, help_, tmp_path):
    (found,) = judged("HB034", spec(named), tmp_path)
    assert found.message.startswith(f"{named} is not one of chatml, gemma")
    assert found.help.startswith(help_)
    assert not judged("HB233", spec(named), tmp_path)


def test_a_file_that_does_not_train(tmp_path):
    (tmp_path / "mine.jinja").write_text("{% for %}")
    (found,) = judged("HB034", spec("./mine.jinja"), tmp_path)
    assert found.message.startswith("./mine.jinja is not a Jinja template: ")


def test_a_file_that_is_no_template(tmp_path):
    (tmp_path / "mine.jinja").write_text("x" * 600_000)
    (found,) = judged("HB034", spec("./mine.jinja"), tmp_path)
    assert found.message == "./mine.jinja has 600,000 characters; a chat template has at most 500,000"


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read(content, tmp_path):
    if content:
        (tmp_path / "mine.jinja").write_bytes(content)
    (found,) = judged("HB030", spec("./mine.jinja"), tmp_path)
    assert "mine.jinja" in found.message
    assert found.help == "give the path of a readable Jinja file"


def test_what_a_template_says_is_shown_short_and_without_credentials(tmp_path):
    token = "hf_" + "abcdefghijklmnopqrstuvwx"
    (tmp_path / "mine.jinja").write_text(f"{{{{ raise_exception('{token}' ~ '\x1b[31m' ~ 'x' * 900) }}}}")
    (found,) = judged("HB034", spec("./mine.jinja"), tmp_path)
    assert token not in found.message
    assert "\x1b" not in found.message
    assert len(found.message) < 300


def test_without_jinja2_a_file_is_not_checked_and_a_shipped_template_is_fine(tmp_path, monkeypatch):
    (tmp_path / "mine.jinja").write_text(TRAINS)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    (found,) = judged("HB034", spec("./mine.jinja"), tmp_path)
    assert (found.severity, "hbspec[data]" in found.help) == ("warning", True)
    assert not judged("HB034", spec("llama3"), tmp_path)


def test_a_file_outside_the_project_is_not_read(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").touch()
    (tmp_path / "mine.jinja").write_text(TRAINS)
    found = check(laid(spec("../mine.jinja"), project)).diagnostics
    assert [one.code for one in found if one.route == ("data", "chat_template")] == ["HB030"]


def test_another_script_has_to_set_it_itself(tmp_path):
    own = "script: {entry_point: finetune.py}"
    (found,) = judged("HB213", f"{spec('llama3')}\n{own}", tmp_path)
    assert found.message.startswith("chat_template llama3 has no effect: your script")
