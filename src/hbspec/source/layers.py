"""`extends`: one spec merged over another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hbspec.diagnostics import Route
from hbspec.manual import text as pages
from hbspec.source.files import decode, read_text
from hbspec.source.limits import MAX_EXTENDS
from hbspec.source.nodes import MapNode, Node, ScalarNode, kind_of
from hbspec.source.parse import parse
from hbspec.source.paths import OutsideProjectError, PathError, contained
from hbspec.source.problems import Problems

EXTENDS = "extends"
_ROUTE: Route = (EXTENDS,)


class Layer(NamedTuple):
    """One file of a chain: its name as shown, the folder that its paths resolve against, its real path, its tree."""

    file: str
    folder: Path
    real: Path | None
    tree: MapNode


def as_map(tree: Node | None, file: str, problems: Problems) -> MapNode | None:
    """The tree if it is a mapping, as a spec must be; otherwise None, with the reason in `problems`."""
    if tree is None or isinstance(tree, MapNode):
        return tree
    problems.add(
        pages.NOT_A_MAPPING,
        tree.span or file,
        f"a spec must be a mapping, but this is {kind_of(tree)}",
        "begin with `hbspec: 1`, and write `key: value` on each line",
    )
    return None


def chain(
    first: Layer, root: Path, allow_outside: bool, problems: Problems, unsaved: Mapping[Path, str]
) -> list[Layer]:
    """The spec and the specs that it extends, in order, the spec itself first.

    Stops at the first file that cannot be read, with the reason in `problems`. `unsaved` holds the text of files, by
    their real paths, whose content on the disk is not what counts.
    """
    layers = [first]
    while (layer := _next(layers, root, allow_outside, problems, unsaved)) is not None:
        layers.append(layer)
    return layers


def _next(
    layers: list[Layer], root: Path, allow_outside: bool, problems: Problems, unsaved: Mapping[Path, str]
) -> Layer | None:
    last = layers[-1]
    if EXTENDS not in last.tree.entries:
        return None
    _, node = last.tree.entries[EXTENDS]
    place = node.span or last.file
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
        several = "; let that file extend the next" if kind_of(node) == "a list" else ""
        message = f"`extends` takes the path of one file, but this is {kind_of(node)}"
        problems.add(pages.BAD_EXTENDS, place, message, f"write `extends: ./base.yaml`{several}", route=_ROUTE)
        return None
    try:
        real = contained(node.value, last.folder, root, allow_outside)
    except OutsideProjectError as error:
        help_ = "move the file into the project, or allow it with `--allow-outside`"
        problems.add(pages.OUTSIDE_PROJECT, place, str(error), help_, route=_ROUTE)
        return None
    except PathError as error:
        help_ = f"give the path of a spec, relative to {last.folder}"
        problems.add(pages.UNREADABLE_FILE, place, str(error), help_, route=_ROUTE)
        return None
    file = os.path.normpath(Path(last.file).parent / node.value)
    if real in [layer.real for layer in layers]:
        message = f"this closes a cycle: {' → '.join([layer.file for layer in layers] + [file])}"
        problems.add(pages.EXTENDS_CYCLE, place, message, "remove one of these `extends`", route=_ROUTE)
        return None
    if len(layers) > MAX_EXTENDS:
        message = f"the spec extends a chain of more than {MAX_EXTENDS} files"
        help_ = f"merge files of the chain until the spec extends at most {MAX_EXTENDS}"
        problems.add(pages.OVER_LIMIT, place, message, help_, route=_ROUTE)
        return None
    held = unsaved.get(real)
    if held is None:
        text = read_text(real, file, place, problems)
    else:
        text = decode(held.encode("utf-8", "surrogatepass"), file, problems)
    tree = None if text is None else as_map(parse(text, file, problems), file, problems)
    return None if tree is None else Layer(file, real.parent, real, tree)


def merged(layers: list[Layer]) -> MapNode:
    """All layers as one mapping without `extends`: mappings merge, other values replace, null deletes (RFC 7396)."""
    tree = layers[-1].tree
    for layer in reversed(layers[:-1]):
        tree = _over(tree, layer.tree)
    return MapNode({key: entry for key, entry in tree.entries.items() if key != EXTENDS}, tree.span)


def _over(base: MapNode, upper: MapNode) -> MapNode:
    entries = dict(base.entries)
    for key, (key_span, node) in upper.entries.items():
        if isinstance(node, ScalarNode) and node.value is None:
            entries.pop(key, None)
            continue
        below = entries.get(key, (None, None))[1]
        if isinstance(node, MapNode):
            node = _over(below if isinstance(below, MapNode) else MapNode({}, None), node)
        entries[key] = (key_span, node)
    return MapNode(entries, upper.span)
