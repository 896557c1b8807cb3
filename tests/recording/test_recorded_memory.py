"""The memory of recorded models: that of the same model as a family, and that of a trace of its real step."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from oracle.agreement import spec_of
from oracle.case import parse
from oracle.shapes import CONFIGS
from oracle.whole_step import peak
from recording.conftest import OLMO
from recording.test_recorded_state import GIT

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.parameters import TargetError, lora_parameters, total_parameters
from hbspec.catalog.recorded import Recording
from hbspec.catalog.recorded_file import architecture_of
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.moments import moments
from hbspec.estimators.step.placement import Stage
from hbspec.plan import build_plan
from hbspec.spec import Spec

CASES = (
    "method=full,tokens=300",
    "method=lora,batch=2,tokens=200,gradient_checkpointing=false",
    "method=qlora,tokens=700",
    "method=qlora,quantization=int8,batch=3,tokens=128,padding=20",
    "method=lora,target_modules=q_proj,modules_to_save=lm_head,use_reentrant=true",
)


def closed(case, architecture, **more):
    """The most memory of a step, as a trace sees it."""
    spec = spec_of(case)
    spec["hyperparameters"] |= more
    job = job_of(build_plan(Spec.model_validate(spec), catalog(), architecture, None))
    job = job._replace(program=job.program._replace(on_gpu=False), workspaces=0)
    whole = Stage(0, architecture.num_hidden_layers, embedding=True, head=True)
    return max(moment.total for moment in moments(job, whole, case.tokens))


@pytest.mark.one_in(2)
@pytest.mark.parametrize("model", ["toy-llama", "toy-gpt-neox"])
def test_a_recorded_model_is_the_family(model, recorded_file):
    family = Architecture.from_config(parse(model).values)
    recorded = architecture_of(recorded_file(dict(parse(model).values)))
    assert total_parameters(recorded) == total_parameters(family)
    assert lora_parameters(recorded, 8, "all-linear") == lora_parameters(family, 8, "all-linear")
    assert (recorded.num_attention_heads, recorded.num_key_value_heads, recorded.head_dim) == (
        family.num_attention_heads,
        family.num_key_value_heads,
        family.head_dim,
    )
    for text in CASES:
        if "q_proj" not in text or model == "toy-llama":
            case = parse(f"{model},{text}")
            assert closed(case, recorded) == pytest.approx(closed(case, family), rel=1e-4), text


@pytest.mark.one_in(3)
@pytest.mark.parametrize("text", CASES[:3])
def test_a_type_of_no_family_is_as_its_trace(text, olmo, monkeypatch):
    monkeypatch.setitem(CONFIGS, "olmo", {**OLMO, "num_hidden_layers": 5})
    case = parse(f"olmo,{text}")
    deeper = architecture_of(olmo)
    recording = deeper.recorded
    monkeypatch.setattr(recording, "kinds", (0,) * 5)
    monkeypatch.delattr(recording, "weights", raising=False)
    found = closed(case, deeper._replace(num_hidden_layers=5, layer_types=("full_attention",) * 5))
    assert found == pytest.approx(peak(case), rel=0.001)


@pytest.mark.long
def test_buffers_and_eager_attention_are_counted(recorded_file, monkeypatch):
    config = {
        "model_type": "gpt_neo",
        "hidden_size": 128,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "max_position_embeddings": 1024,
        "vocab_size": 512,
    }
    monkeypatch.setitem(CONFIGS, "neo", config)
    case = parse("neo,method=lora,tokens=200,batch=2,attention=eager")
    assert closed(case, architecture_of(recorded_file(config))) == pytest.approx(peak(case), rel=0.001)


@pytest.mark.parametrize(
    ("text", "more", "word"),
    [
        ("attention=eager", {}, "eager attention"),
        ("method=qlora,use_dora=true", {}, "another dtype"),
        ("method=lora", {"liger": True}, "other kernels"),
    ],
)
def test_what_a_recording_does_not_tell_is_not_known(text, more, word, olmo, monkeypatch):
    monkeypatch.setitem(CONFIGS, "olmo", OLMO)
    with pytest.raises(NotKnownError, match=word):
        closed(parse(f"olmo,{text}"), architecture_of(olmo), **more)


def test_dtypes_that_were_not_recorded_are_not_known(olmo, monkeypatch):
    monkeypatch.setitem(CONFIGS, "olmo", OLMO)
    with pytest.raises(NotKnownError, match="it was not asked for"):
        closed(parse("olmo,method=full,weights_dtype=float32"), architecture_of(olmo))


def test_adapters_on_fused_experts_are_not_counted(olmo):
    recorded = architecture_of(olmo)
    values = {**olmo, "fused": ["gate_proj", "up_proj", "down_proj"]}
    fused = recorded._replace(recorded=Recording(values))
    assert lora_parameters(fused, 8, ["q_proj"]) == lora_parameters(recorded, 8, ["q_proj"])
    for targets in ("all-linear", ["q_proj", "up_proj"]):
        with pytest.raises(TargetError, match="fused experts"):
            lora_parameters(fused, 8, targets)


def test_adapters_where_text_does_not_reach_are_not_counted(recorded_once):
    """GIT's encoder of images has a q_proj, and is not beside a `language_model`, so that peft adapts it too."""
    git = architecture_of(recorded_once(GIT))
    for targets in ("all-linear", ["q_proj"]):
        with pytest.raises(TargetError, match="text does not reach"):
            lora_parameters(git, 8, targets)
    assert lora_parameters(git, 8, ["query"]) == 2 * 2 * 8 * GIT["hidden_size"]


def test_mixtral_has_fused_experts():
    from hbspec.recording.tensors import _fused

    assert _fused("mixtral") == _fused("minimax_m2") == ["gate", "w1", "w2", "w3"]


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"model_type": "t5"}, "no causal language model"),
        ({"model_type": "nobodys"}, "does not know model_type nobodys"),
        ({"model_type": "own", "auto_map": {"AutoModelForCausalLM": "own.Own"}}, "hbspec does not run"),
        ({}, "no model_type"),
        ({"model_type": "olmo", "hidden_size": "many"}, "refuses the config"),
    ],
)
def test_a_config_that_is_refused(config, word):
    from hbspec.recording.files import recorded
    from hbspec.recording.program import RecordingError
    from hbspec.recording.source import Source

    with pytest.raises(RecordingError, match=word):
        recorded(Source(config, {}))


XLNET = {"model_type": "xlnet", "d_model": 64, "n_layer": 3, "n_head": 4, "d_inner": 128, "vocab_size": 512}


@pytest.mark.long
@pytest.mark.parametrize("text", ["method=lora,tokens=300", "method=qlora,tokens=150,batch=3"])
def test_what_layers_share_may_differ_for_one_row(text, recorded_file, monkeypatch):
    """XLNet turns its ids round: for one row no copy is made. Its attention's weights have 32 bits in any case.

    What its layers share is counted until the loss is done, 2 % of so small a model.
    """
    monkeypatch.setitem(CONFIGS, "xlnet", XLNET)
    case = parse(f"xlnet,attention=eager,gradient_checkpointing=false,target_modules=layer_1,{text}")
    assert 1 <= closed(case, architecture_of(recorded_file(XLNET))) / peak(case) < 1.03


@pytest.mark.long
def test_weights_of_two_dtypes_are_not_trained_together(recorded_file, monkeypatch):
    monkeypatch.setitem(CONFIGS, "xlnet", XLNET)
    case = parse("xlnet,attention=eager,method=full,gradient_checkpointing=false,tokens=300")
    with pytest.raises(NotKnownError, match="some weights have 32 bits"):
        closed(case, architecture_of(recorded_file(XLNET)))


NARROW = {
    "model_type": "electra", "embedding_size": 64, "hidden_size": 256, "num_hidden_layers": 2, "is_decoder": True,
    "num_attention_heads": 4, "intermediate_size": 256, "vocab_size": 8192,
}  # fmt: skip


def test_a_table_may_be_narrower_than_the_residual_stream(recorded_once, monkeypatch):
    """Its gradient is as large as the table, and not as a table as wide as the stream."""
    monkeypatch.setitem(CONFIGS, "narrow", NARROW)
    case = parse("narrow,method=full,tokens=64")
    assert closed(case, architecture_of(recorded_once(NARROW))) == pytest.approx(peak(case), rel=0.01)
