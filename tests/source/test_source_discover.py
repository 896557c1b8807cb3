"""Files and folders to specs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hbspec.source import SourceError, discover, load
from hbspec.source.recognise import looks_like_spec
from hbspec.spec import section_keys

SECTIONS = section_keys(())
Project = Callable[[dict[str, str | bytes]], Path]
FILES: dict[str, str | bytes] = {
    "b.yaml": "hbspec: 1\n",
    "a.yml": "# comment\n\n'hbspec': 1\n",
    "c/d/e.yaml": b"\xef\xbb\xbfhbspec: 1",
    "c/flow.yaml": "{hbspec: 1, name: x}",
    "c/windows.yaml": b"name: x\r\nhbspec: 1\r\n",
    "c/broken.yaml": "hbspec: 1\n\tname: [",
    "c/other.yaml": "name: hbspec\n  hbspec: nested\n",
    "c/notes.md": "hbspec: 1",
    ".hidden/x.yaml": "hbspec: 1",
    "c/.x.yaml": "hbspec: 1",
}
FOUND = ["a.yml", "b.yaml", "c/broken.yaml", "c/flow.yaml", "c/windows.yaml", "c/d/e.yaml"]


def specs(paths: list[str]) -> list[str]:
    found = discover(paths, SECTIONS)
    assert found.diagnostics == ()
    return list(found.specs)


def test_a_folder_is_every_spec_below_it(project: Project) -> None:
    project(FILES)
    assert specs(["."]) == FOUND
    assert specs(["c"]) == FOUND[2:]


def test_named_files_stand_for_themselves_and_nothing_comes_twice(project: Project) -> None:
    project(FILES)
    assert specs(["c/other.yaml", "-", "b.yaml", "./b.yaml", ".", "-"]) == [
        "c/other.yaml",
        "-",
        "b.yaml",
        "a.yml",
        *FOUND[2:],
    ]


def test_links_out_of_the_folder_and_pipes_are_passed_over(project: Project) -> None:
    root = project(FILES)
    (root.parent / "out.yaml").write_text("hbspec: 1")
    (root / "c" / "out.yaml").symlink_to(root.parent / "out.yaml")
    (root / "c" / "zzz.yaml").symlink_to("../b.yaml")
    (root / "c" / "up").symlink_to("..")
    os.mkfifo(root / "c" / "fifo.yaml")
    assert specs(["."]) == FOUND


def test_what_is_missing_or_holds_nothing_is_told_beside_what_is_found(project: Project) -> None:
    root = project(FILES)
    (root / "empty").mkdir()
    (root / "others").mkdir()
    for name in "abcde":
        (root / "others" / f"{name}.yaml").write_text("services: {}")
    found = discover(["b.yaml", "missing.yaml", "empty", "others", "nul\0"], SECTIONS)
    assert found.specs == ("b.yaml",)
    assert [(fault.file, fault.code) for fault in found.diagnostics] == [
        (name, "HB015") for name in ("missing.yaml", "empty", "others", "nul\0")
    ]
    passed_over = "others/a.yaml, others/b.yaml, others/c.yaml, 2 more"
    assert found.diagnostics[2].message.endswith(f"; passed over as something else: {passed_over}")


def test_what_is_passed_over_is_named_and_nothing_is_both(project: Project) -> None:
    project(FILES)
    assert discover(["."], SECTIONS).passed_over == ("c/.x.yaml", "c/other.yaml")
    assert discover([".", "c/other.yaml", "c/.x.yaml"], SECTIONS).passed_over == ()


def test_a_named_file_that_is_something_else_is_passed_over_where_that_is_asked_for(project: Project) -> None:
    project(FILES)
    found = discover(["c/other.yaml", "b.yaml", "c/.x.yaml", "-"], SECTIONS, skip_other=True)
    assert (found.specs, found.passed_over) == (("b.yaml", "c/.x.yaml", "-"), ("c/other.yaml",))


def test_suffixes_count_in_any_case(project: Project) -> None:
    project({"a.YAML": "hbspec: 1\n", "b.Yml": "hbspec: 1\n", "c.JSON": JSON, "d.YML": "services: {}\n"})
    found = discover(["."], SECTIONS)
    assert (found.specs, found.passed_over) == (("a.YAML", "b.Yml", "c.JSON"), ("d.YML",))


def test_a_hidden_file_is_named_where_it_looks_like_a_spec(project: Project) -> None:
    project({".hid.yaml": "hbspec: 1\n", ".pre-commit-config.yaml": "repos: []\n", ".x.json": JSON, "a.yaml": SPEC})
    found = discover(["."], SECTIONS)
    assert (found.specs, found.passed_over) == (("a.yaml",), (".hid.yaml", ".x.json"))


SPEC = "name: x\nmodel: {id: m}\ninstance: {type: t}\nhyperparameters: {lora_r: 8}\n"
JSON = '{"name": "x", "hbspec": 1, "model": {}}'
TOLD: dict[str, tuple[str, str | bytes]] = {
    "a letter left out": ("x.yaml", "hbspc: 1\n"),
    "two swapped": ("x.yaml", "name: x\nhbsepc: 1\n"),
    "one too many": ("x.yaml", "hbspecs: 1\n"),
    "another": ("x.yaml", "hpspec: 1\n"),
    "another case": ("x.yaml", "HBSpec: 1\n"),
    "with a hyphen": ("x.yaml", "hb-spec: 1\n"),
    "no blank": ("x.yaml", "hbspec:1\n"),
    "UTF-16": ("x.yaml", "hbspec: 1\n".encode("utf-16")),
    "UTF-16 without a mark": ("x.yaml", "hbspec: 1\n".encode("utf-16-be")),
    "UTF-32": ("x.yaml", "hbspec: 1\n".encode("utf-32")),
    "Latin-1": ("x.yaml", "name: café\nhbspec: 1\n".encode("latin-1")),
    "JSON": ("x.json", JSON),
    "JSON in UTF-16": ("x.json", JSON.encode("utf-16")),
    "JSON on lines": ("x.json", '{\n  "name": "x",\n  "hbspc": 1\n}'),
    "JSON that is broken": ("x.json", JSON.replace("}}", "}")),
    "no key": ("x.yaml", SPEC),
    "no key, as JSON": ("x.json", '{"model": {}, "instance": {}, "hyperparameters": {}}'),
}
OTHERS: dict[str, tuple[str, str | bytes]] = {
    "Kubernetes": ("x.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n"),
    "a workflow": ("x.yaml", "name: x\non: push\njobs: {a: {steps: []}}\n"),
    "an experiment": ("x.yaml", "name: x\nmodel: {}\ndata: {}\nevaluation: {}\ntrainer: {}\n"),
    "nested": ("x.yaml", "tools:\n  hbspec: 1\n"),
    "of axolotl": ("x.yaml", "base_model: m\nadapter: qlora\nsequence_len: 512\n"),
    "a model's configuration": ("config.json", '{"model_type": "qwen2", "hidden_size": 64}'),
    "nested JSON": ("package.json", '{"scripts": {"hbspec": "hbspec check"}}'),
    "a list": ("x.json", '[{"hbspec": 1}]'),
    "large JSON": ("x.json", '{"x": "' + "y" * (1 << 20) + '", "hbspec": 1}'),
    "empty": ("x.yaml", ""),
}


@pytest.mark.parametrize("kind", TOLD)
def test_what_is_meant_to_be_a_spec(kind: str, project: Project) -> None:
    name, content = TOLD[kind]
    root = project({name: content})
    assert looks_like_spec(root / name, SECTIONS)
    assert specs(["."]) == [name]


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_something_else(kind: str, project: Project) -> None:
    name, content = OTHERS[kind]
    root = project({name: content})
    assert not looks_like_spec(root / name, SECTIONS)


def test_what_extends_a_spec_is_one_and_what_is_extended_without_the_key_is_none(project: Project) -> None:
    project(
        {
            "base.yaml": SPEC,
            "jobs/leaf.yaml": "extends: ../base.yaml  # and only what differs\nhbspec: 1\nname: y\n",
            "jobs/other.yaml": "extends: './leaf.yaml'\nname: z\n",
            "jobs/round.yaml": "extends: ./round.yaml\nname: z\n",
            "jobs/lost.yaml": "extends: ./nowhere.yaml\nname: z\n",
            "lint.yaml": "extends: default\n",
            "other.yaml": "extends: ./nowhere.yaml\nrules: {}\n",
        }
    )
    found = discover(["."], SECTIONS)
    assert found.specs == ("jobs/leaf.yaml", "jobs/lost.yaml", "jobs/other.yaml", "jobs/round.yaml")
    assert found.passed_over == ("base.yaml", "lint.yaml", "other.yaml")


@pytest.mark.parametrize(
    ("missing", "meant"),
    [
        ("s1_qlora8b.yaml", "s1-qlora8b.yaml"),
        ("s1-qlora8b.yml", "s1-qlora8b.yaml"),
        ("jobs/trian.yaml", "jobs/train.yaml"),
        ("gone.yaml", None),
        ("nowhere/train.yaml", None),
    ],
)
def test_a_missing_spec_is_asked_for_by_the_name_that_is_there(
    project: Project, missing: str, meant: str | None
) -> None:
    files = ("s1-qlora8b.yaml", "e.yaml", "jobs/train.yaml", "jobs/train.csv", "s1-qlora8b.txt")
    project(dict.fromkeys(files, "hbspec: 1"))
    asked = f"; did you mean `{meant}`?" if meant else ""
    (fault,) = discover([missing], SECTIONS).diagnostics
    assert fault.help == f"give the path of a spec file{asked}"
    with pytest.raises(SourceError) as caught:
        load(missing)
    assert caught.value.diagnostics[0].help == fault.help
