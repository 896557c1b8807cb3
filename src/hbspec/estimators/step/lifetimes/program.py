"""What is run over shapes: a plan, as far as the lives of tensors depend on it."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.layers import FULL, WITHOUT_ATTENTION


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
        reentrant: whether they are then computed whole, in a backward pass of their own.
        attention: "sdpa", "eager" or "flash_attention_2".
        several_rows: whether a micro-batch has more than one row.
        padded: whether rows of a micro-batch differ in length.
        windowed: whether rows are longer than the window of layers that have one.
        standard_loss: whether all logits are held at once.
        compute: bytes of a number in matrix products.
        stream: of the residual stream and of what is not quantised.
        trained: of adapters.
        autocast: whether matrix products are cast to `compute`.
        accumulates: whether gradients of an earlier micro-batch exist.
        subclasses_quantised: whether linear modules of a class derived from `nn.Linear` are quantised, as they were
            before transformers 5.5.
        experts_listed: whether experts are a list of modules, as most were before transformers 5.
        loss_copies: whether the loss copies logits in fp32 once more, shifted by a token.
        loss_in_place: whether the loss writes its gradient over the logits that it is given.
        logits_replaced: whether logits in fp32 take the place of those of 16 bits, as before transformers 4.46.
        logits_returned: whether the logits that a model returns are converted to fp32, as accelerate does.
        outputs_held: whether the caller holds logits during the backward pass.
        inputs_kept: whether 4-bit products keep their inputs, as they did before bitsandbytes 0.43.2.
        tensor_parallel: GPUs that share a layer.
        float16: whether 16-bit numbers are float16, and not bfloat16.
        on_gpu: whether it runs on a GPU, and not under a trace on the CPU.
        liger: whether Liger's kernels run.
        offloads: whether what is saved for the backward pass goes to the host.
        liger_head: whether the head that never holds all logits is Liger's.
        litgpt: whether layers and loss are LitGPT's own.
        in_parts: whether the loss is torchtune's, which makes logits a part of the tokens after another.
        padding: tokens of each row that fill the last chunk of a state space.
        rows: of a micro-batch, where layers make something once for all of them; else 1, whatever there are.
        length: tokens of a row, where other operators run at other lengths; else 0.
        experts_quantised: whether fused experts are quantised as linear modules are.
        balances: whether the loss that balances experts is added.
        rewards: whether the head gives one number a token, of which the last of each row rewards it.
    """

    quantization: str | None
    double_quant: bool
    targets: str | tuple[str, ...] | None
    modules_to_save: tuple[str, ...]
    rank: int
    dropout: bool
    dora: bool
    checkpointing: bool
    reentrant: bool
    attention: str
    several_rows: bool
    padded: bool
    windowed: bool
    standard_loss: bool
    compute: int
    stream: int
    trained: int
    autocast: bool
    accumulates: bool
    subclasses_quantised: bool
    experts_listed: bool
    loss_copies: bool
    loss_in_place: bool
    logits_replaced: bool
    logits_returned: bool
    outputs_held: bool
    inputs_kept: bool
    tensor_parallel: int
    float16: bool
    on_gpu: bool
    liger: bool
    liger_head: bool
    offloads: bool
    litgpt: bool = False
    in_parts: bool = False
    rows: int = 1
    padding: int = 0
    length: int = 0
    rewards: bool = False
    experts_quantised: bool = False
    balances: bool = False


def mask_of(program: Program, kind: str) -> int | None:
    """Bytes of a number of the mask that layers of a type get, which all of them share; None without a mask.

    Eager attention always adds one, other kernels take one of bytes for padded rows and for a window. Linear
    attention multiplies its input by ones and zeros instead.
    """
    if kind in WITHOUT_ATTENTION:
        return None
    if program.attention == "eager":
        return program.stream
    needed = program.padded or (program.windowed and kind != FULL)
    return 1 if needed and program.attention == "sdpa" else None
