"""Layers and weights that text does not run, and layers that share weights, as a real step's trace has them."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from oracle.agreement import spec_of
from oracle.case import parse
from oracle.shapes import CONFIGS
from oracle.whole_step import peak
from recording.test_recorded_memory import closed
from recording.test_recorded_state import GIT

from hbspec.catalog import catalog
from hbspec.catalog.parameters import active_parameters, idle_parameters, lora_parameters, total_parameters
from hbspec.catalog.recorded_file import architecture_of
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.step.job import job_of
from hbspec.plan import build_plan
from hbspec.spec import Spec

IMAGES = {
    "model_type": "mllama",
    "text_config": {
        "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 5, "num_attention_heads": 4,
        "num_key_value_heads": 2, "vocab_size": 512, "cross_attention_layers": [0, 3], "pad_token_id": 0,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
    },
}  # fmt: skip
"""Two layers attend to images alone: they do not run where only text is given."""

SHARING = {
    "model_type": "zamba2", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4,
    "num_key_value_heads": 4, "vocab_size": 512, "num_hidden_layers": 6, "mamba_ngroups": 1, "n_mamba_heads": 4,
    "mamba_headdim": 32, "layers_block_type": ["mamba", "hybrid", "hybrid", "hybrid", "hybrid", "mamba"],
    "num_mem_blocks": 2, "adapter_rank": 8, "chunk_size": 64,
}  # fmt: skip
"""Two transformers, each in two of the layers."""

UNREAD = {
    "model_type": "bart", "d_model": 128, "decoder_layers": 3, "decoder_ffn_dim": 256, "decoder_attention_heads": 4,
    "vocab_size": 512, "max_position_embeddings": 512,
}  # fmt: skip
"""Layers have an attention to an encoder, which a causal language model is without."""

UNREAD_NORM = "encoder_attn_layer_norm"

FULL, LORA = "method=full,tokens=300", "method=lora,batch=2,tokens=200,gradient_checkpointing=false"


def built(values):
    """The model, whose parameters are counted."""
    from hbspec.recording.build import build

    return build(values, None).model


def job(architecture, text, **instance):
    """The job of a spec."""
    spec = spec_of(parse(text))
    spec["instance"] |= instance
    return job_of(build_plan(Spec.model_validate(spec), catalog(), architecture, None))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("text", [FULL, LORA, "method=qlora,tokens=300,gradient_checkpointing=false"])
def test_layers_that_text_does_not_run_are_as_their_trace(text, recorded_file, monkeypatch):
    monkeypatch.setitem(CONFIGS, "images", IMAGES)
    case = parse(f"images,{text}")
    assert closed(case, architecture_of(recorded_file(IMAGES))) == pytest.approx(peak(case), rel=0.005)


def test_layers_that_text_does_not_run_are_counted_and_get_no_gradient(recorded_file, monkeypatch):
    monkeypatch.setitem(CONFIGS, "images", IMAGES)
    architecture, model = architecture_of(recorded_file(IMAGES)), built(IMAGES)
    idle = sum(
        one.numel() for name, one in model.named_parameters() if name.startswith(("model.layers.0", "model.layers.3"))
    )
    assert total_parameters(architecture) == sum(one.numel() for one in model.parameters())
    assert idle_parameters(architecture) == idle
    assert active_parameters(architecture) == total_parameters(architecture) - idle
    assert job(architecture, "images,method=full").trainable == total_parameters(architecture) - idle
    with pytest.raises(NotKnownError, match="do not run for text"):
        job(architecture, "images,method=full", gpus=2, parallelism="ddp")


def test_layers_that_text_does_not_run_get_adapters_all_the_same(recorded_file):
    heads, keys, width = 2 * 128, 128 + 64, 128 + 256
    found = lora_parameters(architecture_of(recorded_file(IMAGES)), 8, ["q_proj", "k_proj", "up_proj"])
    assert found == 5 * 8 * (heads + keys + width)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "text",
    [FULL, LORA, "method=qlora,batch=3,tokens=150", f"{LORA},target_modules=q_proj,modules_to_save={UNREAD_NORM}"],
)
def test_weights_that_layers_do_not_read_are_as_their_trace(text, recorded_file, monkeypatch):
    monkeypatch.setitem(CONFIGS, "unread", UNREAD)
    case = parse(f"unread,{text}")
    assert closed(case, architecture_of(recorded_file(UNREAD))) == pytest.approx(peak(case), rel=0.002)


def test_weights_that_layers_do_not_read_are_counted_and_get_no_gradient(recorded_file, monkeypatch):
    monkeypatch.setitem(CONFIGS, "unread", UNREAD)
    architecture, model = architecture_of(recorded_file(UNREAD)), built(UNREAD)
    idle = {name: one.numel() for name, one in model.named_parameters() if ".encoder_attn" in name}
    assert len(idle) == 3 * 10
    assert total_parameters(architecture) == sum(one.numel() for one in model.parameters())
    assert idle_parameters(architecture) == sum(idle.values())
    full = job(architecture, "unread,method=full")
    assert (full.trainable, full.idle) == (total_parameters(architecture) - sum(idle.values()), 0)
    adapted = job(architecture, "unread,method=lora,target_modules=q_proj+fc1")
    assert adapted.trainable == 3 * 16 * (128 + 128 + 128 + 256)
    assert adapted.idle == 4 * 3 * 16 * (128 + 128)
    saved = job(architecture, f"unread,method=lora,target_modules=fc1,modules_to_save={UNREAD_NORM}")
    assert (saved.trainable, saved.whole, saved.idle) == (3 * 16 * (128 + 256), 0, 2 * 3 * 2 * 128)


def test_states_without_gradients_are_not_paged(recorded_file, monkeypatch):
    """Adapters of rank 800 have tensors of which the states of a paged optimizer are in managed memory."""
    monkeypatch.setitem(CONFIGS, "unread", UNREAD)
    text = "unread,method=lora,lora_r=800,target_modules=q_proj,optim=paged_adamw_8bit"
    found = job(architecture_of(recorded_file(UNREAD)), text)
    assert found.pageable == found.trainable == 3 * 800 * (128 + 128)


@pytest.mark.parametrize("parallelism", ["ddp", "fsdp", "zero2"])
@pytest.mark.parametrize("text", ["method=full", "method=lora", f"method=lora,modules_to_save={UNREAD_NORM}"])
def test_ranks_that_would_wait_for_a_gradient_are_not_known(parallelism, text, recorded_file, monkeypatch):
    monkeypatch.setitem(CONFIGS, "unread", UNREAD)
    text += ",target_modules=fc1" if "save" in text else ""
    ending = r" \(DDP stops at its second step" if parallelism == "ddp" else "$"
    with pytest.raises(NotKnownError, match=rf"ranks train encoder_attn.* gets no gradient{ending}"):
        job(architecture_of(recorded_file(UNREAD)), f"unread,{text}", gpus=2, parallelism=parallelism)


def test_ranks_that_train_what_text_runs_are_counted(recorded_file, monkeypatch):
    monkeypatch.setitem(CONFIGS, "unread", UNREAD)
    architecture = architecture_of(recorded_file(UNREAD))
    found = job(architecture, "unread,method=lora,target_modules=fc1+fc2", gpus=2, parallelism="ddp")
    assert (found.trainable, found.idle) == (2 * 3 * 16 * (128 + 256), 0)
    assert job(architecture, "unread,method=full", gpus=2, parallelism="pipeline").trainable


@pytest.mark.long
def test_ranks_that_train_an_encoder_of_images_on_text_are_not_known(recorded_file, monkeypatch):
    """The shipped script freezes what is beside a `language_model`, and GIT's encoder is not."""
    monkeypatch.setitem(CONFIGS, "git", GIT)
    architecture = architecture_of(recorded_file(GIT))
    with pytest.raises(NotKnownError, match=r"ranks train git\.image_encoder.* gets no gradient"):
        job(architecture, "git,method=full,attention=eager", gpus=2, parallelism="ddp")
    assert job(architecture, "git,method=full,attention=eager").trainable
    assert job(
        architecture, "git,method=lora,target_modules=query,attention=eager", gpus=2, parallelism="ddp"
    ).trainable


@pytest.mark.long
@pytest.mark.parametrize("text", [FULL, f"{LORA},target_modules=q_proj+v_proj"])
def test_layers_that_share_weights_are_as_their_trace(text, recorded_once, monkeypatch):
    monkeypatch.setitem(CONFIGS, "sharing", SHARING)
    case = parse(f"sharing,{text}")
    assert closed(case, architecture_of(recorded_once(SHARING))) == pytest.approx(peak(case), rel=0.01)


@pytest.mark.long
def test_what_layers_share_is_counted_once_and_adapted_in_each(recorded_once):
    architecture, model = architecture_of(recorded_once(SHARING)), built(SHARING)
    assert total_parameters(architecture) == sum(one.numel() for one in model.parameters())
    queries = [module for name, module in model.named_modules() if name.endswith("q_proj")]
    assert len(queries) == 4
    assert len({id(module.weight) for module in queries}) == 2
    each = 8 * (queries[0].in_features + queries[0].out_features)
    assert lora_parameters(architecture, 8, ["q_proj"]) == 4 * each
    resting = sum(weight.count for weight in architecture.recorded.resting if "gate_up" in weight.name)
    assert resting == 4 * 2  # of two modules for each of two layers, every layer runs those of one
    shared = next(weight for weight in architecture.recorded.weights if weight.name.endswith("q_proj"))
    assert (shared.kind, shared.count, shared.repeats) == ("own_linear", 2, 2)


@pytest.mark.long
@pytest.mark.parametrize("parallelism", ["fsdp", "pipeline"])
def test_where_shared_weights_lie_is_not_known(parallelism, recorded_once, monkeypatch):
    monkeypatch.setitem(CONFIGS, "sharing", SHARING)
    with pytest.raises(NotKnownError, match="layers on several GPUs share"):
        job(architecture_of(recorded_once(SHARING)), "sharing,method=full", gpus=2, parallelism=parallelism)


def test_weights_that_are_shared_by_other_layers_than_others_are_refused():
    from torch import nn

    from hbspec.recording.program import RecordingError
    from hbspec.recording.tied import groups_of, sharing

    model = nn.Module()
    model.layers = nn.ModuleList(nn.ModuleDict({key: nn.Linear(2, 2, bias=False) for key in "ab"}) for _ in range(3))
    model.layers[1]["a"].weight = model.layers[0]["a"].weight
    assert groups_of(sharing(model, "layers."), 3) == [0, 0, None]
    model.layers[2]["b"].weight = model.layers[0]["b"].weight
    with pytest.raises(RecordingError, match="is a weight of layer 0 too"):
        sharing(model, "layers.")
    model.layers[2]["b"].weight = model.layers[1]["b"].weight
    model.layers[1]["a"].weight = model.layers[0]["b"].weight
    with pytest.raises(RecordingError, match="too"):
        sharing(model, "layers.")
