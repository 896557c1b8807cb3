"""The plans between which that of a model of an unknown family lies; `hbspec.catalog.bounding_architectures`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog import Architecture, Catalog
from hbspec.catalog.bounding_architectures import bounding
from hbspec.catalog.bounds import Bounds
from hbspec.plan.assumptions import Assumption
from hbspec.plan.build import build_plan
from hbspec.plan.lengths import Profile
from hbspec.plan.plan import Between, Plan
from hbspec.plan.shipped_script import DEFAULTS
from hbspec.showing.secrets import redact
from hbspec.spec import Spec

ALL, FEWEST = "all-linear", ("q_proj",)

MORE_MODULES = 2
"""Most by which the modules of a type have more sides than those of the largest bounding model: none of transformers'
has 1.6 times as many."""

ENCODERS = 2
"""The same factor where encoders beside the language model may get adapters too."""

TABLES = ("embed_tokens", "lm_head", "wte", "word_embeddings", "embed_in", "embed_out", "embedding", "embeddings")
"""What transformers' types call the embedding and the head."""


def between(
    spec: Spec,
    catalog: Catalog,
    bounds: Bounds,
    profile: Profile | None,
    deepspeed_json: Mapping[str, Any] | None,
) -> Between | None:
    """The plans of the models that bound one; None where it is trained in modules whose size nobody knows.

    Which modules a type has is not known: at least one per layer gets adapters, at most every linear module and more of
    them than in the bounding model. Nor is it known which of its weights are quantised: at most all, at least none.
    """
    given = spec.hyperparameters
    if any(name.rpartition(".")[2] not in TABLES for name in given.modules_to_save or ()):
        return None
    whole, quantised = given.method == "full", given.method in ("qlora", None)
    models = bounding(bounds, whole=whole, quantised=quantised)
    rank = given.lora_r or DEFAULTS["lora_r"]
    more = MORE_MODULES * (ENCODERS if bounds.beside.high else 1)
    saved = ("embed_tokens", "lm_head") if given.modules_to_save else None
    eager = {"attn_implementation": "eager"} if not spec.shipped and given.attn_implementation is None else {}
    most = {"lora_r": more * rank, "target_modules": ALL, "modules_to_save": saved, **eager}
    asked: list[tuple[Architecture | None, Mapping[str, Any]]] = [
        (models.low, {"lora_r": 1, "target_modules": FEWEST, "modules_to_save": None, "use_dora": None}),
        (models.expected, {"target_modules": ALL, "modules_to_save": saved}),
        (models.high, most),
        (models.adapted, {**most, "lora_r": rank, "use_dora": None, "lora_dropout": 0.0}),
    ]
    plans = [
        build_plan(_with(spec, values), catalog, model, profile, deepspeed_json)._replace(replayed=False)
        for model, values in asked
        if model is not None
    ]
    plans += [_unquantised(plan) for plan in plans[2:] if plan.training.quantization]
    return Between(bounds.model_type, bounds.parameters, tuple(plans), bounds.scanned, bounds.recurrent)


def _with(spec: Spec, values: Mapping[str, Any]) -> Spec:
    """The spec with other hyperparameters."""
    return spec.model_copy(update={"hyperparameters": spec.hyperparameters.model_copy(update=dict(values))})


def _unquantised(plan: Plan) -> Plan:
    """The plan of a model none of whose weights bitsandbytes quantises."""
    return plan._replace(training=plan.training._replace(quantization=None, double_quant=False))


def cautious(plan: Plan, bounds: Bounds) -> Plan:
    """The plan without dropout that nobody asked for, where peft may adapt fused experts and would refuse it."""
    route = ("hyperparameters", "lora_dropout")
    if not (bounds.routed and plan.training.adapters and any(one.route == route for one in plan.assumptions)):
        return plan
    reason = f"peft may adapt fused experts of {bounds.model_type}, where it refuses dropout"
    chosen = Assumption(route, 0.0, redact(reason), differs=True)
    return plan._replace(
        training=plan.training._replace(lora_dropout=0.0),
        assumptions=tuple(chosen if one.route == route else one for one in plan.assumptions),
    )
