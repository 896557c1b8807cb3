"""What is run over shapes: a plan, as far as the lives of tensors depend on it."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.architecture import FULL


class Program(NamedTuple):
    """Everything that the lives of tensors depend on, but for batch and length.

    Attributes:
        quantization: "nf4", "fp4" or "int8"; None leaves 16-bit weights.
        double_quant: whether the scales of 4-bit weights are quantised too.
        targets: adapted modules; `()` trains everything. None is a model that an engine serves, in which an expert
            computes only the tokens that visit it.
        modules_to_save: modules that are trained whole beside the adapters.
        rank, dropout, dora: of the adapters.
        checkpointing: whether layers are computed again.
        attention: "sdpa", "eager" or "flash_attention_2".
        padded: whether rows of a micro-batch differ in length.
        windowed: whether rows are longer than the window of layers that have one.
        standard_loss: whether all logits are held at once.
        compute: bytes of a number in matrix products.
        stream: of the residual stream and of what is not quantised.
        trained: of adapters.
        autocast: whether matrix products are cast to `compute`.
        accumulates: whether gradients of an earlier micro-batch exist.
        experts_listed: whether experts are a list of modules, as most were before transformers 5.
        loss_copies: whether the loss copies logits in fp32 once more.
        outputs_held: whether the caller holds logits during the backward pass.
        inputs_kept: whether 4-bit products keep their inputs, as they did before bitsandbytes 0.43.
        tensor_parallel: GPUs that share a layer.
        float16: whether 16-bit numbers are float16, and not bfloat16.
        on_gpu: whether it runs on a GPU, and not under a trace on the CPU.
    """

    quantization: str | None
    double_quant: bool
    targets: str | tuple[str, ...] | None
    modules_to_save: tuple[str, ...]
    rank: int
    dropout: bool
    dora: bool
    checkpointing: bool
    attention: str
    padded: bool
    windowed: bool
    standard_loss: bool
    compute: int
    stream: int
    trained: int
    autocast: bool
    accumulates: bool
    experts_listed: bool
    loss_copies: bool
    outputs_held: bool
    inputs_kept: bool
    tensor_parallel: int
    float16: bool
    on_gpu: bool


def mask_of(program: Program, kind: str) -> int | None:
    """Bytes of a number of the mask that layers of a type get, which all of them share; None without a mask.

    Eager attention always adds one, other kernels take one of bytes for padded rows and for a window.
    """
    if program.attention == "eager":
        return program.stream
    needed = program.padded or (program.windowed and kind != FULL)
    return 1 if needed and program.attention == "sdpa" else None
