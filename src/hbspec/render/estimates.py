"""The page of estimates: a job's plan, memory, time, cost and claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hbspec.catalog.parameters import total_parameters
from hbspec.claims import Claim
from hbspec.diagnostics import route_text
from hbspec.language import number_text, phrase, spoken, together
from hbspec.plan import Assumption, Between, Plan
from hbspec.plan.objective import Objective
from hbspec.render.advice import advice_lines
from hbspec.render.answer import answer, answer_lines
from hbspec.render.bill import cost_lines, time_lines
from hbspec.render.calibration import calibration_lines
from hbspec.render.lines import Line, wrapped
from hbspec.render.markdown import escaped, folded
from hbspec.render.memory import host_lines, memory_lines, software_lines, words
from hbspec.render.rows import LEAD, Row, rows, section
from hbspec.render.serving import evaluation_lines, serving_lines
from hbspec.showing.scalars import scalar_text
from hbspec.source.excerpts import printable
from hbspec.units import Interval, bytes_text, count_text, counted, interval_text, significant

if TYPE_CHECKING:
    from hbspec.api import Estimates

CLAIMS = {"confirmed": "good", "contradicted": "bad", "undecided": "open", "unknown": "open", "malformed": "bad"}


def estimate_lines(estimates: Estimates, width: int | None = None) -> Iterator[Line]:
    """The whole page: the answer and what to do first; then plan, memory, time, cost, serving, claims and the rest.

    Last come the assumptions and what is not known.
    """
    plan = estimates.plan
    yield from head_lines(plan, width)
    yield ()
    yield from answer_lines(estimates, width)
    if estimates.advice:
        yield from advice_lines(estimates.advice, width)
    yield from section("Plan", width)
    yield from rows(plan_rows(plan), width)
    if plan.measured:
        yield from calibration_lines(plan.measured, width)
    if estimates.memory:
        yield from memory_lines(estimates.memory, width)
    yield from software_lines(estimates.dependences, width)
    yield from host_lines(estimates.host, estimates.storage, width)
    yield from time_lines(estimates.time, width)
    yield from cost_lines(estimates.cost, plan.price, estimates.as_of, width)
    if estimates.serving:
        yield from serving_lines(estimates.serving, estimates.within_latency, width)
    if estimates.evaluation:
        yield from evaluation_lines(estimates.evaluation, width)
    yield from _claims(estimates.claims, width)
    if estimates.assumed:
        yield from section("Assumed", width)
        yield from rows(assumed_rows(estimates.assumed), width)
    missing = tuple(missing_rows(estimates))
    if missing:
        yield from section("Not known", width)
        yield from rows(missing, width)


def estimate_markdown(estimates: Estimates) -> Iterator[str]:
    """The answer as a list, and the page folded below it."""
    yield f"### {escaped(estimates.plan.name)}"
    yield ""
    for sentence in answer(estimates):
        yield f"- **{escaped(sentence.answer)}**{escaped(sentence.figures)}."
    yield ""
    yield from folded("All figures", estimate_lines(estimates))


def missing_rows(estimates: Estimates) -> Iterator[Row]:
    """The quantities that are not known, grouped by the missing fact."""
    serving = estimates.serving.unknown if estimates.serving else {}
    needing: dict[str, list[str]] = {}
    for name, reason in {**estimates.plan.unknown, **estimates.unknown, **serving}.items():
        needing.setdefault(reason, []).append(words(name))
    for reason, names in needing.items():
        yield ", ".join(names), "", phrase("needs {reason}", reason=spoken(printable(reason)))


def head_lines(plan: Plan, width: int | None) -> Iterator[Line]:
    """The job's name; its model, hardware, parallelism and region."""
    yield (("title", printable(plan.name)),)
    yield from wrapped((("", placed_text(plan)),), width, len(LEAD))


def placed_text(plan: Plan) -> str:
    """What is trained on what, how and where."""
    where = printable(plan.hardware.name) if plan.hardware else phrase("hardware not known")
    if plan.hardware and plan.hardware.instances > 1:
        where = f"{plan.hardware.instances} x {where}"
    job = phrase("{model} on {hardware}", model=printable(plan.model), hardware=where)
    return ", ".join(filter(None, (job, plan.parallelism, plan.region)))


def plan_rows(plan: Plan) -> Iterator[Row]:
    """The counts of a plan, as far as they are known."""
    training, counts = plan.training, plan.counts
    if not training.objective.next_token:
        yield "task", training.objective.task, _compared(training.objective)
    if plan.effective_batch_size is not None:
        how = phrase(
            "micro-batch {micro} x accumulation {accumulation} x {ranks}",
            micro=_whole(training.micro_batch),
            accumulation=_whole(training.gradient_accumulation),
            ranks=counted(plan.data_parallel_size or 0, "data-parallel rank"),
        )
        yield "effective batch size", count_text(plan.effective_batch_size), how
    if counts:
        per_epoch = phrase("{number} per epoch", number=interval_text(plan.counted("steps_per_epoch"), count_text))
        yield "optimizer steps", interval_text(plan.counted("optimizer_steps"), count_text), per_epoch
        for name, key, text in (("examples", "examples_processed", count_text), ("epochs", "epochs", significant)):
            nominal = interval_text(plan.counted(f"nominal_{name}"), text)
            yield name, interval_text(plan.counted(key), text), phrase("{number} nominal", number=nominal)
    yield "tokens per row", interval_text(plan.row_tokens, significant), plan.lengths.source
    if plan.padded_tokens:
        yield "tokens computed", interval_text(plan.padded_tokens, _about), "including padding"
    yield from _parameters(plan)


def _parameters(plan: Plan) -> Iterator[Row]:
    """Of the model, and those that are trained."""
    if plan.architecture is not None:
        parameters = total_parameters(plan.architecture)
        yield "parameters", count_text(parameters), phrase("{size} in 16-bit", size=bytes_text(2 * parameters))
    if plan.between is not None:
        yield from _between(plan.between)
    if plan.trainable_parameters is not None:
        saved = [(phrase("result"), plan.adapter_bytes), (phrase("checkpoint"), plan.checkpoint_bytes)]
        sizes = together(", ".join(f"{name} {bytes_text(size)}" for name, size in saved if size is not None))
        yield "trainable parameters", count_text(plan.trainable_parameters), sizes


def _compared(objective: Objective) -> str:
    """What a micro-batch holds for each example, and what the model is compared with."""
    before = "computed before the steps" if objective.precomputes else ""
    reference = spoken(objective.reference or before)
    compared = phrase("reference: {reference}", reference=reference) if reference else ""
    if objective.rows == 1:
        return compared
    rows = spoken("each example is two rows")
    return together(rows, ", ", compared) if compared else rows


def _between(between: Between) -> Iterator[Row]:
    """The bounds of a model that is not modelled."""
    bounds = phrase("bounds: {model} is not modelled", model=printable(between.model_type))
    yield "parameters", interval_text(between.parameters, _about), bounds
    trained = [plan.trainable_parameters for plan in between.plans if plan.trainable_parameters is not None]
    usual = between.expected.trainable_parameters
    if usual is not None:
        yield "trainable parameters", interval_text(Interval(min(trained), usual, max(trained)), _about), ""


def _whole(number: int) -> str:
    return number_text(f"{number:,}")


def _about(count: float) -> str:
    return count_text(float(f"{count:.3g}"))


def _claims(claims: Iterable[Claim], width: int | None) -> Iterator[Line]:
    claims = tuple(claims)
    if not claims:
        return
    yield from section("Claims", width)
    for claim in claims:
        said = f"  {printable(claim.key)}: {printable(claim.believed)}"
        found = f"; computed {claim.computed_text}" if claim.computed else f"; {printable(claim.reason)}"
        verdict = (CLAIMS[claim.verdict], f"{LEAD}{claim.verdict:<12}")
        yield from wrapped((verdict, ("", said), ("faint", found)), width, 2 * len(LEAD))


def assumed_rows(assumed: Iterable[Assumption]) -> Iterator[Row]:
    """Each assumption: its key, its value, and where that comes from."""
    for entry in assumed:
        yield route_text(entry.route), _assumed_text(entry.value), entry.source


def _assumed_text(value: Any) -> str:
    """A value as an author would write it; an interval in words."""
    is_interval = isinstance(value, Mapping) and value.keys() == {"low", "expected", "high"}
    return interval_text(Interval(**value), significant) if is_interval else scalar_text(value)
