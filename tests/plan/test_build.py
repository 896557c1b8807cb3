"""The plan of a spec: every choice and every derived count."""

from __future__ import annotations

from pathlib import Path

import pytest

from hbspec.catalog import catalog
from hbspec.plan import build_plan, read_profile
from hbspec.source import load
from hbspec.spec import Spec, read

BASE = Path(__file__).parents[1] / "rules" / "base.yaml"


def plan(*overrides: str, profile=None):
    spec = read(load(BASE, overrides=overrides))
    assert isinstance(spec, Spec)
    model = catalog().models.get(spec.model.id)
    return build_plan(spec, catalog(), model.architecture if model else None, profile)


PIPELINE = ("instance.parallelism=pipeline", "hyperparameters.gradient_accumulation_steps=32")


def test_pipeline_is_one_process():
    found = plan(*PIPELINE)
    assert (found.processes, found.data_parallel_size, found.effective_batch_size) == (1, 1, 32)
    assert found.counts.steps_per_epoch == 69
    assert found.counts.examples_processed == 9560
    assert found.counts.nominal_examples == 9600
    assert round(found.counts.epochs, 2) == 4.35
    assert round(found.counts.nominal_epochs, 2) == 4.37


def test_ddp_is_a_process_for_every_gpu():
    found = plan("hyperparameters.gradient_accumulation_steps=32")
    assert (found.processes, found.data_parallel_size, found.effective_batch_size) == (8, 8, 256)
    assert round(found.counts.nominal_epochs, 1) == 34.9
    assert round(found.counts.epochs, 1) == 33.4


def test_tensor_parallel_ranks_share_their_examples():
    found = plan("instance.parallelism=fsdp", "instance.tensor_parallel=2")
    assert (found.processes, found.data_parallel_size, found.effective_batch_size) == (8, 4, 16)


def test_epochs_where_no_steps_are_given():
    found = plan("hyperparameters.max_steps=null", "hyperparameters.num_train_epochs=2")
    assert found.counts.optimizer_steps == 2 * found.counts.steps_per_epoch == 138


def test_trainable_parameters_and_what_is_saved():
    found = plan()
    assert found.trainable_parameters == 134_217_728
    assert found.adapter_bytes == 2 * 134_217_728  # TRL casts the adapters of a quantised model to bfloat16
    assert found.checkpoint_bytes == 3 * found.adapter_bytes
    assert plan("software.trainer=transformers").adapter_bytes == 4 * 134_217_728


def test_tokens_follow_the_real_lengths_and_the_cap():
    found = plan()
    assert found.real_tokens.expected == 374 * found.counts.examples_processed
    cut = plan("hyperparameters.max_length=100")
    assert cut.row_tokens.high == 100


def test_unknown_lengths_span_what_the_cap_allows():
    found = plan("data.tokens=null", "hyperparameters.max_length=4096")
    assert not found.lengths.known
    assert (found.row_tokens.low, found.row_tokens.high) == (32, 4096)
    assert any(entry.route == ("data", "tokens") for entry in found.assumptions)


def test_the_authors_examples_count_even_beside_a_profile():
    profile = read_profile(
        {
            "format_version": 1,
            "examples": 1758,
            "exact_duplicates": 5,
            "tokens": {"mean": 374.0, "max": 689.0, "method": "test"},
            "digest": "x",
        }
    )
    assert plan("data.tokens=null", profile=profile).counts.examples == 2198
    found = plan("data.tokens=null", "data.train.examples=null", *PIPELINE, profile=profile)
    assert found.counts.examples == 1758
    assert round(found.counts.epochs, 2) == 5.46


def test_packing_counts_rows():
    found = plan("hyperparameters.packing=true", "hyperparameters.max_length=4096", "hyperparameters.max_steps=null")
    assert found.counts.rows == 201  # ceil(2198 x 374 / 4096)
    assert found.row_tokens.expected == 4096
    assert found.counts.epochs == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize(
    ("override", "missing"),
    [
        ("model.id=nobody/knows", "architecture"),
        ("instance.type=ml.p9.huge", "hardware"),
        ("data.train.examples=null", "counts"),
        ("instance.tensor_parallel=3", "data_parallel_size"),
    ],
)
def test_what_cannot_be_known_is_none_and_says_why(override, missing):
    found = plan(override)
    assert found.unknown[missing]
    assert getattr(found, missing) is None


def test_nothing_that_matters_is_assumed_in_silence():
    routes = {entry.route for entry in plan().assumptions}
    assert ("hyperparameters", "gradient_checkpointing") in routes
    assert ("hyperparameters", "optim") in routes
    assert ("software", "trainer") in routes
    assert ("instance", "parallelism") not in routes
    silent = {entry.route for entry in plan("instance.parallelism=null").assumptions}
    assert ("instance", "parallelism") in silent
    assert ("hyperparameters", "optim") not in {e.route for e in plan("hyperparameters.optim=sgd").assumptions}


@pytest.mark.parametrize(
    "change",
    [
        {"format_version": 2},
        {"examples": 0},
        {"examples": -1},
        {"tokens": None},
        {"tokens": {"mean": 5, "max": 3, "method": "m"}},
        {"tokens": {"mean": 0, "max": 3, "method": "m"}},
        {"tokens": {"mean": 4, "max": 9, "method": "m", "bounds": {"mean": [5, 6]}}},
        {"digest": 3},
    ],
)
def test_a_broken_profile_is_refused(change):
    good = {"format_version": 1, "examples": 9, "exact_duplicates": 0, "digest": "x"}
    good["tokens"] = {"mean": 4, "max": 9, "method": "m"}
    assert read_profile(good).mean.expected == 4
    with pytest.raises(ValueError, match=r"`|profile"):
        read_profile({**good, **change})


@pytest.mark.parametrize(
    ("instance", "survive"),
    [("{type: ml.g5.2xlarge, region: us-east-1}", True), ("{gpu: A100-40, gpus: 8, parallelism: ddp}", False)],
)
def test_checkpoints_of_a_training_job_survive_without_a_word(instance, survive):
    found = plan(f"instance={instance}", "sagemaker.checkpoints=null")
    assert found.checkpoints_survive is survive
