"""The shape of a decoder-only language model, read from a Hugging Face `config.json`.

A field that a config omits has the default of transformers' config class (5.23.0, `configuration_*.py`, see
`families.py`). The five sizes in `ALWAYS_WRITTEN` have defaults there too, but `save_pretrained` always writes them at
the top level, so a config.json without one is damaged and is refused. Inside a `text_config`, transformers omits values
that equal the default (as in Gemma 3's published configs), so the defaults apply there.

A wrapper (`gemma3`, `qwen3_vl`, …) is its language model, and a tower beside it where transformers loads both. What
takes images or sound through the tower is not counted: only text is trained on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hbspec.catalog.config_fields import MOST_LAYERS, ArchitectureError, Fields, flat, shown
from hbspec.catalog.families import ALIASES, ALONE, FAMILIES, SUPPORTED, WRAPPERS, Family
from hbspec.catalog.families.wrappers import TEXT
from hbspec.catalog.heads import GlobalHeads, Heads, heads_of
from hbspec.catalog.latent_attention import LatentAttention
from hbspec.catalog.layers import FULL, WITHOUT_ATTENTION, attention_of, experts_of, shared_width, unrotated_layers
from hbspec.catalog.linear_attention import LinearAttention
from hbspec.catalog.mixing import mixing_of
from hbspec.catalog.rotary_tables import positions_of
from hbspec.catalog.short_convolution import ShortConvolution, adjusted_width
from hbspec.catalog.state_space import StateSpace
from hbspec.catalog.towers import tower
from hbspec.catalog.vision import Vision, vision
from hbspec.catalog.weight import Weight
from hbspec.catalog.wrapped import language_model, tied

if TYPE_CHECKING:
    from hbspec.catalog.recorded import Recording

ALWAYS_WRITTEN = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")


class Architecture(NamedTuple):
    """All properties that parameter counts, memory and FLOPs depend on. Names are those of config.json.

    Attributes:
        model_type: the language model's type: `qwen2`, `gemma3_text`, `llama4_text`, …
        variant: which of the type's variants it is, see `Family`; "" for the usual one.
        intermediate_size: width of a dense MLP (Llama 4 calls it `intermediate_size_mlp`).
        head_dim: width of one head: explicit, or hidden_size / num_attention_heads.
        vocab_size: rows of the embedding.
        tabulated_positions: positions that an engine's tables of rotary angles hold together.
        tie_word_embeddings: whether the output head is the embedding.
        activation: what the MLP's activation is called.
        rotary_size: numbers of a head that are rotated.
        unrotated_layers: indices of the layers whose queries and keys are not rotated.
        attention_bias: biases on the query, key and value projections.
        output_bias: a bias on the attention's output projection.
        mlp_bias: biases in a dense MLP.
        qk_norm: norms of queries and keys, see `Family`; "" without them.
        parallel: how attention and the MLP read the same residual stream, see `Family`; "" where they do not.
        dropouts: where numbers are dropped: "residual", "embedding", "attention".
        attention_sinks: one learned logit per head (gpt-oss).
        num_experts: routed experts per sparse layer; 0 for a dense model.
        num_experts_per_tok: routed experts that each token visits.
        moe_intermediate_size: width of one routed expert; 0 for a dense model.
        shared_expert_intermediate_size: width of the expert that every token visits; 0 without one.
        expert_bias: biases in the experts and in the router (gpt-oss).
        moe_layers: indices of the layers whose MLP is sparse.
        layer_types: `full_attention`, `sliding_attention`, `chunked_attention`, `linear_attention` or `conv` for each
            layer.
        sliding_window: tokens that a sliding or chunked layer attends to; None without such layers.
        linear_attention: sizes of the layers with linear attention; None without such layers.
        global_heads: the heads of the layers that attend to everything, where theirs differ; None where they do not.
        latent_attention: sizes of attention whose keys and values are projected from a latent; None without it.
        torch_dtype: dtype of the published weights; None where not known.
        quant_method: how the published weights are quantised, such as "gptq"; None where they are not, or not known.
        wrapper: the type of the config that holds the language model beside a tower; "" where it is alone.
        tower: every tensor that is loaded with the language model and is not of it.
        vision: what the tower computes with; None without one, and where its layers are not counted.
        logits_capped: whether logits are capped, and scores are not.
        state_space: sizes of the layers with a state space, which are said to have linear attention; None without such.
        short_convolution: sizes of the layers with a short convolution; None without such layers.
        recorded: the file of a model that was recorded, whose layers it tells; None for one of a family.
    """

    model_type: str
    variant: str
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int
    max_position_embeddings: int
    tabulated_positions: int
    tie_word_embeddings: bool
    activation: str
    rotary_size: int
    unrotated_layers: tuple[int, ...]
    attention_bias: bool
    output_bias: bool
    mlp_bias: bool
    qk_norm: str
    parallel: str
    dropouts: frozenset[str]
    attention_sinks: bool
    num_experts: int
    num_experts_per_tok: int
    moe_intermediate_size: int
    shared_expert_intermediate_size: int
    expert_bias: bool
    moe_layers: tuple[int, ...]
    layer_types: tuple[str, ...]
    sliding_window: int | None
    linear_attention: LinearAttention | None
    global_heads: GlobalHeads | None
    latent_attention: LatentAttention | None
    torch_dtype: str | None
    quant_method: str | None
    wrapper: str
    tower: tuple[Weight, ...]
    logits_capped: bool = False
    state_space: StateSpace | None = None
    short_convolution: ShortConvolution | None = None
    recorded: Recording | None = None
    vision: Vision | None = None

    @property
    def family(self) -> Family:
        """What tells this `model_type` from others."""
        if self.recorded is not None:
            return self.recorded.family
        usual = FAMILIES[self.model_type]
        return usual.variants[self.variant][1] if self.variant else usual

    @property
    def masked(self) -> bool:
        """Whether the model makes a mask even where no row is padded."""
        return self.family.masked or (bool(self.wrapper) and WRAPPERS[self.wrapper].masked)

    @property
    def norm_names(self) -> tuple[str, str, str, str]:
        """A layer's norms, see `Family.norms`; where attention and MLP may be parallel, they may share the first."""
        first, behind, second, last = self.family.norms
        return first, behind, "" if self.parallel and self.family.norm_shared else second, last

    @property
    def is_sparse(self) -> bool:
        """Whether any layer has routed experts."""
        return bool(self.moe_layers)

    @property
    def serves(self) -> bool:
        """Whether it attends in a way whose speed is estimated in an engine."""
        return self.stateless and self.global_heads is None and self.latent_attention is None

    @property
    def stateless(self) -> bool:
        """Whether no layer carries a state from token to token."""
        return self.linear_attention is None and self.state_space is None and self.short_convolution is None

    @property
    def attention_layers(self) -> int:
        """The number of layers that attend to tokens."""
        return sum(kind not in WITHOUT_ATTENTION for kind in self.layer_types)

    def heads(self, layer_type: str) -> Heads:
        """The heads of the layers of a type that attend to tokens."""
        if self.global_heads is not None and layer_type == FULL:
            return Heads(self.num_attention_heads, *self.global_heads)
        return Heads(self.num_attention_heads, self.num_key_value_heads, self.head_dim)

    @property
    def attention(self) -> tuple[tuple[Heads, int], ...]:
        """Heads, and how many layers have them, of the layers that attend to tokens."""
        if self.global_heads is None:
            return ((self.heads(""), self.attention_layers),)
        kinds = Counter(self.layer_types)
        return tuple((self.heads(kind), number) for kind, number in kinds.items())

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Architecture:
        """The architecture that a `config.json` describes.

        Raises:
            ArchitectureError: the model type is not supported, a field is missing or not a number of its kind, or
                sizes do not divide.
        """
        model_type = config.get("model_type")
        model_type = ALIASES.get(model_type, model_type) if isinstance(model_type, str) else model_type
        if not isinstance(model_type, str) or model_type not in SUPPORTED:
            said = "is missing" if model_type is None else f"{shown(model_type)} is not supported"
            raise ArchitectureError("model_type", f"{said}; supported: {', '.join(SUPPORTED)}", model_type is not None)
        if model_type in ALONE:
            return _architecture(Fields(flat(config, FAMILIES[model_type]), FAMILIES[model_type], ""), None, model_type)
        wrapper = WRAPPERS[model_type]
        fields, text_type = language_model(config, model_type, wrapper)
        found = _architecture(fields, config, text_type)
        beside = () if wrapper.built == TEXT else tower(config, model_type, wrapper, found)
        seen = vision(config, model_type, wrapper, found.hidden_size) if beside else None
        return found._replace(wrapper=model_type, tower=beside, vision=seen)


def _architecture(fields: Fields, wrapper: Mapping[str, Any] | None, model_type: str) -> Architecture:
    variant = _variant(fields)
    if variant:
        fields = fields._replace(family=fields.family.variants[variant][1])
    _refuse(fields, model_type, whole=not fields.prefix)
    family, config = fields.family, fields.config
    hidden = fields.whole("hidden_size")
    layers = fields.whole("num_hidden_layers", MOST_LAYERS)
    experts, per_token, moe_layers = experts_of(fields, layers)
    expert_size = fields.whole(family.expert_size) if moe_layers else 0
    window, layer_types = attention_of(fields, layers)
    dtypes = (place.get(name) for place in (config, wrapper or {}) for name in ("dtype", "torch_dtype"))
    return Architecture(
        model_type=model_type,
        variant=variant,
        hidden_size=hidden,
        **heads_of(fields, hidden),
        intermediate_size=_inner_width(fields, hidden),
        num_hidden_layers=layers,
        vocab_size=fields.whole("vocab_size"),
        **positions_of(fields, layer_types),
        tie_word_embeddings=tied(fields, wrapper or {}),
        activation=fields.text(family.activation),
        unrotated_layers=unrotated_layers(fields, layers, layer_types if window else ()),
        **_switched(fields),
        attention_sinks=family.attention_sinks,
        num_experts=experts,
        num_experts_per_tok=per_token,
        moe_intermediate_size=expert_size,
        shared_expert_intermediate_size=shared_width(fields) if experts else 0,
        expert_bias=family.expert_bias,
        moe_layers=moe_layers,
        layer_types=layer_types,
        sliding_window=window,
        **mixing_of(fields, layer_types),
        torch_dtype=next((value for value in dtypes if isinstance(value, str)), None),
        quant_method=_quant_method(wrapper or config),
        wrapper="",
        tower=(),
        logits_capped=bool(family.logits_capped and fields.get(family.logits_capped)),
    )


def _refuse(fields: Fields, model_type: str, *, whole: bool) -> None:
    """Nothing, unless a config is damaged or says layers that are not counted."""
    family = fields.family
    for field in ALWAYS_WRITTEN if whole else ():
        omitted = field == "intermediate_size" and (family.expansion or field not in family.defaults)
        if not omitted and fields.config.get(fields.spelled(field)) is None:
            raise fields.fail(field, f"is missing; a {model_type} config.json always has it")
    for field in family.required:
        if not fields.get(field):
            said = f"{shown(fields.get(field))} is not counted; {model_type} is counted with it"
            raise fields.not_counted(field, said)
    for field, other in family.equal.items():
        if fields.get(field) not in (None, fields.get(other)):
            said = f"{shown(fields.get(field))} is counted only where it is {fields.spelled(other)}"
            raise fields.not_counted(field, said)
    for field in family.refused:
        if fields.get(field):
            raise fields.not_counted(field, f"{shown(fields.get(field))} is not counted; {model_type} is without it")


def _variant(fields: Fields) -> str:
    """Which of a type's variants a config describes; "" for the usual one."""
    for name, (when, _) in fields.family.variants.items():
        if all(fields.get(field) in values for field, values in when.items()):
            return name
    return ""


def _inner_width(fields: Fields, hidden: int) -> int:
    """Width of a dense MLP."""
    family = fields.family
    said = fields.optional_whole(family.dense_size)
    if family.width_adjusted and said is not None:
        return adjusted_width(fields, said)
    return family.expansion * hidden if said is None and family.expansion else fields.whole(family.dense_size)


def _switched(fields: Fields) -> dict[str, Any]:
    """Biases, norms of queries and keys, the order of attention and MLP, and dropout."""
    family = fields.family
    attention, output, mlp = family.biases
    return {
        "attention_bias": fields.says(attention),
        "output_bias": fields.says(output),
        "mlp_bias": fields.says(mlp),
        "qk_norm": family.qk_norm if not family.qk_norm_field or fields.flag(family.qk_norm_field) else "",
        "parallel": family.parallel if not family.parallel_field or fields.flag(family.parallel_field) else "",
        "dropouts": frozenset(place for place, field in family.dropouts.items() if fields.share(field)),
    }


def _quant_method(config: Mapping[str, Any]) -> str | None:
    stored = config.get("quantization_config")
    method = stored.get("quant_method") if isinstance(stored, Mapping) else None
    return method if isinstance(method, str) else None
