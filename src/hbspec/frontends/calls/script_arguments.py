"""The hyperparameters of a call, which its script reads: those with a usual name, and guesses for what is missing."""

from __future__ import annotations

import re

from hbspec.diagnostics import Route
from hbspec.frontends.calls.hardware import OWNED
from hbspec.frontends.calls.jobs import JobCall
from hbspec.frontends.known.script_arguments import CANONICAL, MODEL, WITH_INFLUENCE, WITHOUT_INFLUENCE
from hbspec.frontends.reading.adapters import architecture_of, put_targets
from hbspec.frontends.reading.arguments import put_arguments, put_precision
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.deepspeed import put_deepspeed
from hbspec.frontends.reading.defaults import put_usual
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.influence import SHARED, UNSORTED, influences
from hbspec.frontends.reading.left_open import Guess
from hbspec.frontends.reading.own_program import put_model
from hbspec.frontends.reading.pinned import pinned
from hbspec.frontends.reading.sharding import put_fsdp
from hbspec.source.nodes import Entries, MapNode, Node, ScalarNode

ARGUMENTS, TRAINING, SOFTWARE = "hyperparameters", "hyperparameters", "software"
SAME_ADAPTERS = ("lora_r", "lora_alpha", "lora_dropout", "use_rslora", "use_dora")
DTYPES = ("float32", "bfloat16", "float16")
FULL = ("full", "full_finetuning", "fft", "none")
LARGER = "nothing says it: the larger is taken"
SAME_STATES = {"adamw_apex_fused": "adamw_torch_fused"}
"""Optimizers of transformers by those that keep the same states."""
USUAL = "nothing says it: a usual value is taken"
METHOD: Route = (TRAINING, "method")
OF_TRAINER = (
    "per_device_batch_size", "gradient_accumulation_steps", "num_train_epochs", "optim", "attn_implementation"
)  # fmt: skip
"""Keys of which TRL, whose defaults are known, leaves transformers' own default."""
LEARNING_RATE = (5e-5, "https://github.com/huggingface/transformers v5.23.0: src/transformers/training_args.py")


def canonical(name: str) -> str:
    """The name that transformers, TRL or peft has for an argument of a script.

    >>> canonical("lr"), canonical("per-device-train-batch-size"), canonical("dataset_path")
    ('learning_rate', 'per_device_train_batch_size', 'dataset_path')
    """
    plain = name.strip().lstrip("-").replace("-", "_")
    plain = plain.lower() if plain.isupper() else plain
    return CANONICAL.get(plain, "model_id" if plain in MODEL else plain)


def put_script_arguments(job: JobCall, building: Building) -> None:
    """Everything that the hyperparameters say and a spec can say."""
    given = Foreign(_renamed(job), (ARGUMENTS,))
    model = given.get("model_id")
    building.fix(("model",), {})
    put_model(building, model)
    put_arguments(given, building, None)
    put_deepspeed(building, given.get("deepspeed"))
    put_fsdp(given, building, version=1 if _is_before(building, "transformers", (5, 10)) else 2)
    _put_shape(given, building)
    compute = put_precision(given, building, usual="float32")
    method = _method(given, building)
    if method == "full":
        for key in (*SAME_ADAPTERS, "lora_target_modules"):
            given.get(key)
    else:
        _put_adapters(given, building, model)
    guess(job, building, (TRAINING, "bf16"), compute == "bfloat16", "precision", compute)
    _put_dtype(job, given, building)
    _guess_rest(job, building)
    _leftover(given, building)


def guess(
    job: JobCall,
    building: Building,
    route: Route,
    value: object,
    what: str,
    taken: str | None = None,
    source: str = LARGER,
) -> None:
    """A value that stands in for one that nothing says."""
    if not building.has(route) and not (route[-1] == "bf16" and building.has((TRAINING, "fp16"))):
        building.default(route, value, source)
        job.guesses.append(Guess(route, what, str(value) if taken is None else taken))


def _renamed(job: JobCall) -> MapNode:
    """The hyperparameters under the names that transformers has; the first of two with one meaning counts."""
    written = job.inside(ARGUMENTS)
    entries: Entries = {}
    for given in written.rest():
        node: Node = given.node
        if isinstance(given.value, str):
            text = given.value.strip().strip("\"'")  # as `'"full_shard auto_wrap"'` is quoted for a shell
            text = SAME_STATES.get(text, text)
            node = ScalarNode(text, text, node.span)
        entries.setdefault(canonical(given.key), (given.key_span, node))
    return MapNode(entries, written.span)


def _put_shape(given: Foreign, building: Building) -> None:
    """Lengths and kernels."""
    building.put((TRAINING, "max_length"), given.get("max_length"))
    recomputes = given.get("gradient_checkpointing")
    building.put((TRAINING, "gradient_checkpointing"), recomputes, recomputes and recomputes.flag)
    packing = given.get("packing")
    if packing:
        building.put((TRAINING, "packing"), packing, packing.flag)
    flash, kernel = given.get("use_flash_attention"), given.get("attn_implementation")
    building.put((TRAINING, "attn_implementation"), kernel)
    if flash and flash.flag and not kernel:
        building.put((TRAINING, "attn_implementation"), flash, "flash_attention_2")
    merges = given.get("merge_weights")
    if merges and merges.flag:
        building.put((TRAINING, "merge_weights"), merges, True)


def _method(given: Foreign, building: Building) -> str:
    """What is trained, as far as arguments say it; an empty text where none does."""
    four, eight, peft = (given.get(key) for key in ("load_in_4bit", "load_in_8bit", "use_peft"))
    kind, rank = given.get("finetuning_type"), given.peek("lora_r")
    bits = given.get("quantization_bit", "bits")
    quantised = next(
        (one for one in (four, eight) if one and one.flag), bits if bits and bits.number in (4, 8) else None
    )
    named = kind.text.casefold() if kind else ""
    adapts = next((one for one in (peft, rank) if one and one.flag), kind if "lora" in named else None)
    if quantised:
        building.put(METHOD, quantised, "qlora")
        is_eight = quantised is eight or (quantised is bits and quantised.number == 8)
        building.put((TRAINING, "bnb_quant_type"), quantised, "int8" if is_eight else "nf4")
        building.put((TRAINING, "bnb_double_quant"), given.get("use_bnb_nested_quant", "use_nested_quant"))
    elif adapts:
        building.put(METHOD, adapts, "qlora" if "qlora" in named else "lora")
    elif named in FULL or (peft and not peft.flag):
        building.put(METHOD, kind if named in FULL else peft, "full")
    return str(building.value(METHOD) or "")


def _put_adapters(given: Foreign, building: Building, model: ForeignKey | None) -> None:
    for key in SAME_ADAPTERS:
        building.put((TRAINING, key), given.get(key))
    targets = given.get("lora_target_modules")
    if targets:
        put_targets(building, targets, architecture_of(model))


def _put_dtype(job: JobCall, given: Foreign, building: Building) -> None:
    dtype = given.get("dtype")
    loaded = dtype.text.removeprefix("torch.") if dtype else ""
    if loaded in DTYPES:
        building.put((SOFTWARE, "weights_dtype"), dtype, loaded)
    guess(job, building, (SOFTWARE, "weights_dtype"), "float32", "dtype of the weights")


def _guess_rest(job: JobCall, building: Building) -> None:
    """What decides memory and is in the script alone; where a name says it, that is taken, and said to be a guess."""
    name = str(building.value(("script", "entry_point")) or "").casefold()
    adapts = "lora" in name or building.has((TRAINING, "merge_weights"))
    by_name = "qlora" if "qlora" in name else "lora" if adapts else "full"
    guess(job, building, METHOD, by_name, "method")
    if building.value(METHOD) != "full":
        guess(job, building, (TRAINING, "lora_r"), 64, "lora_r")
        guess(job, building, (TRAINING, "target_modules"), "all-linear", "target_modules")
        building.default((TRAINING, "lora_alpha"), 16, "philschmid's scripts for SageMaker")
    if building.value(METHOD) == "qlora":
        building.default((TRAINING, "bnb_quant_type"), "nf4", "4 bits are the usual storage of QLoRA")
        building.default((TRAINING, "bnb_double_quant"), False, LARGER)
    if building.value(("instance", "spot")) and _keeps_checkpoints(job, building):
        guess(job, building, (TRAINING, "save_steps"), 500, "save_steps", source=USUAL)
        building.default((TRAINING, "save_total_limit"), 1, "one checkpoint is the least")
    guess(job, building, (TRAINING, "max_length"), 2048, "max_length", source=USUAL)
    guess(job, building, (TRAINING, "gradient_checkpointing"), False, "gradient_checkpointing", "off")
    guess(job, building, (TRAINING, "per_device_batch_size"), 8, "micro-batch", source=USUAL)
    if _is_before(building, "transformers", (4, 36)) or _is_before(building, "torch", (2, 1, 1)):
        building.default((TRAINING, "attn_implementation"), "eager", "transformers' default before 4.36")
    for key in OF_TRAINER:
        put_usual(building, "trl", f"{TRAINING}.{key}")
    building.default((TRAINING, "learning_rate"), *LEARNING_RATE)


def _keeps_checkpoints(job: JobCall, building: Building) -> bool:
    """Whether the job has a place in S3 for checkpoints, so that its script is supposed to write them."""
    is_computed = any(".".join(map(str, route)) in OWNED["checkpoints"] for route in job.computed)
    return is_computed or building.has(("sagemaker", "checkpoints"))


def _is_before(building: Building, library: str, version: tuple[int, ...]) -> bool:
    """Whether the job's version of a library is an earlier one; a version that is not said is not."""
    given = re.findall(r"[0-9]{1,6}", str(building.value((SOFTWARE, library)) or ""))
    return bool(given) and tuple(map(int, given)) < version


def _leftover(given: Foreign, building: Building) -> None:
    """Arguments that are not read: transformers' are sorted by influence, the script's own by their names."""
    theirs = frozenset(pinned("trl")["fields"])
    own: list[ForeignKey] = []
    for key in given.rest():
        if len(key.route) != 2:
            continue
        if key.key in theirs:
            building.sort(key, influences(SHARED, "trl").get(key.key, UNSORTED))
        else:
            if isinstance(key.value, str | int | float | bool):
                building.put(("script", "hyperparameters", key.key), key, key.natural.value)  # type: ignore[union-attr]
            own.append(key)
    for key in own:
        if WITH_INFLUENCE.search(key.key) or not WITHOUT_INFLUENCE.search(key.key):
            building.unread(key, "either", "is an argument of the script alone")
