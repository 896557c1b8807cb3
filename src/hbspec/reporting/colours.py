"""The colours of a report, for a light and for a dark screen.

Text has a contrast of at least 4.5 with what is behind it, and what is drawn one of at least 3 (WCAG 2.2, success
criteria 1.4.3 and 1.4.11). Charts name a colour by its CSS variable, so that one drawing serves both screens.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "panel": "#f4f6f8",
    "ink": "#1a1f24",
    "faint": "#55606b",
    "line": "#c9d1d9",
    "link": "#0b5cad",
    "good": "#0a6b43",
    "open": "#8a4b00",
    "bad": "#b3202c",
    "series-1": "#0b5cad",
    "series-2": "#b35900",
    "series-3": "#0a7a50",
    "series-4": "#8a3fa0",
    "series-5": "#8a6d00",
    "series-6": "#b8325e",
    "series-7": "#5f6b76",
}
DARK: Mapping[str, str] = {
    "paper": "#14181c",
    "panel": "#1d2329",
    "ink": "#e8edf2",
    "faint": "#a9b4bf",
    "line": "#3b454f",
    "link": "#7db9ff",
    "good": "#5fd39f",
    "open": "#ffb454",
    "bad": "#ff8f8f",
    "series-1": "#6db3ff",
    "series-2": "#ffa94d",
    "series-3": "#4fd1a1",
    "series-4": "#d39bea",
    "series-5": "#e6c84a",
    "series-6": "#ff8fb3",
    "series-7": "#a9b4bf",
}
TEXT = ("ink", "faint", "link", "good", "open", "bad")
"""The colours of texts; `paper` and `panel` are behind them."""
SERIES = tuple(name for name in LIGHT if name.startswith("series-"))
"""The colours of what is drawn, in the order in which charts use them."""


def variable(name: str) -> str:
    """A colour as CSS and SVG refer to it."""
    return f"var(--{name})"


def declared(colours: Mapping[str, str]) -> str:
    """The declarations of all colours, for a CSS rule."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())
