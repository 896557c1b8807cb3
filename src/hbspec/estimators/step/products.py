"""Matrix products of one pass over a decoder, forward and back, in multiply-adds.

A product of an R x C weight with n tokens is n R C forward. On the way back the gradient of its input is as much again,
and so is that of the weight; each is computed only if something before it, or the weight itself, is trained.

Source: transformers 5.23.0 `models/*/modeling_*.py` and `integrations/moe.py`, peft 0.21.2 `tuners/lora/layer.py` and
`dora.py`, bitsandbytes 0.50.2 `autograd/_functions.py`; each rule here was seen in traces of the real models, which
`flops.py` is held against.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, reduce
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.adapters import ALL_LINEAR, FUSED
from hbspec.catalog.parameters import fused_targets
from hbspec.catalog.weights import ROUTERS

ALL_EXPERTS = "llama4_text"
"""The model type whose experts all compute every token (`Llama4TextExperts.forward`)."""

SCORES_AGAIN = 5
"""Products over pairs of tokens in the backward pass of a kernel that keeps no scores, for two in the forward pass."""

PARAMETRISED = 2
"""How often peft adds the adapters of fused experts to their weights for one pass: `register_parametrization` checks
the result once before the module reads it."""


class Method(NamedTuple):
    """What of a training decides which products there are.

    Attributes:
        targets: adapted modules; `()` trains everything.
        modules_to_save: modules that are trained whole beside the adapters.
        rank, dropout, dora: of the adapters.
        checkpointing: whether layers are computed again.
        stops_early: whether that ends with the last tensor that was saved (non-reentrant checkpointing).
        eager: whether attention keeps all scores.
        standard_loss: whether the head computes all logits at once, and no second time.
        experts_listed: whether experts are modules, each with adapters of its own, as before transformers 5.
    """

    targets: str | tuple[str, ...]
    modules_to_save: tuple[str, ...]
    rank: int
    dropout: bool
    dora: bool
    checkpointing: bool
    stops_early: bool
    eager: bool
    standard_loss: bool
    experts_listed: bool

    def trains(self, leaf: str) -> bool:
        """Whether a module's own weights are trained."""
        return not self.targets or leaf in self.modules_to_save

    def targets_module(self, name: str) -> bool:
        """Whether a linear module, or the embedding, is among the targets."""
        leaf = name.rpartition(".")[2]
        if not self.targets or self.trains(leaf):
            return False
        if self.targets == ALL_LINEAR:
            return leaf not in ("lm_head", "embed_tokens")
        return leaf in self.targets or name in self.targets


class Work(NamedTuple):
    """Multiply-adds: what each token, each pair of tokens and each pass as such adds."""

    token: int = 0
    pair: int = 0
    fixed: int = 0

    def plus(self, other: Work) -> Work:
        """Both together."""
        return Work(self.token + other.token, self.pair + other.pair, self.fixed + other.fixed)

    def less(self, token: int) -> Work:
        """Without some of what each token adds."""
        return self._replace(token=self.token - token)


NOTHING = Work()


class Step(NamedTuple):
    """A part of the model: its work both ways, and whether a gradient has to reach what it puts out."""

    forward: Work
    backward: Work
    needed: bool

    def then(self, other: Step) -> Step:
        """Both together; the gradient is that of the later one's output."""
        return Step(self.forward.plus(other.forward), self.backward.plus(other.backward), other.needed)


class Passes(NamedTuple):
    """The work of a micro-batch: the layers' by pass, and of the head what each scored position adds."""

    forward: Work
    recompute: Work
    backward: Work
    head: Work
    head_backward: Work


@lru_cache(maxsize=1024)
def passes(architecture: Architecture, method: Method) -> Passes:
    """Every layer's products, from the embedding to the head."""
    build = _Decoder(architecture, method)
    total, again = build.embedding(), NOTHING
    known: dict[tuple[bool, bool], tuple[Step, Work]] = {}
    sparse = frozenset(architecture.moe_layers)
    for index in range(architecture.num_hidden_layers):
        kind = index in sparse, total.needed
        if kind not in known:
            layer = build.layer(*kind)
            known[kind] = layer, layer.forward.less(build.left_out(sparse=kind[0]))
        layer, repeated = known[kind]
        total = total.then(layer)
        again = again.plus(repeated) if method.checkpointing else again
    head = build.head(total.needed)
    return Passes(total.forward, again, total.backward, head.forward, head.backward)


class _Decoder:
    def __init__(self, architecture: Architecture, method: Method) -> None:
        self.architecture, self.method = architecture, method
        fused = fused_targets(architecture, method.targets) if method.targets else ()
        self.fused = frozenset(fused)
        self.elsewhere = frozenset() if method.experts_listed else frozenset(FUSED.get(architecture.model_type, ()))

    def adapts(self, name: str) -> bool:
        """Whether a linear module has an adapter; names that mean fused experts mean no module beside them."""
        return name.rpartition(".")[2] not in self.elsewhere and self.method.targets_module(name)

    def embedding(self) -> Step:
        """A look-up; an adapter on it multiplies once. Checkpointing makes its output need a gradient."""
        method = self.method
        trained, adapted = method.trains("embed_tokens"), self.adapts("embed_tokens")
        up = Work(method.rank * self.architecture.hidden_size) if adapted else NOTHING
        return Step(up, up.plus(up), trained or adapted or method.checkpointing)

    def layer(self, sparse: bool, needed: bool) -> Step:
        """One layer, behind something that needs a gradient or does not."""
        architecture = self.architecture
        attention = self.attention(needed or self.method.trains("input_layernorm"))
        needed = needed or attention.needed
        inner = needed or self.method.trains("post_attention_layernorm")
        mlp = self.sparse(inner) if sparse else self.mlp("", architecture.intermediate_size, inner)
        return attention.then(mlp)._replace(needed=needed or mlp.needed)

    def attention(self, needed: bool) -> Step:
        """Projections, and two products over pairs of tokens; five on the way back where scores are computed again."""
        architecture, method = self.architecture, self.method
        hidden, query, key = architecture.hidden_size, architecture.query_size, architecture.key_value_size
        if architecture.fused_projections:
            inner = [self.linear("qkv_proj", query + 2 * key, hidden, needed)]
            of_query = of_key = of_value = inner[0].needed
        else:
            widths = {"q_proj": query, "k_proj": key, "v_proj": key}
            inner = [self.linear(name, width, hidden, needed) for name, width in widths.items()]
            of_query, of_key, of_value = (step.needed for step in inner)
        scores = of_query or of_key
        again = SCORES_AGAIN if scores or of_value else 0
        back = of_query + of_key + scores + of_value if method.eager else again
        pairs = Step(Work(pair=2 * query), Work(pair=back * query), scores or of_value)
        total = _all(*inner).then(pairs)
        return total.then(self.linear("o_proj", hidden, query, pairs.needed))

    def mlp(self, prefix: str, size: int, needed: bool) -> Step:
        """Gate, up and down."""
        hidden = self.architecture.hidden_size
        if self.architecture.fused_projections:
            inner = self.linear(f"{prefix}gate_up_proj", 2 * size, hidden, needed)
        else:
            inner = _all(*(self.linear(prefix + name, size, hidden, needed) for name in ("gate_proj", "up_proj")))
        return inner.then(self.linear(f"{prefix}down_proj", hidden, size, inner.needed))

    def sparse(self, needed: bool) -> Step:
        """The router, the routed experts and the shared one."""
        architecture = self.architecture
        hidden, size, count = architecture.hidden_size, architecture.moe_intermediate_size, architecture.num_experts
        everywhere = architecture.model_type == ALL_EXPERTS
        visits = count if everywhere else architecture.num_experts_per_tok
        rank = self.method.rank
        router = self.router(count, hidden, needed)
        # a token is weighed by its scores behind its experts, but before all of them where all compute it
        before = needed or (everywhere and router.needed)
        up = self.experts("experts.gate_up_proj", visits, (2 * size, hidden), 2 * rank, before)
        down = self.experts("experts.down_proj", visits, (hidden, size), rank, up.needed)
        total = _all(router, up.then(down))
        shared = architecture.shared_expert_intermediate_size
        if shared:
            return _all(total, self.mlp("shared_expert.", shared, needed))
        return total

    def router(self, count: int, hidden: int, needed: bool) -> Step:
        """A product of every token; an adapter is added to its weights."""
        name = ROUTERS[self.architecture.model_type]
        if name not in self.fused:
            return self.linear(name, count, hidden, needed, adaptable=False)
        factors = Work(fixed=count * self.method.rank * hidden)
        plain = Work(count * hidden)
        back = plain.plus(plain if needed else NOTHING).plus(factors).plus(factors)
        return Step(plain.plus(factors), back, True)

    def experts(self, name: str, visits: int, shape: tuple[int, int], rank: int, needed: bool) -> Step:
        """Fused experts. Adapters are added to all experts' weights, whose whole gradient they take."""
        rows, columns = shape
        plain = Work(visits * rows * columns)
        adapted, trained = name in self.fused, self.method.trains(name)
        if adapted and self.method.experts_listed:
            # gate and up are two modules of half the rows, each with half the rank
            low = visits * rank * columns, visits * rank // (2 if name.endswith("gate_up_proj") else 1) * rows
            return _adapted(plain, low, needed)
        if adapted:
            factors = self.architecture.num_experts * rank * rows * columns
            back = plain.plus(plain if needed else NOTHING).plus(Work(fixed=2 * factors))
            return Step(plain.plus(Work(fixed=PARAMETRISED * factors)), back, True)
        back = _sum(plain for wanted in (needed, trained) if wanted)
        return Step(plain, back, needed or trained)

    def linear(self, name: str, rows: int, columns: int, needed: bool, *, adaptable: bool = True) -> Step:
        """A linear module with its adapter."""
        method, plain = self.method, Work(rows * columns)
        trained = method.trains(name.rpartition(".")[2])
        if not (adaptable and self.adapts(name)):
            back = _sum(plain for wanted in (needed, trained) if wanted)
            return Step(plain, back, needed or trained)
        step = _adapted(plain, (method.rank * columns, method.rank * rows), needed)
        return self.decomposed(step, rows, columns, needed) if method.dora else step

    def decomposed(self, step: Step, rows: int, columns: int, needed: bool) -> Step:
        """DoRA: the adapter of the unit matrix, for norms; with dropout the base once more, since its input differs."""
        whole = Work(fixed=columns * self.method.rank * (columns + rows))
        again = Work(rows * columns) if self.method.dropout else NOTHING
        return Step(step.forward.plus(whole).plus(again), step.backward.plus(again if needed else NOTHING), step.needed)

    def head(self, needed: bool) -> Step:
        """The head; a loss that never holds all logits computes them again on the way back."""
        step = self.linear("lm_head", self.architecture.vocab_size, self.architecture.hidden_size, needed)
        if self.method.standard_loss:
            return step
        return step._replace(backward=step.backward.plus(step.forward))

    def left_out(self, *, sparse: bool) -> int:
        """What recomputing a layer leaves out for a token: the product behind the last tensor that a layer saves.

        A product saves its factors before it runs. Behind the last one there must be nothing that saves: no norm
        (Gemma), no weighting by the router, no magnitude (DoRA).
        """
        architecture, method = self.architecture, self.method
        shared = architecture.shared_expert_intermediate_size
        if not method.stops_early or architecture.sandwich_norm or (sparse and not shared):
            return 0
        prefix, size = ("shared_expert.", shared) if sparse else ("", architecture.intermediate_size)
        if not self.adapts(f"{prefix}down_proj"):
            return architecture.hidden_size * size
        return 0 if method.dora else architecture.hidden_size * method.rank


def _adapted(plain: Work, low: tuple[int, int], needed: bool) -> Step:
    """A product with a low-rank one beside it, whose factors get gradients."""
    down, up = Work(low[0]), Work(low[1])
    back = _sum((up, up, down))
    if needed:
        back = back.plus(plain).plus(down)
    return Step(_sum((plain, down, up)), back, True)


def _all(*steps: Step) -> Step:
    """Parts beside each other."""
    forward, backward = _sum(step.forward for step in steps), _sum(step.backward for step in steps)
    return Step(forward, backward, any(step.needed for step in steps))


def _sum(parts: Iterable[Work]) -> Work:
    return reduce(Work.plus, parts, NOTHING)
