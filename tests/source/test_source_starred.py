"""Excerpts hide what a spec's credentials mean, however they are spelled, and keep every place."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hbspec.source import starred as module
from hbspec.source.starred import starred

SPELLINGS = (str, *(lambda sign, form=form: form.format(ord(sign)) for form in (r"\x{:02x}", r"\u{:04X}", r"\U{:08x}")))


@pytest.fixture(params=["libyaml", "pure Python"])
def parser(request, monkeypatch):
    monkeypatch.setattr(module, "PARSER", yaml.CSafeLoader if request.param == "libyaml" else yaml.SafeLoader)


@given(
    st.sampled_from(["password", "other"]),
    st.lists(st.sampled_from(SPELLINGS), min_size=60, max_size=60),
    st.sampled_from(["", "&a ", "!x ", "!!str &b "]),
    st.sampled_from(["{}", "{{{}", "{}: [", "x: {{{}}}"]),
)
def test_no_spelling_shows_a_credential(name, spellings, before, around):
    value = "hf_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3h"
    key = "".join(spell(sign) for spell, sign in zip(spellings[40:], name, strict=False))
    written = [spell(sign) for spell, sign in zip(spellings, value, strict=False)]
    text = around.format(f'"{key}": {before}"{"".join(written)}"')
    hidden = "".join(written[3:])
    begins = text.index(hidden)
    assert set(starred(text)[begins : begins + len(hidden)]) == {"*"}


@given(st.text("ab:-[]{}\"'\\x41u0&*!|># \n\r\tpassword"))
def test_every_place_is_kept(text):
    shown = starred(text)
    assert len(shown) == len(text)
    assert all(new in (old, "*") for new, old in zip(shown, text, strict=True))
    assert [at for at, sign in enumerate(shown) if sign in "\r\n"] == [
        at for at, sign in enumerate(text) if sign in "\r\n"
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("DB_PASSWORD: &pw s3cret99\nname: x\n", "DB_PASSWORD: ************\nname: x\n"),
        ("DB_PASSWORD: &pw |\n  s3cret99\n  two\n\nname: x\n", "DB_PASSWORD: *****\n**********\n*****\n\nname: x\n"),
        ("DB_PASSWORD:\n- &pw s3cret99\n- x: 1\n", "DB_PASSWORD:\n- ************\n- x: 1\n"),
        ("a: &pw s3cret99\nDB_PASSWORD: *pw\nb: *pw\n", "a: ************\nDB_PASSWORD: *pw\nb: *pw\n"),
        ("DB_PASSWORD: !ENV ${PW}\n", "DB_PASSWORD: !ENV ${PW}\n"),
        ('name: "caf\\u00e9"\n', 'name: "caf\\u00e9"\n'),
    ],
)
@pytest.mark.usefixtures("parser")
def test_a_scalar_that_is_spelled_otherwise_is_starred_out_as_a_whole(text, shown):
    assert starred(text) == shown
