"""Records every causal language model that transformers can build, and compares each with traces of real steps.

    python benchmarks/recorded_models.py [TYPE …] [--every] [--json FILE] [--traces FOLDER] [--only record|trace]

For each type: whether the recorded parameters are those of the model, the largest error of the memory over full
fine-tuning, LoRA and QLoRA, the seconds of CPU time that the recording took, or why the type is refused. The configs
are the defaults of the config classes, with six layers. Traces do not depend on recordings: a folder keeps them from
one run to the next.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
LAYERS = dict.fromkeys(("num_hidden_layers", "n_layer", "num_layers", "n_layers", "decoder_layers"), 6)
SET: dict[str, dict[str, Any]] = {
    "big_bird": {"attention_type": "original_full"},
    "cohere_compass_text": {
        "layer_types": ["sliding_attention", "sliding_attention", "full_attention"] * 2,
        "rope_parameters": {
            kind: {"rope_type": "default", "rope_theta": 10_000.0} for kind in ("sliding_attention", "full_attention")
        },
    },
    "dbrx": {"attn_config": {"clip_qkv": 8, "kv_n_heads": 8, "rope_theta": 10_000.0}},
    "dots1": {"n_routed_experts": 8, "n_shared_experts": 1, "num_experts_per_tok": 2},
    "deepseek_v2": {"num_experts_per_tok": 6, "moe_intermediate_size": 1408},
    **{
        name: {"layer_types": ["sliding_attention", "full_attention"] * 3, "num_kv_shared_layers": 2}
        for name in ("gemma3n", "gemma3n_text")
    },
    "gemma4_assistant": {"hidden_size_per_layer_input": 0, "vocab_size_per_layer_input": 0},
    **{name: {"head_dim": 128} for name in ("hunyuan_v1_dense", "hunyuan_v1_moe", "ministral")},
    "lfm2_moe": {"layer_types": ["conv", "conv", "full_attention"] * 2},
    "nemotron": {"num_key_value_heads": 8},
    "reformer": {"is_decoder": True, "axial_pos_embds": False},
    "zamba": {"num_hidden_layers": 9},
    "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
}
"""Fields without which no model is built of a type's defaults, or none that runs. gemma3n needs timm, torchvision."""
UNLIKE = {"git": "its loss is traced without the positions of an image that it leaves out of text alone, too"}
"""What a trace changes of a model, since it would not run else."""

CASES = (
    "method=full,batch=2,tokens=200",
    "method=lora,lora_dropout=0.0,tokens=300",
    "method=qlora,lora_dropout=0.0,batch=3,tokens=150",
)
FULL = CASES[0]
PRELOADED = ["transformers.models.auto.modeling_auto", "hbspec.recording.files", "peft", "bitsandbytes", "trl"]
"""Imported once, not once a type; the seconds of a recording are those behind the imports."""

NAMED = {
    **dict.fromkeys(("falcon_h1", "falcon_mamba", "mamba", "mamba2", "nemotron_h"), "in_proj"),
    "fuyu": "query_key_value+dense",
    "phi4_multimodal": "qkv_proj",
}
"""Modules that get adapters where not all can: peft 0.21 refuses `out_proj` beside a state space
(`_check_lora_target_modules_mamba`), and the others name modules that text does not reach, too."""

GROUPS = {
    "transformers refuses the config": "transformers builds no model from the default config",
    "DynamicOutputShape": "sizes depend on data",
    "DataDependentOutput": "sizes depend on data",
    "not one list": "its layers are not one list",
    "another part of the model made": "a part reads a tensor of a layer that has another size at other depths",
    "derivative of its own": "layers are reversible",
    "output head computes": "the head computes more positions than there are tokens",
}
"""What reasons have in common, by a part of each."""

SECONDS = 900
"""How long one type may take, traces included."""


class Row(NamedTuple):
    """What was found for a type.

    Attributes:
        exact: whether the parameters are those of the model.
        errors: of the memory, by case, as fractions of the trace.
        seconds: CPU time of the recording.
        reason: why there are none.
    """

    type: str
    exact: bool | None = None
    errors: Mapping[str, float] = {}
    seconds: float = 0.0
    reason: str = ""

    @property
    def text(self) -> str:
        """A line of the table."""
        if not self.errors:
            return f"{self.type:<24} {self.seconds:>5.1f} s  {self.reason or 'recorded'}"
        worst = max(self.errors.values(), key=abs, default=0.0)
        said = ", ".join(f"{error:+.3%}" for error in self.errors.values())
        counted = "exact" if self.exact else "WRONG"
        given = f"; config with {SET[self.type]}" if self.type in SET else ""
        lacking = f"; {self.reason}" if self.reason else ""
        return f"{self.type:<24} {self.seconds:>5.1f} s  parameters {counted}, {worst:+.3%} ({said}){given}{lacking}"


def default_config(model_type: str) -> dict[str, Any]:
    """The config of a type with its class's defaults and six layers."""
    from transformers import AutoConfig

    try:
        plain = AutoConfig.for_model(model_type)
    except Exception:  # its parts do not fit each other
        plain = AutoConfig.for_model(model_type, text_config=SET[model_type])
    inner = plain.get_text_config(decoder=True)
    asked = {name: value for name, value in LAYERS.items() if name in inner.to_dict()} | SET.get(model_type, {})
    if inner is not plain and hasattr(plain, "text_config"):
        return {"model_type": model_type, **_written(AutoConfig.for_model(model_type, text_config=asked))}
    try:
        return {"model_type": model_type, **_written(AutoConfig.for_model(model_type, **asked))}
    except Exception:  # lists of the class's own length
        return {"model_type": model_type, **_written(plain)}


def _written(config: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(config.to_json_string(use_diff=False))
    for name in ("transformers_version", "architectures", "_name_or_path"):
        found.pop(name, None)
    return found


def row_of(model_type: str, given: Any) -> Row:
    """What is found for a type."""
    from hbspec.catalog.parameters import total_parameters
    from hbspec.catalog.recorded_file import architecture_of
    from hbspec.recording.files import recorded
    from hbspec.recording.program import RecordingError
    from hbspec.recording.record import REGIMES
    from hbspec.recording.source import Source

    try:
        values = default_config(model_type)
    except Exception as reason:
        return Row(model_type, reason=f"no default config: {type(reason).__name__}")
    if given.only == "trace":
        began = time.process_time()
        reasons = [one for one in traces_of(model_type, values, given).values() if isinstance(one, str)]
        return Row(model_type, True, seconds=time.process_time() - began, reason="; ".join(reasons))
    began = time.process_time()
    try:
        file = recorded(Source(values, {"config": "default"}), REGIMES if given.every else REGIMES[:3])
    except RecordingError as reason:
        return Row(model_type, seconds=time.process_time() - began, reason=f"refused: {reason}")
    seconds = time.process_time() - began
    architecture = architecture_of(file)
    if given.only == "record":
        return Row(model_type, total_parameters(architecture) == _parameters(values), seconds=seconds)
    peaks = traces_of(model_type, values, given)
    errors, reasons = _compared(values, architecture, peaks)
    if not errors and FULL not in peaks:
        peaks = traces_of(model_type, values, given, (FULL,))
        errors, reasons = _compared(values, architecture, peaks)
    exact = total_parameters(architecture) == peaks["parameters"]
    reasons += [said for name, said in UNLIKE.items() if name == model_type]
    return Row(model_type, exact, errors, seconds, "; ".join(reasons))


def _compared(values: dict[str, Any], architecture: Any, peaks: dict[str, Any]) -> tuple[dict[str, float], list[str]]:
    """By case that was traced, the error of the memory; and why others have none."""
    errors, reasons = {}, []
    for text in (text for text in CASES if text in peaks):
        peak = peaks[text]
        try:
            if isinstance(peak, str):
                raise TraceError(peak)
            errors[text] = _closed(values, architecture, text) / peak - 1
        except Exception as reason:
            reasons.append(f"{text}: {_first_line(reason)}")
    return errors, reasons


class TraceError(ValueError):
    """A step that cannot be traced."""


def traces_of(model_type: str, values: dict[str, Any], given: Any, more: Sequence[str] = ()) -> dict[str, Any]:
    """The peak of every case in bytes, or why it cannot be traced, and the model's `parameters`.

    Where none of the cases can be traced, as peft refuses the modules, full fine-tuning is; `more` are cases beside.
    """
    place = given.traces / f"{model_type}.json" if given.traces else None
    found: dict[str, Any] = json.loads(place.read_text()) if place is not None and place.exists() else {}
    if found.pop("config", None) != values:
        found = {"parameters": _parameters(values)}
    wanted = [text for index, text in enumerate(CASES) if given.case in (None, index) or text in more]
    for text in (text for text in wanted if text not in found):
        found[text] = _traced(values, text)
    if not any(isinstance(found[text], int) for text in wanted) and FULL not in found:
        found[FULL] = _traced(values, FULL)
    if place is not None:
        place.write_text(json.dumps({"config": values, **found}, indent=1))
    return found


def _traced(values: dict[str, Any], text: str) -> Any:
    """The peak of a case, or why there is none."""
    try:
        with _text_alone(values["model_type"]):
            return import_module("oracle.whole_step").peak(_case(values, text))
    except Exception as reason:
        return f"no trace: {_first_line(reason)}"


@contextmanager
def _text_alone(model_type: str) -> Iterator[None]:
    """A model whose loss leaves out the positions of an image leaves out none.

    `GitForCausalLM.forward` (transformers 5.23) leaves out as many as an image has also where none is given, and then
    no labels fit: as it is, the model is not trained on text alone.
    """
    if model_type != "git":
        yield
        return
    attention = import_module("transformers.models.git.modeling_git").GitSelfAttention
    with patch.object(attention, "image_patch_tokens", property(lambda _: 0, lambda *_: None), create=True):
        yield


def _first_line(reason: BaseException) -> str:
    return f"{type(reason).__name__}: {(str(reason).splitlines() or [''])[0][:160]}"


def _parameters(values: dict[str, Any]) -> int:
    from hbspec.recording.build import build

    return sum(parameter.numel() for parameter in build(values, None).model.parameters())


def _case(values: dict[str, Any], text: str) -> Any:
    """A case of a config; peft has no adapters for fused experts, nor for all modules of some types."""
    import torch

    from hbspec.recording.build import build, decoded
    from hbspec.recording.tensors import _fused

    vars(import_module("oracle.shapes"))["CONFIGS"]["recorded"] = decoded(values)
    built = build(values, torch.bfloat16)
    attention = "" if built.attention == "sdpa" else ",attention=eager"
    attention += "" if built.model.supports_gradient_checkpointing else ",gradient_checkpointing=false"
    named = "q_proj+v_proj" if _fused(values["model_type"]) else NAMED.get(values["model_type"], "")
    targets = f",target_modules={named}" if named and "lora" in text else ""
    return import_module("oracle.case").parse(f"recorded,{text}{attention}{targets}")


def _closed(values: dict[str, Any], architecture: Any, text: str) -> int:
    from hbspec.catalog import catalog
    from hbspec.plan import build_plan
    from hbspec.spec import Spec

    agreement = import_module("oracle.agreement")
    vars(agreement)["plan_of"] = lambda case: build_plan(
        Spec.model_validate(agreement.spec_of(case)), catalog(), architecture, None
    )
    return int(agreement.closed_form(_case(values, text)).total)


def _child(model_type: str, given: Any, pipe: Any) -> None:
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        pipe.send(row_of(model_type, given))
    except Exception as reason:
        pipe.send(Row(model_type, reason=f"FAULT {type(reason).__name__}: {reason}"))


def rows(types: list[str], given: Any) -> Iterator[Row]:
    """One row a type, each in a process of its own."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    for model_type in types:
        ours, theirs = context.Pipe()
        process = context.Process(target=_child, args=(model_type, given, theirs))
        process.start()
        theirs.close()
        try:
            yield ours.recv() if ours.poll(SECONDS) else Row(model_type, reason=f"more than {SECONDS} s")
        except EOFError:
            yield Row(model_type, reason="FAULT the process died")
        process.kill()
        process.join()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("types", nargs="*")
    parser.add_argument("--every", action="store_true", help="record every dtype, as `hbspec model add` does")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--traces", type=Path, help="a folder that keeps traces")
    parser.add_argument("--case", type=int, choices=range(len(CASES)), help="trace this case only, and kept ones")
    parser.add_argument("--only", choices=("record", "trace"))
    given = parser.parse_args()
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    found = []
    for row in rows(given.types or sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES), given):
        print(row.text, flush=True)
        found.append(row)
        if given.json:
            given.json.write_text(json.dumps([one._asdict() for one in found], indent=1))
    recorded = sum(row.exact is not None for row in found)
    close = [row for row in found if row.exact and max(map(abs, row.errors.values()), default=1) <= 0.01]
    print(f"{len(found)} types, {recorded} recorded, {len(close)} within 1 % of every trace that peft can make of them")
    for reason, number in Counter(_group(row) for row in found if row not in close).most_common():
        print(f"{number:>4} {reason}")


def _group(row: Row) -> str:
    """Why a type is not among those that agree, without what is its own."""
    if row.exact is not None:
        return "recorded, and not compared or further from a trace"
    return next((said for word, said in GROUPS.items() if word in row.reason), row.reason)


if __name__ == "__main__":
    main()
