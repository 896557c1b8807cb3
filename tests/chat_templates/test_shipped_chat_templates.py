"""The shipped chat templates: each is its source's, trains a conversation, and is rendered as by transformers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hbspec.catalog import catalog
from hbspec.catalog.rows import DATA, rows
from hbspec.chat_templates.rendering import TemplateRefusedError, renderer
from hbspec.chat_templates.trial import SPECIAL, TWO_TURNS, fault_of

NAMES = catalog().chat_templates
CHAT = (
    {"role": "user", "content": "Hello, how are you?"},
    {"role": "assistant", "content": "I'm doing great. How can I help you today?"},
    {"role": "user", "content": "I'd like to show off how chat templating works!"},
)
PIRATE = (
    {"role": "system", "content": "You are a friendly chatbot who always responds in the style of a pirate"},
    {"role": "user", "content": "How many helicopters can a human eat in one sitting?"},
)
DOCUMENTED = {
    "mistral": (
        CHAT,
        "<s>[INST] Hello, how are you? [/INST]I'm doing great. How can I help you today?</s> "
        "[INST] I'd like to show off how chat templating works! [/INST]",
    ),
    "zephyr": (
        PIRATE,
        "<|system|>\nYou are a friendly chatbot who always responds in the style of a pirate</s>\n"
        "<|user|>\nHow many helicopters can a human eat in one sitting?</s>\n<|assistant|>\n",
    ),
}
"""What the page of transformers on chat templates shows."""
OF_TRL = {"gemma": "gemma", "gemma4": "gemma4_v5", "llama3": "llama3", "phi3": "phi3"}


def test_the_table_is_the_folder():
    assert sorted(path.stem for path in (DATA / "chat_templates").iterdir()) == list(NAMES)
    assert {row.chat_template for row in catalog().untemplated.values()} <= {*NAMES}
    assert all(row["source"] for row in rows("chat_templates.csv"))


@pytest.mark.parametrize("name", NAMES)
def test_each_trains_a_conversation(name):
    assert fault_of(catalog().chat_template(name)) is None


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_text(name):
    messages, text = DOCUMENTED[name]
    assert renderer(catalog().chat_template(name), SPECIAL)(messages, True) == text


@pytest.mark.parametrize("name", OF_TRL)
def test_the_text_of_the_source(name):
    trl = pytest.importorskip("trl")
    source = Path(trl.__file__).parent / f"chat_templates/{OF_TRL[name]}.jinja"
    assert catalog().chat_template(name) == source.read_text(encoding="utf-8")


def test_chatml_is_the_format_of_qwen():
    trl = pytest.importorskip("trl")
    qwen = (Path(trl.__file__).parent / "chat_templates/qwen3_instruct_2507.jinja").read_text(encoding="utf-8")
    for messages in (TWO_TURNS, CHAT, PIRATE):
        for prompt in (False, True):
            expected = renderer(qwen, SPECIAL)(messages, prompt)
            assert renderer(catalog().chat_template("chatml"), SPECIAL)(messages, prompt) == expected


@pytest.mark.parametrize("name", NAMES)
def test_transformers_renders_the_same_text(name):
    rendering = pytest.importorskip("transformers.utils.chat_template_utils")
    template = catalog().chat_template(name)
    for prompt in (False, True):
        [text], _ = rendering.render_jinja_template(
            conversations=[[*TWO_TURNS]], chat_template=template, add_generation_prompt=prompt, **SPECIAL
        )
        assert renderer(template, SPECIAL)(TWO_TURNS, prompt) == text


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{% for %}", "is not a Jinja template"),
        ("{{ raise_exception('no turns') }}", "two turns: no turns"),
        ("{{ messages[9].content.strip() }}", "does not render a conversation of two turns"),
        ("{% for m in messages %}{% if m.role == 'assistant' %}{{ m.content }}{% endif %}{% endfor %}", "'Who leads"),
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", "begins and ends"),
        ("hello", "begins and ends"),
        ("", "begins and ends"),
        ("{{ ().__class__.__bases__ }}", "unsafe"),
        ("{{" + "(" * 5000 + "1" + ")" * 5000 + "}}", "nesting is too deep"),
        ("{% for a in [1] %}" * 30 + "{% endfor %}" * 30, "is not a Jinja template"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recursion"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "500,000 steps"),
        ("{{ 'x' * 10**9 }}", "multiplies beyond"),
        ("{{ [1] * 1000000000 }}", "multiplies beyond"),
        ("{{ 9 ** (9 ** 9) }}", "multiplies beyond"),
        ("{{ '%999999999d' % 1 }}", "multiplies beyond"),
    ],
)
def test_what_keeps_a_template_from_training(template, fault):
    before = sys.gettrace()
    assert fault in str(fault_of(template))
    assert sys.gettrace() is before


def test_what_templates_may_use():
    used = "{%- if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% endif %}{{ [1] | tojson(indent=2) }}"
    text = "{% for m in messages %}{% generation %}{{ bos_token + m.role + m.content + eos_token }}{% endgeneration %}"
    assert fault_of(f"{used}{text}{{% endfor %}}") is None
    with pytest.raises(TemplateRefusedError):
        renderer("{{", {})
