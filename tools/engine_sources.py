"""Python source of a serving engine, parsed and not imported: its classes, annotations and names of choices."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

BOUNDS = ("gt", "ge", "lt", "le")
HUMAN_READABLE = (
    "max_num_batched_tokens", "max_num_scheduled_tokens", "kv_cache_memory_bytes", "safetensors_prefetch_block_size",
    "max_num_queued_tokens", "max_model_len",
)  # fmt: skip
"""Arguments of vLLM that take numbers such as 2k (`_compute_kwargs` of engine/arg_utils.py)."""
JSON = ("dict", "Dict", "Callable")


class Checkout:
    """A folder with source files, or a git directory without a work tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.read: dict[str, str] = {}

    @property
    def bare(self) -> bool:
        """Whether files are read from git, at HEAD."""
        return (self.root / "HEAD").is_file()

    def git(self, *words: str) -> str:
        """What a command of git prints."""
        place = [f"--git-dir={self.root}"] if self.bare else ["-C", str(self.root)]
        return subprocess.run(["git", *place, *words], check=True, capture_output=True, text=True).stdout

    def text(self, path: str) -> str:
        """The content of a file; its digest is remembered.

        Raises:
            FileNotFoundError: the checkout lacks the file.
        """
        if self.bare:
            try:
                found = self.git("show", f"HEAD:{path}")
            except subprocess.CalledProcessError:
                raise FileNotFoundError(path) from None
        else:
            found = (self.root / path).read_text(encoding="utf-8")
        self.read[path] = sha256(found.encode()).hexdigest()
        return found

    def tree(self, path: str) -> ast.Module:
        """A Python file, parsed."""
        return ast.parse(self.text(path))

    def names(self, folder: str) -> list[str]:
        """Paths of the Python files directly in a folder."""
        if self.bare:
            listed = self.git("ls-tree", "--name-only", "HEAD", f"{folder}/").splitlines()
        else:
            listed = [f"{folder}/{path.name}" for path in (self.root / folder).iterdir()]
        return sorted(path for path in listed if path.endswith(".py"))

    @cached_property
    def commit(self) -> str:
        """The commit: HEAD's, or the one that a wheel of vLLM says that it was built from."""
        version = self.root / "vllm/_version.py"
        found = re.search(r"commit_id = 'g([0-9a-f]+)'", version.read_text()) if version.is_file() else None
        return found[1] if found else self.git("rev-parse", "HEAD").strip()


class Classes:
    """Classes and names of literals of several modules."""

    def __init__(self, trees: Iterable[ast.Module]) -> None:
        self.classes: dict[str, ast.ClassDef] = {}
        self.aliases: dict[str, ast.expr] = {}
        for tree in trees:
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    self.classes.setdefault(node.name, node)
                elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    self.aliases.setdefault(node.targets[0].id, node.value)

    def fields(self, name: str) -> Iterator[tuple[str, ast.AnnAssign]]:
        """The annotated fields of a class and of its bases, a base's own first."""
        found = self.classes.get(name)
        if found is None:
            return
        for base in found.bases:
            yield from self.fields(ast.unparse(base))
        for node in found.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id, node

    def hints(self, node: ast.expr) -> Iterator[ast.expr]:
        """The alternatives of an annotation."""
        if isinstance(node, ast.BinOp):
            yield from self.hints(node.left)
            yield from self.hints(node.right)
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("Optional", "Union", "Annotated"):
            several = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            yield from (hint for one in several[:1 if ast.unparse(node.value) == "Annotated" else None]
                        for hint in self.hints(one))  # fmt: skip
            if ast.unparse(node.value) == "Optional":
                yield ast.Constant(None)
        elif isinstance(node, ast.Name) and node.id in self.aliases:
            yield from self.hints(self.aliases[node.id])
        else:
            yield node

    def choices(self, node: ast.Subscript) -> Iterator[Any]:
        """The values of a Literal, which may name others."""
        for one in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
            if isinstance(one, ast.Name):
                other = self.aliases[one.id]
                assert isinstance(other, ast.Subscript)
                yield from self.choices(other)
            else:
                yield ast.literal_eval(one)

    def argument(self, name: str, annotation: ast.expr, value: ast.expr | None = None) -> dict[str, Any]:
        """What argparse takes for a field: vLLM derives it from the annotation (`_compute_kwargs`)."""
        hints = list(self.hints(annotation))
        told = [ast.unparse(hint) for hint in hints]
        literal = next((hint for hint in hints if isinstance(hint, ast.Subscript) and is_literal(hint)), None)
        found: dict[str, Any]
        if any(_is_config(self.classes.get(one)) for one in told):
            found = {"kind": "json"}
        elif "bool" in told and "str" in told:
            found = {"kind": "str", "bare": True}
        elif "bool" in told:
            found = {"kind": "flag"}
        elif literal is not None:
            values = list(self.choices(literal))
            found = {"kind": type(values[0]).__name__, "open" if "str" in told else "choices": values}
        elif any(one.split("[")[0] in ("tuple", "list", "set", "Sequence") for one in told):
            found = {"kind": "list"}
        else:
            found = {"kind": _plain(name, told)}
        if "None" in told and found["kind"] != "flag":
            found["optional"] = True
        return found | bounds(value)


def is_literal(node: ast.Subscript) -> bool:
    """Whether an annotation lists its values."""
    return ast.unparse(node.value) == "Literal"


def bounds(value: ast.expr | None) -> dict[str, Any]:
    """The bounds that pydantic's Field puts on a value."""
    if not isinstance(value, ast.Call) or ast.unparse(value.func) != "Field":
        return {}
    return {one.arg: ast.literal_eval(one.value) for one in value.keywords if one.arg in BOUNDS}


def _is_config(node: ast.ClassDef | None) -> bool:
    return node is not None and any(ast.unparse(one).startswith("config") for one in node.decorator_list)


def _plain(name: str, told: list[str]) -> str:
    if "int" in told:
        return "size" if name in HUMAN_READABLE else "int"
    if "float" in told:
        return "float"
    return "json" if any(one.split("[")[0] in JSON for one in told) and "str" not in told else "str"
