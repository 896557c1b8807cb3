"""`model.config` is the shape of the weights and not the weights: what a compile says where it stands alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from compiled import BASE, TARGETS, files, fitted, project, refusals

from hbspec.api import InvalidSpecError, check, compile_spec, estimate
from hbspec.catalog import catalog

SHAPE = "config: ./config.json"
NAMED = "id: deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec that names the config of its model and no weights."""
    config = catalog().models.config("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B")
    (tmp_path / "config.json").write_text(json.dumps(config))
    path = tmp_path / "spec.yaml"
    path.write_text(BASE.read_text().replace(NAMED, SHAPE))
    return path


@pytest.mark.parametrize("target", TARGETS)
def test_no_target_takes_a_config_for_weights(target: str, spec: Path) -> None:
    more = ("deployment.adapters=separate",) if target in ("cloudformation", "deployment", "serve") else ()
    more = (*more, *fitted(spec, target))
    assert refusals(spec, target, *more) == [("HB040", "model.id")]
    with pytest.raises(InvalidSpecError) as refused:
        compile_spec(spec, target, overrides=more)
    (diagnostic,) = (entry for entry in refused.value.report.diagnostics if entry.code == "HB040")
    assert diagnostic.message == f"target {target} needs model.id, which is missing"
    assert (
        diagnostic.help
        == "add model.id, the Hugging Face id or the folder of the weights; model.config gives only their shapes"
    )


def test_it_is_checked_and_estimated_all_the_same(spec: Path) -> None:
    assert check(spec).ok
    named, shaped = estimate(BASE).memory, estimate(spec).memory
    assert named is not None
    assert shaped is not None
    assert shaped.to_dict() == named.to_dict()


def test_an_endpoint_of_weights_that_were_merged_elsewhere_needs_no_id(spec: Path) -> None:
    elsewhere = ("instance.type=null", "instance.gpu=A100-80", "instance.gpus=8")
    merged = files(spec, "deployment", "deployment.adapters=merged", *elsewhere, force=True)
    environment = json.loads(merged["create_model.json"])["PrimaryContainer"]["Environment"]
    assert environment["SM_VLLM_MODEL"] == "/opt/ml/model"


def test_the_author_s_own_script_may_find_the_weights_itself(tmp_path: Path, spec: Path) -> None:
    own = project(tmp_path, "reads: arguments")
    assert next(iter(json.loads(files(own, "launch")["hyperparameters.json"]))) == "MODEL_ID"
    own.write_text(own.read_text().replace(NAMED, SHAPE))
    assert "MODEL_ID" not in json.loads(files(own, "launch")["hyperparameters.json"])
