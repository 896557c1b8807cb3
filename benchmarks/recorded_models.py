"""Records every causal language model that transformers can build, and compares each with traces of real steps.

    python benchmarks/recorded_models.py [TYPE …] [--regimes all] [--json FILE]

For each type: whether the recorded parameters are those of the model, the largest error of the memory over full
fine-tuning, LoRA and QLoRA, the seconds of CPU time that the recording took, or why the type is refused. The configs
are the defaults of the config classes, with six layers.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LAYERS = dict.fromkeys(("num_hidden_layers", "n_layer", "num_layers", "n_layers"), 6)
CASES = (
    "method=full,batch=2,tokens=200",
    "method=lora,lora_dropout=0.0,tokens=300",
    "method=qlora,lora_dropout=0.0,batch=3,tokens=150",
)
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
        if self.reason:
            return f"{self.type:<24} {self.seconds:>5.1f} s  {self.reason}"
        worst = max(self.errors.values(), key=abs, default=0.0)
        said = ", ".join(f"{error:+.3%}" for error in self.errors.values())
        counted = "exact" if self.exact else "WRONG"
        return f"{self.type:<24} {self.seconds:>5.1f} s  parameters {counted}, {worst:+.3%} ({said})"


def default_config(model_type: str) -> dict[str, Any]:
    """The config of a type with its class's defaults and six layers."""
    from transformers import AutoConfig

    plain = AutoConfig.for_model(model_type)
    inner = plain.get_text_config()
    asked = {name: value for name, value in LAYERS.items() if name in inner.to_dict()}
    if inner is not plain:
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


def row_of(model_type: str, every: bool) -> Row:
    """What is found for a type."""
    from hbspec.catalog.parameters import total_parameters
    from hbspec.catalog.recorded_file import architecture_of
    from hbspec.recording.files import recorded
    from hbspec.recording.program import RecordingError
    from hbspec.recording.record import REGIMES
    from hbspec.recording.source import Source

    began = time.process_time()
    try:
        values = default_config(model_type)
    except Exception as reason:
        return Row(model_type, reason=f"no default config: {type(reason).__name__}")
    try:
        file = recorded(Source(values, {"config": "default"}), REGIMES if every else REGIMES[:3])
    except RecordingError as reason:
        return Row(model_type, seconds=time.process_time() - began, reason=f"refused: {reason}")
    seconds = time.process_time() - began
    architecture = architecture_of(file)
    exact = total_parameters(architecture) == _parameters(values)
    errors, reasons = {}, []
    for text in CASES:
        try:
            errors[text] = _error(values, architecture, text)
        except Exception as reason:
            reasons.append(f"{text}: {type(reason).__name__}: {str(reason).splitlines()[0][:160]}")
    return Row(model_type, exact, errors, seconds, "; ".join(reasons))


def _parameters(values: dict[str, Any]) -> int:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    given = dict(values)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(given.pop("model_type"), **given))
    return sum(parameter.numel() for parameter in model.parameters())


def _error(values: dict[str, Any], architecture: Any, text: str) -> float:
    from hbspec.catalog import catalog
    from hbspec.plan import build_plan
    from hbspec.spec import Spec

    agreement, shapes, steps = map(import_module, ("oracle.agreement", "oracle.shapes", "oracle.whole_step"))
    vars(shapes)["CONFIGS"]["recorded"] = values
    attention = "" if architecture.family.sdpa else ",attention=eager"
    targets = ",target_modules=q_proj+v_proj" if architecture.recorded.fused and "lora" in text else ""
    case = import_module("oracle.case").parse(f"recorded,{text}{attention}{targets}")
    vars(agreement)["plan_of"] = lambda case: build_plan(
        Spec.model_validate(agreement.spec_of(case)), catalog(), architecture, None
    )
    return float(agreement.closed_form(case).total / steps.peak(case) - 1)


def _child(model_type: str, every: bool, pipe: Any) -> None:
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        pipe.send(row_of(model_type, every))
    except Exception as reason:
        pipe.send(Row(model_type, reason=f"FAULT {type(reason).__name__}: {reason}"))


def rows(types: list[str], every: bool) -> Iterator[Row]:
    """One row a type, each in a process of its own."""
    context = get_context("spawn")
    for model_type in types:
        ours, theirs = context.Pipe()
        process = context.Process(target=_child, args=(model_type, every, theirs))
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
    given = parser.parse_args()
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    found = []
    for row in rows(given.types or sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES), given.every):
        print(row.text, flush=True)
        found.append(row)
        if given.json:
            given.json.write_text(json.dumps([one._asdict() for one in found], indent=1))
    close = [row for row in found if not row.reason and row.exact and max(map(abs, row.errors.values())) <= 0.01]
    print(f"{len(found)} types, {sum(not row.reason for row in found)} recorded, {len(close)} within 1 %")


if __name__ == "__main__":
    main()
