"""HB242: the interval of evaluations against the run."""

from __future__ import annotations

from judged import codes, edge, judged


def test_edge(tmp_path):
    edge("HB242", "", "hyperparameters.eval_steps", 300, 301, tmp_path)


def test_edge_of_a_run_counted_in_epochs(tmp_path):
    edge(
        "HB242",
        "hyperparameters: {max_steps: null, num_train_epochs: 1}",
        "hyperparameters.eval_steps",
        69,
        70,
        tmp_path,
    )


def test_a_share_is_always_within_the_run(tmp_path):
    assert "HB242" not in codes("hyperparameters: {eval_steps: 0.9}", tmp_path)


def test_before_transformers_5_4_nothing_is_evaluated_at_the_end(tmp_path):
    (newer,) = judged("HB242", "hyperparameters: {eval_steps: 500}", tmp_path)
    (older,) = judged("HB242", "hyperparameters: {eval_steps: 500}\nsoftware: {transformers: 4.57.6}", tmp_path)
    assert newer.message == ("eval_steps 500 exceeds the 300 updates of the run: nothing is evaluated before the end")
    assert older.message == "eval_steps 500 exceeds the 300 updates of the run: nothing is evaluated"


def test_without_data_that_is_the_finding(tmp_path):
    assert codes("data: {validation: null}\nhyperparameters: {eval_steps: 500}", tmp_path) == {"HB220"}


def test_an_interval_that_meets_the_checkpoints_is_advised(tmp_path):
    best = "hyperparameters: {eval_steps: 1000, save_steps: 50, load_best_model_at_end: true}"
    assert codes(best, tmp_path) == {"HB242"}
    (found,) = judged("HB242", best, tmp_path)
    assert (found.help, found.severity) == ("use eval_steps: 50", "error")
