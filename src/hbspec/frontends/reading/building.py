"""A spec that is made of a foreign file: values where the author wrote them, defaults of the framework, findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hbspec.diagnostics import Finding, Route, Severity, Span
from hbspec.frontends.reading.foreign import Foreign, ForeignKey, node_of, plain
from hbspec.frontends.reading.global_batch import GlobalBatch
from hbspec.frontends.reading.influence import GONE, MEMORY, TIME, Influence, ProgramKeys
from hbspec.frontends.reading.left_open import Remark
from hbspec.frontends.reading.mixed import Mixed, mixed
from hbspec.manual.foreign import PAGES
from hbspec.source.nodes import MapNode, Node
from hbspec.source.translated import Translated
from hbspec.spelling import nearest


class Building:
    """The spec that is made of one foreign file."""

    def __init__(self, program: str, file: str, tree: MapNode | None = None, also: tuple[str, ...] = ()) -> None:
        """`tree` is what is known already; `also` names the files that the foreign one has read."""
        self.program, self.file, self.also = program, file, also
        self._tree: MapNode = _copy(tree) if tree else MapNode({}, None)
        self.defaults: dict[Route, str] = {}
        self._findings: list[Finding] = []
        self._spans: dict[Route, Span] = {}
        self._unread: list[tuple[str, str]] = []
        self.guessed: set[Route] = set()
        self.left_open: set[Route] = set()
        self.capped: list[tuple[ForeignKey, int, int]] = []
        self.shared: GlobalBatch | None = None
        self.certain: set[Route] = set()
        self.stopped: tuple[Span | None, str, str] | None = None
        self.processes: list[tuple[ForeignKey, int]] = []

    @property
    def folder(self) -> Path:
        """The folder of the file, from which its paths are read."""
        return Path() if self.file == "-" else Path(self.file).parent

    def put(self, route: Route, given: ForeignKey | None, value: Any = None) -> None:
        """A value that the author wrote, as it is or as another; nothing if it was not written.

        A value that is filled in later is not one: what it stands for is not known.
        """
        if given is None:
            return
        if given.placeholder:
            self.not_filled_in(given)
            return
        node = given.natural if value is None else node_of(value, given.node.span)
        self._place(route, given.key_span, node)

    def fix(self, route: Route, value: Any) -> None:
        """A value that every spec made of such a file has."""
        self._place(route, None, node_of(value))

    def default(self, route: Route, value: Any, source: str) -> None:
        """A value that the framework takes, unless the file says another."""
        if not self.has(route):
            self._place(route, None, node_of(value))
            self.defaults[route] = source

    def leave(self, route: tuple[str, str]) -> None:
        """Delete a value that is there: what the framework takes follows from others, which may change."""
        section = self._tree.entries[route[0]][1]
        if isinstance(section, MapNode):
            del section.entries[route[1]]
            self.left_open.add(route)

    def has(self, route: Route) -> bool:
        """Whether there is a value."""
        return self._node(route) is not None

    def own(self, route: Route) -> bool:
        """Whether a value is of this file or a default, rather than of an option or of a file beside."""
        node = self._node(route)
        return node is not None and (node.span is None or node.span.file in (self.file, *self.also))

    def value(self, route: Route) -> Any:
        """The value, as plain data; None without one."""
        node = self._node(route)
        return None if node is None else plain(node)

    def _node(self, route: Route) -> Node | None:
        node: Node = self._tree
        for part in route:
            if not isinstance(node, MapNode) or part not in node.entries:
                return None
            node = node.entries[str(part)][1]
        return node

    def _place(self, route: Route, key_span: Span | None, node: Any) -> None:
        tree = self._tree
        for part in route[:-1]:
            tree = tree.entries.setdefault(str(part), (None, MapNode({}, None)))[1]  # type: ignore[assignment]
        tree.entries[str(route[-1])] = (key_span, node)

    def tree(self, span: Span | None) -> MapNode:
        """The spec, at the place of the foreign file's mapping."""
        return MapNode(self._tree.entries, span)

    def translated(self) -> Translated:
        """What is known of the file."""
        return Translated(
            self.program,
            dict(self.defaults),
            tuple(self._findings),
            dict(self._spans),
            tuple(self._unread),
            frozenset(self.guessed),
        )

    def refuse(self, given: ForeignKey, message: str, action: str) -> None:
        """The file describes what is not estimated at all."""
        self._add("HB027", Severity.ERROR, given, message, action)

    def stop(self, given: ForeignKey, message: str, action: str) -> None:
        """The file describes what no spec can be made of, which is all that is said of it."""
        self.stopped = (given.key_span or given.node.span, message, action)

    def not_filled_in(self, given: ForeignKey) -> None:
        """A value that is filled in later."""
        message = f"{given.key} is `{given.placeholder}`, which is filled in later: its value is not known here"
        self._add("HB036", Severity.WARNING, given, message, "write the value, or set it with --set or --with")

    def unread(self, given: ForeignKey, change: str, does: str) -> None:
        """A key that influences memory and is not estimated."""
        need = {"less": "may need less", "more": "may need more", "either": "may need more or less"}[change]
        self._unread.append((given.key, change))
        message = f"{self.program}'s {given.key} {does}, which is not estimated: the job {need} memory than is said"
        self._add(
            "HB029", Severity.WARNING, given, message, "take the verdict on memory as a guess, or measure the job"
        )

    def remark(self, remark: Remark, *parts: str | int) -> None:
        """A finding about the file itself, or about code in it; `parts` keep its route apart from others."""
        route = (self.program, *parts)
        if remark.span:
            self._spans[route] = remark.span
        name = PAGES[remark.code].name
        self._findings.append(Finding(remark.code, name, remark.severity, route, remark.message, remark.help))

    def uncertain(self, what: str, change: str = "either") -> None:
        """Something may make memory "less", "more" or "either" than is said; a finding says so elsewhere."""
        self._unread.append((what, change))

    def is_own(self, route: Route, tree: MapNode) -> bool:
        """Whether a value in a whole spec is the one that was built, rather than one from a layer above it."""
        own = self._node(route)
        node: Node | None = tree
        for part in route:
            node = node.entries.get(str(part), (None, None))[1] if isinstance(node, MapNode) else None
        return node is own

    def at_most(self, given: ForeignKey, each: int, datasets: int) -> None:
        """A key that limits the examples of each dataset, beside a larger number of them that the user gives."""
        said, most = self.value(("data", "train", "examples")), each * datasets
        if not isinstance(said, int) or said <= most:
            return
        message = (
            f"{given.key} is {each:,} for each of {datasets} datasets, so {self.program} trains on at most {most:,} "
            f"examples, and data.train.examples is {said:,}"
        )
        self._add("HB029", Severity.WARNING, given, message, f"set data.train.examples to {most} or less")

    def imprecise(self, given: ForeignKey, message: str, action: str) -> None:
        """A value that is taken otherwise than it stands there."""
        self._add("HB029", Severity.WARNING, given, message, action)

    def started(self, given: ForeignKey, processes: int, gpus: int | None) -> None:
        """A key that starts more or fewer processes than the hardware has GPUs."""
        if gpus is None or processes == gpus or self.value(("instance", "parallelism")) == "single":
            return
        message = (
            f"{given.key} is {given.text}: {processes:,} processes train, and the hardware has {gpus:,} GPUs; "
            f"what is said is of {gpus:,} processes"
        )
        self._add(
            "HB029", Severity.WARNING, given, message, "start a process for each GPU, or name the hardware with --on"
        )
        self._unread.append((given.key, "either"))

    def slower_or_faster(self, given: ForeignKey) -> None:
        """A key that influences time only and is not estimated."""
        message = f"{self.program}'s {given.key} influences time, and is not estimated"
        self._add("HB029", Severity.NOTE, given, message, "take the time and the cost as a guess")

    def leftover(self, foreign: Foreign, fields: ProgramKeys) -> None:
        """What nothing has read: sorted by what it influences, or not a key of the framework at all."""
        rest = list(foreign.rest())
        strange = [given for given in rest if fields.lacks(given.route)]
        other = mixed([given.key for given in strange], self.program)
        if other:
            self._of_two(next(given for given in strange if given.key in other.keys), other, fields)
        for given in strange:
            if not (other and given.key in other.keys):
                self._unknown(given, fields)
        for given in rest:
            if given in strange:
                continue
            influence = fields.influence(*(str(part) for part in given.route if not isinstance(part, int)))
            self.sort(given, influence)

    def sort(self, given: ForeignKey, influence: Influence) -> None:
        """Says what a key that is not read influences."""
        acts = given.text.casefold() not in influence.unless if influence.unless else given.acts
        if influence.on in MEMORY and acts:
            self.unread(given, influence.on, influence.does)
        elif influence.on == TIME and acts:
            self.slower_or_faster(given)
        elif influence.on == GONE and acts:
            message = f"{self.program} no longer supports `{given.key}`, and stops at it"
            self._add("HB028", Severity.WARNING, given, message, "delete it")

    def renamed(self, given: ForeignKey, fields: ProgramKeys) -> None:
        """A key of an earlier version, which was read as the one that took its place."""
        now = fields.aliases[given.key]
        message = f"{fields.program} has no key `{given.key}`; earlier versions had it, and it is read as `{now}`"
        self._add("HB028", Severity.WARNING, given, message, f"write `{now}`")

    def _of_two(self, first: ForeignKey, other: Mixed, fields: ProgramKeys) -> None:
        message = (
            f"the file is read as {self.program}'s, and {', '.join(other.keys)} are keys of {other.program}, which "
            f"{fields.program} does not have"
        )
        self._add("HB037", Severity.WARNING, first, message, "keep the keys of one program")

    def _unknown(self, given: ForeignKey, fields: ProgramKeys) -> None:
        near = nearest(given.key, fields.beside(given.route))
        action = f"did you mean `{near}`?" if near else "delete it"
        self._add("HB028", Severity.WARNING, given, f"{fields.program} has no key `{given.key}`", action)
        if fields.open:
            self.uncertain(given.key)

    def _add(self, code: str, severity: Severity, given: ForeignKey, message: str, action: str) -> None:
        route = (self.program, *given.route)
        span = given.key_span or given.node.span
        if span:
            self._spans[route] = span
        self._findings.append(Finding(code, PAGES[code].name, severity, route, message, action))


def _copy(tree: MapNode) -> MapNode:
    """The mapping, with mappings of its own, whose entries can be added to."""
    entries = {
        key: (span, _copy(node) if isinstance(node, MapNode) else node) for key, (span, node) in tree.entries.items()
    }
    return MapNode(entries, tree.span)
