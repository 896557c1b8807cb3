"""What an engine holds of its share of a GPU beside weights and cache: vLLM as it measures, SGLang by its own rule.

SGLang takes a share of what is free before the weights are loaded, and its cache is what loading leaves of it:

    cache = share x (memory - context) - weights - adapters - what loading leaves beside them

Activations and CUDA graphs lie outside of the share (sglang/srt/model_executor/model_runner.py,
`profile_max_num_token`, of releases 0.3 to 0.5.3). Newer releases take graphs off the cache
(`compute_post_capture_kv_resize` of 0.5.23): the high end does. Left out: layers with windows or states, which have
pools of their own, and weights that are quantised while they are loaded; neither is said.
"""

from __future__ import annotations

from hbspec.diagnostics import Missing, NotKnownError
from hbspec.estimators.serving.constants import ENGINE, EngineConstants
from hbspec.estimators.serving.memory import adapter_slot_bytes, bounded_layers, gpu_weights, served_model
from hbspec.estimators.serving.profiled import (
    EngineSettings,
    activations,
    engine_bytes,
    graph_bytes,
    settings_of,
)
from hbspec.estimators.step.communication import on_nvlink
from hbspec.plan import ServingPlan
from hbspec.plan.engine_share import SGLANG
from hbspec.units import Interval

ENGINE_ROUTE = ("deployment", "engine")
POOLS = Missing("the cache of SGLang for layers with windows or states", ENGINE_ROUTE)
AT_LOAD = Missing("the memory of SGLang for weights that it quantises while it loads them", ENGINE_ROUTE)


def activations_of(
    plan: ServingPlan, settings: EngineSettings | None = None, constants: EngineConstants = ENGINE
) -> Interval:
    """Peak bytes of activations per GPU within the share, with the compiled endpoint's settings if none are given.

    Raises:
        NotKnownError: the architecture is not known.
    """
    if plan.engine == SGLANG:
        return Interval.exact(0.0)
    gpu = plan.hardware.gpu if plan.hardware else None
    engine, parts = settings or settings_of(plan), plan.tensor_parallel
    return activations(served_model(plan), gpu, engine, parts, constants, plan.quantization)


def engine_of(
    plan: ServingPlan, settings: EngineSettings | None = None, constants: EngineConstants = ENGINE
) -> Interval:
    """Bytes per GPU within the share that are not weights, adapters, activations or cache.

    Raises:
        NotKnownError: the architecture is not known, or SGLang's memory for it.
    """
    architecture, engine = served_model(plan), settings or settings_of(plan)
    if plan.engine != SGLANG:
        cards = plan.hardware is not None and not on_nvlink(plan.hardware)
        return engine_bytes(architecture, engine, plan.tensor_parallel, constants, cards=cards)
    if bounded_layers(architecture) or not architecture.stateless:
        raise NotKnownError(POOLS)
    if plan.quantization != "none" and plan.stored is None:
        raise NotKnownError(AT_LOAD)
    taken = constants.static if plan.tensor_parallel == 1 else constants.static_joined
    graphs = Interval(0.0, 0.0, graph_bytes(architecture, engine, constants).expected)
    return (taken + graphs).map(round)


def fixed_terms(plan: ServingPlan) -> dict[str, int]:
    """Bytes per GPU that do not depend on the lengths of requests, by name; see `gpu_weights`.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights in this quantisation.
    """
    return {
        "weights": gpu_weights(plan),
        "adapters": adapter_slot_bytes(plan),
        "activations": round(activations_of(plan).expected),
    }
