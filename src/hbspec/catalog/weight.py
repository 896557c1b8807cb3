"""One kind of parameter tensor of a model."""

from __future__ import annotations

from dataclasses import dataclass

from hbspec.catalog.dtypes import FLOAT32


@dataclass(frozen=True, slots=True)
class Weight:
    """One kind of parameter tensor.

    Attributes:
        name: the module within its layer (`q_proj`, `shared_expert.up_proj`, `experts.gate_up_proj`) or within the
            model (`embed_tokens`); a bias is `q_proj.bias`.
        kind: "linear" (an `nn.Linear`: bitsandbytes quantises it, LoRA can target it), "own_linear" (a subclass: not
            quantised, LoRA can target it), "expert" (fused routed experts: not quantised), "router" (chooses the
            experts: not quantised), "convolution", "embedding", "head", "norm", or "bias" (any other vector, including
            gpt-oss's attention sinks); outside of the language model, "linear" or "kept".
        count: number of such tensors in the whole model.
        rows: output features.
        columns: input features; 1 for a vector.
        copies: number of experts in one tensor.
        usual: Llama's name for such a module, where that is another one.
        wide: whether it has 32 bits a number in a model of 16 bits.
        repeats: modules that have one of these tensors as well, since layers share it.
    """

    name: str
    kind: str
    count: int
    rows: int
    columns: int
    copies: int = 1
    usual: str = ""
    wide: bool = False
    repeats: int = 0

    @property
    def place(self) -> str:
        """Llama's name for it."""
        return self.usual or self.name

    @property
    def modules(self) -> int:
        """The number of modules that have such a tensor: peft gives each an adapter of its own."""
        return self.count + self.repeats

    @property
    def parameters(self) -> int:
        """The number of elements in all these tensors together."""
        return self.count * self.copies * self.rows * self.columns

    def element(self, usual: int) -> int:
        """Bytes of a number, where those of the model have so many."""
        return max(usual, FLOAT32) if self.wide else usual

    @property
    def leaf(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]
