"""The estimate of tokens from bytes."""

from __future__ import annotations

from made_data import record

from hbspec.dataset.measures import BYTES_PER_TOKEN, TEMPLATE_TOKENS, Estimate


def test_bytes_and_messages_make_tokens():
    (found,) = Estimate()([record("user:" + "x" * 4200, "assistant:" + "é" * 2100)])
    size, messages = 8400, 2
    assert found == (
        round(size / 5.7 + 1.0 * messages),
        round(size / 4.9 + 2.0 * messages),
        round(size / 4.2 + 5.0 * messages),
    )


def test_the_interval_is_ordered_and_holds_what_was_measured():
    assert BYTES_PER_TOKEN.low < 4.43 < BYTES_PER_TOKEN.expected < 5.02 < 5.64 < BYTES_PER_TOKEN.high
    assert TEMPLATE_TOKENS.low <= 1 < TEMPLATE_TOKENS.expected < 5 <= TEMPLATE_TOKENS.high


def test_one_number_a_record_in_their_order():
    short, long = Estimate()([record("user:x"), record("user:" + "x" * 1000)])
    assert short < long
