"""The analysis of one spec: document, spec and plan, and each estimate on first use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hbspec.analysis.alternatives import on_alternatives
from hbspec.analysis.chat_template import chat_template
from hbspec.analysis.deepspeed_json import ROUTE as DEEPSPEED
from hbspec.analysis.deepspeed_json import deepspeed_json
from hbspec.analysis.program import assumed_by_program
from hbspec.analysis.record import measurement
from hbspec.analysis.refusal import refusal
from hbspec.analysis.release import Release
from hbspec.catalog import Architecture, ArchitectureError, Catalog
from hbspec.diagnostics import Finding, Fix, Missing, Route, known
from hbspec.estimators.job.cost import Cost, cost
from hbspec.estimators.job.host import Host, host
from hbspec.estimators.job.stop import Stop, stop
from hbspec.estimators.job.storage import Storage, storage
from hbspec.estimators.job.time import Time, time
from hbspec.estimators.serving.after_training import AfterTraining, after_training
from hbspec.estimators.serving.endpoint import Serving, serving
from hbspec.estimators.serving.room import startable
from hbspec.estimators.training.devices import Memory
from hbspec.estimators.training.memory import memory, memory_verdict, memory_without_reserve
from hbspec.estimators.verdict import Verdict
from hbspec.plan import Assumption, Plan, Profile, ServingPlan, build_plan, build_serving_plan, read_profile
from hbspec.plan.lengths import unknown_lengths
from hbspec.plan.shipped_script import DEFAULTS
from hbspec.plan.suites import planned_suites
from hbspec.showing.secrets import redact
from hbspec.source import Document
from hbspec.source.attachments import AttachmentError, read_json
from hbspec.spec import Spec
from hbspec.spec.data import Tokens

if TYPE_CHECKING:
    from hbspec.catalog.bounds import Bounds
    from hbspec.plan.measurement import Measurement

CONFIG: Route = ("model", "config")


@dataclass(frozen=True, eq=False)
class Analysis:
    """One spec with its plan and estimates; equal only to itself, so that results can be cached by it.

    Each estimate raises `NotKnownError` on every access where an input is missing. Of a model that is not modelled,
    `architecture` is None, and `bounds` is what its config's own numbers say. `findings` are defects of the files
    that the spec names (`model.config`, `data.profile`, `instance.deepspeed`, `data.chat_template`,
    `calibration.record`). `chat_template` is the text of the one that the job and its endpoint use instead of the
    model's. `release` is what a deployment is let out by, where the command line names it.
    """

    document: Document
    spec: Spec
    catalog: Catalog
    as_of: date
    architecture: Architecture | None
    profile: Profile | None
    bounds: Bounds | None = None
    deepspeed_json: Mapping[str, Any] | None = None
    chat_template: str | None = None
    measurement: Measurement | None = None
    findings: tuple[Finding, ...] = field(default=())
    release: Release | None = None

    @cached_property
    def plan(self) -> Plan:
        """The plan; parts that cannot be known are None."""
        plan = build_plan(self.spec, self.catalog, self.architecture, self.profile, self.deepspeed_json)
        unknown = dict(plan.unknown)
        if self.architecture is None:
            unknown["architecture"] = self._why_no_architecture()
        if self.bounds is not None:
            from hbspec.plan.between import between, cautious  # which few specs need

            bounding = between(self.spec, self.catalog, self.bounds, self.profile, self.deepspeed_json)
            plan = cautious(plan, self.bounds)._replace(between=bounding)
        if self.spec.instance.deepspeed is not None and self.deepspeed_json is None:
            plan = plan._replace(deepspeed=None)
            unknown["deepspeed"] = Missing("DeepSpeed's settings (the JSON is not correct)", DEEPSPEED)
        plan = plan._replace(unknown=unknown)
        if self.measurement is not None:
            from hbspec.estimators.job.measured import calibrated

            plan = calibrated(plan, self.measurement, shipped=self.spec.shipped)
        return plan

    @cached_property
    def memory(self) -> Memory:
        """Memory of each GPU while training."""
        return memory(self.plan)

    @cached_property
    def memory_verdict(self) -> Verdict:
        """Whether the job fits on each GPU: that of `memory`, which takes longer."""
        return memory_verdict(self.plan)

    @cached_property
    def deciding_memory(self) -> Memory:
        """`memory`, without the allocator's reserve where the rest is certain to exceed the GPU: takes less time."""
        return memory_without_reserve(self.plan) or self.memory

    @cached_property
    def host(self) -> Host:
        """Memory of each host while loading and training."""
        return host(self.plan)

    @cached_property
    def storage(self) -> Storage:
        """Disk of each host while training."""
        kept = self.spec.hyperparameters.save_total_limit
        usual = DEFAULTS["save_total_limit"] if self.spec.shipped else None
        return storage(self.plan, volume=self.spec.instance.volume, kept=kept if kept is not None else usual)

    @cached_property
    def time(self) -> Time:
        """Time of a step, of each phase and of the job."""
        return time(self.plan)

    @cached_property
    def stop(self) -> Stop:
        """Time from SIGTERM to the end of the job."""
        return stop(self.plan)

    @cached_property
    def cost(self) -> Cost:
        """The bill of the job."""
        return cost(self.plan, self.time)

    @cached_property
    def serving_plan(self) -> ServingPlan:
        """The plan of the endpoint.

        Raises:
            NotKnownError: the spec has no deployment.
        """
        plan = build_serving_plan(
            self.spec,
            self.catalog,
            self.architecture,
            self.plan.trainable_parameters,
            self.plan.row_tokens.expected,
            self.plan.lengths.longest.high if self.plan.lengths.known else None,
        )
        return startable(known(plan, "a deployment"))

    @cached_property
    def serving(self) -> Serving:
        """Memory, speed and cost of the endpoint."""
        return serving(self.serving_plan)

    @cached_property
    def evaluation(self) -> AfterTraining:
        """The time and the money of the suites after training, at the endpoint."""
        return after_training(self.serving_plan, planned_suites(self.spec))

    @cached_property
    def alternatives(self) -> tuple[tuple[Route, str, Analysis], ...]:
        """The job on each of the alternatives to its instance type, with the route and the name of the type."""
        return tuple(on_alternatives(self))

    def _why_no_architecture(self) -> Missing:
        """The missing architecture with the reason: a defect of the file, or a model outside the catalog."""
        if self.bounds is not None:
            said = f"{self.bounds.model_type} is not modelled: hbspec has bounds from its config only"
            return Missing(redact(f"the architecture ({said})"), ("model",))
        at_config = (finding.message for finding in self.findings if finding.route == CONFIG)
        model = self.spec.model.id or "the model"
        reason = next(at_config, f"{model} is not in the catalog; model.config can name its config.json")
        return Missing(redact(f"the architecture ({reason})"), ("model",))

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """Every value that the spec does not set and that an estimate depends on; first those of another program."""
        return (*assumed_by_program(self.document), *self._assumed_by_plans)

    @property
    def _assumed_by_plans(self) -> tuple[Assumption, ...]:
        if self.spec.deployment is None:
            return self.plan.assumptions
        return self.plan.assumptions + self.serving_plan.assumptions


def analyse(document: Document, spec: Spec, catalog: Catalog, as_of: date) -> Analysis:
    """The analysis of a spec with the catalog and the files that it names."""
    findings: list[Finding] = []
    architecture, bounds = _model(document, spec, catalog, findings)
    return Analysis(
        document=document,
        spec=spec,
        catalog=catalog,
        as_of=as_of,
        architecture=architecture,
        bounds=bounds,
        profile=_profile(document, spec, findings),
        deepspeed_json=deepspeed_json(document, spec, findings),
        chat_template=chat_template(document, spec, catalog, findings),
        measurement=measurement(document, spec, findings),
        findings=tuple(findings) + (document.translated.findings if document.translated else ()),
    )


def _model(
    document: Document, spec: Spec, catalog: Catalog, findings: list[Finding]
) -> tuple[Architecture | None, Bounds | None]:
    """The architecture of the spec's model, or what its config's own numbers say of one that is not modelled."""
    path = spec.model.config
    if path is None:
        model = catalog.models.get(spec.model.id) if spec.model.id else None
        if model is None or model.architecture is not None:
            return (model.architecture if model else None), None
        return None, _bounds(catalog.models.config(model.id))
    values: Any = {}
    try:
        values = read_json(document, CONFIG, path)
        if isinstance(values, Mapping):
            return _described(values, path, findings), None
        message = f"{path}: not a mapping of fields, as every config.json is"
        findings.append(refusal("HB031", CONFIG, message, "give the path of the model's config.json"))
    except AttachmentError as reason:
        findings.append(refusal("HB030", CONFIG, str(reason), "give the path of a readable JSON file"))
    except ArchitectureError as reason:
        return None, _bounded(values, path, reason, findings)
    return None, None


def _bounded(values: Mapping[str, Any], path: str, reason: ArchitectureError, findings: list[Finding]) -> Bounds | None:
    """The bounds of a model that is not modelled; a finding where its config is wrong or says nothing of its size."""
    if reason.not_modelled:
        try:
            found = _bounds(values)
        except ArchitectureError as other:
            reason, found = other, None
        if found is not None:
            return found
    add = f"run `hbspec model add {path}`, and set model.config to the file that it writes"
    action = add if reason.not_modelled or reason.field == "model_type" else "correct this field"
    findings.append(refusal("HB031", CONFIG, redact(f"{path}: {reason}"), redact(action)))
    return None


def _bounds(values: Mapping[str, Any]) -> Bounds | None:
    from hbspec.catalog.bounds import bounds_of  # which few specs need

    return bounds_of(values)


def _described(values: Mapping[str, Any], path: str, findings: list[Finding]) -> Architecture | None:
    """The architecture of a config.json, or of a model that was recorded; which of them a file is, its content says."""
    if "hbspec_model" not in values:
        return Architecture.from_config(values)
    from hbspec.catalog.recorded import RecordedFileError  # which few specs name
    from hbspec.catalog.recorded_file import architecture_of

    try:
        return architecture_of(values)
    except RecordedFileError as reason:
        action = "give the file as `hbspec model add` wrote it"
        findings.append(refusal("HB031", CONFIG, redact(f"{path}: {reason}"), action))
    return None


def _profile(document: Document, spec: Spec, findings: list[Finding]) -> Profile | None:
    if spec.data.profile is None:
        return None
    route: Route = ("data", "profile")
    try:
        return read_profile(read_json(document, route, spec.data.profile))
    except AttachmentError as reason:
        finding = refusal("HB030", route, str(reason), "give the path of a readable JSON file")
    except ValueError as reason:
        message = f"{spec.data.profile}: {reason}"
        finding = refusal("HB032", route, message, "create the profile again with `hbspec data profile`")
    cap = spec.hyperparameters.max_length
    findings.append(finding._replace(instead=tuple(_plausible_lengths(cap if isinstance(cap, int) else USUAL_CAP))))
    return None


USUAL_CAP = 1024
"""`SFTConfig.max_length` (TRL 1.16.0)."""


def _plausible_lengths(max_length: int) -> Iterator[Fix]:
    """Token lengths that the data might have, within `max_length`."""
    lengths = unknown_lengths(max_length)
    for mean in (lengths.mean.expected, lengths.mean.low, lengths.mean.high):
        yield Fix("", ("data", "tokens"), Tokens(mean=mean, max=round(lengths.longest.high)))
