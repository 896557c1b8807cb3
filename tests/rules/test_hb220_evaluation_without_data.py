"""HB220: evaluations without data."""

from __future__ import annotations

from judged import edge, judged

NO_DATA = "data: {validation: null}\n"


def test_edge(tmp_path):
    edge("HB220", NO_DATA, "hyperparameters.eval_steps", None, 300, tmp_path)


def test_edge_of_the_data(tmp_path):
    evaluated = NO_DATA + "hyperparameters: {eval_steps: 50}"
    edge("HB220", evaluated, "data.validation", {"uri": "s3://bucket/validation/", "examples": 1}, None, tmp_path)


def test_the_key_that_needs_the_data_is_named(tmp_path):
    (found,) = judged("HB220", NO_DATA + "hyperparameters: {eval_steps: 50}", tmp_path)
    assert found.message == "eval_steps needs evaluations, but data.validation is not set"
    (found,) = judged("HB220", NO_DATA + "hyperparameters: {load_best_model_at_end: true}", tmp_path)
    assert found.route == ("hyperparameters", "load_best_model_at_end")
