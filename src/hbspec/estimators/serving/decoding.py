"""The speed of decoding: from memory bandwidth, compute and the host's launches."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hbspec.catalog import Architecture, Gpu
from hbspec.catalog.parameters import embedding_parameters, language_parameters, weights
from hbspec.diagnostics import Missing, NotKnownError, Route, known
from hbspec.estimators.serving.constants import (
    EAGER,
    MOST_STREAMED,
    OVERLAP,
    SERVING,
    SLOW_KERNELS,
    SLOW_KERNELS_ERROR,
    ServingConstants,
)
from hbspec.estimators.serving.machines import host_of, streamed_from
from hbspec.estimators.serving.memory import request_cache, served_model, served_weights
from hbspec.estimators.serving.summing import summed_over_pcie
from hbspec.estimators.step.flops import answering
from hbspec.estimators.weights import served_experts, served_kinds, tower_bytes
from hbspec.plan import ServingPlan
from hbspec.plan.engine_share import SGLANG
from hbspec.units import Interval

SERVED_ENGINE, ENGINES_OF_A_SPEC = "vllm", ("vllm", "djl-lmi")
"""LMI runs vLLM."""

UNPACKING = ("nf4", "fp4")
"""Quantisations of which the engine unpacks all experts of a layer before it multiplies by those that were visited
(vllm/model_executor/layers/quantization/bitsandbytes.py, `BitsAndBytesMoEMethod.apply`)."""

LATENT = Missing("the speed of serving latent attention", ("deployment",))
"""Engines multiply by the latent in ways of their own, which no measurement of three sources says."""
STATES = Missing("the speed of serving layers that carry states from token to token", ("deployment",))
"""The same holds of linear attention, state spaces and short convolutions."""

SGLANGS = Missing("the speed of SGLang", ("deployment", "engine"))
"""No sweep of it is among the facts."""

HEADS = Missing("the speed of serving layers whose heads differ from layer to layer", ("deployment",))

ENDPOINT: Route = ("deployment", "instance")
"""The route at which a spec names its endpoint's hardware."""


def streamed_bytes(
    architecture: Architecture, weights_bytes: int, requests: float = 1, experts_bytes: int | None = None
) -> int:
    """Bytes of weights read for one token of each request: all but unvisited experts, embedding rows and a tower.

    Each request looks up one row of the embedding table, unless the table is also the head. Each request visits its own
    experts of a layer, taken to be chosen at random: a share 1 - (1 - visited share)^requests of the experts is read.

    Args:
        architecture: the model.
        weights_bytes: bytes of the model as served.
        requests: number of concurrent requests.
        experts_bytes: bytes of the experts among these; if None, their share of the parameters.
    """
    found = _counts(architecture)
    read = weights_bytes - 2 * found.looked_up - tower_bytes(architecture)
    if not found.experts:
        return read
    held = read * found.experts / found.total if experts_bytes is None else experts_bytes
    return round(read - held * (1 - _visited(architecture, requests)))


def _visited(architecture: Architecture, requests: float) -> float:
    """The share of the experts that at least one request visits."""
    if not architecture.num_experts:
        return 1.0
    share = architecture.num_experts_per_tok / architecture.num_experts
    return 1 - float((1 - share) ** max(requests, 1))


class _Counts(NamedTuple):
    """Numbers of parameters.

    Attributes:
        total: all parameters.
        looked_up: parameters of the embedding table, unless it is also the head.
        experts: parameters of all experts.
        linear: parameters of linear modules.
    """

    total: int
    looked_up: int
    experts: int
    linear: int


@lru_cache(maxsize=256)
def _counts(architecture: Architecture) -> _Counts:
    found = weights(architecture)
    looked_up = 0 if architecture.tie_word_embeddings else embedding_parameters(architecture)
    return _Counts(
        total=language_parameters(architecture),
        looked_up=looked_up,
        experts=sum(weight.parameters for weight in found if weight.copies > 1),
        linear=sum(weight.parameters for weight in found if weight.kind in ("linear", "own_linear")),
    )


class DecodingStep(NamedTuple):
    """The work of one decoding step (one token of each request) on each GPU and on the host.

    Attributes:
        engine, quantization: keys of the constants.
        host: the kind of machine, from `host_of`.
        layers: number of layers; under tensor parallelism each GPU holds a part of every layer.
        bandwidth: memory bandwidth of a GPU, bytes/s.
        weights: bytes of streamed weights.
        unpacked: bytes of the streamed quantised weights as 16-bit numbers.
        cache: bytes of the requests' keys and values.
        group: number of query heads that share a key-value head.
        products: operations over the GPU's peak, in seconds; None where the peak is not known.
        requests: number of concurrent requests.
        reductions: number of sums over GPUs.
        over_pcie: seconds of these sums where no NVLink joins the GPUs; else they are part of `reduction`.
        memory: the kind of the GPU's memory, from `streamed_from`.
        adapted: whether adapters are served separately: the engine runs two kernels more for each of a layer's modules,
            whichever an adapter has.
        sparse_layers: layers with experts.
        expanded: bytes as 16-bit numbers of the experts that the engine unpacks in every step, visited or not.
    """

    engine: str
    quantization: str
    host: str
    layers: int
    bandwidth: float
    weights: float
    unpacked: float
    cache: float
    group: float
    products: float | None
    requests: float
    reductions: int
    over_pcie: Interval = Interval.exact(0.0)
    memory: str = "hbm"
    adapted: bool = False
    expanded: float = 0.0
    sparse_layers: int = 0

    @property
    def served(self) -> bool:
        """Whether the engine is one of a spec: vLLM with its engine V1."""
        return self.engine == SERVED_ENGINE

    @property
    def eager(self) -> bool:
        """Whether the engine launches kernels one by one."""
        return self.engine in EAGER

    @property
    def least(self) -> float:
        """The physical minimum in seconds: weights and cache are read once, at full bandwidth."""
        return (self.weights + self.cache) / self.bandwidth

    def seconds(self, constants: ServingConstants = SERVING) -> float:
        """Expected seconds of the step."""
        return self._eager(constants) if self.eager else self._graph(constants)

    def _eager(self, constants: ServingConstants) -> float:
        host = constants.host.get(self.host, 1.0) * constants.launches.get(self.quantization, 1.0)
        launches = self.layers * constants.layer * host
        streamed = self.bandwidth * constants.eager_bandwidth
        moved = self.cache * (constants.old_cache + constants.old_cache_group * self.group)
        work = self._products(constants, streamed) + moved / streamed
        return float((launches**OVERLAP + work**OVERLAP) ** (1 / OVERLAP)) + self.reductions * constants.reduction

    def _graph(self, constants: ServingConstants) -> float:
        streamed = min(self.bandwidth * self._streaming(constants), MOST_STREAMED.get(self.engine, self.bandwidth))
        weights = streamed * SLOW_KERNELS.get(self.quantization, 1.0)
        gaps = self.layers * constants.graph_layer
        if self.quantization != "none":
            gaps += self.layers * constants.quantised_layer
        if self.served:
            gaps += self.sparse_layers * constants.served.sparse_layer[self.memory]
        if self.adapted:
            gaps += self.layers * constants.served.adapted_layer
        work = self._products(constants, weights) + self.cache / streamed
        work += self.expanded * constants.unpacked.get(self.quantization, 0.0) / self.bandwidth
        return self._host(constants) + gaps + work + self.reductions * constants.reduction

    def _streaming(self, constants: ServingConstants) -> float:
        return constants.served.streaming[self.memory] if self.served else constants.bandwidth

    def _host(self, constants: ServingConstants) -> float:
        if self.served:
            return constants.served.step + (self.requests - 1) * constants.served.request
        return constants.step * constants.steps.get(self.engine, 1.0) + (self.requests - 1) * constants.request

    def _products(self, constants: ServingConstants, streamed: float) -> float:
        unpacked = 0.0
        if self.requests > 1 and (self.eager or self.quantization == "nf4"):
            unpacked = self.unpacked * constants.unpacked.get(self.quantization, 0.0) / self.bandwidth
        return max(self.weights / streamed, unpacked, (self.products or 0.0) / constants.compute)

    def error(self, constants: ServingConstants = SERVING) -> Interval:
        """The factor on the expected time of the step."""
        if not self.eager and self.quantization in SLOW_KERNELS:
            return SLOW_KERNELS_ERROR
        if self.served:
            return constants.served.error["step"]
        return constants.error["eager" if self.eager else "graph"]

    def interval(self, constants: ServingConstants = SERVING) -> Interval:
        """Seconds of the step as an interval, never below `least`."""
        error = self.error(constants)
        expected = max(self.seconds(constants), self.least)
        return Interval(max(self.least, expected * error.low), expected, expected * error.high) + self.over_pcie


def step_of(plan: ServingPlan, context: float, requests: float = 1) -> DecodingStep:
    """One step of decoding. Left out: speculative decoding, bytes of adapters, prefill of other requests.

    Args:
        plan: the endpoint.
        context: average tokens per request in the cache.
        requests: number of concurrent requests.

    Raises:
        NotKnownError: the architecture, the hardware or its bandwidth is not known; for several requests also the GPU's
            speed in the served dtype.
    """
    architecture, gpu = parts_of(plan)
    bandwidth = known(gpu.bandwidth, Missing(f"the memory bandwidth of {gpu.name}", ENDPOINT))
    held = served_weights(plan)
    parts, work = plan.tensor_parallel, answering(architecture)
    experts = served_experts(architecture, plan.quantization)
    peak = peak_flops(gpu, plan)
    if requests > 1:
        known(peak, Missing(f"the speed of {gpu.name} in {plan.dtype}", ENDPOINT))
    return DecodingStep(
        engine=SERVED_ENGINE if plan.engine in ENGINES_OF_A_SPEC else plan.engine,
        quantization="nf4" if plan.quantization == "fp4" else plan.quantization,
        host=host_of(gpu),
        layers=architecture.num_hidden_layers,
        bandwidth=bandwidth,
        weights=streamed_bytes(architecture, held, requests, experts) / parts,
        unpacked=2 * _quantised(architecture, plan.quantization, requests) / parts,
        cache=requests * request_cache(plan, context) / parts,
        group=architecture.num_attention_heads / architecture.num_key_value_heads,
        products=None if peak is None else requests * (work.token + work.head) / parts / peak,
        requests=requests,
        reductions=2 * architecture.num_hidden_layers if parts > 1 else 0,
        over_pcie=summed_over_pcie(plan, requests),
        memory=streamed_from(gpu),
        adapted=plan.adapters == "separate" and plan.lora_r > 0,
        sparse_layers=len(architecture.moe_layers),
        expanded=2 * _counts(architecture).experts / parts if plan.quantization in UNPACKING else 0.0,
    )


def _quantised(architecture: Architecture, quantization: str, requests: float) -> float:
    """The number of quantised parameters read in one step."""
    kinds, found = served_kinds(quantization), _counts(architecture)
    visited = found.experts * _visited(architecture, requests) if "expert" in kinds else 0.0
    return visited + (found.linear if "linear" in kinds else 0)


def peak_flops(gpu: Gpu, plan: ServingPlan) -> float | None:
    """The GPU's peak for the products in operations per second (dense); None where not known."""
    if computes_in_fp8(gpu, plan):
        return gpu.fp8_flops
    return gpu.bf16_flops if plan.dtype == "bfloat16" and gpu.bf16 else gpu.fp16_flops


def computes_in_fp8(gpu: Gpu, plan: ServingPlan) -> bool:
    """Whether products are of numbers in fp8; GPUs without them turn weights back into 16 bits first."""
    return plan.quantization == "fp8" and bool(gpu.fp8_flops)


def parts_of(plan: ServingPlan) -> tuple[Architecture, Gpu]:
    """The served model and the endpoint's GPU.

    Raises:
        NotKnownError: one of them is not known, or the model has layers whose speed is not counted.
    """
    architecture = served_model(plan)
    if plan.engine == SGLANG:
        raise NotKnownError(SGLANGS)
    if not architecture.serves:
        raise NotKnownError(STATES if not architecture.stateless else HEADS if architecture.global_heads else LATENT)
    return architecture, known(plan.hardware, Missing("the endpoint's hardware", ENDPOINT)).gpu
