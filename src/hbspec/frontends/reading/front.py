"""A front end, and the reader of a text that may be a spec or a file of any program that has one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import NamedTuple

from hbspec.catalog import catalog
from hbspec.diagnostics import Route
from hbspec.frontends import front_of, names
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.deepspeed import ZERO, put_own_file
from hbspec.frontends.reading.foreign import Foreign, plain
from hbspec.frontends.reading.global_batch import share
from hbspec.frontends.reading.influence import ProgramKeys
from hbspec.frontends.reading.left_open import Said
from hbspec.manual import text as pages
from hbspec.manual.foreign import PAGES
from hbspec.source.layers import Layer, as_map, merged
from hbspec.source.nodes import MapNode
from hbspec.source.parse import parse
from hbspec.source.problems import Problems
from hbspec.source.translated import Translated
from hbspec.spec.foreign import OURS, program_of

JINJA = re.compile(r"\{(\{[^{}\n]*\})\}")
NUMBERED = "scale_config"
"""The mapping of HyperPod's recipes whose keys are numbers of nodes: it is passed over as a whole."""
PARALLELISM = ("instance", "parallelism")
WEIGHTS = ("software", "weights_dtype")
LONGEST_NAME = 40
"""Characters of a file's name that name the job; SageMaker takes 63, of which a digest takes 17."""


class Code(NamedTuple):
    """The text of a program or a script: its file, the name of one of its jobs, and whether files may lie outside."""

    text: str
    file: str
    job: str | None
    allow_outside: bool


class PartAbove(NamedTuple):
    """What counts above a job, and was read with it: a front end, and its keys."""

    front: FrontEnd
    foreign: Foreign


class FrontEnd(NamedTuple):
    """One front end.

    Attributes:
        program: the program's name, as messages and `program_of` have it.
        translate: reads the keys of a file, and builds a spec of them.
        fields: the keys that the program knows.
        part: whether its files describe a part of a job only, so that they stand beside another.
        code: reads the text of a program, which is not YAML.
        finish: says what is left open, once it is known which values come from elsewhere.
        of: the front end of what such a text starts, which is another program.
        also: the names of further files whose keys are among those of the job.
        parts: what counts above the job.
        filled: the tree with those placeholders filled in that the program fills from the file itself.
        several: how several GPUs share the work, where nothing says it: by `ddp`, or by another `instance.parallelism`.
    """

    program: str
    translate: Callable[[Foreign, Building], None]
    fields: Callable[[], ProgramKeys]
    part: bool = False
    code: Callable[[Code, Problems], Foreign | None] | None = None
    finish: Callable[[Foreign, Building, Said], None] | None = None
    of: Callable[[Foreign], FrontEnd] | None = None
    also: tuple[str, ...] = ()
    parts: tuple[PartAbove, ...] = ()
    filled: Callable[[MapNode], MapNode] | None = None
    several: str = "ddp"


class ForeignReader:
    """A `FileReader` of specs, and of files of the programs that have a front end."""

    def __init__(self, name: str | None = None, *, allow_outside: bool = False) -> None:
        """`name` is that of the front end; without one, a file is recognised by its ending, or by its keys.

        In `sagemaker:estimator`, the words after the colon name one of the jobs of a program. `allow_outside` lets a
        script name files outside the project.

        Raises:
            ValueError: no front end has this name.
        """
        program, _, job = (name or "").partition(":")
        self._front, self._job = front_of(program) if program else None, job or None
        self._allow_outside = allow_outside
        self._foreign: Foreign | None = None
        self._buildings: list[Building] = []
        self._program: str | None = None
        self._several = "ddp"

    def read(self, text: str, file: str, problems: Problems) -> MapNode | None:
        """The tree of a spec; None, with the reason in `problems`, if there is none."""
        front = self._front or _by_ending(file)
        if front and front.code:
            foreign = front.code(Code(text, file, self._job, self._allow_outside), problems)
            if foreign is None:
                return None
            return self._whole(front.of(foreign) if front.of else front, foreign, file, problems)
        tree = _tree(text, file, problems)
        front = (self._front or recognised(tree)) if tree else None
        if tree is None or front is None or front.part:
            return tree
        return self._whole(front, Foreign(front.filled(tree) if front.filled else tree), file, problems)

    def _whole(self, front: FrontEnd, foreign: Foreign, file: str, problems: Problems) -> MapNode | None:
        """The spec of a file that describes a whole job; None, with the reason in `problems`, if none can be made."""
        self._program, self._several = front.program, front.several
        building = Building(front.program, file, also=front.also)
        building.fix(("hbspec",), 1)
        building.fix(("name",), _name(file, front.program))
        building.fix(("instance",), {})
        if front.finish:
            self._foreign, self._front = foreign, front
        layers = [Layer(file, building.folder, None, self._translated(front, foreign, building))]
        if building.stopped is not None:
            span, message, action = building.stopped
            problems.add(PAGES["HB027"], span or file, message, action)
            return None
        for part in front.parts:
            above = self._translated(part.front, part.foreign, Building(part.front.program, file, also=front.also))
            layers.insert(0, Layer(file, building.folder, None, above))
        return MapNode(merged(layers).entries, layers[-1].tree.span)

    def beside(self, text: str, file: str, problems: Problems) -> MapNode | None:
        """The part of a spec that a file beside it gives; None, with the reason in `problems`, if there is none."""
        tree = _tree(text, file, problems)
        front = recognised(tree) if tree else None
        if tree is not None and ZERO in tree.entries:
            building = Building("DeepSpeed", file)
            put_own_file(building, Foreign(tree))
            self._buildings.append(building)
            return building.tree(tree.span)
        if tree is None or front is None:
            return tree
        return self._translated(front, Foreign(tree), Building(front.program, file))

    def _translated(self, front: FrontEnd, foreign: Foreign, building: Building) -> MapNode:
        front.translate(foreign, building)
        building.leftover(foreign, front.fields())
        self._buildings.append(building)
        return building.tree(foreign.span)

    def settled(self, tree: MapNode) -> MapNode:
        """The tree with what depends on several files: processes, and the dtype of what FSDP may widen."""
        if self._foreign is not None and self._front is not None and self._front.finish:
            self._front.finish(self._foreign, self._buildings[0], self._from_elsewhere(tree))
        sections = [tree.entries.get(name, (None, None))[1] for name in ("instance", "software")]
        if self._program is None or not all(node is None or isinstance(node, MapNode) for node in sections):
            return tree
        first = self._buildings[0]
        building = Building(self._program, first.file, tree, also=first.also)
        _leave_other_hardware(building)
        gpus = _gpus(building.value(("instance",)) or {})
        if not building.has(PARALLELISM):
            source = f"{self._program} is started with a process for every GPU"
            building.default(PARALLELISM, self._several if (gpus or 1) > 1 else "single", source)
        if first.shared:
            share(building, first.shared, gpus)
        for given, each, datasets in first.capped:
            building.at_most(given, each, datasets)
        for given, number in first.processes:
            building.started(given, number, gpus)
        if WEIGHTS not in first.certain and _is_loaded_narrow(building):
            building.leave(WEIGHTS)
        self._buildings.append(building)
        return building.tree(tree.span)

    def _from_elsewhere(self, tree: MapNode) -> Said:
        return lambda route: not self._buildings[0].is_own(route, tree)

    @property
    def translated(self) -> Translated | None:
        """What is known of the file; None if it is a spec."""
        found = [building.translated() for building in self._buildings]
        left_open = {route for building in self._buildings for route in building.left_open}
        if self._program is None:
            return None
        return Translated(
            self._program,
            {route: source for one in found for route, source in one.defaults.items() if route not in left_open},
            tuple(finding for one in found for finding in one.findings),
            {route: span for one in found for route, span in one.spans.items()},
            tuple(entry for one in found for entry in one.unread),
            frozenset[Route]().union(*(one.guessed for one in found)),
        )


def _by_ending(file: str) -> FrontEnd | None:
    """The front end of files with such a name, which no spec has."""
    endings = dict.fromkeys((".py", ".ipynb"), "sagemaker") | dict.fromkeys(
        (".sh", ".bash", ".slurm", ".sbatch", ".md", ".mdx", ".markdown"), "shell"
    )
    name = endings.get(PurePath(file).suffix.casefold())
    return front_of(name) if name else None


def recognised(tree: MapNode) -> FrontEnd | None:
    """The front end of the program whose file this is; None if it may be a spec, or no front end reads it."""
    if not OURS.isdisjoint(tree.entries):
        return None
    program = program_of(plain(tree))
    fronts = (front_of(name) for name in names()) if program else ()
    return next((front for front in fronts if front.program == program), None)


def _tree(text: str, file: str, problems: Problems) -> MapNode | None:
    """The mapping of a YAML or JSON text; Jinja's placeholders count as texts where nothing else can be made of it."""
    if "{{" not in text or any(f"{key}:" in text for key in OURS):
        tree = as_map(parse(text, file, problems), file, problems)
        problems.forgive(pages.KEY_NOT_TEXT, (NUMBERED,))
        return tree
    trial = Problems()
    tree = as_map(parse(text, file, trial), file, trial)
    if tree is not None and not trial.diagnostics:
        return tree
    quoted = JINJA.sub(r'"\1"', text)  # as long as before, so that every place stays
    return as_map(parse(quoted, file, problems), file, problems)


def _name(file: str, program: str) -> str:
    """A name that SageMaker accepts for a job: that of the file."""
    stem = PurePath(file).stem if file != "-" else program
    return re.sub(r"[^A-Za-z0-9]+", "-", stem)[:LONGEST_NAME].strip("-") or program.lower()


def _is_loaded_narrow(building: Building) -> bool:
    """Whether weights are loaded in the dtype of the products, which FSDP widens and nothing else does.

    Left open, the dtype follows from the parallelism, also where that is changed.
    """
    software = building.value(("software",)) or {}
    full = building.value(("hyperparameters", "method")) == "full" and software.get("autocast") is not False
    computed = building.value(("hyperparameters", "bf16")) is True
    return full and computed and software.get("weights_dtype") == "bfloat16" and building.own(WEIGHTS)


def _leave_other_hardware(building: Building) -> None:
    """Leaves out the types that a file names where others are asked for."""
    kind, alternatives = ("instance", "type"), ("instance", "alternatives")
    gpu = building.has(("instance", "gpu"))
    if building.has(alternatives) and building.own(alternatives) and (gpu or not building.own(kind)):
        building.leave(alternatives)
    if gpu and building.has(kind) and building.own(kind):
        building.leave(kind)


def _gpus(instance: dict[str, object]) -> int | None:
    """The GPUs of all instances; None where they are not known."""
    count = instance.get("count") or 1
    kind = instance.get("type")
    found = catalog().instances.get(kind) if isinstance(kind, str) else None
    each = instance.get("gpus") or (1 if "gpu" in instance else None) if found is None else found.gpus
    return each * count if isinstance(each, int) and isinstance(count, int) else None
