"""What each name of a program is bound to, as far as that is certain without running it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hbspec.frontends.calls.cells import Cell
from hbspec.frontends.calls.statements import Statements

MUTATORS = frozenset(("update", "pop", "popitem", "setdefault", "clear", "append", "extend", "insert", "remove"))
EVERY_ITEM = ast.Constant(None)
"""The item of a binding that sets those of a whole mapping."""
MAIN = "__name__ == '__main__'"


class CodePlace(NamedTuple):
    """Where an expression stands: its cell, its scope, its turn, and the first turn of the loops around it."""

    cell: Cell
    scope: Scope
    turn: int
    loop: int | None = None


class Binding(NamedTuple):
    """A name gets a value, or an item of the mapping that it stands for does; without a value, it is computed.

    `certain` says that nothing decides whether this statement is reached.
    """

    place: CodePlace
    value: ast.expr | None
    item: ast.expr | None = None
    certain: bool = True


@dataclass
class Scope:
    """The names of a module or of a function, each with its bindings in their order."""

    outer: Scope | None = None
    names: dict[str, list[Binding]] = field(default_factory=dict)
    of_module: set[str] = field(default_factory=set)
    same: dict[str, set[str]] = field(default_factory=dict)

    def also_called(self, name: str) -> set[str]:
        """Other names that have been bound to what a name stands for, or it to what they stand for."""
        found, waiting = {name}, [name]
        while waiting:
            more = self.same.get(waiting.pop(), set()) - found
            found |= more
            waiting += more
        return found - {name}

    def found(self, name: str, place: CodePlace) -> list[Binding] | None:
        """The last binding of a name before a place, with the items that are set after it; None if it is not certain.

        Where a function reads a name from outside of it, or a loop may bind it again, one binding must be the only one.
        """
        scope, inside = self, True
        while name not in scope.names and scope.outer is not None:
            scope, inside = scope.outer, False
        every = scope.names.get(name, [])
        again = place.loop is not None and any(one.place.turn >= place.loop for one in every)
        if not inside or again:
            return every if len(every) == 1 and every[0].certain else None
        before = [one for one in every if one.place.turn < place.turn]
        last = next((at for at in range(len(before) - 1, -1, -1) if before[at].item is None), None)
        chosen = [] if last is None else before[last:]
        return chosen if chosen and chosen[0].certain else None


class ProgramNames(NamedTuple):
    """A program: every call, with its place and the name that its value gets, and where imported names are from."""

    calls: list[tuple[ast.Call, CodePlace, str | None]]
    imported: dict[str, str]

    def dotted(self, node: ast.expr) -> str | None:
        """The full name of what an expression names, `sagemaker.huggingface.HuggingFace`; None if it is another one."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            above = self.dotted(node.value)
            return None if above is None else f"{above}.{node.attr}"
        return None


def program_of_code(cells: Sequence[Statements]) -> ProgramNames:
    """The bindings and the calls of cells that run in their order."""
    walk = _Walk()
    module = Scope()
    for statements in cells:
        walk.body(statements.body, CodePlace(statements.cell, module, 0), certain=True)
    return walk.program


class _Walk:
    """Goes through the statements of a program in the order in which they are written."""

    def __init__(self) -> None:
        self.program = ProgramNames([], {})
        self._turn = 0

    def body(self, statements: Sequence[ast.stmt], at: CodePlace, *, certain: bool) -> None:
        """Every statement of a block."""
        for statement in statements:
            self._turn += 1
            self._statement(statement, at._replace(turn=self._turn), certain=certain)

    def _statement(self, node: ast.stmt, at: CodePlace, *, certain: bool) -> None:
        bind = _Binder(at, certain=certain)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            bind.computed(node.name)
            self._function(node, at)
            return
        if isinstance(node, ast.ClassDef):
            bind.computed(node.name)
            self.body(node.body, at._replace(scope=Scope(at.scope)), certain=True)
            return
        self._calls(node, at)
        bind.statement(node)
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.program.imported.update(_imported(node))
        self._blocks(node, at, certain=certain)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, at: CodePlace) -> None:
        inner = Scope(at.scope)
        bind = _Binder(at._replace(scope=inner, turn=0), certain=True)
        given = node.args
        for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
            if argument is not None:
                bind.computed(argument.arg)
        self.body(node.body, at._replace(scope=inner, loop=None), certain=True)

    def _blocks(self, node: ast.stmt, at: CodePlace, *, certain: bool) -> None:
        """The statements inside a statement: what is under a condition, in a loop or in a handler is not certain."""
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            inside = at if at.loop is not None else at._replace(loop=at.turn)
            self.body((*node.body, *node.orelse), inside, certain=False)
        elif isinstance(node, ast.If):
            self.body(node.body, at, certain=certain and ast.unparse(node.test) == MAIN)
            self.body(node.orelse, at, certain=False)
        elif isinstance(node, ast.With | ast.AsyncWith):
            self.body(node.body, at, certain=certain)
        elif isinstance(node, ast.Try):
            self.body(node.body, at, certain=certain)
            for handler in node.handlers:
                self.body(handler.body, at, certain=False)
            self.body((*node.orelse, *node.finalbody), at, certain=certain)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                self.body(case.body, at, certain=False)

    def _calls(self, node: ast.stmt, at: CodePlace) -> None:
        """The calls of a statement, without those of the statements inside it."""
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        named = target.id if isinstance(target, ast.Name) else None
        own = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr | ast.withitem)]
        for child in own:
            for part in ast.walk(child):
                if isinstance(part, ast.Call):
                    self.program.calls.append((part, at, named if part is getattr(node, "value", None) else None))


class _Binder:
    """Binds names at one place."""

    def __init__(self, at: CodePlace, *, certain: bool) -> None:
        self._at, self._certain = at, certain

    def computed(self, name: str) -> None:
        """A name whose value is not known."""
        self._add(name, None)

    def statement(self, node: ast.stmt) -> None:
        """Everything that a statement binds, without the statements inside it."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._target(target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._target(node.target, node.value)
        elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor):
            self._target(node.target, None)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name in _imported(node):
                self.computed(name)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._target(target, None)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                self._at.scope.of_module.add(name)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if item.optional_vars is not None:
                    self._target(item.optional_vars, None)
        self._inside(node)

    def _target(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self._add(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            values: Sequence[ast.expr | None] = value.elts if same else [None] * len(target.elts)  # type: ignore[union-attr]
            for part, given in zip(target.elts, values, strict=True):
                self._target(part, None if isinstance(given, ast.Starred) else given)
        elif isinstance(target, ast.Starred):
            self._target(target.value, None)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            self._change(target.value.id, value, None if value is None else target.slice)
        elif isinstance(target, ast.Subscript) and (name := _root(target)):
            self._change(name, None)

    def _changed(self, call: ast.Call, *, alone: bool) -> None:
        """A method that changes what a name stands for: `update` with items, or one whose work is not followed."""
        method = call.func
        name = _root(method.value) if isinstance(method, ast.Attribute) else None
        if name is None or not isinstance(method, ast.Attribute) or method.attr not in MUTATORS:
            return
        if method.attr == "update" and alone and isinstance(method.value, ast.Name):
            for items in call.args:
                self._change(name, items, EVERY_ITEM)
            for word in call.keywords:
                item = EVERY_ITEM if word.arg is None else ast.copy_location(ast.Constant(word.arg), word)
                self._change(name, word.value, item)
        else:
            self._change(name, None)

    def _inside(self, node: ast.stmt) -> None:
        """What expressions bind and change."""
        for child in ast.iter_child_nodes(node):
            for part in ast.walk(child) if isinstance(child, ast.expr) else ():
                if isinstance(part, ast.NamedExpr):
                    self._target(part.target, None)
                elif isinstance(part, ast.Call):
                    self._changed(part, alone=isinstance(node, ast.Expr) and part is node.value)

    def _change(self, name: str, value: ast.expr | None, item: ast.expr | None = None) -> None:
        """A change of what a name stands for, which other names of it see, too, and the scope that has it."""
        scope, certain = self._at.scope, self._certain
        while name not in scope.names and scope.outer is not None:
            scope, certain = scope.outer, False
        scope.names.setdefault(name, []).append(Binding(self._at, value, item, certain))
        for other in scope.also_called(name):
            scope.names.setdefault(other, []).append(Binding(self._at, None))

    def _add(self, name: str, value: ast.expr | None) -> None:
        scope, certain = self._at.scope, self._certain
        while name in scope.of_module and scope.outer is not None:
            scope, certain = scope.outer, False
        scope.names.setdefault(name, []).append(Binding(self._at, value, certain=certain))
        if isinstance(value, ast.Name):
            scope.same.setdefault(name, set()).add(value.id)
            scope.same.setdefault(value.id, set()).add(name)


def _root(node: ast.expr) -> str | None:
    """The name at the beginning of `name["key"]["key"]`; None for another expression."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _imported(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Where the names of an import are from."""
    if isinstance(node, ast.ImportFrom):
        return {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
    tops = {name.name.partition(".")[0] for name in node.names if not name.asname}
    return {top: top for top in tops} | {name.asname: name.name for name in node.names if name.asname}
