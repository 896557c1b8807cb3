"""The model that a plan trains, as modules over shapes."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.architecture import FULL
from hbspec.catalog.parameters import fused_targets, weights
from hbspec.catalog.weights import ROUTERS
from hbspec.estimators.step.lifetimes.autograd import Parameter, Sink
from hbspec.estimators.step.lifetimes.decoder import Layer
from hbspec.estimators.step.lifetimes.experts import Experts
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.modules import FLOAT32, Adapter, Linear
from hbspec.estimators.step.lifetimes.program import Model, Profile, profile

CAPPED = "gemma2"
"""The model type whose scores and logits are capped (`attn_logit_softcapping`, `final_logit_softcapping`)."""


MOST_LISTED = 8
"""Experts that are run one after another."""

REPEATED = "llama4_text"
"""The model type whose experts compute every token, and whose layers with rotation norm what they rotate."""


class Program(NamedTuple):
    """Everything that the lives of tensors depend on, but for batch and length.

    Attributes:
        quantization: "nf4", "fp4" or "int8"; None leaves 16-bit weights.
        double_quant: whether the scales of 4-bit weights are quantised too.
        targets: adapted modules; `()` trains everything.
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
        experts_listed: whether experts are a list of modules, as they were before transformers 5.
        loss_copies: whether the loss copies logits in fp32 once more.
        outputs_held: whether the caller holds logits during the backward pass.
        inputs_kept: whether 4-bit products keep their inputs, as they did before bitsandbytes 0.43.
        tensor_parallel: GPUs that share a layer.
        float16: whether 16-bit numbers are float16, and not bfloat16.
        on_gpu: whether it runs on a GPU, and not under a trace on the CPU.
    """

    quantization: str | None
    double_quant: bool
    targets: str | tuple[str, ...]
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


class Kinds(NamedTuple):
    """Which layers of a model are alike.

    Attributes:
        of: by layer, the index of its kind.
        run: by layer that is run, the index of its kind: the first layer, and one of each kind behind it.
    """

    of: tuple[int, ...]
    run: tuple[int, ...]


@lru_cache(maxsize=256)
def kinds(architecture: Architecture, windowed: bool) -> Kinds:
    """Layers are alike if both are sparse or dense, and attend as far."""
    sparse = frozenset(architecture.moe_layers)
    seen = [
        (index in sparse, kind != FULL and (windowed or architecture.model_type == REPEATED))
        for index, kind in enumerate(architecture.layer_types)
    ]
    distinct = list(dict.fromkeys(seen))
    run = (0, *range(len(distinct)))
    return Kinds(tuple(distinct.index(kind) for kind in seen), run)


@lru_cache(maxsize=4096)
def program_profile(architecture: Architecture, program: Program) -> Profile:
    """The profile of a model's training step, over as few layers as tell all of them."""
    return profile(_model(architecture, program))


def _model(architecture: Architecture, program: Program) -> Model:
    build = _Builder(architecture, program)
    found = kinds(architecture, program.windowed)
    layers = [build.layer(found.of.index(kind)) for kind in found.run]
    full = not program.targets
    embedding = build.parameter(architecture.vocab_size * architecture.hidden_size, full or build.saves("embed_tokens"))
    tied = architecture.tie_word_embeddings and not build.saves("lm_head")
    head = embedding if tied else build.head()
    return Model(
        layers=layers,
        final=build.parameter(architecture.hidden_size, full),
        head=Linear(
            head,
            architecture.hidden_size,
            architecture.vocab_size,
            "",
            build.adapter("lm_head", "lm_head", architecture.hidden_size, architecture.vocab_size),
        ),
        width=architecture.hidden_size,
        stream=program.stream,
        embedding=embedding if embedding.trained else None,
        hooked=not full and program.checkpointing,
        checkpointing=program.checkpointing,
        compute=program.compute if program.autocast else None,
        accumulates=program.accumulates,
        standard_loss=program.standard_loss,
        loss_copies=program.loss_copies,
        outputs_held=program.outputs_held,
        capped_logits=architecture.model_type == CAPPED,
        float16=program.float16,
        on_gpu=program.on_gpu,
    )


def mask_of(program: Program, kind: str) -> int | None:
    """Bytes of a number of the mask that layers of a type get, which all of them share; None is no mask.

    Eager attention always adds one, other kernels take one of bytes for padded rows and for a window.
    """
    if program.attention == "eager":
        return program.stream
    needed = program.padded or (program.windowed and kind != FULL)
    return 1 if needed and program.attention == "sdpa" else None


class _Builder:
    """Makes modules of the plan's dtypes, with the plan's adapters."""

    def __init__(self, architecture: Architecture, program: Program) -> None:
        self.architecture, self.program = architecture, program
        self.biased = {weight.name.split(".")[-2] for weight in weights(architecture) if weight.name.endswith(".bias")}

    def parameter(self, numel: int, trained: bool, element: int | None = None) -> Parameter:
        sink = Sink(accumulates=self.program.accumulates) if trained else None
        return Parameter(Form(numel), element or self.program.stream, trained, sink)

    def saves(self, name: str) -> bool:
        return name in self.program.modules_to_save

    def head(self) -> Parameter:
        numel = self.architecture.vocab_size * self.architecture.hidden_size
        return self.parameter(numel, not self.program.targets or self.saves("lm_head"))

    def adapter(self, name: str, leaf: str, columns: int, rows: int) -> Adapter | None:
        program = self.program
        if self.saves(leaf) or not _is_target(program.targets, name, leaf):
            return None
        down = self.parameter(program.rank * columns, True, program.trained)
        up = self.parameter(program.rank * rows, True, program.trained)
        magnitude = self.parameter(rows, True, FLOAT32) if program.dora else None  # TRL narrows the factors only
        return Adapter(down, up, program.rank, program.dropout, magnitude)

    def linear(self, name: str, columns: int, rows: int) -> Linear:
        program, leaf = self.program, name.rpartition(".")[2]
        trained = not program.targets or self.saves(leaf)
        quantized = "" if program.quantization is None else "int8" if program.quantization == "int8" else "4bit"
        weight = self.parameter(columns * rows, trained, program.compute if quantized else None)
        bias = self.parameter(rows, True) if trained and leaf in self.biased else None
        adapter = self.adapter(name, leaf, columns, rows)
        return Linear(weight, columns, rows, quantized, adapter, bias, program.double_quant, program.inputs_kept)

    def layer(self, index: int) -> Layer:
        """A layer's modules; a sparse one has its experts instead of an MLP."""
        architecture, program = self.architecture, self.program
        sparse = index in architecture.moe_layers
        trained = not program.targets
        names = ["input_layernorm", "post_attention_layernorm"]
        if architecture.sandwich_norm:
            names += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
        norms = {name: self.parameter(architecture.hidden_size, trained) for name in names}
        if architecture.qk_norm:
            norms |= {name: self.parameter(architecture.head_dim, trained) for name in ("q_norm", "k_norm")}
        return Layer(
            linears=self.attention() | ({} if sparse else self.mlp("", architecture.intermediate_size)),
            norms=norms,
            heads=max(1, architecture.num_attention_heads // program.tensor_parallel),
            key_value_heads=max(1, architecture.num_key_value_heads // program.tensor_parallel),
            attention=program.attention,
            masked=mask_of(program, architecture.layer_types[index]) is not None,
            capped=architecture.model_type == CAPPED,
            sinks=architecture.attention_sinks,
            unweighted_norms=architecture.model_type == REPEATED and architecture.layer_types[index] != FULL,
            wide_norms=architecture.sandwich_norm,
            experts=self.experts() if sparse else None,
        )

    def attention(self) -> dict[str, Linear]:
        architecture, ways = self.architecture, self.program.tensor_parallel
        hidden, query = architecture.hidden_size, architecture.query_size // ways
        key = max(architecture.head_dim, architecture.key_value_size // ways)
        if architecture.fused_projections:
            inner = {"qkv_proj": self.linear("qkv_proj", hidden, query + 2 * key)}
        else:
            widths = {"q_proj": query, "k_proj": key, "v_proj": key}
            inner = {name: self.linear(name, hidden, width) for name, width in widths.items()}
        return {**inner, "o_proj": self.linear("o_proj", query, hidden)}

    def mlp(self, prefix: str, width: int) -> dict[str, Linear]:
        hidden, size = self.architecture.hidden_size, width // self.program.tensor_parallel
        if self.architecture.fused_projections:
            inner = {"gate_up_proj": self.linear(f"{prefix}gate_up_proj", hidden, 2 * size)}
        else:
            inner = {name: self.linear(prefix + name, hidden, size) for name in ("gate_proj", "up_proj")}
        return {**inner, "down_proj": self.linear(f"{prefix}down_proj", size, hidden)}

    def experts(self) -> Experts:
        """The routed experts of a sparse layer, and the shared one."""
        architecture, program = self.architecture, self.program
        hidden, size = architecture.hidden_size, architecture.moe_intermediate_size // program.tensor_parallel
        count, full = architecture.num_experts, not program.targets
        fused = fused_targets(architecture, program.targets) if program.targets else ()

        def adapter(name: str, columns: int, rows: int, rank: int) -> Adapter | None:
            if name not in fused:
                return None
            down, up = (self.parameter(count * rank * width, True, program.trained) for width in (columns, rows))
            return Adapter(down, up, rank, dropout=False)

        router = None
        if ROUTERS[architecture.model_type] in fused:
            down, up = (self.parameter(program.rank * width, True, program.trained) for width in (hidden, count))
            router = Adapter(down, up, program.rank, dropout=False)
        shared = architecture.shared_expert_intermediate_size
        return Experts(
            router=self.parameter(count * hidden, full),
            up=self.parameter(2 * count * hidden * size, full),
            down=self.parameter(count * hidden * size, full),
            router_adapter=router,
            up_adapter=adapter("experts.gate_up_proj", hidden, 2 * size, 2 * program.rank),
            down_adapter=adapter("experts.down_proj", size, hidden, program.rank),
            number=count,
            routes=architecture.num_experts_per_tok,
            hidden=hidden,
            size=size,
            narrow_router=architecture.model_type != "mixtral",
            clamped=architecture.expert_bias,
            repeated=architecture.model_type == REPEATED,
            shared=self.mlp("shared_expert.", shared) if shared else {},
            listed=self.listed(hidden, size) if program.experts_listed else (),
        )

    def listed(self, hidden: int, size: int) -> list[dict[str, Linear]]:
        """Experts as modules; of more than a few, several together stand for their share of the tokens."""
        architecture, trained = self.architecture, not self.program.targets
        parts = min(architecture.num_experts, MOST_LISTED)
        together = architecture.num_experts // parts if trained else 1
        routes = architecture.num_experts_per_tok

        def module(columns: int, rows: int) -> Linear:
            whole = self.linear("expert", columns, rows)
            weight = self.parameter(columns * rows * together, trained, whole.weight.element)
            share = routes * rows // parts
            return Linear(weight, columns, share, whole.quantized, None, None, whole.nested, whole.keeps_input)

        widths = {"gate_proj": (hidden, size), "up_proj": (hidden, size), "down_proj": (size, hidden)}
        return [{name: module(*width) for name, width in widths.items()} for _ in range(parts)]


def _is_target(targets: str | tuple[str, ...], name: str, leaf: str) -> bool:
    if targets == "all-linear":
        return leaf != "lm_head"
    return leaf in targets or name in targets
