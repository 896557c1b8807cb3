"""A first spec: the starter with the user's answers in it, and with the cheapest plan that the search finds for them.

The starter's text is edited, so that its comments stay. Limits are open while the plan is searched, and are set from
what the plan takes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import MisuseError
from hbspec.cli.first_answers import Answers

if TYPE_CHECKING:
    from hbspec.analysis import Analysis
    from hbspec.diagnostics import Report, Route
    from hbspec.plan.lengths import Profile
    from hbspec.search.optimize import Optimum

STARTER = Path(__file__).with_name("starter.yaml")
KEPT = frozenset({"instance.region", "instance.spot", "hyperparameters.attn_implementation"})
"""What a first spec leaves as it is: spot instances and other kernels need to be known before they are used."""
INSTANCES = (1, 8)
"""The largest numbers of instances that are tried, one after the other."""
FULL_RATE = 1e-5
"""The learning rate where all weights are trained."""
OF_ADAPTERS = ("lora_r", "lora_alpha", "lora_dropout")
OF_FOUR_BITS = ("bnb_quant_type", "bnb_double_quant")
CODE = '  code: "s3://my-bucket/code/"\n'
GATED = (
    '  secrets: {{HF_TOKEN: "arn:aws:secretsmanager:{region}:111122223333:secret:hub-a1b2c3"}} # the model is gated\n'
)
"""What follows that key of the starter for a gated model: whose secret holds the token for the Hub."""
COMMENT = re.compile(r"^(.*\S)[ \t]+(# .*)$", re.MULTILINE)
TEMPLATE = re.compile(r"^( +chat_template: \S+)$", re.MULTILINE)
COLUMN = 42
"""Where the starter's comments begin."""
NAME = re.compile(r"^name: my-first-job +", re.MULTILINE)
UNTOLD = ("", "spec", "hbspec", "job", "config")
LONGEST_NAME = 40
"""Characters of a file's name that name the job; SageMaker takes 63, of which a digest takes 17."""
OPEN_COST, OPEN_TIME = 1_000_000, "28d"
"""Limits while a plan is searched."""


class NoPlanError(Exception):
    """No spec can be written that passes its check.

    Attributes:
        report: what the check says of the answers.
        optimum: the search, where it found no plan; None where it was not reached, or its plan has errors.
    """

    def __init__(self, report: Report, optimum: Optimum | None = None) -> None:
        super().__init__("no plan")
        self.report, self.optimum = report, optimum


@contextmanager
def profiled(answers: Answers, spec: Path) -> Iterator[Answers]:
    """The answers with a profile in the place of data files, which is kept if the block ends without an exception.

    Raises:
        MisuseError: the data hold no examples, or another file is at the profile's place.
        OSError: the data cannot be read.
    """
    if isinstance(answers.data, int) or _is_profile(answers.data):
        yield answers
        return
    from hbspec.cli.data_files import files_of
    from hbspec.cli.data_progress import Progress
    from hbspec.cli.whole import write_file
    from hbspec.dataset.profile import profile_data

    place = spec.parent / f"{answers.data.name.partition('.')[0] or 'train'}.profile.json"
    if os.path.lexists(place):
        raise MisuseError(f"{place} already exists: give it as --data, or remove it")
    files = files_of([str(answers.data)])
    with Progress(files) as watch:
        profile, tallies = profile_data(files, None, watch)
    if not profile.examples or list(tallies):
        raise MisuseError(f"{answers.data}: not all lines are examples: see `hbspec data check {answers.data}`")
    write_file(place, profile.whole().text().encode(), replace=False)
    try:
        yield answers._replace(data=place)
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def _is_profile(file: Path) -> bool:
    from hbspec.cli.data_files import is_profile

    return is_profile(file)


def starter(place: Path) -> str:
    """The starter for a file, whose name the job has unless it says nothing of the job."""
    text = STARTER.read_text(encoding="utf-8")
    name = re.sub(r"[^A-Za-z0-9]+", "-", place.stem)[:LONGEST_NAME].strip("-")
    if name.casefold() in UNTOLD:
        return text
    return NAME.sub(lambda found: f"{'name: ' + name:<{len(found[0]) - 1}} ", text, count=1)


def drafted(answers: Answers, place: Path) -> str:
    """The text of a spec for a file, which is not written; its check has no errors.

    Raises:
        MisuseError: no plan can be searched, since a fact is missing.
        NoPlanError: no plan was found, or what was written has errors.
    """
    from hbspec.api import judgement
    from hbspec.diagnostics import NotKnownError, Severity
    from hbspec.search.first_job import limits, of_data, of_plan
    from hbspec.search.optimize import is_of_no_plan

    start = starter(place)
    if _is_gated(answers.model):
        start = start.replace(CODE, f"{CODE}{GATED}".format(region=answers.region))
    text, analysis = _with(place, start, _answered(answers, place))
    text, analysis = _with(place, text, of_data(analysis))
    report = judgement(str(place), text=text).report
    if any(entry.severity is Severity.ERROR and is_of_no_plan(entry.code) for entry in report.diagnostics):
        raise NoPlanError(report)
    try:
        optimum = _searched(analysis, answers)
    except NotKnownError as reason:
        raise MisuseError(f"no plan can be searched without {reason}") from None
    if not optimum.front.plans:
        raise NoPlanError(judgement(str(place), text=text).report, optimum)
    text, analysis = _with(place, text, of_plan(optimum))
    text, _ = _with(place, text, limits(analysis, answers.max_cost))
    text = TEMPLATE.sub(r"\1 # the tokenizer of this base model has none", text)
    text = COMMENT.sub(lambda found: f"{found[1]:<{COLUMN - 1}} {found[2]}", text)
    report = judgement(str(place), text=text).report
    if not report.ok:
        raise NoPlanError(report)
    return text


def _with(place: Path, text: str, settings: dict[Route, Any]) -> tuple[str, Analysis]:
    """The text with these values, and what it says.

    Raises:
        NoPlanError: it is not a spec.
    """
    from hbspec.api import judgement
    from hbspec.source import load
    from hbspec.source.edited import edited

    changed = edited(load(str(place), text=text), settings)
    report, analysis = judgement(str(place), text=changed)
    if analysis is None:
        raise NoPlanError(report)
    return changed, analysis


def _answered(answers: Answers, place: Path) -> dict[Route, Any]:
    """What the answers say, with open limits and without claims about the starter's own plan."""
    from hbspec.catalog import catalog

    untemplated = catalog().untemplated
    currency = answers.max_cost.currency if answers.max_cost else "USD"
    given: dict[Route, Any] = {
        ("instance", "type"): answers.type or _somewhere(answers.region),
        ("instance", "region"): answers.region,
        ("instance", "price"): None,  # the catalog's, which has a date
        ("instance", "max_runtime"): OPEN_TIME,
        ("budget", "max_cost"): f"{OPEN_COST} {currency}",
        ("expect", "training.memory_per_gpu"): None,
        ("expect", "training.cost"): None,
        ("hyperparameters", "method"): answers.method,
    }
    if answers.method == "full":
        given["hyperparameters", "learning_rate"] = FULL_RATE
    deleted = OF_FOUR_BITS if answers.method == "lora" else OF_FOUR_BITS + OF_ADAPTERS
    if answers.method != "qlora":
        given |= {("hyperparameters", key): None for key in deleted}
    given |= {("model", "id"): answers.model}
    if answers.model in untemplated:
        given["data", "chat_template"] = untemplated[answers.model].chat_template
    if Path(answers.model).is_file():
        given |= {("model", "id"): None, ("model", "config"): _relative(Path(answers.model), place)}
    if isinstance(answers.data, int):
        return given | {("data", "train", "examples"): answers.data}
    examples = _profile(answers.data).examples
    path = _relative(answers.data, place)
    return given | {("data", "train", "examples"): examples, ("data", "tokens"): None, ("data", "profile"): path}


def _is_gated(model: str) -> bool:
    from hbspec.catalog import catalog

    row = catalog().models.get(model)
    return row is not None and bool(row.gated)


def _somewhere(region: str) -> str:
    """A type that the region has, from which the search goes on: with bfloat16, which all plans then train in.

    Raises:
        MisuseError: the catalog knows no price there.
    """
    from hbspec.catalog import catalog

    facts = catalog()
    for name, row in sorted(facts.instances.items()):
        offered = row.gpu in facts.gpus and row.training and region in (row.regions or ())
        if offered and facts.gpus[row.gpu or ""].bf16 and facts.price(name, region, "training") is not None:
            return name
    raise MisuseError(f"no price is known in {region}: name another --region")


def _profile(file: Path) -> Profile:
    from hbspec.cli.data_files import document_of
    from hbspec.plan import read_profile

    return read_profile(document_of(str(file)))


def _relative(file: Path, spec: Path) -> str:
    return f"./{Path(os.path.relpath(file, spec.parent)).as_posix()}"


def _searched(analysis: Analysis, answers: Answers) -> Optimum:
    """The best plans on one instance, or else on several."""
    from hbspec.cli.search_progress import SearchProgress
    from hbspec.search.optimize import optimize
    from hbspec.search.request import Request

    keep = KEPT | ({"instance.type"} if answers.type else set())
    request = Request(keep=keep, max_cost=answers.max_cost)
    for most in INSTANCES:
        with SearchProgress() as progress:
            found = optimize(analysis, request._replace(most_instances=most), progress)
        if found.front.plans:
            break
    return found
