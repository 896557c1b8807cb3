"""What is watched: operators in their order, with shapes that are still those of one batch and one length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class RecordingError(ValueError):
    """A model that cannot be recorded; the message says which part of it and why."""


class LongLoopError(RecordingError):
    """A part that runs too many operators to be followed at this length."""


def can_need_gradient(dtype: Any) -> bool:
    """Whether numbers of a dtype can be differentiated."""
    return bool(dtype.is_floating_point or dtype.is_complex)


class Meta(NamedTuple):
    """A tensor without numbers.

    Attributes:
        shape, stride: in elements.
        dtype: torch's.
    """

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: Any

    @property
    def numel(self) -> int:
        """How many numbers it has."""
        total = 1
        for size in self.shape:
            total *= size
        return total

    @property
    def element(self) -> int:
        """Bytes of a number."""
        return int(self.dtype.itemsize)

    @classmethod
    def of(cls, tensor: Any) -> Meta:
        """That of a tensor."""
        return cls(tuple(tensor.shape), tuple(tensor.stride()), tensor.dtype)


@dataclass(frozen=True, slots=True)
class Ref:
    """The place of a tensor in an operator's arguments: the input of that number; torch takes it for a leaf."""

    index: int

    def __repr__(self) -> str:
        return f"#{self.index}"


@dataclass(slots=True)
class Value:
    """A tensor that an operator made, or the program was given.

    Attributes:
        meta: its shape.
        differentiable: whether it leads back to the input or to a weight.
    """

    meta: Meta
    differentiable: bool


@dataclass(slots=True)
class Operator:
    """One operator of a program.

    Attributes:
        name: `mul.Tensor`; "linear", "embedding" and "attention" are modules and kernels that are not looked into.
        module: the path of the module that ran it, within the part that is recorded.
        inputs: tensors that it read: the number of a value, the name of a weight, or None for what it was given from
            outside and does not belong to the layer.
        metas: their shapes.
        outputs: the numbers of the values that it made.
        aliases: by output, which input's storage it shares; None for one of its own.
        function, arguments, keywords: the call, with a `Ref` in place of each tensor.
        differentiated: whether torch would give it a way back.
        work: multiply-adds.
        freed: values whose storage nothing refers to any more when it is done.
        heads: of attention's queries.
    """

    name: str
    module: str
    inputs: list[int | str | None]
    metas: list[Meta]
    outputs: list[int]
    aliases: list[int | None]
    function: Any = None
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    differentiated: bool = True
    work: int = 0
    freed: list[int] = field(default_factory=list)
    heads: int = 0


@dataclass(slots=True)
class Watched:
    """Operators of one part of a model: of a layer, or of what comes before or behind all layers.

    Attributes:
        where: the module's path, "" for what no layer runs.
        values: all tensors; the first is the input.
        operators: in order.
        output: the number of the value that the part puts out.
        returned: the number of the value that a layer puts out beside it, and the model's loop holds for a while.
        hooked: the number of the value that the table of vectors puts out; None in other parts.
        given: whether the first value is an input, which no operator makes.
        imports: by label, the numbers of values that other parts made; see `hbspec.recording.shared`.
        exports: by label, the numbers of values that other parts read.
    """

    where: str
    values: list[Value] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    output: int = -1
    returned: int | None = None
    hooked: int | None = None
    given: bool = False
    imports: dict[str, int] = field(default_factory=dict)
    exports: dict[str, int] = field(default_factory=dict)
