"""The modules of linear attention, in a program's dtypes and with its adapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from hbspec.catalog.linear_attention import PREFIX, LinearAttention
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.convolution import Convolution
from hbspec.estimators.step.lifetimes.modules import Linear, Machine

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.build import Builder


class LinearAttentionModules(NamedTuple):
    """The modules of a layer's linear attention.

    Attributes:
        sizes: of the layer.
        linears: by name, `in_proj_…` and `out_proj`.
        convolution: what mixes neighbouring tokens.
        steps, decay: the vectors `dt_bias` and `A_log`.
        weight: of the gated norm.
        rows: of the micro-batch.
        masked: whether rows differ in length, so that padding is set to zero.
    """

    sizes: LinearAttention
    linears: Mapping[str, Linear]
    convolution: Convolution
    steps: ParameterTensor
    decay: ParameterTensor
    weight: ParameterTensor
    rows: int
    masked: bool

    def weights(self) -> list[ParameterTensor]:
        """Weights of all modules and of their adapters."""
        linears = [weight for module in self.linears.values() for weight in module.weights()]
        return [*linears, *self.convolution.weights(), self.steps, self.decay, self.weight]

    def forward(self, machine: Machine, x: Tensor) -> Tensor:
        """What the layer's linear attention puts out."""
        from hbspec.estimators.step.lifetimes.linear_attention import linear_attention  # which few models need

        return linear_attention(machine, self, x)


def linear_modules(build: Builder, sizes: LinearAttention) -> LinearAttentionModules:
    """The modules of a layer with linear attention."""
    hidden = build.architecture.hidden_size

    def vector(name: str, numel: int) -> ParameterTensor:
        return build.parameter(numel, build.trains(PREFIX + name))

    widths = sizes.projections(build.architecture.family.linear_attention)
    linears = {name: build.linear(PREFIX + name, hidden, rows) for name, rows in widths.items()}
    return LinearAttentionModules(
        sizes=sizes,
        linears={**linears, "out_proj": build.linear(f"{PREFIX}out_proj", sizes.value_size, hidden)},
        convolution=Convolution(
            vector("conv1d", sizes.convolved * sizes.conv_kernel_dim),
            None,
            sizes.convolved,
            sizes.conv_kernel_dim,
            build.program.rows,
        ),
        steps=vector("dt_bias", sizes.num_value_heads),
        decay=vector("A_log", sizes.num_value_heads),
        weight=vector("norm", sizes.value_head_dim),
        rows=build.program.rows,
        masked=build.program.padded,
    )
