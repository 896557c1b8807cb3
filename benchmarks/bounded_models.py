"""Compares the bounds of models that hbspec does not model with what transformers builds.

    python benchmarks/bounded_models.py [TYPE …] [--memory] [--json FILE]

For each type of causal language model: whether its parameters lie within the bounds of its config, for the class's
defaults and for configs that differ from them in width, MLPs, vocabulary, experts and tied weights. With `--memory`,
types that `hbspec model add` can record are recorded too, and their memory by several methods is compared with its
bounds. For the models of the catalog whose families are known, both are compared with the exact counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from recorded_models import default_config

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.bounds import Bounds, bounds_of
from hbspec.catalog.config_fields import ArchitectureError
from hbspec.catalog.parameters import total_parameters
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.training.memory import memory
from hbspec.plan import build_plan
from hbspec.plan.between import between
from hbspec.spec import Spec
from hbspec.units import Interval

HIDDEN = ("hidden_size", "d_model", "n_embd", "emb_dim")
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "decoder_attention_heads", "num_key_value_heads")
INNER = ("intermediate_size", "n_inner", "ffn_dim", "decoder_ffn_dim", "ffn_hidden_size", "dim_ff")
EXPERT = ("moe_intermediate_size", "expert_ffn_hidden_size")
EXPERTS = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")
VARIANTS: Mapping[str, tuple[tuple[tuple[str, ...], float], ...]] = {
    "default": (),
    "wide": ((HIDDEN, 2), (HEADS, 2)),
    "narrow": ((HIDDEN, 0.5), (HEADS, 0.5)),
    "large MLPs": ((INNER, 2), (EXPERT, 0.5)),
    "small MLPs": ((INNER, 0.5), (EXPERT, 2)),
    "vocabulary": ((("vocab_size",), 3),),
    "experts": ((EXPERTS, 0.5),),
}
"""What is multiplied in a config."""
SECONDS = 300
"""How long one type may take to be built or recorded."""
GRID = tuple(product(("full", "lora", "qlora"), (True, False), ("single", "fsdp")))
"""Methods, gradient checkpointing, parallelism."""


class Row(NamedTuple):
    """A model and its bounds.

    Attributes:
        what: the type with the variant, or the case.
        truth: the exact number; None where it could not be counted.
        bounds: the interval; None where the config tells nothing.
        reason: why the number is missing.
    """

    what: str
    truth: float | None = None
    bounds: Interval | None = None
    reason: str = ""

    @property
    def inside(self) -> bool:
        """Whether the truth lies within the bounds."""
        return self.bounds is not None and self.truth is not None and self.bounds.low <= self.truth <= self.bounds.high

    @property
    def text(self) -> str:
        """A line of the table."""
        if self.truth is None or self.bounds is None:
            return f"{self.what:<56} {self.reason}"
        verdict = "inside" if self.inside else "OUTSIDE"
        low, high = self.bounds.low / 1e9, self.bounds.high / 1e9
        return f"{self.what:<56} {verdict} {self.truth / 1e9:,.3f} of {low:,.3f} to {high:,.3f} (x{high / low:.2f})"


def varied(model_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The configs of a type by variant, `tied` and `untied` among them."""
    for name, changes in VARIANTS.items():
        config = _plain(default_config(model_type))
        for place in _places(config):
            for names, factor in changes:
                place |= {one: max(1, int(place[one] * factor)) for one in names if type(place.get(one)) is int}
        yield name, config
    for name in ("tied", "untied"):
        config = _plain(default_config(model_type))
        for place in _places(config):
            place["tie_word_embeddings"] = name == "tied"
        yield name, config


def _places(config: dict[str, Any]) -> list[dict[str, Any]]:
    inner = config.get("text_config")
    return [config, inner] if isinstance(inner, dict) else [config]


def _plain(value: Any) -> Any:
    """A config in which numbers that JSON does not have are floats again."""
    if isinstance(value, dict):
        return float(value["__float__"]) if "__float__" in value else {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def parameters(config: Mapping[str, Any]) -> int:
    """The parameters of the model that transformers builds from a config, without its weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    given = dict(config)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(given.pop("model_type"), **given))
    return sum(parameter.numel() for parameter in model.parameters())


def of_type(model_type: str) -> Iterator[Row]:
    """The rows of one type."""
    try:
        configs = list(varied(model_type))
    except Exception as reason:
        yield Row(model_type, reason=f"no default config: {type(reason).__name__}")
        return
    for name, config in configs:
        what = f"{model_type}, {name}"
        try:
            truth = parameters(config)
        except Exception as reason:
            yield Row(what, reason=f"not built: {type(reason).__name__}")
            continue
        found = bounds_of(config)
        yield Row(what, truth, found and found.parameters, "nothing is known")


def of_memory(what: str, architecture: Architecture, found: Bounds) -> Iterator[Row]:
    """The memory of a model by several methods; both ends of the exact interval have to lie within the bounds."""
    facts, attention = catalog(), "sdpa" if architecture.family.sdpa else "eager"
    for method, checkpointing, parallelism in GRID:
        hyperparameters = {
            "method": method,
            "learning_rate": 1e-4,
            "gradient_checkpointing": checkpointing,
            "max_length": 1024,
            "per_device_batch_size": 2,
            "gradient_accumulation_steps": 4,
            "attn_implementation": attention,
        }
        spec = Spec.model_validate(
            {
                "hbspec": 1,
                "name": "bounded",
                "model": {"id": "own/model"},
                "data": {"train": {"examples": 1000}, "tokens": {"mean": 300, "max": 900}},
                "hyperparameters": hyperparameters,
                "instance": {"gpu": "A100-80", "gpus": 8, "parallelism": parallelism},
            }
        )
        case = f"{what}, {method}, {parallelism}{'' if checkpointing else ', no checkpointing'}"
        plan = build_plan(spec, facts, None, None)._replace(between=between(spec, facts, found, None, None))
        try:
            exact = memory(build_plan(spec, facts, architecture, None)._replace(replayed=False)).fullest.process
        except NotKnownError as reason:
            yield Row(case, reason=f"not known: {reason}")
            continue
        allowed = memory(plan).fullest.process
        yield Row(f"{case}, low end", exact.low, allowed)
        yield Row(f"{case}, high end", exact.high, allowed)


def recorded_memory(model_type: str) -> Iterator[Row]:
    """The memory of a type that can be recorded, by what is recorded."""
    from hbspec.catalog.recorded_file import architecture_of
    from hbspec.recording.files import recorded
    from hbspec.recording.record import REGIMES
    from hbspec.recording.source import Source

    try:
        config = _plain(default_config(model_type))
        found = bounds_of(config)
        if found is not None:
            architecture = architecture_of(recorded(Source(config, {"config": "default"}), REGIMES[:3]))
    except Exception as reason:
        yield Row(model_type, reason=f"not recorded: {type(reason).__name__}: {str(reason)[:80]}")
        return
    if found is not None:
        yield from of_memory(model_type, architecture, found)


def of_catalog(*, with_memory: bool) -> Iterator[Row]:
    """The models of the catalog whose families are known, as though they were not."""
    models = catalog().models
    for name in models.originals():
        architecture = models[name].architecture
        try:
            found = bounds_of(models.config(name)) if architecture else None
        except ArchitectureError as reason:
            yield Row(name, reason=str(reason))
            continue
        if architecture is None or found is None:
            continue
        yield Row(name, total_parameters(architecture), found.parameters)
        if with_memory:
            yield from of_memory(name, architecture, found)


def summary(rows: list[Row]) -> str:
    """The share inside, the median width, and how many types were answered."""
    answered = [row for row in rows if row.truth is not None and row.bounds is not None]
    if not answered:
        return "none"
    widths = [row.bounds.high / row.bounds.low for row in answered if row.bounds and row.bounds.low]
    inside = sum(row.inside for row in answered)
    return (
        f"{inside} of {len(answered)} inside, median width x{statistics.median(widths):.2f}, "
        f"{sum(row.truth is not None and row.bounds is None for row in rows)} not answered"
    )


def _child(model_type: str, with_memory: bool, pipe: Any) -> None:
    warnings.simplefilter("ignore")
    pipe.send((list(of_type(model_type)), list(recorded_memory(model_type)) if with_memory else []))


def of_types(types: list[str], *, with_memory: bool) -> Iterator[tuple[list[Row], list[Row]]]:
    """The rows of each type, parameters and memory; where it is recorded, in a process of its own."""
    context = get_context("spawn")
    for model_type in types:
        if not with_memory:
            yield list(of_type(model_type)), []
            continue
        ours, theirs = context.Pipe()
        process = context.Process(target=_child, args=(model_type, with_memory, theirs))
        process.start()
        theirs.close()
        try:
            late = Row(model_type, reason=f"more than {SECONDS} s")
            yield ours.recv() if ours.poll(SECONDS) else ([late], [])
        except EOFError:
            yield [Row(model_type, reason="the process died")], []
        process.kill()
        process.join()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("types", nargs="*")
    parser.add_argument("--memory", action="store_true", help="record types, and compare their memory")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    types = given.types or sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    kept: dict[str, list[Row]] = {"parameters": [], "memory": [], "catalog": []}
    for counted, remembered in of_types(types, with_memory=given.memory):
        kept["parameters"] += _shown(counted)
        kept["memory"] += _shown(remembered)
    if not given.types:
        kept["catalog"] += _shown(of_catalog(with_memory=given.memory))
    for name, rows in kept.items():
        sys.stdout.write(f"{name}: {summary(rows)}\n")
    if given.json:
        given.json.write_text(json.dumps({name: [row.text for row in rows] for name, rows in kept.items()}, indent=1))


def _shown(rows: Iterable[Row]) -> list[Row]:
    found = []
    for row in rows:
        if not row.inside:
            sys.stdout.write(f"{row.text}\n")
            sys.stdout.flush()
        found.append(row)
    return found


if __name__ == "__main__":
    main()
