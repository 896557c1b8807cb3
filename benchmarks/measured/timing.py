"""A row's job in time: the plan whose lengths, updates and hardware the row states."""

from __future__ import annotations

import re
from math import ceil
from typing import Any

from hbspec.catalog import catalog
from hbspec.estimators.constants import StepConstants
from hbspec.estimators.job.cost import cost
from hbspec.estimators.job.step_time import step_of
from hbspec.estimators.job.time import time
from hbspec.plan import Plan
from hbspec.units import Interval
from measured.mapping import Case
from measured.reason import NotExpressibleError

GENERATING = "method_comparison/MetaMathQA"
"""Part of the locator of a source whose totals hold the generation of hundreds of answers, every 250 steps and at the
end (huggingface/peft, method_comparison/MetaMathQA/run.py, `evaluate`); no key says so."""

REGION = "us-east-1"
"""Where an instance is taken to run; only its price depends on it, and that is the row's own."""


def rate(case: Case, constants: StepConstants) -> Interval:
    """Tokens a second and GPU of a row's job.

    Raises:
        NotExpressibleError: the lengths are not stated.
        NotKnownError: something about the hardware is not known.
    """
    plan = case.with_values(data=data_of(case))
    return step_of(plan, constants).tokens_per_second_per_gpu


def total(case: Case, constants: StepConstants) -> Interval:
    """Seconds of a row's job: what is billed where it says so, else its steps.

    Raises:
        NotExpressibleError: the lengths or the updates are not stated, or answers are generated meanwhile.
        NotKnownError: something about the hardware is not known.
    """
    if GENERATING in case.row["source_locator"]:
        raise NotExpressibleError("its total holds the generation of answers")
    found = time(_job(case), constants).to_the_end
    return found.billed_seconds if _billed(case) else found.phases["steps"]


def spent(case: Case, constants: StepConstants) -> Interval:
    """Dollars of a row's job at the price that the row states.

    Raises:
        NotExpressibleError: the price, the lengths or the updates are not stated.
        NotKnownError: something about the hardware is not known.
    """
    stated = re.search(r"\$ ?([\d.]+) ?(?:/h|per hour|an hour)", case.row["notes"])
    if stated is None:
        raise NotExpressibleError("the price of an hour is not stated")
    plan = _job(case, price=f"{stated[1]} USD/h")
    bill = cost(plan, time(plan, constants).to_the_end)
    return Interval(float(bill.low), float(bill.expected), float(bill.high))


def data_of(case: Case) -> dict[str, Any]:
    """The section `data` with every row as long as they are in the mean."""
    row, values = case.row, case.values
    batch = values["hyperparameters"]["per_device_batch_size"]
    step = re.search(r"avg (\d[\d,]*) tokens ?/ ?step", row["notes"])
    if step is not None:
        mean = _number(step[1]) / batch
    elif row.lengths_vary:
        raise NotExpressibleError("rows differ in length, and their mean is not stated")
    else:
        mean = float(values["hyperparameters"]["max_length"])
    return {**values["data"], "tokens": {"mean": mean, "max": ceil(mean)}}


def updates(case: Case) -> int:
    """How many updates the job makes, as the source says; the time over that of a step would only repeat the step.

    Raises:
        NotExpressibleError: the source does not say it.
    """
    stated = re.search(r"(?<![-/\d.,])(\d[\d,]*) (?:optimizer |training )?steps(?! ?/)\b", case.row["notes"])
    if stated is None:
        raise NotExpressibleError("how many updates it makes is not stated")
    return max(1, round(_number(stated[1])))


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _billed(case: Case) -> bool:
    return _instance(case) is not None and bool(re.search(r"billable|\bjob [\d,.]+ ?s\b", case.row["notes"]))


def _instance(case: Case) -> str | None:
    """The SageMaker instance that a row names, if the catalog has it."""
    named = re.search(r"\bml\.[a-z0-9]+\.\d*[a-z]+", case.row["notes"])
    return named[0] if named and named[0] in catalog().instances else None


def _job(case: Case, **more: str) -> Plan:
    values = case.values
    steps = {**values["hyperparameters"], "max_steps": updates(case)}
    named = _instance(case) if _billed(case) or more else None
    where = values["instance"]
    if named is not None:
        where = {key: value for key, value in where.items() if key not in ("gpu", "gpus", "gpu_memory")}
        where |= {"type": named, "region": REGION}
    return case.with_values(data=data_of(case), hyperparameters=steps, instance={**where, **more})
