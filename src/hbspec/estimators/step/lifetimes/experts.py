"""A sparse MLP over shapes: the router, and the routed experts as one product over tokens sorted by expert.

Sources: transformers 5.23.0, `integrations/moe.py` (`grouped_mm_experts_forward`, the implementation it picks on GPUs
from compute capability 8.0 on) and the routers of `models/mixtral` and `models/qwen3_moe`; peft 0.21.2,
`tuners/lora/layer.py` (`ParamWrapper`: weight and adapter of all experts are added up for every pass).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts, products
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.mlp import CHUNKS, chunked_gate
from hbspec.estimators.step.lifetimes.modules import ADAPTERS, COPIES, Adapter, Linear, Machine, product
from hbspec.estimators.step.lifetimes.quantised_experts import Packing, opened
from hbspec.estimators.step.lifetimes.tape import Tape

INDEX = 8
"""Bytes of a position in a sorted list."""

PARAMETRISED = 2
"""How often peft adds the adapters of fused experts to their weights for one pass: `register_parametrization` checks
the result once before the module reads it."""


class Experts(NamedTuple):
    """The routed experts of a layer.

    Attributes:
        router: chooses them; None where a module beside them does.
        up, down: the weights of all experts; up holds gate and up.
        router_adapter, up_adapter, down_adapter: what is added to each.
        number: how many there are.
        routes: how many a token visits.
        computed: how many compute a token.
        hidden, size: widths of the residual stream and of one expert.
        wide_router: whether the router's input and weight are cast to fp32.
        narrow_router: whether probabilities go back to the dtype of the router's product.
        clamped: whether gate and up are clamped and biased, as gpt-oss's are.
        scores: how the router's are made, see `hbspec.catalog.families.Family`.
        repeated: whether every expert computes every token, as Llama 4's do.
        shared: linear modules of an expert that every token visits.
        shared_gate: weighs what it puts out.
        listed: linear modules of each expert, where they are a list of modules and run one after another.
        packing: how the weights of all experts are quantised; None where they are not.
        balanced: whether the router's logits are held for a loss that balances experts.
    """

    router: ParameterTensor | None
    up: ParameterTensor
    down: ParameterTensor
    router_adapter: Adapter | None
    up_adapter: Adapter | None
    down_adapter: Adapter | None
    number: int
    routes: int
    computed: int
    hidden: int
    size: int
    narrow_router: bool
    wide_router: bool
    clamped: bool
    scores: str
    repeated: bool
    shared: dict[str, Linear]
    shared_gate: Linear | None
    listed: Sequence[dict[str, Linear]]
    packing: Packing | None = None
    balanced: bool = False

    def weights(self) -> list[ParameterTensor]:
        """Weights of the router, of the routed experts and the shared one, and of their adapters."""
        gate = [self.shared_gate] if self.shared_gate else []
        shared = [weight for module in (*self.shared.values(), *gate) for weight in module.weights()]
        if self.listed:
            listed = [weight for modules in self.listed for module in modules.values() for weight in module.weights()]
            return [*self._router(), *listed, *shared]
        adapters = (weight for one in (self.up_adapter, self.down_adapter) for weight in _of(one))
        return [*self._router(), self.up, self.down, *shared, *adapters]

    def _router(self) -> list[ParameterTensor]:
        return [] if self.router is None else [self.router, *_of(self.router_adapter)]

    def work(self, rows: int) -> Form:
        """Multiply-adds of a product by the computed experts' weights, `rows` by `hidden` each."""
        return Form(0, self.computed * rows * self.hidden)


def sparse_mlp(machine: Machine, experts: Experts, x: Tensor) -> Tensor:
    """The sum of the visited experts' outputs, weighted by the router, and what a shared one puts out."""
    tape = machine.tape
    if experts.shared_gate is None:
        return _with_shared(machine, experts, x, _routed(machine, experts, x))
    shared = _shared(machine, experts, x)
    out = _routed(machine, experts, x)
    opened = op.unary(tape, linear(machine, x, experts.shared_gate, "mlp"), saves="output")
    tape.term = "mlp"
    shared = op.multiply(tape, shared, opened)
    return op.add(tape, out, shared, "mlp")


def _with_shared(machine: Machine, experts: Experts, x: Tensor, out: Tensor) -> Tensor:
    """What the routed experts put out, and what the shared one does behind them."""
    if not experts.shared:
        return out
    tape, shared = machine.tape, _shared(machine, experts, x)
    if experts.shared_gate is not None:
        opened = op.unary(tape, linear(machine, x, experts.shared_gate, "mlp"), saves="output")
        tape.term = "mlp"
        shared = op.multiply(tape, opened, shared)
    return op.add(tape, out, shared, "mlp")


def _routed(machine: Machine, experts: Experts, x: Tensor) -> Tensor:
    return routed(machine, experts, x, _chosen(machine, experts, x))


def routed(machine: Machine, experts: Experts, x: Tensor, chosen: Tensor) -> Tensor:
    """What the visited experts put out, weighted by their probabilities."""
    tape, rows = machine.tape, experts.routes
    element = experts.up.element  # a sum of both is made in the weight's dtype, autocast or not
    factors = [_factors(machine, found, element) for found in (experts.up_adapter, experts.down_adapter)]
    tape.term = "mlp"
    order = tape.new(Form(0, rows), INDEX)
    selected = layouts.gathered(tape, x, Form(0, rows * experts.hidden), order)
    weights = layouts.gathered(tape, chosen, Form(0, rows), order)
    bias = tape.new(Form(0, 2 * rows * experts.size), experts.up.element) if experts.clamped else None
    # peft caches both sums until the experts are done (`nn.utils.parametrize.cached`)
    up = _adapted(machine, opened(machine, experts.up, experts.packing), experts.up_adapter, factors[0], PARAMETRISED)
    out = _gated(machine, experts, selected, up)
    if experts.clamped:
        bias = tape.new(Form(0, rows * experts.hidden), experts.up.element)
    whole = opened(machine, experts.down, experts.packing)
    down = _adapted(machine, whole, experts.down_adapter, factors[1], PARAMETRISED)
    del whole
    out = products.matmul(tape, out, down, Form(0, rows * experts.hidden), experts.work(experts.size))
    weighted = op.multiply(tape, out, weights)
    weighted = layouts.gathered(tape, weighted, weighted.numel, tape.new(Form(0, rows), INDEX))
    del bias, up, down
    total = layouts.summed(tape, weighted, x.numel, FLOAT32 if machine.compute else weighted.element)
    return op.cast(tape, total, x.element)


def repeated_mlp(machine: Machine, experts: Experts, x: Tensor) -> Tensor:
    """Llama 4's: every expert computes every token, weighted before by the router's score or by zero."""
    tape, count = machine.tape, experts.number
    scores = _chosen(machine, experts, x)
    tape.term = "mlp"
    repeated = layouts.spread(tape, x, Form(0, count * experts.hidden))
    repeated = op.multiply(tape, repeated, scores)
    up_weight, down_weight = (opened(machine, weight, experts.packing) for weight in (experts.up, experts.down))
    both = product(machine, repeated, up_weight, Form(0, 2 * count * experts.size), experts.work(2 * experts.size))
    gate, up = layouts.halves(tape, both)
    gated = op.multiply(tape, up, op.unary(tape, gate, saves="input"))
    routed = product(machine, gated, down_weight, Form(0, count * experts.hidden), experts.work(experts.size))
    del repeated, both, gate, up, gated, up_weight, down_weight
    out = _shared(machine, experts, x)
    total = layouts.summed(tape, routed, x.numel, FLOAT32 if machine.compute else routed.element)
    return layouts.into(tape, out, total)


def listed_mlp(machine: Machine, experts: Experts, x: Tensor) -> Tensor:
    """Transformers 4's: one expert after another, each with its share of the tokens, added into a common result."""
    tape = machine.tape
    chosen = op.cast(tape, _chosen(machine, experts, x), x.element)
    tape.term = "mlp"
    total = tape.new(x.numel, x.element)
    for modules in experts.listed:
        share = modules["gate_proj"].each(experts.hidden)
        state = layouts.gathered(tape, x, share, tape.new(Form(), INDEX))
        gate = linear(machine, state, modules["gate_proj"], "mlp")
        activated = op.unary(tape, gate, saves="input")
        del gate
        up = linear(machine, state, modules["up_proj"], "mlp")
        product_of_both = op.multiply(tape, activated, up)
        del activated, up
        out = linear(machine, product_of_both, modules["down_proj"], "mlp")
        del product_of_both
        weights = layouts.gathered(tape, chosen, Form(), tape.new(Form(), INDEX))
        total = layouts.added_at(tape, total, op.multiply(tape, out, weights))
        del out, weights
    return _with_shared(machine, experts, x, total)


def _chosen(machine: Machine, experts: Experts, x: Tensor) -> Tensor:
    """Probabilities of the chosen experts."""
    tape, adapter, weight = machine.tape, experts.router_adapter, experts.router
    if weight is None:
        raise ValueError("experts that another module chooses")
    router = _adapted(machine, weight, adapter, _factors(machine, adapter, weight.element), 1)
    tape.term = "router"
    if experts.wide_router:
        x, router = op.cast(tape, x, FLOAT32), _wide(tape, router)
    logits = product(machine, x, router, Form(0, experts.number), Form(0, experts.number * experts.hidden))
    if experts.balanced and not tape.recomputing:
        tape.routers.append(logits)
    if experts.repeated:
        scores = op.unary(tape, op.cast(tape, logits, FLOAT32), saves="output")
        return op.clone(tape, op.cast(tape, scores, logits.element))
    as_they_are = experts.wide_router and experts.scores == "sigmoid"  # autocast narrowed them again
    scores, order = logits if as_they_are else op.cast(tape, logits, FLOAT32), Form(0, experts.routes)
    if experts.scores == "softmax_of_chosen":
        scores = layouts.gathered(tape, scores, order, tape.new(order, INDEX))
        return op.cast(tape, op.unary(tape, scores, saves="output"), x.element)
    scores = op.unary(tape, scores, saves="output")
    chosen = layouts.gathered(tape, scores, order, tape.new(order, INDEX))
    return op.cast(tape, chosen, logits.element) if experts.narrow_router else chosen


def _wide(tape: Tape, weight: ParameterTensor | Tensor) -> ParameterTensor | Tensor:
    if weight.element == FLOAT32:
        return weight
    if isinstance(weight, Tensor):
        return op.cast(tape, weight, FLOAT32)
    return op.widened(tape, tape.new(weight.numel, FLOAT32), weight)


def _gated(machine: Machine, experts: Experts, selected: Tensor, weight: ParameterTensor | Tensor) -> Tensor:
    tape, rows, size = machine.tape, experts.routes, experts.size
    out, work = Form(0, 2 * rows * size), experts.work(2 * size)
    both = products.matmul(tape, op.cast(tape, selected, experts.up.element), weight, out, work)
    tape.term = "mlp"
    if experts.clamped:
        return _clamped(machine, experts, both)
    gate, up = layouts.halves(tape, both)
    del both
    return op.multiply(tape, op.unary(tape, gate, saves="input"), up)


def _clamped(machine: Machine, experts: Experts, both: Tensor) -> Tensor:
    """gpt-oss's: every second column is a gate, both sides have biases and limits."""
    tape, half = machine.tape, Form(0, experts.routes * experts.size)
    gate = op.unary(tape, layouts.part(tape, both, half), saves="input")
    up = op.unary(tape, layouts.part(tape, both, half), saves="input")
    opened = op.unary(tape, op.unary(tape, gate), saves="output")
    glu = op.multiply(tape, gate, opened)
    return op.multiply(tape, op.unary(tape, up), glu)


def _factors(machine: Machine, adapter: Adapter | None, element: int) -> list[Tensor]:
    """Both factors in the dtype of the weight."""
    if adapter is None:
        return []
    tape, factors = machine.tape, []
    tape.term = ADAPTERS
    for weight in (adapter.up, adapter.down):
        if element == weight.element:
            factors.append(Tensor(None, weight.numel, element, weight.sink))
            continue
        factors.append(op.widened(tape, tape.new(weight.numel, element, COPIES), weight))
    return factors


def _adapted(
    machine: Machine, weight: ParameterTensor | Tensor, adapter: Adapter | None, factors: list[Tensor], times: int
) -> ParameterTensor | Tensor:
    """All experts' weights with their adapters added, `times` times over."""
    if adapter is None:
        return weight
    machine.tape.term = ADAPTERS
    return products.plus_product(machine.tape, weight, factors[0], factors[1], weight.numel.times(adapter.rank), times)


def _shared(machine: Machine, experts: Experts, x: Tensor) -> Tensor:
    tape, modules = machine.tape, experts.shared
    if CHUNKS in modules:
        return linear(machine, chunked_gate(machine, modules, x), modules["down_proj"], "mlp")
    gate = linear(machine, x, modules["gate_proj"], "mlp")
    activated = op.unary(tape, gate, saves="input")
    del gate
    up = linear(machine, x, modules["up_proj"], "mlp")
    return linear(machine, op.multiply(tape, activated, up), modules["down_proj"], "mlp")


def _of(adapter: Adapter | None) -> list[ParameterTensor]:
    return adapter.weights() if adapter else []
