"""Values as the text of a YAML file, for programs that read one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def yaml_text(values: Mapping[str, Any], *comments: str) -> str:
    """A YAML document with the keys in their order, after comment lines; a text of several lines is written as such.

    Args:
        values: plain values: mappings with texts as keys, lists, texts, numbers, booleans and None.
        comments: lines without `#`.
    """
    import yaml  # the reader of specs is C's, and needs no Python classes

    class Lines(yaml.SafeDumper):
        """Writes texts of several lines as blocks, and values that stand twice in full."""

        def ignore_aliases(self, data: Any) -> bool:
            """Whether a value has no anchor: none has."""
            del data
            return True

    def block(dumper: Any, text: str) -> Any:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Lines.add_representer(str, block)
    body = yaml.dump(dict(values), Dumper=Lines, sort_keys=False, allow_unicode=True, width=1000)
    return "".join(f"# {' '.join(line.split())}\n" for line in comments) + str(body)
