"""The model that a program runs, as modules over shapes, in its dtypes and with its adapters."""

from __future__ import annotations

from collections.abc import Sequence

from hbspec.catalog import Architecture
from hbspec.catalog.architecture import FULL
from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.roles import ADAPTED, TRAINED, roles
from hbspec.estimators.step.lifetimes.autograd import Parameter, Sink
from hbspec.estimators.step.lifetimes.decoder import Layer
from hbspec.estimators.step.lifetimes.embedding import Embedding
from hbspec.estimators.step.lifetimes.experts import Experts
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.loss import Loss
from hbspec.estimators.step.lifetimes.model import Model
from hbspec.estimators.step.lifetimes.modules import Adapter, Linear
from hbspec.estimators.step.lifetimes.program import Program, mask_of

MOST_LISTED = 8
"""Experts that are run one after another."""


def model_of(architecture: Architecture, program: Program, layers: Sequence[int]) -> Model:
    """The model with some of its layers."""
    build = Builder(architecture, program)
    embedding = build.embedding()
    return Model(
        layers=[build.layer(index) for index in layers],
        embedding=embedding,
        final=build.norm("norm", architecture.hidden_size),
        head=build.head(embedding),
        loss=Loss(
            standard=program.standard_loss,
            copies=program.loss_copies,
            outputs_held=program.outputs_held,
            capped=architecture.family.capped,
        ),
        stream=program.stream,
        checkpointing=program.checkpointing,
        compute=program.compute if program.autocast else None,
        accumulates=program.accumulates,
        float16=program.float16,
        on_gpu=program.on_gpu,
    )


class Builder:
    """Makes modules of the program's dtypes, with its adapters."""

    def __init__(self, architecture: Architecture, program: Program) -> None:
        self.architecture, self.program = architecture, program
        self.listed = program.experts_listed and not architecture.family.experts_repeated
        self.roles = roles(architecture, program.targets, program.modules_to_save, listed=self.listed)

    def trains(self, name: str) -> bool:
        """Whether a weight itself is trained."""
        return self.roles.get(name) == TRAINED

    def adapts(self, name: str) -> bool:
        """Whether a weight has an adapter."""
        return self.roles.get(name) == ADAPTED

    def parameter(self, numel: int, trained: bool, element: int | None = None) -> Parameter:
        """A weight, in the dtype of the residual stream unless told otherwise."""
        sink = Sink(accumulates=self.program.accumulates) if trained else None
        return Parameter(Form(numel), element or self.program.stream, trained, sink)

    def norm(self, name: str, width: int) -> Parameter:
        """The weight of a norm."""
        return self.parameter(width, self.trains(name))

    def factors(self, columns: int, rows: int, rank: int, *, copies: int = 1, dropout: bool = False) -> Adapter:
        """A low-rank adapter, or as many as there are copies of what it is added to."""
        down, up = (self.parameter(copies * rank * width, True, self.program.trained) for width in (columns, rows))
        return Adapter(down, up, rank, dropout)

    def adapter(self, name: str, columns: int, rows: int) -> Adapter | None:
        """The adapter of a module of its own; with DoRA it has a magnitude, of which TRL narrows the factors only."""
        program = self.program
        if not self.adapts(name):
            return None
        made = self.factors(columns, rows, program.rank, dropout=program.dropout)
        return made._replace(magnitude=self.parameter(rows, True, FLOAT32)) if program.dora else made

    def embedding(self) -> Embedding:
        """The table of the tokens' vectors."""
        vocabulary, width = self.architecture.vocab_size, self.architecture.hidden_size
        return Embedding(
            weight=self.parameter(vocabulary * width, self.trains("embed_tokens")),
            vocabulary=vocabulary,
            width=width,
            adapter=self.adapter("embed_tokens", vocabulary, width),
            hooked=bool(self.program.targets) and self.program.checkpointing,
        )

    def head(self, embedding: Embedding) -> Linear:
        """The output head, which peft parts from the table that it is tied to."""
        columns, rows = self.architecture.hidden_size, self.architecture.vocab_size
        tied = self.architecture.tie_word_embeddings and not self.program.targets
        weight = embedding.weight if tied else self.parameter(columns * rows, self.trains("lm_head"))
        return Linear(weight, columns, rows, "", self.adapter("lm_head", columns, rows))

    def linear(self, name: str, columns: int, rows: int) -> Linear:
        """A linear module; what is trained whole cannot be quantised."""
        program, trained = self.program, self.trains(name)
        quantized = "" if trained else self._quantized()
        weight = self.parameter(columns * rows, trained, program.compute if quantized else None)
        bias = self.parameter(rows, True) if self.trains(f"{name}.bias") else None
        adapter = self.adapter(name, columns, rows)
        return Linear(weight, columns, rows, quantized, adapter, bias, program.double_quant, program.inputs_kept)

    def _quantized(self) -> str:
        kinds = {None: "", "int8": "int8"}
        return kinds.get(self.program.quantization, "4bit")

    def layer(self, index: int) -> Layer:
        """A layer's modules; a sparse one has its experts instead of an MLP."""
        architecture, program = self.architecture, self.program
        sparse = index in architecture.moe_layers
        names = ["input_layernorm", "post_attention_layernorm"]
        if architecture.sandwich_norm:
            names += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
        norms = {name: self.norm(name, architecture.hidden_size) for name in names}
        if architecture.qk_norm:
            norms |= {name: self.norm(name, architecture.head_dim) for name in ("q_norm", "k_norm")}
        return Layer(
            linears=self.attention() | ({} if sparse else self.mlp("", architecture.intermediate_size)),
            norms=norms,
            heads=max(1, architecture.num_attention_heads // program.tensor_parallel),
            key_value_heads=max(1, architecture.num_key_value_heads // program.tensor_parallel),
            attention=program.attention,
            masked=mask_of(program, architecture.layer_types[index]) is not None,
            capped=architecture.family.capped,
            sinks=architecture.attention_sinks,
            unweighted_norms=architecture.family.norms_rotated and architecture.layer_types[index] != FULL,
            wide_norms=architecture.sandwich_norm,
            experts=self.experts() if sparse else None,
        )

    def attention(self) -> dict[str, Linear]:
        """The projections."""
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
        """Gate, up and down."""
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
        count, router = architecture.num_experts, architecture.family.router
        up, down = "experts.gate_up_proj", "experts.down_proj"
        shared, repeated = architecture.shared_expert_intermediate_size, architecture.family.experts_repeated

        def adapter(name: str, columns: int, rows: int, rank: int, copies: int) -> Adapter | None:
            return self.factors(columns, rows, rank, copies=copies) if self.adapts(name) else None

        return Experts(
            router=self.parameter(count * hidden, self.trains(router)),
            up=self.parameter(2 * count * hidden * size, self.trains(up)),
            down=self.parameter(count * hidden * size, self.trains(down)),
            # Llama 4 does not run with one
            router_adapter=None if repeated else adapter(router, hidden, count, program.rank, 1),
            up_adapter=adapter(up, hidden, 2 * size, 2 * program.rank, count),
            down_adapter=adapter(down, size, hidden, program.rank, count),
            number=count,
            routes=architecture.num_experts_per_tok,
            computed=count if repeated and program.targets is not None else architecture.num_experts_per_tok,
            hidden=hidden,
            size=size,
            narrow_router=architecture.family.router_in_compute_dtype,
            clamped=architecture.expert_bias,
            repeated=repeated,
            shared=self.mlp("shared_expert.", shared) if shared else {},
            listed=self.expert_modules(hidden, size) if self.listed else (),
        )

    def expert_modules(self, hidden: int, size: int) -> list[dict[str, Linear]]:
        """Experts as modules; of more than a few, several together stand for their share of the tokens."""
        architecture, program = self.architecture, self.program
        parts = min(architecture.num_experts, MOST_LISTED)
        together, quantized = -(-architecture.num_experts // parts), self._quantized()

        def module(parameter: str, columns: int, rows: int) -> Linear:
            trained, adapted = self.trains(parameter), self.adapts(parameter)
            copies = architecture.num_experts // parts if trained else 1
            weight = self.parameter(columns * rows * copies, trained, program.compute if quantized else None)
            adapter = self.factors(columns, rows, program.rank, copies=together, dropout=program.dropout)
            return Linear(
                weight,
                columns,
                rows,
                quantized,
                adapter if adapted else None,
                nested=program.double_quant,
                keeps_input=program.inputs_kept,
                share=(architecture.num_experts_per_tok, parts),
            )

        up, down = "experts.gate_up_proj", "experts.down_proj"
        return [
            {
                "gate_proj": module(up, hidden, size),
                "up_proj": module(up, hidden, size),
                "down_proj": module(down, size, hidden),
            }
            for _ in range(parts)
        ]
