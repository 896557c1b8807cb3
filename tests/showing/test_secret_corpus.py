"""The corpus of credentials: each is seen, hidden wherever it stands, and nothing ordinary is."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from secret_corpus import IN_TEXT, KEPT, LETTERS, NAMED, ORDINARY, RANDOM, SECRETS, hidden

from hbspec.diagnostics import Position, Span
from hbspec.render.plain_json import json_text
from hbspec.showing.secrets import REDACTED, looks_secret, redact, redact_forms, redact_route
from hbspec.source.excerpts import excerpt, underline

EXAMPLES = [secret for secret, _ in SECRETS.values()]


@pytest.mark.parametrize("name", SECRETS)
def test_a_published_form_is_seen(name):
    secret, source = SECRETS[name]
    assert source.startswith("https://")
    assert looks_secret(secret)
    for hide in (redact, redact_forms):
        assert hidden(secret) not in hide(secret)
        assert len(hide(secret)) == len(secret)


@pytest.mark.parametrize("name", RANDOM)
@given(seed=st.integers(0, 2**32))
def test_random_tokens_of_a_form_are_starred_completely(name, seed):
    draw = Random(seed)
    mark, *parts = [part if isinstance(part, str) else drawn(draw, *part) for part in RANDOM[name]]
    rest = "".join(parts)
    for before, after in (("", ""), ("token ", " after"), ('"', '"'), ("d=", ",")):
        for hide in (redact, redact_forms):
            assert hide(f"{before}{mark}{rest}{after}").endswith("*" * len(rest) + after)


def drawn(draw, alphabet, length):
    return "".join(draw.choices(alphabet, k=length))


def test_nearly_every_random_secret_of_aws_is_seen():
    """Their only mark is that they are random, so some look ordinary."""
    draw = Random(1)
    keys = [drawn(draw, LETTERS + "+/", 40) for _ in range(1000)]
    assert sum(map(looks_secret, keys)) >= 950


@pytest.mark.parametrize("name", NAMED)
def test_what_only_a_name_tells_is_seen_beside_it(name):
    secret, _ = NAMED[name]
    assert not looks_secret(secret)
    assert looks_secret(f"{name}: {secret}")
    assert secret not in redact(f"{name}: {secret}")
    assert secret not in json_text({name: secret})


@pytest.mark.parametrize("name", IN_TEXT)
def test_a_named_value_of_several_words_or_lines_is_hidden(name):
    form, secret = IN_TEXT[name]
    text = form.format(secret)
    shown = redact(text)
    assert looks_secret(text)
    assert not [word for word in secret.split() if word in shown], shown
    assert [i for i, c in enumerate(shown) if c in "\r\n"] == [i for i, c in enumerate(text) if c in "\r\n"]
    assert ("bogus: 1" in shown) == ("bogus: 1" in text)
    assert redact(shown) == shown


@pytest.mark.parametrize("text", KEPT, ids=range(len(KEPT)))
def test_what_stands_beside_a_named_value_stays(text):
    shown = redact(text)
    assert not {"hunter2", "abcdef1"} & set(shown.split())
    assert "support-bot of the team" in shown or "#" in text


@pytest.mark.parametrize("text", ORDINARY, ids=range(len(ORDINARY)))
def test_an_ordinary_text_stays(text):
    assert redact(text) == text
    assert redact(f"revision: {text}") == f"revision: {text}"


@given(st.sampled_from(EXAMPLES), st.sampled_from([" ", "/", "-", "_", ".", "\n", "\\n", "%20", "'", '"', "(", "="]))
def test_it_is_hidden_behind_whatever_separates_it(secret, before):
    assert hidden(secret) not in redact(f"data{before}{secret} after")


@given(st.sampled_from(EXAMPLES), st.text(max_size=20))
def test_redacting_twice_is_redacting_once(secret, around):
    text = f"{around} {secret}\n{around}"
    assert redact(redact(text)) == redact(text)


@given(
    st.recursive(
        st.sampled_from([*EXAMPLES, "a", 1, None, True, 'quote" and \\ and\nline']),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*EXAMPLES, "password", "name"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_json_stays_json_and_keeps_its_form(document):
    text = json_text(document)
    assert not [secret for secret in EXAMPLES if secret in text]
    assert form(json.loads(redact_forms(text))) == form(document)


def form(value):
    if isinstance(value, dict):
        return [form(part) for part in value.values()]
    if isinstance(value, list):
        return [form(part) for part in value]
    return "text" if isinstance(value, str) else value


@pytest.mark.parametrize("secret", EXAMPLES, ids=list(SECRETS))
def test_in_a_route_a_key_gives_way_to_a_word(secret):
    assert redact_route(("sagemaker", "environment", secret, 0)) == ("sagemaker", "environment", REDACTED, 0)
    assert redact_route(("sagemaker", "environment", "HF_TOKEN")) == ("sagemaker", "environment", "HF_TOKEN")


@given(st.sampled_from(EXAMPLES), st.integers(0, 300))
def test_an_excerpt_keeps_its_columns(secret, before):
    line = f"{'x ' * before}{secret} here"
    column = len(line) - 3
    place = Span("f", Position(1, column), Position(1, column + 4))
    shown = excerpt(line, place)
    start, width = underline(shown, place)
    assert shown[start : start + width] == "here"
    assert hidden(secret) not in shown
