"""Texts of a chart made safe to show, before they are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.showing import shown


def shown_values(vega_lite: Any) -> Any:
    r"""A chart whose texts are all without credentials and control characters; Vega escapes them as XML.

    >>> shown_values({"values": [{"name": "a\x1bb", "size": 2}]})
    {'values': [{'name': 'a␛b', 'size': 2}]}
    """
    if isinstance(vega_lite, str):
        return shown(vega_lite)
    if isinstance(vega_lite, Mapping):
        return {name: shown_values(value) for name, value in vega_lite.items()}
    return [shown_values(value) for value in vega_lite] if isinstance(vega_lite, list | tuple) else vega_lite
