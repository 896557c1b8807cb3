"""What an optimizer keeps between updates and needs during one, in bytes a trained parameter."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from hbspec.diagnostics import Missing, NotKnownError

EIGHT_BIT = 1 + Fraction(4, 256)
"""A moment in 8 bits: one byte, and an fp32 scale for every 256 of them (bitsandbytes 0.50.2, `Optimizer2State`)."""

FOUR_BIT = Fraction(1, 2) + Fraction(4, 128)
"""A moment in 4 bits: torchao's `OptimState4bit`, an fp32 scale for every 128."""


class Optimizer(NamedTuple):
    """One optimizer.

    Attributes:
        moments: states a parameter.
        element: bytes of one number of a state; None follows the parameter's dtype, as torch's optimizers do.
        copies: parameter-sized temporaries during an update: torch's foreach AdamW keeps the root of its second
            moment for all parameters at once, so that a pure 16-bit full fine-tune peaks at 10 bytes a parameter.
        factored: whether a matrix keeps a row and a column instead of itself.
        paged: whether states of large tensors are managed memory, which CUDA moves to the host where the GPU is full.
    """

    moments: int
    element: Fraction | None
    copies: int = 0
    factored: bool = False
    paged: bool = False

    def state_bytes(self, parameters: int, parameter_bytes: int, *, adapters: bool) -> int:
        """Bytes of all states of so many parameters.

        Left out: that bitsandbytes keeps tensors below 4,096 numbers in fp32.

        Args:
            parameters: trained parameters.
            parameter_bytes: element size of a parameter.
            adapters: whether the trained matrices are adapters, whose shorter side is the rank.
        """
        if self.factored:
            return 4 * -(-parameters // (FACTORED_RANK if adapters else FACTORED_SIDE))
        element = parameter_bytes if self.element is None else self.element
        return -int(-(parameters * self.moments * element) // 1)

    def paged_bytes(self, parameters: int) -> int:
        """Bytes of states in managed memory, of so many parameters in tensors of at least `PAGED_NUMBERS`.

        The scales of 8-bit states stay on the GPU. Source: bitsandbytes 0.50.2, `Optimizer8bit.get_state_buffer`.
        """
        if not self.paged or self.element is None:
            return 0
        return parameters * self.moments * int(self.element)

    def update_bytes(self, parameters: int, parameter_bytes: int, *, adapters: bool) -> int:
        """Bytes that cross the memory bus in an update, clipping of the gradients included.

        One kernel: gradients and parameters are read, parameters written, states read and written. Kernels over lists
        of tensors (torch 2.13, `optim/adam.py`, `_multi_tensor_adam`): every term of the formula is a pass of its own.
        Clipping reads gradients once more, and reads and writes them to scale them.
        """
        if self.copies:
            return (PASSES_OF_LISTS + CLIPPING) * parameters * parameter_bytes
        states = self.state_bytes(parameters, parameter_bytes, adapters=adapters)
        return (3 + CLIPPING) * parameters * parameter_bytes + 2 * states

    def temporary_bytes(self, parameters: int, parameter_bytes: int) -> int:
        """Bytes that exist during an update only."""
        return self.copies * parameters * parameter_bytes


PAGED_NUMBERS = 100_000
"""Numbers of the smallest tensor whose states are paged (bitsandbytes 0.50.2, `Optimizer8bit.get_state_buffer`)."""

PASSES_OF_LISTS = 20
"""Reads and writes of something as large as the parameters: decay 2, first moment 3, second 2 + 3, its root 2, its
correction 2, epsilon 2, the step 4."""

CLIPPING = 3
"""The same for `max_grad_norm`, which trainers set."""

FACTORED_SIDE = 1024
"""Shorter side of a matrix of a fully trained model: Adafactor's row and column are at most 0.1 % of the weights."""

FACTORED_RANK = 8
"""Shorter side of an adapter, at the smallest rank in common use: an upper bound above it."""

_FP32 = Fraction(4)

OPTIMIZERS: dict[str, Optimizer] = {
    "adamw_torch": Optimizer(2, None, copies=1),
    "adamw_torch_fused": Optimizer(2, None),
    "adamw_torch_8bit": Optimizer(2, EIGHT_BIT),
    "adamw_torch_4bit": Optimizer(2, FOUR_BIT),
    "adamw_bnb_8bit": Optimizer(2, EIGHT_BIT),
    "adamw_8bit": Optimizer(2, EIGHT_BIT),
    "paged_adamw_8bit": Optimizer(2, EIGHT_BIT, paged=True),
    "paged_adamw_32bit": Optimizer(2, _FP32, paged=True),
    "adafactor": Optimizer(1, _FP32, factored=True),
    "sgd": Optimizer(0, None),
    "adagrad": Optimizer(1, None, copies=1),
    "rmsprop": Optimizer(1, None, copies=1),
    "rmsprop_bnb": Optimizer(1, _FP32),
    "rmsprop_bnb_8bit": Optimizer(1, EIGHT_BIT),
    "rmsprop_bnb_32bit": Optimizer(1, _FP32),
    "lion_8bit": Optimizer(1, EIGHT_BIT),
    "paged_lion_8bit": Optimizer(1, EIGHT_BIT, paged=True),
    "lion_32bit": Optimizer(1, _FP32),
    "paged_lion_32bit": Optimizer(1, _FP32, paged=True),
    "ademamix": Optimizer(3, _FP32),
    "ademamix_8bit": Optimizer(3, EIGHT_BIT),
    "paged_ademamix_32bit": Optimizer(3, _FP32, paged=True),
    "paged_ademamix_8bit": Optimizer(3, EIGHT_BIT, paged=True),
}
"""By the names of `transformers.training_args.OptimizerNames` (5.23.0); GaLore, APOLLO and the like are not known."""


def optimizer(name: str) -> Optimizer:
    """The optimizer of a name.

    Raises:
        NotKnownError: none of that name is listed here.
    """
    found = OPTIMIZERS.get(name)
    if found is None:
        raise NotKnownError(Missing(f"the states of optimizer {name}", ("hyperparameters", "optim")))
    return found
