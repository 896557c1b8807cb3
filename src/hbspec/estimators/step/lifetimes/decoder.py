"""One decoder layer, run over shapes as transformers' modeling code runs it.

A function's locals live as long as they do there, since that is when their storages may go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from hbspec.catalog.latent_attention import LatentAttention
from hbspec.catalog.weights import PLAIN
from hbspec.estimators.step.lifetimes import gathered, layouts, litgpt
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.activations import Activation, activated
from hbspec.estimators.step.lifetimes.attention import Eager, attend
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.embedding import LAYER_INPUTS
from hbspec.estimators.step.lifetimes.experts import Experts, listed_mlp, repeated_mlp, sparse_mlp
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.looped_modules import LoopedExperts
from hbspec.estimators.step.lifetimes.mixers import Mixer
from hbspec.estimators.step.lifetimes.mlp import inner
from hbspec.estimators.step.lifetimes.modules import Linear, Machine, Norm, norm
from hbspec.estimators.step.lifetimes.rotation import Rotation, rotated

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.beside import ExpertsBeside

PLACES = "before_attention", "behind_attention", "before_mlp", "behind_mlp"
"""Where a layer may have norms."""


class DecoderLayer(NamedTuple):
    """One layer's modules by the name of their leaf, and its kind.

    Attributes:
        linears: `q_proj`, …
        norms: by their place, and `q_norm`, `k_norm`.
        heads, key_value_heads: of the attention.
        attention: "sdpa", "eager" or "flash_attention_2".
        masked: whether it gets a mask.
        capped: whether attention scores are, as Gemma 2's.
        experts: of a sparse layer.
        sinks: whether attention has one more, learned score a row, as gpt-oss has.
        rotation: how queries and keys are rotated; None where they are not.
        norms_behind: whether queries and keys are normed when they have been rotated.
        activation: the MLP's.
        parallel: how attention and MLP read the same residual stream, see `hbspec.catalog.families.Family`.
        mlp_inline: whether what the MLP's first module is given goes when that is done.
        attention_held: what of attention lives until the layer is done, see `hbspec.catalog.families.Family`.
        dropouts: where numbers are dropped.
        fused: how queries, keys and values are taken out of one product; "" where each is one of its own.
        scaled: what is multiplied by a number, see `hbspec.catalog.families.Family`.
        several_rows: whether a micro-batch has more than one row.
        litgpt: whether attention is LitGPT's own.
        gated: whether queries come with gates, which weigh what attention puts out.
        clipped: whether queries, keys and values are clipped.
        normed_values: whether values are normed, and rotation comes before rows lie head by head.
        rotated_in_pairs: whether neighbours are rotated, not halves, of attention with a latent.
        latent: the sizes of attention with a latent, where the layer has that.
        mixer: the modules of linear attention or of a state space, where the layer has that.
        beside_attention: the modules of a state space that runs beside attention, where the layer has that.
        beside: experts that run beside the MLP, where there are such.
    """

    linears: Mapping[str, Linear]
    norms: Mapping[str, Norm]
    heads: int
    key_value_heads: int
    attention: str
    masked: bool
    capped: bool
    sinks: bool
    rotation: Rotation | None
    norms_behind: bool
    activation: Activation
    parallel: str
    mlp_inline: bool
    attention_held: str
    dropouts: frozenset[str]
    fused: str
    scaled: frozenset[str]
    several_rows: bool
    experts: Experts | LoopedExperts | None
    litgpt: bool
    gated: bool
    clipped: bool
    normed_values: bool
    rotated_in_pairs: bool
    latent: LatentAttention | None
    mixer: Mixer | None
    beside_attention: Mixer | None
    beside: ExpertsBeside | None

    @property
    def trained(self) -> bool:
        """Whether anything in it is trained."""
        return any(weight.trained for weight in self.weights())

    def weights(self) -> list[ParameterTensor]:
        """Weights of all modules and of their adapters."""
        linears = (weight for module in self.linears.values() for weight in module.weights())
        norms = (weight for module in self.norms.values() for weight in module.weights())
        parts = self.experts, self.mixer, self.beside_attention, self.beside
        others = [weight for one in parts if one is not None for weight in one.weights()]
        return [*norms, *linears, *self.activation.weights, *others]


def layer_forward(machine: Machine, layer: DecoderLayer, x: Tensor) -> Tensor:
    """One decoder layer over the residual stream."""
    if layer.beside_attention is not None:
        from hbspec.estimators.step.lifetimes.hybrid import hybrid_layer  # which few models need

        return hybrid_layer(machine, layer, layer.beside_attention, x)
    if layer.parallel == "into":
        return _parallel_into(machine, layer, x)
    if layer.parallel:
        return _parallel(machine, layer, x)
    residual = x
    x = normed(machine, layer, x, "before_attention")
    held = [x] if layer.attention_held == "both" else []
    x, _weights = attention(machine, layer, x)  # which live until the layer is done
    held += [x] if layer.attention_held else []
    x = normed(machine, layer, x, "behind_attention")
    x = _added(machine, layer, residual, x)
    residual = x
    x = normed(machine, layer, x, "before_mlp")
    if layer.mlp_inline:
        x = linear(machine, x, layer.linears["up_proj"], "mlp")
        x = activated(machine, layer.activation, x)
        x = _dropped(machine, layer, linear(machine, x, layer.linears["down_proj"], "mlp"))
    else:
        x = _mlp(machine, layer, x)
    if layer.beside is not None:
        from hbspec.estimators.step.lifetimes.beside import beside_mlp  # which few models need

        del _weights
        x, _sides = beside_mlp(machine, layer.beside, residual, x)
    x = normed(machine, layer, x, "behind_mlp")
    x = _added(machine, layer, residual, x)
    return op.turned_in_place(machine.tape, x) if "layer" in layer.scaled else x


def _parallel(machine: Machine, layer: DecoderLayer, x: Tensor) -> Tensor:
    """A layer whose MLP does not wait for attention."""
    residual = x
    x = normed(machine, layer, x, "before_attention")
    attended, _weights = attention(machine, layer, x)
    if "before_mlp" in layer.norms:
        x = normed(machine, layer, residual, "before_mlp")
    x = _mlp(machine, layer, x)
    if layer.parallel == "first":
        return op.add(machine.tape, op.add(machine.tape, residual, attended, LAYER_INPUTS), x, LAYER_INPUTS)
    return op.add(machine.tape, op.add(machine.tape, attended, x, LAYER_INPUTS), residual, LAYER_INPUTS)


def _parallel_into(machine: Machine, layer: DecoderLayer, x: Tensor) -> Tensor:
    """Such a layer whose norms come first, and whose attention is added into the MLP's output."""
    first = normed(machine, layer, x, "before_attention")
    second = normed(machine, layer, x, "before_mlp") if "before_mlp" in layer.norms else first
    attended, weights = attention(machine, layer, first)
    out = layouts.into(machine.tape, _mlp(machine, layer, second), attended)
    x = op.add(machine.tape, x, out, LAYER_INPUTS)
    _returned(machine, weights)
    return x


def _returned(machine: Machine, weights: Tensor | None) -> None:
    """Attention's weights go to the model's loop, but for those that are computed again."""
    if not machine.tape.recomputing:
        machine.tape.returned = weights


def _added(machine: Machine, layer: DecoderLayer, residual: Tensor, x: Tensor) -> Tensor:
    if "residual" in layer.scaled:
        machine.tape.term = LAYER_INPUTS
        return op.add(machine.tape, residual, op.unary(machine.tape, x), LAYER_INPUTS)
    return op.add(machine.tape, residual, x, LAYER_INPUTS)


def normed(machine: Machine, layer: DecoderLayer, x: Tensor, name: str) -> Tensor:
    """The output of a norm of the layer; x itself where there is none of that name."""
    if name not in layer.norms:
        return x
    found = norm(machine, x, layer.norms[name], "norms")
    return op.cast(machine.tape, found, x.element) if layer.norms[name].kind == PLAIN else found


def attention(machine: Machine, layer: DecoderLayer, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """What the layer puts out that mixes tokens, and the weights of all pairs where they are there."""
    heads = layer.heads, layer.key_value_heads
    if layer.litgpt:
        return litgpt.attention(machine, layer.linears["qkv_proj"], layer.linears["o_proj"], heads, x), None
    if layer.mixer is not None:
        return layer.mixer.forward(machine, x), None
    if layer.fused == gathered.GATHERED:
        return gathered.gathered_attention(machine, layer, x)
    if layer.latent is not None:
        from hbspec.estimators.step.lifetimes.latent import latent_attention  # which few models need

        return latent_attention(machine, layer, layer.latent, x)
    if layer.normed_values:
        from hbspec.estimators.step.lifetimes.normed_values import normed_values_attention  # which few models need

        return normed_values_attention(machine, layer, x)
    query, key, value, gate = _projected(machine, layer, x)
    if layer.rotation is not None:
        query, key = rotated(machine, layer.rotation, query, key)
    if layer.norms_behind:
        query, key = normed(machine, layer, query, "q_norm"), normed(machine, layer, key, "k_norm")
    if "queries" in layer.scaled:
        query = op.turn(machine.tape, query, query.element)
    # where rotated and other dimensions are put together again, head after head, the output comes so as well
    parts = layer.fused == "parts"
    if parts:  # Phi-3's may be all that there are
        query, key = op.clone(machine.tape, query), op.clone(machine.tape, key)
    dropped = "attention" in layer.dropouts
    eager = Eager(layer.capped, layer.sinks, layer.several_rows, dropped) if layer.attention == "eager" else None
    out, weights = attend(machine, eager, layer.masked, heads, query, key, value)
    if parts or (layer.rotation is not None and layer.rotation.share[0]):
        out = op.clone(machine.tape, out)
    if gate is not None:
        out = op.multiply(machine.tape, out, op.unary(machine.tape, gate, saves="output"))
    return _dropped(machine, layer, linear(machine, out, layer.linears["o_proj"], "attention")), weights


def _dropped(machine: Machine, layer: DecoderLayer, x: Tensor) -> Tensor:
    """The output of attention or of the MLP."""
    return op.dropout(machine.tape, x) if "residual" in layer.dropouts else x


def _projected(machine: Machine, layer: DecoderLayer, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Queries, keys, values, and gates where there are any."""
    linears = layer.linears
    if "qkv_proj" in linears:
        key = (linears["qkv_proj"].rows - linears["o_proj"].columns) // 2
        fused = linear(machine, x, linears["qkv_proj"], "attention")
        widths = linears["o_proj"].columns, key, key
        if layer.clipped:
            fused = op.unary(machine.tape, fused, saves="input")
        if layer.fused == "chunks":
            query, key_states, value = layouts.split(machine.tape, fused, [Form(0, width) for width in widths])
        else:
            query, key_states, value = (layouts.part(machine.tape, fused, Form(0, width)) for width in widths)
        return query, key_states, value, None
    gate = None
    query = linear(machine, x, linears["q_proj"], "attention")
    if layer.gated:
        machine.tape.term = "attention"
        query, gate = layouts.halves(machine.tape, query)
        gate = op.clone(machine.tape, gate)
    if "projected" in layer.scaled:
        query = op.unary(machine.tape, query)
    if not layer.norms_behind:
        query = normed(machine, layer, query, "q_norm")
    key_states = linear(machine, x, linears["k_proj"], "attention")
    if "keys" in layer.scaled:
        key_states = op.unary(machine.tape, key_states)
    if not layer.norms_behind:
        key_states = normed(machine, layer, key_states, "k_norm")
    return query, key_states, linear(machine, x, linears["v_proj"], "attention"), gate


def _mlp(machine: Machine, layer: DecoderLayer, x: Tensor) -> Tensor:
    if layer.experts is not None:
        if not isinstance(layer.experts, Experts):
            from hbspec.estimators.step.lifetimes.looped import looped_mlp  # which few models need

            return looped_mlp(machine, layer.experts, x)
        if layer.experts.listed:
            return listed_mlp(machine, layer.experts, x)
        run = repeated_mlp if layer.experts.repeated else sparse_mlp
        return run(machine, layer.experts, x)
    return _dropped(
        machine,
        layer,
        linear(machine, inner(machine, layer.linears, layer.activation, x), layer.linears["down_proj"], "mlp"),
    )
