"""What is said of a key: its meaning, the value that is assumed, what follows from it, and the catalog's facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hbspec.analysis import Analysis
from hbspec.catalog import Catalog
from hbspec.claims import verify
from hbspec.claims.quantities import QUANTITIES, text_of
from hbspec.diagnostics import NotKnownError, Route, route_text
from hbspec.lsp.offers import instance_words
from hbspec.lsp.outline import Entry
from hbspec.showing import shown
from hbspec.showing.scalars import scalar_text
from hbspec.spec.keys import choices_of, default_of, described
from hbspec.units import bytes_text, count_text, interval_text

FOLLOWS: Mapping[Route, tuple[str, ...]] = {
    ("model", "id"): ("model.parameters",),
    ("model", "config"): ("model.parameters",),
    ("instance", "type"): ("training.memory_per_gpu", "training.duration", "training.cost"),
    ("instance", "gpu"): ("training.memory_per_gpu", "training.duration"),
    ("instance", "max_runtime"): ("training.duration",),
    ("instance", "price"): ("training.cost",),
    ("budget", "max_cost"): ("training.cost",),
    ("hyperparameters", "per_device_batch_size"): ("training.effective_batch_size", "training.memory_per_gpu"),
    ("hyperparameters", "gradient_accumulation_steps"): ("training.effective_batch_size",),
    ("hyperparameters", "max_length"): ("training.memory_per_gpu",),
    ("hyperparameters", "max_steps"): ("training.epochs", "training.examples_processed"),
    ("hyperparameters", "num_train_epochs"): ("training.optimizer_steps", "training.examples_processed"),
    ("monitoring", "step_time"): ("training.step_time",),
    ("monitoring", "gpu_memory"): ("training.memory_per_gpu",),
    ("deployment", "instance", "type"): ("deployment.memory", "deployment.latency", "deployment.hourly_cost"),
}
"""What is worth knowing where a key is set."""


def hover_lines(entry: Entry, catalog: Catalog, analysis: Analysis | None) -> Iterator[str]:
    """Paragraphs in Markdown on the key at a place; `analysis` is of the last state that could be judged."""
    route = entry.route
    said = described(route)
    if said:
        yield f"**{_literal(route_text(route))}**: {said}"
    choices = choices_of(route)
    if choices:
        yield f"One of {', '.join(f'`{choice}`' for choice in choices)}."
    default = default_of(route)
    if default is not None:
        yield f"By default `{_code(scalar_text(default))}`."
    facts = _facts(route, entry.value, catalog)
    if facts:
        yield "\n".join(f"- {fact}" for fact in facts)
    if analysis is not None:
        yield from _computed(route, analysis)


def _computed(route: Route, analysis: Analysis) -> Iterator[str]:
    """What is assumed at a route or below it, and what is calculated."""
    try:
        assumed = [one for one in analysis.assumptions if one.route[: len(route)] == route]
    except NotKnownError:
        assumed = []
    if assumed:
        yield "Assumed, since the spec does not say:\n\n" + "\n".join(
            f"- `{route_text(one.route)}`: `{_code(scalar_text(one.value))}` ({_literal(shown(one.source))})"
            for one in assumed
        )
    for claim in verify(analysis) if route[:1] == ("expect",) else ():
        if claim.key == route[-1]:
            yield f"Claimed `{_code(claim.believed)}`, calculated `{_code(claim.computed_text)}`: {claim.verdict}."
    follows = [f"- {name}: {_value(name, analysis)}" for name in FOLLOWS.get(route, ())]
    if follows:
        yield "Calculated:\n\n" + "\n".join(follows)


def _value(name: str, analysis: Analysis) -> str:
    quantity = QUANTITIES[name]
    try:
        interval, currency = quantity.compute(analysis)
    except NotKnownError as reason:
        return f"not known ({_literal(shown(str(reason)))})"
    return f"`{interval_text(interval, text_of(quantity.kind, currency))}`"


def _facts(route: Route, value: str, catalog: Catalog) -> list[str]:
    """The catalog's facts about the name that is written at a route."""
    keys = tuple(part for part in route if isinstance(part, str))
    if keys == ("model", "id") and value in catalog.models:
        return list(_model(value, catalog))
    if keys[-1:] in (("type",), ("alternatives",)) and value in catalog.instances:
        return list(_instance(value, catalog))
    if keys[-1:] == ("gpu",) and (gpu := catalog.gpu_called(value)):
        return list(_gpu(gpu.name, catalog))
    return []


def _model(name: str, catalog: Catalog) -> Iterator[str]:
    model = catalog.models[name]
    if model.reported_parameters:
        yield f"{count_text(model.reported_parameters)} parameters, as published"
    yield f"type `{model.model_type}`" + ("" if model.architecture else " (not modelled)")
    yield f"licence: {model.license or 'not known'}"
    gated = {True: "gated: the Hub asks for a token", False: "not gated", None: "whether it is gated is not known"}
    yield gated[model.gated]
    if model.stored:
        yield f"stored as {model.stored}"
    yield f"checked on {model.checked}"


def _instance(name: str, catalog: Catalog) -> Iterator[str]:
    instance = catalog.instances[name]
    yield instance_words(instance, catalog)
    yield f"{instance.vcpus} vCPUs, {bytes_text(instance.memory_bytes)} of host memory"
    if instance.nvme_bytes:
        yield f"{bytes_text(instance.nvme_bytes)} of local NVMe"
    uses = [word for word, is_so in (("training", instance.training), ("hosting", instance.hosting)) if is_so]
    yield f"SageMaker: {' and '.join(uses) or 'neither training nor hosting'}"
    yield f"checked on {instance.checked}"


def _gpu(name: str, catalog: Catalog) -> Iterator[str]:
    gpu = catalog.gpus[name]
    yield gpu.marketing_name
    if gpu.nominal_bytes:
        yield f"{bytes_text(gpu.nominal_bytes)} of memory"
    if gpu.compute_capability:
        yield "compute capability {}.{}".format(*gpu.compute_capability)
    yield {True: "computes in bfloat16", False: "no bfloat16", None: "bfloat16: not known"}[gpu.bf16]
    yield f"checked on {gpu.checked}"


def _code(text: str) -> str:
    """A text that may stand between backquotes."""
    return shown(text).replace("`", "'")


def _literal(text: str) -> str:
    r"""A text in which no sign is read as Markdown.

    >>> _literal("a_b [x](y)")
    'a\\_b \\[x\\](y)'
    """
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#|" else sign for sign in text)
