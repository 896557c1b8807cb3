"""The two readers of a command line never disagree; the plain one knows the everyday calls."""

from __future__ import annotations

import contextlib
import io

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from hbspec.cli import full, plain
from hbspec.cli.command import COMMANDS, MisuseError, command

FLAGS = sorted({flag for name in COMMANDS for parameter in command(name).parameters for flag in parameter.flags})
WORDS = st.sampled_from(
    [*COMMANDS, *FLAGS, "data", "profile", "specs", "a.yaml", "-", "--", "", "a=1", "json", "2026-11-22", "-qo",
     "-ofile", "--help", "--version", "--debug", "--quiet=1", "--no-quiet", "--form", "-1", "--=x", "-=", "é", "x y"]
)  # fmt: skip
ARGV = st.builds(
    lambda name, rest: [*name.split(), *rest],
    st.sampled_from(COMMANDS),
    st.lists(WORDS | st.builds("{}={}".format, st.sampled_from(FLAGS), WORDS), max_size=6),
)


def typer_reads(argv):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return full.read(argv)


@examples(300)
@given(ARGV | st.lists(WORDS, max_size=5))
def test_what_the_plain_reader_reads_typer_reads_too(argv):
    call = plain.read(argv)
    if call is not None:
        assert typer_reads(argv) == call


@pytest.mark.parametrize(
    "line",
    [
        "check",
        "check a.yaml",
        "check -",
        "check a.yaml b.yaml specs --format json --set a=1 --set=b=2 --as-of 2026-11-22 --allow-outside -q",
        "check --format=sarif --skip-other a.yaml",
        "estimate a.yaml --format json",
        "compile a.yaml --target launch -o out --force",
        "explain HB101",
        "rules",
        "init",
        "data check a.jsonl b.jsonl",
        "data profile a.jsonl -o a.profile.json",
        "schema",
    ],
)
def test_everyday_calls_need_no_typer(line):
    call = plain.read(line.split())
    assert call is not None
    assert typer_reads(line.split()) == call


@pytest.mark.parametrize(
    "argv", [[], ["check", "--help"], ["estimate"], ["check", "--quiet=1"], ["check", "--", "-x"], ["data"]]
)
def test_everything_else_is_left_to_typer(argv):
    assert plain.read(argv) is None


def test_words_become_values():
    call = plain.read(["check", "a", "b", "--as-of", "2026-11-22", "--set", "x=1", "--quiet"])
    values = {parameter.name: parameter.value(call.words[parameter.name]) for parameter in call.command.parameters}
    assert values["as_of"].isoformat() == "2026-11-22"
    values.pop("as_of")
    assert values == {
        "paths": ("a", "b"),
        "fix": False,
        "unsafe_fixes": False,
        "diff": False,
        "baseline": None,
        "update_baseline": False,
        "format": "text",
        "overrides": ("x=1",),
        "allow_outside": False,
        "skip_other": False,
        "catalog": None,
        "quiet": True,
        "strict": False,
        "exit_zero": False,
        "statistics": False,
        "output_file": None,
        "select": (),
        "ignore": (),
        "config": None,
        "no_config": False,
        "policy": None,
        "policy_digest": None,
        "full": False,
        "program": None,
        "on": None,
        "beside": (),
        "region": None,
        "parallelism": None,
    }


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (
            ["check", "--format", "jsn"],
            "--format jsn is not one of text, concise, json, sarif, github, gitlab, junit, markdown; did you mean "
            "json?",
        ),
        (["check", "--as-of", "22.11.2026"], "--as-of 22.11.2026: not a day; one is written 2026-11-22"),
    ],
)
def test_a_word_that_is_no_value(argv, said):
    with pytest.raises(MisuseError) as refused:
        plain.read(argv).run()
    assert str(refused.value) == said


def test_every_parameter_is_one_of_its_function_s():
    import inspect

    for name in COMMANDS:
        found = command(name)
        assert found.name == name
        assert {parameter.name for parameter in found.parameters} == set(inspect.signature(found.run).parameters)


def test_compile_offers_every_target():
    from hbspec.targets import names

    (target,) = [parameter for parameter in command("compile").parameters if parameter.name == "target"]
    assert target.choices == names()
