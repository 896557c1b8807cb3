"""Counting with a tokenizer of one's own making, in its chat template, and what is refused."""

from __future__ import annotations

import json
import sys

import pytest
from made_data import chat, line, record
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from hbspec.dataset import profile_lines
from hbspec.dataset.measures import TEMPLATE_TOKENS, UncountedError
from hbspec.dataset.vocabulary import TokenizerError, counting

WORDS = ("who", "leads", "we", "do", "<user>", "<assistant>", "<end>", "?", "<s>")
CHAT = (
    "{{ bos_token }} {% for message in messages %}<{{ message.role }}> {{ message.content }} <end>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture
def folder(tmp_path):
    """A model's folder with a tokenizer of whole words; a sequence of its own begins with `<s>`."""
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate((*WORDS, "[UNK]"))}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", WORDS.index("<s>"))])
    # settings of training that must not decide what is counted
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=50)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def configured(folder, **settings):
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return counting(str(folder))


EXAMPLE = record("user:who leads ?", "assistant:we do")


def test_in_the_chat_template_every_token_counts_once(folder):
    measure = configured(folder, chat_template=CHAT, bos_token="<s>")
    assert measure([EXAMPLE]) == [(10, 10, 10)]
    assert "in the template" in measure.method


def test_without_a_template_the_words_are_counted_and_its_share_is_estimated(folder):
    measure = counting(str(folder / "tokenizer.json"))
    low, expected, high = (
        round(2 * end) for end in (TEMPLATE_TOKENS.low, TEMPLATE_TOKENS.expected, TEMPLATE_TOKENS.high)
    )
    assert measure([EXAMPLE, EXAMPLE]) == [(5 + low, 5 + expected, 5 + high)] * 2
    assert "no chat template" in measure.method


def test_where_the_template_may_lie(folder):
    in_settings = configured(folder, chat_template=CHAT, bos_token={"content": "<s>"})
    several = [{"name": "tool_use", "template": "<s>"}, {"name": "default", "template": CHAT}]
    by_name = configured(folder, chat_template=several, bos_token="<s>")
    (folder / "chat_template.jinja").write_text(CHAT, encoding="utf-8")
    in_a_file = configured(folder, chat_template="something else", bos_token="<s>")
    assert in_settings([EXAMPLE]) == by_name([EXAMPLE]) == in_a_file([EXAMPLE]) == [(10, 10, 10)]
    assert in_settings.method == by_name.method == in_a_file.method


def test_the_method_names_the_tokenizer_and_the_template(folder):
    """Parts that were counted in different ways must not merge."""
    methods = [counting(str(folder)).method]
    for template, token in ((CHAT, "<s>"), (CHAT, ""), (CHAT + " ", "<s>")):
        methods.append(configured(folder, chat_template=template, bos_token=token).method)
    assert len(set(methods)) == len(methods)
    assert configured(folder, chat_template=CHAT, bos_token="<s>", model_max_length=3).method == methods[1]


def test_what_templates_may_use(folder):
    template = (
        "{% for message in messages %}{% if message.role == 'system' %}{% continue %}{% endif %}"
        "{% generation %}{{ {'c': message.content} | tojson(indent=None) }}{% endgeneration %}{% endfor %}"
    )
    measure = configured(folder, chat_template=template)
    assert measure([record("system:who", "user:we do")]) == [(3, 3, 3)]


def test_an_example_that_the_template_refuses(folder):
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}who"
    measure = configured(folder, chat_template=template)
    with pytest.raises(UncountedError, match="no system role"):
        measure([record("system:s", "user:u")])
    profile = profile_lines([chat("q", "a"), line("system:s", "user:u", "assistant:a")], measure)
    assert (profile.examples, profile.broken_lines) == (1, 1)


def test_a_template_is_run_in_a_sandbox(folder):
    measure = configured(folder, chat_template="{{ messages.__class__.__mro__ }}")
    with pytest.raises(UncountedError):
        measure([EXAMPLE])


def test_a_template_that_is_none(folder):
    with pytest.raises(TokenizerError, match="the chat template cannot be read"):
        configured(folder, chat_template="{% for %}")


@pytest.mark.parametrize("settings", ["", "[]", "{", '{"chat_template": 3}'])
def test_settings_that_say_nothing(folder, settings):
    (folder / "tokenizer_config.json").write_text(settings, encoding="utf-8")
    assert "no chat template" in counting(str(folder)).method


def test_a_model_in_the_hubs_cache(folder, tmp_path, monkeypatch):
    hub = tmp_path / "hub"
    model = hub / "models--acme--words"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("abc123")
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    with pytest.raises(TokenizerError, match="without its tokenizer"):
        counting("acme/words")
    (model / "snapshots").mkdir()
    (model / "snapshots" / "abc123").symlink_to(folder)
    assert counting("acme/words").method == counting(str(folder)).method


@pytest.mark.parametrize("name", ["nowhere", "../nowhere", "acme/nowhere", "acme/no/where", ""])
def test_what_is_no_tokenizer(tmp_path, monkeypatch, name):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TokenizerError, match=r"is neither a tokenizer\.json nor a folder with one"):
        counting(name)


def test_a_file_that_is_no_tokenizer(tmp_path):
    (tmp_path / "tokenizer.json").write_bytes(b"\xff{}")
    with pytest.raises(TokenizerError, match="not a tokenizer"):
        counting(str(tmp_path))


@pytest.mark.parametrize("library", ["tokenizers", "jinja2"])
def test_without_the_libraries(folder, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(TokenizerError, match=r"pip install \"hbspec\[data\]\""):
        configured(folder, chat_template=CHAT)
