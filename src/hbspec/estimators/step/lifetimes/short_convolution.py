"""A layer's gated short convolution over shapes.

Source: transformers 5.23.0, `Lfm2ShortConv` of `models/lfm2/modeling_lfm2.py`, as it runs without the package
causal-conv1d.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from hbspec.catalog.short_convolution import PREFIX, ShortConvolution
from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.convolution import Convolution, convolved
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Linear, Machine

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.build import Builder

TERM = "attention"


class ShortConvolutionModules(NamedTuple):
    """The modules of a layer's short convolution.

    Attributes:
        linears: `in_proj` and `out_proj`.
        convolution: what mixes neighbouring tokens.
        masked: whether rows differ in length, so that padding is set to zero.
    """

    linears: Mapping[str, Linear]
    convolution: Convolution
    masked: bool

    def weights(self) -> list[ParameterTensor]:
        """Weights of all modules and of their adapters."""
        linears = [weight for module in self.linears.values() for weight in module.weights()]
        return [*linears, *self.convolution.weights()]

    def forward(self, machine: Machine, x: Tensor) -> Tensor:
        """What the layer's short convolution puts out; what has a name in the module lives until it is done."""
        tape = machine.tape
        if self.masked:
            tape.term = TERM
            x = op.turn(tape, x, x.element)
        projected = linear(machine, x, self.linears["in_proj"], TERM)
        tape.term = TERM
        opens, weighs, x = layouts.split(tape, projected, [Form(0, self.convolution.width)] * 3)
        mixed = convolved(machine, self.convolution, op.multiply(tape, opens, x))
        out = op.clone(tape, op.multiply(tape, weighs, mixed))
        return linear(machine, out, self.linears["out_proj"], TERM)


def short_convolution_modules(build: Builder, sizes: ShortConvolution) -> ShortConvolutionModules:
    """The modules of a layer with a short convolution."""
    hidden = build.architecture.hidden_size

    def vector(name: str, numel: int) -> ParameterTensor:
        return build.parameter(numel, build.trains(PREFIX + name))

    return ShortConvolutionModules(
        linears={
            "in_proj": build.linear(f"{PREFIX}in_proj", hidden, 3 * hidden),
            "out_proj": build.linear(f"{PREFIX}out_proj", hidden, hidden),
        },
        convolution=Convolution(
            weight=vector("conv", hidden * sizes.kernel),
            bias=vector("conv.bias", hidden) if sizes.bias else None,
            width=hidden,
            kernel=sizes.kernel,
            rows=build.program.rows,
            activated=False,
        ),
        masked=build.program.padded,
    )
