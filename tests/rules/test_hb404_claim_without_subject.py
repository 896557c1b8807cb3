"""HB404: claims whose inputs are missing."""

from __future__ import annotations

from judged import edge, judged

WITHOUT = "data: {train: {examples: null}}\nexpect: {training.epochs: 4.35, training.duration: 1m..9h}"


def test_the_edge_is_the_missing_input(tmp_path):
    edge("HB404", WITHOUT, "data.train.examples", 2198, None, tmp_path)


def test_the_edge_is_the_missing_section(tmp_path):
    latency = "deployment: {typical_output_tokens: null}\nexpect: {deployment.latency: 1ms..9h}"
    edge("HB404", latency, "deployment.typical_output_tokens", 400, None, tmp_path)


def test_claims_that_lack_one_input_are_one_finding(tmp_path):
    (found,) = judged("HB404", WITHOUT, tmp_path)
    assert found.message.endswith("without data.train.examples; nor can training.duration")
    assert found.help == "give what is missing, or delete the claims under expect"
