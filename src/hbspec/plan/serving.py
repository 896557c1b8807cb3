"""The endpoint as it will run: every choice made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

from hbspec.catalog import Architecture, Catalog
from hbspec.catalog.engines.images import own_image
from hbspec.diagnostics import NotKnownError, Route, known
from hbspec.plan.assumptions import Assumption, Choices
from hbspec.plan.defaults import Working, engine_rank, request_length
from hbspec.plan.engine_share import chosen_share, usual_share
from hbspec.plan.hardware import Hardware, hardware
from hbspec.plan.money import UnitPrice, unit_price
from hbspec.plan.shipped_script import DEFAULTS
from hbspec.spec import Spec
from hbspec.spec.deployment import AbTest, Deployment
from hbspec.spec.instance_types import hosting_types

T = TypeVar("T")

MAINTAINED = Working("vllm", "the maintained SageMaker serving container")
DEFAULT_MAX_LORA_RANK = 16
"""vLLM's `--max-lora-rank` (docs.vllm.ai, Engine Arguments)."""


FIELDS = {"gpu_memory_utilization": "utilization"}
"""The plan's fields that have another name than the key."""


class Baseline(NamedTuple):
    """The model that an A/B test is against.

    Attributes:
        model: its name.
        instances: that serve it, None where the spec does not describe them.
        price: of one of them, None where not known.
    """

    model: str
    instances: int | None = None
    price: UnitPrice | None = None


class ServingPlan(NamedTuple):
    """The endpoint as it will run; an unknown part is None.

    Attributes:
        architecture: of the served weights, where the catalog knows them; otherwise of the trained model.
        weights: the id or S3 prefix of the base model's weights: `deployment.model`, or else those that are trained,
            `model.source` or `model.id`.
        stored: how they are quantised, by `CatalogModel.stored`, or as the author says of a copy that the catalog
            does not know; None where they are not.
        answers_to: the `model` of requests in an A/B test; None otherwise.
        baseline: the model that an A/B test is against; None otherwise.
        scaling: the smallest and the largest number of instances; both the instance count without autoscaling.
    """

    architecture: Architecture | None
    hardware: Hardware | None
    region: str | None
    price: UnitPrice | None
    engine: str
    quantization: str
    dtype: str
    kv_cache_dtype: str
    adapters: str
    lora_r: int
    lora_parameters: int | None
    max_lora_rank: int
    tensor_parallel: int
    max_model_len: int | None
    concurrency: int
    utilization: float
    input_tokens: float
    output_tokens: float | None
    scaling: tuple[int, int]
    assumptions: tuple[Assumption, ...]
    weights: str | None = None
    stored: str | None = None
    answers_to: str | None = None
    baseline: Baseline | None = None

    @property
    def usual_utilization(self) -> float:
        """The share of a GPU that the engine takes where it is told none."""
        return usual_share(self.engine, self.hardware.gpu if self.hardware else None, self.tensor_parallel)

    def assumes(self, name: str) -> bool:
        """Whether `deployment.<name>` is an assumption."""
        return any(entry.route == ("deployment", name) for entry in self.assumptions)

    def assuming(self, name: str, value: Any, source: str | None = None) -> ServingPlan:
        """The endpoint with another assumed value, and another reason if `source` is given."""
        assumptions = tuple(
            entry._replace(value=value, source=source or entry.source) if entry.route == ("deployment", name) else entry
            for entry in self.assumptions
        )
        return self._replace(**{FIELDS.get(name, name): value}, assumptions=assumptions)


def build_serving_plan(
    spec: Spec,
    catalog: Catalog,
    architecture: Architecture | None,
    trainable: int | None,
    mean_tokens: float,
    longest_tokens: float | None = None,
) -> ServingPlan | None:
    """The plan of `deployment`; None where the spec has no such section.

    Args:
        spec: the typed spec.
        catalog: hardware and prices.
        architecture: the architecture of the model, None where not known.
        trainable: number of adapter parameters, None where not known.
        mean_tokens: expected tokens per training example, used as the prompt's length where the spec sets none.
        longest_tokens: tokens of the longest training example, None where not known.
    """
    section = spec.deployment
    if section is None:
        return None
    choices = Choices()
    choices.note_language_defaults(section, ("deployment",), "quantization")
    assume = partial(_assume, choices)
    machine, rank_trained = _hardware(section, catalog), _trained_rank(spec)
    region = section.region or spec.instance.region
    adapters, weights, architecture, stored = _base(spec, catalog, architecture, choices)
    dtype = assume("dtype", section.dtype, _usual_dtype(machine), "the GPU's 16-bit dtype")
    prompt = None if section.typical_input_tokens is None else float(section.typical_input_tokens)
    input_tokens = assume("typical_input_tokens", prompt, float(round(mean_tokens)), "the mean training example")
    rank = _max_lora_rank(section, rank_trained, choices)
    length = _max_model_len(section, architecture, longest_tokens, input_tokens, choices)
    return ServingPlan(
        architecture=architecture,
        weights=weights,
        stored=stored,
        answers_to=section.ab_test.served_model_name if section.ab_test else None,
        baseline=_baseline(section.ab_test, catalog, region) if section.ab_test else None,
        hardware=machine,
        region=region,
        price=unit_price(catalog, section.instance.price, section.instance.type, region, "hosting"),
        engine=(engine := _engine(spec, section, choices)),
        quantization=section.quantization,
        dtype=dtype,
        kv_cache_dtype=section.kv_cache_dtype or "auto",
        adapters=adapters,
        lora_r=rank_trained,
        lora_parameters=trainable if rank_trained else None,
        max_lora_rank=rank,
        tensor_parallel=section.tensor_parallel or 1,
        max_model_len=length,
        concurrency=assume("concurrency", section.concurrency, 1, "one request at a time"),
        utilization=chosen_share(section, engine, machine.gpu if machine else None, choices),
        input_tokens=input_tokens,
        output_tokens=section.typical_output_tokens,
        scaling=_scaling(section),
        assumptions=tuple(choices.assumptions),
    )


def _baseline(test: AbTest, catalog: Catalog, region: str | None) -> Baseline:
    """The baseline, with what the spec says of its instances."""
    described = test.instance
    if described is None:
        return Baseline(test.baseline)
    price = unit_price(catalog, described.price, described.type, region, "hosting")
    return Baseline(test.baseline, described.count, price)


def _assume(choices: Choices, name: str, value: T | None, default: T, source: str) -> T:
    return choices.take(value, ("deployment", name), default, source)


def _base(
    spec: Spec, catalog: Catalog, trained: Architecture | None, choices: Choices
) -> tuple[str, str | None, Architecture | None, str | None]:
    """How adapters are served, the id or prefix of the weights beside them, their architecture, how they are stored."""
    section = known(spec.deployment, "a deployment")
    adapters = _adapters(section, choices) if _trained_rank(spec) else "merged"
    if adapters == "merged":  # what training writes, in 16 bits
        return adapters, None, trained, None
    row = catalog.models.get(section.model or spec.model.id or "")
    if section.model is None:
        return (
            adapters,
            spec.model.source or spec.model.id,
            trained,
            row.stored if row else trained.quant_method if trained else None,
        )
    if row is None:  # a copy with a config of its own, as its author says
        return adapters, section.model, trained, None if section.quantization == "none" else section.quantization
    return adapters, section.model, row.architecture or trained, row.stored


def _engine(spec: Spec, section: Deployment, choices: Choices) -> str:
    """The engine: the author's, that of their own image by its name, or the one of the maintained container."""
    image = spec.sagemaker.serving_image if spec.sagemaker else None
    named = own_image(image).engine if image else None
    usual = Working(named, "the name of sagemaker.serving_image") if named else MAINTAINED
    return str(choices.take(section.engine, ("deployment", "engine"), usual.value, usual.reason))


def _trained_rank(spec: Spec) -> int:
    """The rank of the adapters that are trained; 0 if everything is."""
    given = spec.hyperparameters
    return 0 if given.method == "full" else given.lora_r or int(DEFAULTS["lora_r"])


def _adapters(section: Deployment, choices: Choices) -> str:
    return choices.take(section.adapters, ("deployment", "adapters"), "separate", "what the training job saves")


def _scaling(section: Deployment) -> tuple[int, int]:
    """The fewest and the most instances."""
    scaling, count = section.autoscaling, section.instance.count
    return (scaling.min, scaling.max) if scaling else (count, count)


def _hardware(section: Deployment, catalog: Catalog) -> Hardware | None:
    """The endpoint's machine; the rules name one that is not known."""
    where = section.instance
    with suppress(NotKnownError):
        return hardware(catalog, where.type, where.gpu, where.gpus, where.count, None)
    return None


def _max_lora_rank(section: Deployment, lora_r: int, choices: Choices) -> int:
    """The largest rank that the engine takes: its default, or the next one that holds the trained rank."""
    usual = section.max_lora_rank or DEFAULT_MAX_LORA_RANK
    works = None
    if section.max_lora_rank is None and section.adapters != "merged":
        works = engine_rank(usual, lora_r)
    if works is None:
        return usual
    choices.note(("deployment", "max_lora_rank"), works.value, works.reason)
    return int(works.value)


def _max_model_len(
    section: Deployment, architecture: Architecture | None, longest: float | None, prompt: float, choices: Choices
) -> int | None:
    """Tokens of the longest request. Where the positions are not known, the engine takes its own: None."""
    if section.max_model_len is not None or architecture is None:
        return section.max_model_len
    answer = section.typical_output_tokens or 0
    works = request_length(architecture.max_position_embeddings, longest and longest + answer, prompt + answer)
    choices.note(("deployment", "max_model_len"), works.value, works.reason)
    return int(works.value)


def _usual_dtype(machine: Hardware | None) -> str:
    return "float16" if machine is not None and machine.gpu.bf16 is False else "bfloat16"


def with_instance(plan: ServingPlan, catalog: Catalog, instance_type: str) -> ServingPlan:
    """The endpoint on another instance type, with its hardware, the catalog's price and its usual dtype.

    Raises:
        NotKnownError: the type is not in the catalog or has no GPU, or the endpoint's hardware is not known.
    """
    machine = hardware(
        catalog, instance_type, None, None, known(plan.hardware, "the endpoint's own instance").instances, None
    )
    other = plan._replace(hardware=machine, price=unit_price(catalog, None, instance_type, plan.region, "hosting"))
    if plan.assumes("gpu_memory_utilization"):
        other = other.assuming("gpu_memory_utilization", other.usual_utilization)
    return other.assuming("dtype", _usual_dtype(machine)) if plan.assumes("dtype") else other


def with_each_instance(
    plan: ServingPlan, catalog: Catalog, spec: Spec
) -> Iterator[tuple[Route, Hardware, ServingPlan]]:
    """The endpoint on its instance and on each alternative, with the route of the key that names it.

    Unknown types and types that SageMaker does not host on are left out.
    """
    if spec.deployment is None or plan.hardware is None:
        return
    if spec.deployment.instance.type is None:
        yield ("deployment", "instance", "gpu"), plan.hardware, plan
    for route, name in hosting_types(spec):
        if "alternatives" not in route:
            yield route, plan.hardware, plan
        elif name in catalog.hosting_types:
            with suppress(NotKnownError):
                other = with_instance(plan, catalog, name)
                yield route, known(other.hardware, name), other
