"""What the code of the author's own script names: read as a tree, with the modules beside it, and never run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from hbspec.source import Document
from hbspec.source.attachments import AttachmentError, read_script
from hbspec.spec import Spec

if TYPE_CHECKING:
    import ast

JOB_MODULE = "hbspec_job"
"""The module that does for a script what the shipped one does by itself (`templates/hbspec_job.py`)."""
JOB = "Job"
MOST_MODULES = 50
TRAINS = frozenset({"train", "backward", "training_step"})
"""Methods by which a script is known to train: of a trainer, of a loss, of Lightning."""
RESUMES = frozenset(
    {
        "resume_from_checkpoint",
        "get_last_checkpoint",
        "load_state",
        "load_checkpoint",
        "load_state_dict",
        "ckpt_path",
    }
)
"""Names by which transformers, accelerate, DeepSpeed, torch and Lightning go on from a checkpoint."""
STOPS = frozenset({"SIGTERM", "signal"})


class ScriptCode(NamedTuple):
    """The code of a script and of the modules beside it that it imports.

    Attributes:
        trains: whether a call in the script itself trains; otherwise training lies where this does not look.
        names: every name, attribute, argument, imported module, and short text.
    """

    trains: bool
    names: frozenset[str]

    @property
    def has_job(self) -> bool:
        """Whether it makes a `Job` of `hbspec_job`, which alone does nothing for a run but end it at a signal."""
        return {JOB_MODULE, JOB} <= self.names

    @property
    def resumes(self) -> bool:
        """Whether it may go on from a checkpoint."""
        return self.has_job or bool(RESUMES & self.names)

    @property
    def stops(self) -> bool:
        """Whether it may handle SIGTERM."""
        return self.has_job or bool(STOPS & self.names)


def own_script(document: Document, spec: Spec) -> ScriptCode | None:
    """The code of the spec's own script; None where it has none, or where it cannot be read as Python."""
    if spec.script is None:
        return None
    names: set[str] = set()
    trains, waiting, seen = False, [spec.script.entry_point], {spec.script.entry_point}
    while waiting and len(seen) <= MOST_MODULES:
        path = waiting.pop(0)
        try:
            found = _read(read_script(document, spec.script.source_dir, path))
        except AttachmentError:
            found = None  # a library, or HB611 says so
        if found is None:
            if path == spec.script.entry_point:
                return None
            continue
        trains = trains or (path == spec.script.entry_point and found.trains)
        names |= found.names
        beside = [place for module in found.modules for place in _places(module) if place not in seen]
        seen |= set(beside)
        waiting += beside
    return ScriptCode(trains, frozenset(names))


class _Module(NamedTuple):
    trains: bool
    names: frozenset[str]
    modules: tuple[str, ...]


@lru_cache(maxsize=64)
def _read(content: bytes) -> _Module | None:
    import ast  # which only specs with a script of their own need

    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    modules, names, trains = [], set[str](), False
    for node in ast.walk(tree):
        names |= set(_named(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            trains = trains or (node.func.attr in TRAINS and not _sets_a_mode(node))
        if isinstance(node, ast.Import):
            modules += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules += [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
    return _Module(trains, frozenset(names), tuple(modules))


def _sets_a_mode(call: ast.Call) -> bool:
    """Whether a call is `model.train()`, which only switches dropout on, rather than a trainer's."""
    import ast

    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, ast.Call):  # SFTTrainer(…).train()
        owner = owner.func
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return isinstance(call.func, ast.Attribute) and call.func.attr == "train" and "trainer" not in name.lower()


def _named(node: ast.AST) -> Iterator[str]:
    import ast

    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.arg(arg=name):
            yield name
        case ast.Import(names=imported):
            yield from (part for one in imported for part in one.name.split("."))
        case ast.ImportFrom(module=module, names=imported):
            yield from (module or "").split(".")
            yield from (one.name for one in imported)
        case ast.Constant(value=str(text)) if len(text) < 100:
            yield text


def _places(module: str) -> tuple[str, str]:
    path = module.replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"
