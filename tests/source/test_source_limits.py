"""A spec from a stranger cannot take long, take much, or overflow a stack."""

import pytest
from source_reading import fault, faults, read

from hbspec.source import SourceError, load, load_mapping
from hbspec.source.limits import MAX_BYTES, MAX_DEPTH, MAX_FAULTS, MAX_NODES

LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 40))


def test_a_billion_laughs_are_refused_before_they_are_laughed() -> None:
    diagnostic = fault(LAUGHS)
    assert (diagnostic.code, diagnostic.route) == ("HB014", ("a5", 3))
    assert f"{MAX_NODES:,}" in diagnostic.message
    assert diagnostic.help == "delete keys, list items or aliases, to at most 100,000 keys and values in the spec"


def test_laughs_in_maps_and_keys_count_too() -> None:
    text = "a: &a {x: 1}\nb: &b {k: *a, l: *a}\n" + "".join(
        f"c{i}: &{chr(99 + i)} {{k: *{chr(98 + i)}, l: *{chr(98 + i)}}}\n" for i in range(20)
    )
    assert fault(text).code == "HB014"


def test_aliases_within_the_limit_are_fine() -> None:
    text = "a: &a [" + "0, " * 996 + "0]\nb: [" + "*a, " * 98 + "*a]\n"
    assert sum(map(len, read(text).values["b"])) == 99 * 997


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        ("a: " + "[" * 99 + "]" * 99, "a: " + "[" * 100 + "]" * 100),
        ("a: " + "{x: " * 99 + "}" * 99, "a: " + "{x: " * 100 + "}" * 100),
        ("a: " + "\n" + "- " * 99 + "x", "a: " + "\n" + "- " * 100 + "x"),
        (
            "a: &x " + "[" * 49 + "]" * 49 + "\nb: " + "[" * 50 + "*x" + "]" * 50,
            "a: &x " + "[" * 50 + "]" * 50 + "\nb: " + "[" * 50 + "*x" + "]" * 50,
        ),
    ],
    ids=["lists", "maps", "dashes", "alias"],
)
def test_depth_is_counted_with_aliases(within: str, beyond: str) -> None:
    assert read(within).values
    diagnostic = fault(beyond)
    assert diagnostic.code == "HB014"
    assert str(MAX_DEPTH) in diagnostic.message
    assert diagnostic.help == "remove levels of nesting here, to at most 100"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{" * 100_000,
        "[\n" * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "a: [" + "{a: [" * 50_000,
        "[{" * 100_000 + "}]" * 100_000,
    ],
    ids=["brackets", "braces", "lines", "dashes", "question marks", "mixed", "closed"],
)
def test_deep_nesting_neither_overflows_nor_hangs(text: str) -> None:
    assert [diagnostic.code for diagnostic in faults(text)] == ["HB014"]


def test_a_flat_spec_of_many_values_is_refused() -> None:
    assert fault("a: [" + "0," * MAX_NODES + "0]").code == "HB014"
    assert len(read("a: [" + "0," * (MAX_NODES - 4) + "]").values["a"]) == MAX_NODES - 4


def test_a_text_of_more_than_a_mebibyte_is_refused() -> None:
    assert read("a: " + "x" * (MAX_BYTES - 3)).values
    refused = fault("a: " + "x" * (MAX_BYTES - 2))
    assert refused.code == "HB014"
    assert refused.help.startswith("cut the file to at most 1,048,576 bytes")


def test_an_endless_stream_is_not_read_to_its_end() -> None:
    class Endless:
        def read(self, size: int) -> str:
            return "x" * size

    with pytest.raises(SourceError) as caught:
        load("-", stdin=Endless())  # type: ignore[arg-type]
    assert caught.value.diagnostics[0].code == "HB014"


def test_many_faults_on_one_long_line_are_quick_to_show() -> None:
    found = faults("{" + "1: 0, " * 40_000 + "a: 0}")
    assert len(found) == MAX_FAULTS + 1
    assert "39,000 more faults than the 1,000 listed" in found[0].message
    assert max(len(diagnostic.excerpt or "") for diagnostic in found) <= 160


def test_a_mapping_keeps_the_same_limits() -> None:
    endless: list[object] = []
    endless.append(endless)
    wide: object = 0
    for _ in range(40):
        wide = [wide] * 10
    for value in (endless, wide, [0] * MAX_NODES):
        with pytest.raises(SourceError) as caught:
            load_mapping({"a": value})
        assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["HB014"]
