"""HB241: the factor of the adapters, alpha over the rank or its root."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

ALPHA = "hyperparameters.lora_alpha"
SERVED = "deployment: null"


def at_rank(rank: int, *, root: bool = False) -> str:
    return f"{SERVED}\nhyperparameters: {{lora_r: {rank}, use_rslora: {str(root).lower()}}}"


def test_edges(tmp_path):
    edge("HB241", at_rank(64), ALPHA, 4, 3, tmp_path)
    edge("HB241", at_rank(64), ALPHA, 1024, 1025, tmp_path)


def test_edges_of_a_small_alpha(tmp_path):
    edge("HB241", at_rank(8), ALPHA, 2, 1, tmp_path)
    edge("HB241", at_rank(16), ALPHA, 2.5, 2, tmp_path)


def test_edges_with_rslora(tmp_path):
    edge("HB241", at_rank(64, root=True), ALPHA, 256, 257, tmp_path)
    edge("HB241", at_rank(256, root=True), ALPHA, 2.5, 2, tmp_path)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("rank", "alpha", "root"),
    [(256, 16, False), (1, 32, False), (64, 16, False), (8, 32, False), (256, 512, True), (64, 16, True)],
)
def test_public_recipes(rank, alpha, root, tmp_path):
    assert "HB241" not in codes(at_rank(rank, root=root), tmp_path, [f"{ALPHA}={alpha}"])


def test_nothing_is_said_of_what_the_author_left_open(tmp_path):
    fragment = f"{SERVED}\nhyperparameters: {{lora_r: null, lora_alpha: null}}"
    assert "HB241" not in codes(fragment, tmp_path)


def test_a_rank_alone_is_the_one_that_is_named(tmp_path):
    (found,) = judged("HB241", f"{SERVED}\nhyperparameters: {{lora_r: 1024, lora_alpha: null}}", tmp_path)
    assert found.route == ("hyperparameters", "lora_r")
    assert found.message == "lora_alpha 32 over lora_r 1024 scales the adapters by 0.0312, below 0.0625"


def test_a_rank_above_those_of_recipes_is_named_rather_than_a_usual_alpha(tmp_path):
    (found,) = judged("HB241", f"{SERVED}\nhyperparameters: {{lora_r: 1000, lora_alpha: 32}}", tmp_path)
    assert found.route == ("hyperparameters", "lora_r")
