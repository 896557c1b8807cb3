"""Reading specs from a text, as the tests of this folder do it."""

import io

import pytest

from hbspec.diagnostics import Diagnostic
from hbspec.source import Document, SourceError, load


def read(text: str, *overrides: str) -> Document:
    return load("-", stdin=io.StringIO(text, newline=""), overrides=overrides)


def faults(text: str, *overrides: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(SourceError) as caught:
        read(text, *overrides)
    assert caught.value.diagnostics
    return caught.value.diagnostics


def fault(text: str, *overrides: str) -> Diagnostic:
    (diagnostic,) = faults(text, *overrides)
    return diagnostic
