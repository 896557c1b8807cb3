"""The modules that a program runs, over shapes, in its dtypes and with its adapters."""

from __future__ import annotations

from hbspec.catalog import Architecture
from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.heads import Heads
from hbspec.catalog.layers import HYBRID, WITHOUT_ATTENTION
from hbspec.catalog.roles import ADAPTED, TRAINED, roles
from hbspec.catalog.weights import LAYER_NORM, XIELU
from hbspec.estimators.step.lifetimes.activations import Activation
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Sink
from hbspec.estimators.step.lifetimes.decoder import PLACES, DecoderLayer
from hbspec.estimators.step.lifetimes.embedding import Embedding
from hbspec.estimators.step.lifetimes.expert_modules import expert_modules, experts_beside
from hbspec.estimators.step.lifetimes.gathered import GATHERED
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.mixers import mixer_of
from hbspec.estimators.step.lifetimes.mlp import CHUNKS
from hbspec.estimators.step.lifetimes.modules import Adapter, Linear, Norm
from hbspec.estimators.step.lifetimes.program import Program, mask_of
from hbspec.estimators.step.lifetimes.quantised_experts import Packing
from hbspec.estimators.step.lifetimes.recorded import RecordedPart
from hbspec.estimators.step.lifetimes.rotation import Rotation


class Builder:
    """Makes modules of the program's dtypes, with its adapters."""

    def __init__(self, architecture: Architecture, program: Program) -> None:
        self.architecture = architecture
        self.program = program._replace(padded=program.padded or architecture.masked)
        family = architecture.family
        self.listed = program.experts_listed and not (family.experts_repeated or family.expert_norms)
        self.roles = roles(architecture, program.targets, program.modules_to_save, listed=self.listed)

    def trains(self, name: str) -> bool:
        """Whether a weight itself is trained."""
        return self.roles.get(self.architecture.family.name(name)) == TRAINED

    def adapts(self, name: str) -> bool:
        """Whether a weight has an adapter."""
        return self.roles.get(self.architecture.family.name(name)) == ADAPTED

    def parameter(self, numel: int, trained: bool, element: int | None = None) -> ParameterTensor:
        """A weight, in the dtype of the residual stream unless told otherwise."""
        sink = Sink(accumulates=self.program.accumulates) if trained else None
        return ParameterTensor(Form(numel), element or self.program.stream, trained, sink)

    def norm(self, name: str, numel: int, width: int) -> Norm:
        """A norm of so many weights, of so many numbers together."""
        kind = self.architecture.family.norm
        bias = self.parameter(numel, self.trains(f"{name}.bias")) if kind == LAYER_NORM else None
        return Norm(self.parameter(numel, self.trains(name)), width, kind, bias)

    def final(self) -> Norm | RecordedPart:
        """What comes between the layers and the head: a norm."""
        return self.norm("norm", self.architecture.hidden_size, self.architecture.hidden_size)

    def after_head(self) -> RecordedPart | None:
        """What a recorded model does to its logits."""
        return None

    def head_norms(self, heads: Heads) -> dict[str, Norm]:
        """Norms of queries and keys."""
        architecture, head = self.architecture, heads.width
        if architecture.latent_attention is not None:
            widths = architecture.latent_attention.norms().items()
            return {name: self.norm(name, width, width) for name, width in widths if width}
        if not architecture.qk_norm:
            return {}
        sizes = {"q_norm": heads.query_size, "k_norm": heads.key_value_size}
        return {
            name: self.norm(
                name,
                head if architecture.qk_norm == "head" else size,
                size if architecture.qk_norm == "whole" else head,
            )
            for name, size in sizes.items()
        }

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

    def embedding(self) -> Embedding | RecordedPart:
        """The table of the tokens' vectors."""
        return self.table()

    @property
    def table_width(self) -> int:
        """Columns of the table and of the output head."""
        return self.architecture.hidden_size

    def table(self) -> Embedding:
        """The same, without what a recorded model does to them."""
        vocabulary, width = self.architecture.vocab_size, self.table_width
        return Embedding(
            weight=self.parameter(vocabulary * width, self.trains("embed_tokens")),
            vocabulary=vocabulary,
            width=width,
            adapter=self.adapter("embed_tokens", vocabulary, width),
            scaled=next(iter({"embedding", "inputs"} & self.architecture.family.scaled), ""),
            dropped="embedding" in self.architecture.dropouts,
            positions=self.positions(),
            shared=self.program.rows,
            hooked=bool(self.program.targets) and self.program.checkpointing,
        )

    def positions(self) -> ParameterTensor | None:
        """The table of learned positions."""
        architecture, beyond = self.architecture, self.architecture.family.learned
        if beyond is None:
            return None
        rows = architecture.max_position_embeddings + beyond
        return self.parameter(rows * architecture.hidden_size, self.trains("embed_positions"))

    def head(self, embedding: Embedding | RecordedPart) -> Linear:
        """The output head, which peft parts from the table that it is tied to; one that rewards is a vector."""
        if self.program.rewards:
            return Linear(self.parameter(self.table_width, True), self.table_width, 1, "", None, None)
        columns, rows = self.table_width, self.architecture.vocab_size
        tied = self.architecture.tie_word_embeddings and not self.program.targets
        table = embedding.table if isinstance(embedding, RecordedPart) else embedding
        weight = table.weight if tied and table else self.parameter(columns * rows, self.trains("lm_head"))
        bias = self.parameter(rows, True) if self.trains("lm_head.bias") else None
        return Linear(weight, columns, rows, "", self.adapter("lm_head", columns, rows), bias)

    def linear(self, name: str, columns: int, rows: int) -> Linear:
        """A linear module; what is trained whole cannot be quantised."""
        program, trained = self.program, self.trains(name)
        quantized = "" if trained else self.quantized()
        weight = self.parameter(columns * rows, trained, program.compute if quantized else None)
        bias = self.parameter(rows, True) if self.trains(f"{name}.bias") else None
        adapter = self.adapter(name, columns, rows)
        made = Linear(weight, columns, rows, quantized, adapter, bias, program.double_quant, program.inputs_kept)
        return made._replace(turned=self.architecture.family.own_linear)

    def quantized(self) -> str:
        """How linear modules are quantised; "" where they are not."""
        kinds = {None: "", "int8": "int8"}
        kept = self.architecture.family.own_linear and not self.program.subclasses_quantised
        return "" if kept else kinds.get(self.program.quantization, "4bit")

    def packing(self) -> Packing | None:
        """How fused experts are quantised; None where they are not."""
        quantized = self.quantized() if self.program.experts_quantised and not self.listed else ""
        return Packing(quantized, self.program.double_quant and quantized == "4bit") if quantized else None

    def layer(self, index: int) -> DecoderLayer | RecordedPart:
        """A layer's modules; a sparse one has its experts instead of an MLP."""
        architecture, program, family = self.architecture, self.program, self.architecture.family
        sparse, hidden = index in architecture.moe_layers, architecture.hidden_size
        heads = architecture.heads(architecture.layer_types[index])
        mixer = mixer_of(self) if architecture.layer_types[index] in WITHOUT_ATTENTION else None
        around = dict(zip(PLACES, architecture.norm_names, strict=True))
        return DecoderLayer(
            linears=({} if mixer else self.attention(heads))
            | ({} if sparse and not family.expert_norms else self.mlp("", architecture.intermediate_size)),
            norms={place: self.norm(name, hidden, hidden) for place, name in around.items() if name}
            | ({} if mixer else self.head_norms(heads)),
            heads=max(1, heads.number // program.tensor_parallel),
            key_value_heads=max(1, heads.key_values // program.tensor_parallel),
            attention=program.attention,
            masked=mask_of(program, architecture.layer_types[index]) is not None,
            capped=family.capped,
            sinks=architecture.attention_sinks,
            rotation=None if index in architecture.unrotated_layers else self.rotation(),
            norms_behind=family.norms_behind_rotation,
            activation=self.activation(),
            parallel=architecture.parallel,
            mlp_inline=family.mlp_inline,
            attention_held=family.attention_held,
            dropouts=architecture.dropouts,
            fused=family.fused_attention,
            scaled=family.scaled,
            several_rows=program.several_rows,
            experts=expert_modules(self) if sparse and not family.expert_norms else None,
            beside=experts_beside(self) if sparse and family.expert_norms else None,
            litgpt=program.litgpt,
            gated=family.gated_attention,
            clipped=family.clipped,
            normed_values=family.normed_values,
            rotated_in_pairs=family.rotated_in_pairs,
            latent=architecture.latent_attention,
            mixer=mixer,
            beside_attention=mixer_of(self) if architecture.layer_types[index] == HYBRID else None,
        )

    def activation(self) -> Activation:
        """The MLP's activation, with weights that autocast makes fp32."""
        if self.architecture.activation != XIELU:
            return Activation(self.architecture.activation)
        element = FLOAT32 if self.program.autocast else self.program.stream
        names = ("act_fn.alpha_p", "act_fn.alpha_n")
        return Activation(XIELU, tuple(self.parameter(1, self.trains(name), element) for name in names))

    def rotation(self) -> Rotation:
        """How queries and keys are rotated."""
        architecture, family = self.architecture, self.architecture.family
        share = 0 if family.rotated_share is None else architecture.rotary_size
        return Rotation(
            complex_numbers=family.norms_rotated,
            constant=FLOAT32 if family.rotated_wide else self.program.stream,
            cast=family.rotated_cast,
            returned=family.rotated_wide or bool(family.rotated_cast),
            anew=-(-2 * architecture.rotary_size // self.program.rows) if family.rotated_anew else 0,
            share=(share, architecture.head_dim),
            laid_out=family.fused_attention != GATHERED and not family.normed_values,
        )

    def attention(self, heads: Heads) -> dict[str, Linear]:
        """The projections."""
        if self.architecture.latent_attention is not None:
            sizes = self.architecture.latent_attention.projections(self.architecture.hidden_size, heads.number)
            return {name: self.linear(name, *size) for name, size in sizes.items()}
        architecture, ways = self.architecture, self.program.tensor_parallel
        hidden, query = architecture.hidden_size, heads.query_size // ways
        key = max(heads.width, heads.key_value_size // ways)
        if self.program.litgpt:
            inner = {"qkv_proj": self.joint(hidden, query, key)}
        elif architecture.family.fused_attention:
            inner = {"qkv_proj": self.linear("qkv_proj", hidden, query + 2 * key)}
        else:
            widths = {"q_proj": (1 + architecture.family.gated_attention) * query, "k_proj": key}
            widths |= {"v_proj": key} if heads.projected else {}
            inner = {name: self.linear(name, hidden, width) for name, width in widths.items()}
        return {**inner, "o_proj": self.linear("o_proj", query, hidden)}

    def joint(self, hidden: int, query: int, key: int) -> Linear:
        """LitGPT's projection to queries, keys and values, with one adapter of those that are adapted."""
        widths, rank = {"q_proj": query, "k_proj": key, "v_proj": key}, self.program.rank
        module = self.linear("q_proj", hidden, query + 2 * key)
        adapted = [width for name, width in widths.items() if self.adapts(name)]
        if not adapted:
            return module
        made = self.factors(len(adapted) * hidden, sum(adapted), rank, dropout=self.program.dropout)
        fills = sum(adapted) if len(adapted) < len(widths) else None
        return module._replace(adapter=made._replace(rank=len(adapted) * rank, fills=fills))

    def mlp(self, prefix: str, width: int) -> dict[str, Linear]:
        """Gate, up and down."""
        hidden, size = self.architecture.hidden_size, width // self.program.tensor_parallel
        if self.architecture.family.fused_mlp:
            name = CHUNKS if self.architecture.family.mlp_chunked else "gate_up_proj"
            inner = {name: self.linear(f"{prefix}gate_up_proj", hidden, 2 * size)}
        else:
            names = ("gate_proj", "up_proj") if self.architecture.family.gated else ("up_proj",)
            inner = {name: self.linear(prefix + name, hidden, size) for name in names}
        return {**inner, "down_proj": self.linear(f"{prefix}down_proj", size, hidden)}
