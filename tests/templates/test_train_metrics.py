from __future__ import annotations

import ast
import re

import metrics
from training_bench import TEMPLATES


def found(line: str) -> dict[str, str]:
    return {name: match[1] for name, regex in metrics.METRICS.items() if (match := re.search(regex, line))}


def test_a_training_line_gives_each_training_metric_its_own_value() -> None:
    values = {
        "loss": 2.345678,
        "grad_norm": 0.9,
        "learning_rate": 1e-5,
        "epoch": 1.5,
        "step_seconds": 131.25,
        "gpu_memory_bytes": 34_567_890_123,
        "gpu_peak_allocated_bytes": 30_000_000_000,
    }
    assert found(metrics.line(12, values)) == {
        "train:loss": "2.34568",
        "train:grad_norm": "0.9",
        "train:learning_rate": "1e-05",
        "train:epoch": "1.5",
        "train:step_seconds": "131.25",
        "train:gpu_memory_bytes": "34567890123",
        "train:gpu_peak_allocated_bytes": "30000000000",
    }


def test_an_evaluation_line_is_no_training_loss() -> None:
    assert found(metrics.line(12, {"eval_loss": 1.25})) == {"eval:loss": "1.25"}


def test_what_cloudwatch_does_not_get_leaves_the_metrics_as_they_are() -> None:
    more = {"gpu_reserved_bytes": 9, "tokens": 600.0, "longest": 300, "unevenness": 1.25}
    assert found(metrics.line(12, {"loss": 1.5, **more})) == {"train:loss": "1.5"}
    assert found(metrics.run({"settings": {"MODEL_ID": "a b loss=3", "LORA_R": 8}, "gpus": []}).replace("=", "")) == {}


def test_the_last_line_says_how_the_start_ended() -> None:
    counted = {"updates": 3, "last_step": 9, "stopped_by": "SIGTERM", "examples_consumed": 6, "best": 1}
    assert metrics.done(counted) == (
        'hbspec: done {"updates": 3, "last_step": 9, "stopped_by": "SIGTERM", "examples_consumed": 6}'
    )


def test_other_lines_give_nothing() -> None:
    assert found("loss=3.5 step_seconds=4") == {}
    assert found("hbspec: override MAX_STEPS: 300 -> 4 (--max-updates)") == {}


def test_the_regexes_fit_sagemakers_limits_and_can_be_read_without_running_the_file() -> None:
    tree = ast.parse((TEMPLATES / "metrics.py").read_text())
    literal = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "METRICS"
    )
    assert literal is not None
    assert ast.literal_eval(literal) == metrics.METRICS
    assert len(metrics.METRICS) <= 40
    for regex in metrics.METRICS.values():
        assert len(regex) <= 500
        assert re.compile(regex).groups == 1
