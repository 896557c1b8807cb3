"""The modules of a state space, in a program's dtypes and with its adapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from hbspec.catalog.state_space import StateSpace
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.convolution import Convolution
from hbspec.estimators.step.lifetimes.modules import Linear, Machine

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.build import Builder


class StateSpaceModules(NamedTuple):
    """The modules of a layer's state space.

    Attributes:
        sizes: of the layer.
        linears: `in_proj` and `out_proj`.
        convolution: what mixes neighbouring tokens.
        steps, decay, skip: the vectors `dt_bias`, `A_log` and `D`.
        weight: of the gated norm; None where the gate comes without one.
        rows: of the micro-batch.
        padding: tokens of each row that fill its last chunk.
        masked: whether rows differ in length, so that padding is set to zero.
    """

    sizes: StateSpace
    linears: Mapping[str, Linear]
    convolution: Convolution
    steps: ParameterTensor
    decay: ParameterTensor
    skip: ParameterTensor
    weight: ParameterTensor | None
    rows: int
    padding: int
    masked: bool

    def weights(self) -> list[ParameterTensor]:
        """Weights of all modules and of their adapters."""
        linears = [weight for module in self.linears.values() for weight in module.weights()]
        return [
            *linears,
            *self.convolution.weights(),
            self.steps,
            self.decay,
            self.skip,
            *([self.weight] if self.weight else []),
        ]

    def forward(self, machine: Machine, x: Tensor) -> Tensor:
        """What the layer's state space puts out."""
        from hbspec.estimators.step.lifetimes.state_space import state_space  # which few models need

        return state_space(machine, self, x)


def state_space_modules(build: Builder, sizes: StateSpace) -> StateSpaceModules:
    """The modules of a layer with a state space."""
    hidden, rows = build.architecture.hidden_size, build.program.rows

    def vector(name: str, numel: int) -> ParameterTensor:
        return build.parameter(numel, build.trains(sizes.prefix + name))

    return StateSpaceModules(
        sizes=sizes,
        linears={
            "in_proj": build.linear(f"{sizes.prefix}in_proj", hidden, sizes.projected),
            "out_proj": build.linear(f"{sizes.prefix}out_proj", sizes.inner, hidden),
        },
        convolution=Convolution(
            weight=vector("conv1d", sizes.convolved * sizes.kernel),
            bias=vector("conv1d.bias", sizes.convolved) if sizes.convolution_bias else None,
            width=sizes.convolved,
            kernel=sizes.kernel,
            rows=rows,
        ),
        steps=vector("dt_bias", sizes.heads),
        decay=vector("A_log", sizes.heads),
        skip=vector("D", sizes.heads),
        weight=vector("norm", sizes.inner) if sizes.normed else None,
        rows=rows,
        padding=build.program.padding,
        masked=build.program.padded,
    )
