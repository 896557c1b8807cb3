"""What mixes tokens in a layer that does not attend to them: its modules, of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hbspec.estimators.step.lifetimes.linear_modules import LinearAttentionModules, linear_modules
from hbspec.estimators.step.lifetimes.short_convolution import ShortConvolutionModules, short_convolution_modules
from hbspec.estimators.step.lifetimes.state_space_modules import StateSpaceModules, state_space_modules

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.build import Builder

Mixer = LinearAttentionModules | StateSpaceModules | ShortConvolutionModules


def mixer_of(build: Builder) -> Mixer | None:
    """The modules of a layer that does not attend to tokens; None where the model has none."""
    architecture = build.architecture
    if architecture.state_space is not None:
        return state_space_modules(build, architecture.state_space)
    if architecture.short_convolution is not None:
        return short_convolution_modules(build, architecture.short_convolution)
    if architecture.linear_attention is not None:
        return linear_modules(build, architecture.linear_attention)
    return None
