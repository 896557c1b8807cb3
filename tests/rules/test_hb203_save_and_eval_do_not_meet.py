"""HB203: checkpoints that evaluations miss."""

from __future__ import annotations

from judged import edge, judged

BEST = "hyperparameters: {load_best_model_at_end: true, %s}"


def test_edge(tmp_path):
    edge("HB203", BEST % "eval_steps: 30", "hyperparameters.save_steps", 60, 61, tmp_path)


def test_edge_of_the_evaluations(tmp_path):
    edge("HB203", BEST % "save_steps: 60", "hyperparameters.eval_steps", 30, 31, tmp_path)


def test_edge_of_an_evaluation_at_all(tmp_path):
    edge("HB203", "", "hyperparameters.load_best_model_at_end", False, True, tmp_path)


def test_the_next_multiple_is_advised(tmp_path):
    (found,) = judged("HB203", BEST % "eval_steps: 30, save_steps: 50", tmp_path)
    assert found.message.endswith("save_steps (50) is not a multiple of eval_steps (30)")
    assert found.fixes[0].value == 60


def test_a_default_is_not_judged(tmp_path):
    assert judged("HB203", BEST % "eval_steps: 30, save_steps: null", tmp_path) == []


def test_the_best_of_nothing(tmp_path):
    (found,) = judged("HB203", "hyperparameters: {load_best_model_at_end: true}", tmp_path)
    assert found.route == ("hyperparameters", "load_best_model_at_end")
    assert found.message.endswith("but neither eval_steps nor evals_per_epoch is set")


def test_edge_of_shares(tmp_path):
    edge("HB203", BEST % "eval_steps: 0.1", "hyperparameters.save_steps", 0.2, 0.25, tmp_path)


def test_a_share_and_a_number_never_meet_for_sure(tmp_path):
    edge("HB203", BEST % "eval_steps: 30", "hyperparameters.save_steps", 60, 0.2, tmp_path)


def test_shares_that_rounding_parts(tmp_path):
    ten = "hyperparameters: {max_steps: 13, load_best_model_at_end: true, eval_steps: 0.25, save_steps: 0.5}"
    (found,) = judged("HB203", ten, tmp_path)  # evaluations after 4, 8 and 12 updates, checkpoints after 7
    assert found.fixes[0].value == 0.25
