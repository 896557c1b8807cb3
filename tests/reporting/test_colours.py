"""The contrast of a report's colours, as WCAG 2.2 defines it: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""

from __future__ import annotations

import pytest

from hbspec.reporting.colours import DARK, LIGHT, SERIES, TEXT


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_drawings_stand_out(colours):
    assert colours.keys() == LIGHT.keys()
    for behind in ("paper", "panel"):
        assert min(contrast(colours[name], colours[behind]) for name in TEXT) >= 4.5
    assert min(contrast(colours[name], colours["paper"]) for name in SERIES) >= 3
