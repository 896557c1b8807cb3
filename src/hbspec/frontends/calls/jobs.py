"""The training jobs of a program: calls of SageMaker's estimators and of ModelTrainer, and of their methods."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hbspec.diagnostics import Route, Span, file_and_cell
from hbspec.frontends.calls.bindings import CodePlace, ProgramNames, program_of_code
from hbspec.frontends.calls.cells import Cell
from hbspec.frontends.calls.statements import NotPython, statements_of
from hbspec.frontends.calls.values import CLASS, OTHER_ARGUMENTS, Computed, Values, span_of
from hbspec.frontends.reading.foreign import Foreign
from hbspec.frontends.reading.left_open import Guess
from hbspec.source.nodes import Entries, ListNode, MapNode, Node, ScalarNode

JOBS = ("HuggingFace", "PyTorch", "Estimator", "ModelTrainer")
ALSO = ("JumpStartEstimator", "TensorFlow")
"""Classes that start a training whose container or whose program is not read."""
MADE_BY = ("from_recipe", "from_jumpstart_config")
"""Methods of ModelTrainer that make one of something that is not in the file."""
TUNER = "HyperparameterTuner"
PACKAGE = "sagemaker"
TELLING = frozenset(
    ("instance_type", "instance_count", "compute", "source_code", "training_image", "transformers_version", "image_uri")
)
"""Arguments by which a call is known whose import is not in the file."""
STARTED = "fit"
"""The key of the inputs of `fit` or `train`; no class has an argument with this name."""
INPUTS = ("inputs", "input_data_config")


class StartedJob(NamedTuple):
    """One call: the name of its class, the name that it is bound to, and its place."""

    kind: str
    name: str | None
    call: ast.Call
    at: CodePlace

    @property
    def span(self) -> Span:
        """The place of the class's name."""
        return span_of(self.call.func, self.at.cell)

    @property
    def where(self) -> str:
        """The call as the author would find it: `estimator = HuggingFace(…)`, and its line."""
        named = f"{self.name} = " if self.name else ""
        return f"`{named}{self.kind}(…)` at {place_text(self.span)}"


class JobCall(Foreign):
    """The arguments of one job, and what is known of the program around it.

    Attributes:
        job: the call.
        computed: arguments that only running the program tells, by their routes; they are not keys of the mapping.
        others: the other jobs of the program.
        unread: lines that are not Python.
        tuner: the place of a tuner, which starts many such jobs.
        guesses: values that stand in for what nothing says.
        refused: whether its training is not estimated at all.
    """

    def __init__(
        self,
        tree: MapNode,
        job: StartedJob,
        others: Sequence[StartedJob],
        unread: Sequence[NotPython],
        tuner: Span | None,
    ) -> None:
        self.computed: dict[Route, Computed] = {}
        super().__init__(self._known(tree, ()))
        self.job, self.others, self.unread, self.tuner = job, others, unread, tuner
        self.guesses: list[Guess] = []
        self.refused = False

    def _known(self, tree: MapNode, above: Route) -> MapNode:
        """The mapping without what is computed."""
        entries: Entries = {}
        for key, (span, node) in tree.entries.items():
            found = _computed_in(node)
            if isinstance(node, MapNode):
                entries[key] = (span, self._known(node, (*above, key)))
            elif found is not None:
                self.computed[(*above, key)] = found
            else:
                entries[key] = (span, node)
        return MapNode(entries, tree.span)


def _computed_in(node: Node) -> Computed | None:
    """What is computed in a value, or in the parts of a list."""
    if isinstance(node, ListNode):
        return next((found for part in node.items if (found := _computed_in(part))), None)
    if isinstance(node, MapNode):
        return next((found for _, part in node.entries.values() if (found := _computed_in(part))), None)
    return node if isinstance(node, Computed) else None


class JobNameError(ValueError):
    """No job of the program has the name that is asked for."""


def place_text(span: Span) -> str:
    """A place as words: `line 12`, or in a notebook `cell 3, line 5`."""
    _, cell = file_and_cell(span.file)
    return f"cell {cell}, line {span.start.line}" if cell else f"line {span.start.line}"


def job_of(cells: Sequence[Cell], classes: Mapping[str, Sequence[str]], name: str | None) -> JobCall | None:
    """The job of a program that is judged: the one with a name or a number, or else the first; None without any.

    Args:
        cells: the code.
        classes: the arguments of SageMaker's classes by the classes' names, in their order.
        name: the variable that the job is bound to, or its number in the file, from 1.

    Raises:
        JobNameError: no job is called so.
    """
    statements = [statements_of(cell) for cell in cells]
    program = program_of_code(statements)
    jobs = [*_jobs(program)]
    if not jobs:
        return None
    chosen = _chosen(jobs, name)
    values = Values(program, classes)
    tree = _Arguments(values, program, classes).of(chosen)
    others = [job for job in jobs if job is not chosen]
    unread = [lines for found in statements for lines in found.unread]
    return JobCall(tree, chosen, others, unread, _tuner(program))


def _jobs(program: ProgramNames) -> Iterator[StartedJob]:
    for call, at, name in program.calls:
        dotted = program.dotted(call.func) or ""
        above, _, last = dotted.rpartition(".")
        if last in MADE_BY and above.rpartition(".")[2] == "ModelTrainer":
            yield StartedJob(f"ModelTrainer.{last}", name, call, at)
        elif last in (*JOBS, *ALSO) and _is_sagemaker(dotted, call):
            yield StartedJob(last, name, call, at)


def _is_sagemaker(dotted: str, call: ast.Call) -> bool:
    """Whether a class is SageMaker's: by its import, or else by its arguments."""
    package = dotted.partition(".")[0]
    return package == PACKAGE or ("." not in dotted and any(word.arg in TELLING for word in call.keywords))


def _tuner(program: ProgramNames) -> Span | None:
    for call, at, _ in program.calls:
        if (program.dotted(call.func) or "").rpartition(".")[2] == TUNER:
            return span_of(call.func, at.cell)
    return None


def _chosen(jobs: Sequence[StartedJob], name: str | None) -> StartedJob:
    if name is None:
        return jobs[0]
    if name.isdecimal() and 0 < int(name[:9]) <= len(jobs):
        return jobs[int(name[:9]) - 1]
    found = next((job for job in jobs if job.name == name), None)
    if found is None:
        raise JobNameError(f"no job of the file is bound to {name}; there is {', '.join(job.where for job in jobs)}")
    return found


class _Arguments:
    """Everything that is said to a job: in the call, by `set_hyperparameters`, and when it is started."""

    def __init__(self, values: Values, program: ProgramNames, classes: Mapping[str, Sequence[str]]) -> None:
        self._values, self._program, self._classes = values, program, classes

    def of(self, job: StartedJob) -> MapNode:
        """The arguments by their names."""
        names = self._classes.get(job.kind, ()) if job.kind != "ModelTrainer" else ()
        tree = self._values.arguments(job.call, job.at, names)
        tree.entries[CLASS] = (None, ScalarNode(job.kind, job.kind, job.span))
        for call, at, method in self._said(job):
            if method == "set_hyperparameters":
                self._more(tree.entries, "hyperparameters", self._values.arguments(call, at, ()))
            elif STARTED not in tree.entries:
                given = self._values.arguments(call, at, INPUTS[:1]).entries
                inputs = next((given[name] for name in INPUTS if name in given), None)
                if inputs is not None:
                    tree.entries[STARTED] = inputs
        return tree

    def _said(self, job: StartedJob) -> Iterator[tuple[ast.Call, CodePlace, str]]:
        """The calls of the job's own methods, up to another job with its name."""
        for call, at, _ in self._program.calls:
            method = call.func
            if not isinstance(method, ast.Attribute) or method.attr not in ("fit", "train", "set_hyperparameters"):
                continue
            own = isinstance(method.value, ast.Name) and method.value.id == job.name and self._is_of(job, at)
            if method.value is job.call or own:
                yield call, at, method.attr

    def _is_of(self, job: StartedJob, at: CodePlace) -> bool:
        if at.turn < job.at.turn or at.scope is not job.at.scope:
            return False
        bound = [one for one in at.scope.names.get(job.name or "", ()) if one.place.turn <= at.turn]
        return bool(bound) and bound[-1].value is job.call

    @staticmethod
    def _more(entries: Entries, name: str, more: MapNode) -> None:
        span, before = entries.get(name, (None, MapNode({}, more.span)))
        if isinstance(before, MapNode):
            node: Node = MapNode({**before.entries, **more.entries}, before.span)
            entries[name] = (span, node)
        else:
            entries[OTHER_ARGUMENTS] = (None, before)
