"""HB534: requests as long as the longest examples, which the endpoint refuses."""

from __future__ import annotations

from judged import edge, judged

WINDOW = "deployment.max_model_len"
SHORT = "deployment: {typical_input_tokens: 200, typical_output_tokens: 100}"


def test_the_edge_is_the_longest_example(tmp_path):
    edge("HB534", SHORT, WINDOW, 689, 688, tmp_path)


def test_an_example_counts_as_it_is_cut(tmp_path):
    cut = "hyperparameters: {max_length: 600}\n" + SHORT.replace("{typ", "{max_model_len: 600, typ")
    assert judged("HB534", cut, tmp_path) == []


def test_unknown_lengths_are_not_compared(tmp_path):
    fragment = "data: {tokens: null}\n" + SHORT.replace("{typ", "{max_model_len: 320, typ")
    assert judged("HB534", fragment, tmp_path) == []


def test_a_typical_request_that_is_too_long_says_more(tmp_path):
    fragment = "deployment: {max_model_len: 512, typical_output_tokens: 400}"
    assert judged("HB534", fragment, tmp_path) == []
    assert len(judged("HB513", fragment, tmp_path)) == 1


def test_the_default_window_holds_them(tmp_path):
    assert judged("HB534", "deployment: {max_model_len: null}", tmp_path) == []
