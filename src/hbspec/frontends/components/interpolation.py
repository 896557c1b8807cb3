"""Interpolations of OmegaConf that name another value of the same file: `${batch_size}`, `${checkpointer.output_dir}`.

Resolvers (`${oc.env:…}`) and names that the file does not have stay as they are: what they stand for is not known.
"""

from __future__ import annotations

import re

from hbspec.source.nodes import ListNode, MapNode, Node, ScalarNode

REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*(?:\.\w+)*)\}")
DEEPEST = 8
"""How often a value may name another that names another: a circle ends here."""


def filled(tree: MapNode) -> MapNode:
    """The tree with the values that its interpolations name, each where the interpolation stands."""
    return MapNode({key: (span, _filled(node, tree)) for key, (span, node) in tree.entries.items()}, tree.span)


def _filled(node: Node, root: MapNode) -> Node:
    if isinstance(node, MapNode):
        return MapNode({key: (span, _filled(child, root)) for key, (span, child) in node.entries.items()}, node.span)
    if isinstance(node, ListNode):
        return ListNode([_filled(child, root) for child in node.items], node.span)
    for _ in range(DEEPEST):
        text = node.value
        if not isinstance(text, str) or not (found := REFERENCE.search(text)):
            return node
        named = _named(root, found[1])
        if named is None:
            return node
        if found[0] == text.strip():
            node = ScalarNode(named.value, named.spelling, node.span)
        else:
            text = text.replace(found[0], named.spelling)
            node = ScalarNode(text, text, node.span)
    return node


def _named(root: MapNode, path: str) -> ScalarNode | None:
    """The value at a path of keys; None if there is none, or it is not a single value."""
    node: Node = root
    for part in path.split("."):
        if not isinstance(node, MapNode) or part not in node.entries:
            return None
        node = node.entries[part][1]
    return node if isinstance(node, ScalarNode) else None
