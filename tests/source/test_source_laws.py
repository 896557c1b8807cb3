"""Laws: what is dumped is read back, and nothing that is no spec raises anything but `SourceError`."""

import io
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from examples import examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from source_reading import read

from hbspec.diagnostics import Diagnostic, Route, Span
from hbspec.manual.text import PAGES
from hbspec.source import Document, SourceError, load
from hbspec.source.characters import control_characters
from hbspec.source.layers import Layer, merged
from hbspec.source.mappings import from_mapping
from hbspec.source.problems import Problems
from hbspec.source.tables import tabulate

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20).filter(
    lambda text: not control_characters(text) and not set("\u200c\u200d") & set(text)
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**200), 2**200) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
    | st.sampled_from(["yes", "1:30", "1e-4", ">= 5", "2025-09-22", "0x1F", "~", "=", "- a", "a: b",
    "#", "*x", "&x", "!x", "%", "@", "010"])
)  # fmt: skip
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=25
)
SPECS = st.dictionaries(TEXT.filter(lambda key: key != "extends"), DATA, min_size=1, max_size=5)
SEED = """\
hbspec: 1
name: heartbeat   # a comment
model: &m {id: deepseek-ai/DeepSeek-R1, license: mit}
instance:
  type: ml.p4d.24xlarge
  alternatives: [ml.p4de.24xlarge, 'ml.p5.48xlarge']
  price: 36 CAD/h
hyperparameters: {learning_rate: 1e-4, lora_r: 16}
evaluation:
- {suite: a, min_score: 0.9}
- suite: "b\\n"
notes: |
  text
other: *m
"""


def scalars(value: Any, route: Route = ()) -> dict[Route, Any]:
    if isinstance(value, dict):
        return {key: found for name, inner in value.items() for key, found in scalars(inner, (*route, name)).items()}
    if isinstance(value, list):
        return {
            key: found for index, inner in enumerate(value) for key, found in scalars(inner, (*route, index)).items()
        }
    return {route: value}


def sliced(document: Document, span: Span) -> str:
    lines = document.texts[span.file].split("\n")[span.start.line - 1 : span.end.line]
    lines[-1] = lines[-1][: span.end.column - 1]
    lines[0] = lines[0][span.start.column - 1 :]
    return "\n".join(lines)


def faults_or_document(text: bytes) -> Document | tuple[Diagnostic, ...]:
    try:
        return load("-", stdin=io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
    except SourceError as error:
        return error.diagnostics


def survives(text: bytes) -> None:
    outcome = faults_or_document(text)
    if isinstance(outcome, Document):
        assert all(outcome.span(route) for route in scalars(outcome.values))
        return
    assert outcome
    for fault in outcome:
        assert fault.code in PAGES
        assert fault.message
        assert fault.help
        assert (fault.span is None) == (fault.excerpt is None)
        assert not re.search("[\x00-\x1f\x7f-\x9f]", fault.message + (fault.excerpt or ""))
        assert fault.span is None or fault.span.start <= fault.span.end


class Dumper(yaml.SafeDumper):
    """Quotes texts that only YAML 1.2 reads as numbers, and texts that look like comparisons."""


def quoted_where_needed(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    needed = re.fullmatch(r"[-+]?[.0-9]+([eE][-+]?[0-9]+)?|0o[0-7]+", text) or text.startswith(("<", "≤", "≥"))
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if needed else None)


Dumper.add_representer(str, quoted_where_needed)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SPECS, st.booleans() | st.none(), st.sampled_from([4, 20, 80, 10_000]))
@example({"a": "0E0", "1e5": ["< 5", "x\ny", 1e300, -0.0]}, None, 80)
def test_what_is_dumped_is_read_back_with_its_places(data: dict[str, Any], flow: bool | None, width: int) -> None:
    text = yaml.dump(data, Dumper=Dumper, default_flow_style=flow, width=width, allow_unicode=True, sort_keys=False)
    assert read(text.replace("\n", "\r\n")).values == data
    document = read(text)
    assert document.values == data
    for route, value in scalars(data).items():
        written, spelling = sliced(document, document.spans[route]), document.spellings[route]
        if isinstance(value, str):
            assert spelling == value
            assert spelling == written or written[0] in "'\"|>" or "\n" in written
        else:
            assert written == spelling
    assert (
        set(document.origins)
        == set(document.spans)
        == {(), *document.key_spans} | {route for route in document.spans if route and isinstance(route[-1], int)}
    )


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"a: \xc2\x85")
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    survives(data)


@examples(300)
@given(st.text(st.sampled_from("ab12 \n\n\t:-#[]{},&*!|>'\"%@`?~<=.éx😀\r"), max_size=60))
def test_no_text_of_signs_raises_anything_else(text: str) -> None:
    survives(text.encode())


@st.composite
def mutations(draw: st.DrawFn) -> str:
    text = SEED
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        piece = draw(
            st.sampled_from(
                [
                    "",
                    "\t",
                    "\n",
                    "  ",
                    ": ",
                    "- ",
                    "[",
                    "]",
                    "{",
                    "}",
                    "'",
                    '"',
                    "&m ",
                    "*m",
                    "!x ",
                    ">= 5",
                    "<<: ",
                    "---\n",
                    "#",
                    "\x00",
                    "\r",
                    "|\n",
                ]
            )
            | st.text(max_size=3)
            | st.just(text[end : end + 15])
        )
        text = text[:start] + piece + text[end:]
    return text


@examples(400)
@given(mutations())
def test_no_mutation_of_a_spec_raises_anything_else(text: str) -> None:
    survives(text.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=20))
@example("list[0].suite", "[1")
@example('"', "")
def test_no_override_raises_anything_else(path: str, value: str) -> None:
    for override in (f"{path}={value}", path, f"evaluation[0].{path}={value}", f"name={value}"):
        with suppress(SourceError):
            assert isinstance(read(SEED, override), Document)


@settings(deadline=None)
@given(SPECS, SPECS)
def test_a_later_layer_has_the_last_word(base: dict[str, Any], upper: dict[str, Any]) -> None:
    problems = Problems()
    layers = [
        Layer(name, Path(), None, from_mapping(data, name, problems)) for name, data in (("u", upper), ("b", base))
    ]
    assert tabulate(merged(layers), lambda _: Path())[0] == patched(base, upper)


def patched(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result
