"""Charts in Vega-Lite, and their drawing as SVG without a network, by vl-convert.

Vega-Lite is written as it is published, as plain values: altair, which would write it, takes 0.7 s to load, a quarter
of the time that a whole report may take. What is drawn needs neither a script nor a style attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from hbspec.language import phrase
from hbspec.reporting.colours import SERIES, variable
from hbspec.units import DAY, HOUR

Values = Sequence[Mapping[str, Any]]
Layer = dict[str, Any]

WIDTH = 620
ROW = 26
LETTER = 7.2
"""Pixels of a letter of a label in a wide font: vl-convert measures with another font than the reader has."""
VERSION = "6.4"
"""Of Vega-Lite: vl-convert holds several, and another one may draw another picture."""

_INK, _FAINT, _LINE = variable("ink"), variable("faint"), variable("line")
CONFIG: Mapping[str, Any] = {
    "aria": False,  # the figure says what is drawn, and the table after it every number
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "point": {"opacity": 1},
    "axis": {
        "labelColor": _INK,
        "titleColor": _INK,
        "gridColor": _LINE,
        "domainColor": _FAINT,
        "tickColor": _FAINT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 240,
    },
    "legend": {
        "labelColor": _INK,
        "titleColor": _INK,
        "labelFontSize": 12,
        "orient": "bottom",
        "columns": 3,
        "columnPadding": 48,
        "title": None,
        "labelLimit": 0,
    },
    "text": {"color": _INK, "fontSize": 12},
}


class AxisUnit(NamedTuple):
    """A unit of an axis, and its size in base units."""

    name: str
    size: float


def seconds_unit(most: float) -> AxisUnit:
    """The unit in which seconds up to `most` are drawn."""
    known = (
        AxisUnit(phrase("days"), DAY),
        AxisUnit(phrase("hours"), HOUR),
        AxisUnit(phrase("minutes"), 60.0),
        AxisUnit(phrase("seconds"), 1.0),
    )
    return next((unit for unit in known if most >= 2 * unit.size), AxisUnit(phrase("milliseconds"), 0.001))


def quantity(field: str, title: str | None = None, **more: Any) -> Layer:
    """The encoding of a number, on an axis with a title."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def category(field: str, **more: Any) -> Layer:
    """The encoding of a name, in the order of the rows."""
    return {"field": field, "type": "nominal", "sort": None, "title": None, **more}


def colour_of(field: str, names: Iterable[str]) -> Layer:
    """The encoding of a name as a colour, in the order of `SERIES`."""
    shown = list(names)
    scale = {"domain": shown, "range": [variable(SERIES[number % len(SERIES)]) for number in range(len(shown))]}
    return {"field": field, "type": "nominal", "scale": scale}


def layered(*layers: Layer, height: float, width: int = WIDTH) -> Layer:
    """A chart of layers on shared axes, each with the first title that a layer has for it."""
    for channel in ("x", "y"):
        found = [layer["encoding"][channel] for layer in layers if channel in layer["encoding"]]
        title = next((one["title"] for one in found if one["title"] is not None), None)
        for one in found:
            one["title"] = title
    for layer in layers:
        if (y := layer["encoding"].get("y")) and y["type"] == "nominal":
            names = [str(value[y["field"]]) for value in layer["data"]["values"]]
            y["axis"] = {"labelLimit": 0, "minExtent": LETTER * max(map(len, names), default=0)}
    return {"width": width, "height": height, "layer": list(layers)}


def bars(values: Values, x: str, title: str, y: str = "name", colour: str = SERIES[0], **x_more: Any) -> Layer:
    """A horizontal bar for each row."""
    mark = {"type": "bar", "color": variable(colour), "height": {"band": 0.62}}
    return _layer(values, mark, {"x": quantity(x, title, **x_more), "y": category(y)})


def whiskers(values: Values, y: str = "name", low: str = "low", high: str = "high") -> Layer:
    """A line from the low to the high end of each row."""
    mark = {"type": "rule", "color": _INK, "strokeWidth": 2}
    return _layer(values, mark, {"x": quantity(low), "x2": {"field": high}, "y": category(y)})


def limit(at: float, label: str) -> list[Layer]:
    """A vertical line with its label, for what must not be exceeded."""
    values, x = [{"at": at, "label": label}], quantity("at")
    rule = {"type": "rule", "color": variable("bad"), "strokeWidth": 2, "strokeDash": [6, 3]}
    text = {"type": "text", "align": "right", "dx": -5, "y": -7, "color": variable("bad")}
    named = _layer(values, text, {"x": x, "text": {"field": "label", "type": "nominal"}})
    return [_layer(values, rule, {"x": x}), named]


def _layer(values: Values, mark: Layer, encoding: Layer) -> Layer:
    return {"data": {"values": list(values)}, "mark": mark, "encoding": encoding}


def svg(vega_lite: Mapping[str, Any], prefix: str, axes: Mapping[str, Any] | None = None) -> str:
    """The chart as an SVG element.

    Args:
        vega_lite: the chart.
        prefix: the beginning of all ids.
        axes: how numbers are written, as d3-format takes it; None for English.

    Raises:
        ImportError: vl-convert is not installed (the extra `report`).
        ValueError: Vega-Lite does not accept the chart.
    """
    drawn = _drawn()(
        {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "config": CONFIG, **vega_lite},
        vl_version=VERSION,
        allowed_base_urls=[],
        **({} if axes is None else {"format_locale": axes}),
    )
    drawn = re.sub(r'\bid="', f'id="{prefix}-', drawn)
    drawn = re.sub(r"url\(#", f"url(#{prefix}-", drawn)
    return drawn.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


@cache
def _drawn() -> Any:
    from vl_convert import vegalite_to_svg

    return vegalite_to_svg
