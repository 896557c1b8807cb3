"""`extends`: what holds, whose folder and whose lines count, and what is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hbspec.diagnostics import Diagnostic
from hbspec.source import SourceError, load, load_mapping
from hbspec.source.limits import MAX_EXTENDS

Project = Callable[[dict[str, str | bytes]], Path]


def refused(path: str, *, allow_outside: bool = False) -> tuple[Diagnostic, ...]:
    with pytest.raises(SourceError) as caught:
        load(path, allow_outside=allow_outside)
    assert not caught.value.unreadable
    return caught.value.diagnostics


def test_maps_merge_lists_replace_null_deletes(project: Project) -> None:
    project(
        {
            "base.yaml": "hbspec: 1\na: {x: 1, y: {z: [1, 2], w: 3}, q: 1}\nb: [1, 2]\nc: 4\nd: {e: 5}\n",
            "spec.yaml": "extends: ./base.yaml\n"
            "a: {x: 2, y: {z: [9], w: null}, new: {u: ~, v: 1}}\nb: [3, ~]\nc: {k: 1}\nd:\n",
        }
    )
    assert load("spec.yaml").values == {
        "hbspec": 1,
        "a": {"x": 2, "y": {"z": [9]}, "q": 1, "new": {"v": 1}},
        "b": [3, None],
        "c": {"k": 1},
    }


def test_without_extends_null_is_a_value(project: Project) -> None:
    project({"spec.yaml": "a: {b: null}\n"})
    assert load("spec.yaml").values == {"a": {"b": None}}


def test_spans_and_folders_are_those_of_the_file_that_wrote_the_value(project: Project) -> None:
    root = project(
        {
            "shared/base.yaml": "model:\n  config: ./config.json\n  id: x\n",
            "specs/spec.yaml": "extends: ../shared/base.yaml\nmodel: {id: y}\ndata: {profile: p.json}\n",
        }
    )
    document = load("specs/spec.yaml")
    assert document.spans[("model", "config")].file == "shared/base.yaml"
    assert document.spans[("model", "config")].start.line == 2
    assert document.key_spans[("model", "config")].file == "shared/base.yaml"
    assert document.spans[("model", "id")].file == document.spans[("model",)].file == "specs/spec.yaml"
    assert document.origins[("model", "config")] == root / "shared"
    assert document.origins[("data", "profile")] == document.origins[()] == document.directory == root / "specs"
    assert document.origin(("model", "missing")) == root / "specs"
    assert list(document.texts) == ["specs/spec.yaml", "shared/base.yaml"]
    assert document.excerpt(document.spans[("model", "config")]) == "  config: ./config.json"


def test_a_chain_is_followed_from_file_to_file(project: Project) -> None:
    project(
        {
            "spec.yaml": "extends: a/one.yaml\nx: 1\n",
            "a/one.yaml": "extends: b/two.yaml\nx: 2\ny: 2\n",
            "a/b/two.yaml": "x: 3\ny: 3\nz: &q {r: 3}\ns: *q\n",
        }
    )
    assert load("spec.yaml").values == {"x": 1, "y": 2, "z": {"r": 3}, "s": {"r": 3}}


@pytest.mark.parametrize("first", ["./spec.yaml", "./one.yaml", "../project/two.yaml"])
def test_a_cycle_prints_its_chain(first: str, project: Project) -> None:
    project(
        {"spec.yaml": f"extends: {first}\n", "one.yaml": "extends: two.yaml\n", "two.yaml": "extends: ./spec.yaml\n"}
    )
    (fault,) = refused("spec.yaml")
    assert fault.code == "HB017"
    files = {"./spec.yaml": ["spec.yaml"], "./one.yaml": ["one.yaml", "two.yaml", "spec.yaml"]}.get(
        first, ["../project/two.yaml", "../project/spec.yaml"]
    )
    assert fault.message.endswith(" → ".join(["spec.yaml", *files]))


def test_a_cycle_through_a_link_is_one(project: Project) -> None:
    root = project({"spec.yaml": "extends: link.yaml\n"})
    (root / "link.yaml").symlink_to("spec.yaml")
    assert [fault.code for fault in refused("spec.yaml")] == ["HB017"]


def test_a_chain_has_an_end(project: Project) -> None:
    project(
        {f"s{i}.yaml": f"extends: s{i + 1}.yaml\nx{i}: {i}\n" for i in range(MAX_EXTENDS + 1)}
        | {f"s{MAX_EXTENDS + 1}.yaml": "x: 1\n"}
    )
    assert len(load("s1.yaml").values) == MAX_EXTENDS + 1
    (fault,) = refused("s0.yaml")
    assert (fault.code, fault.file) == ("HB014", f"s{MAX_EXTENDS}.yaml")


@pytest.mark.parametrize("value", ["[a.yaml, b.yaml]", "{a: b}", "1", "true", "null", ""])
def test_extends_takes_one_path(value: str, project: Project) -> None:
    project({"spec.yaml": f"a: 1\nextends: {value}\n"})
    (fault,) = refused("spec.yaml")
    assert (fault.code, fault.route) == ("HB016", ("extends",))
    assert fault.span is not None
    assert fault.span.start.line == 2


@pytest.mark.parametrize(
    "path", ["../outside.yaml", "/etc/passwd", "link.yaml", "folder/outside.yaml", "../missing.yaml", "//etc/passwd"]
)
def test_nothing_outside_the_project_is_read(path: str, project: Project) -> None:
    root = project({"spec.yaml": f"extends: {path}\n"})
    (root.parent / "outside.yaml").write_text("secret: here\n")
    (root / "link.yaml").symlink_to(root.parent / "outside.yaml")
    (root / "folder").symlink_to(root.parent, target_is_directory=True)
    (fault,) = refused("spec.yaml")
    assert fault.code == "HB018"
    assert "here" not in repr(fault)


def test_the_user_may_allow_it(project: Project) -> None:
    root = project({"spec.yaml": "extends: ../outside.yaml\n"})
    (root.parent / "outside.yaml").write_text("a: 1\n")
    assert load("spec.yaml", allow_outside=True).values == {"a": 1}


def test_a_link_within_the_project_is_fine(project: Project) -> None:
    root = project({"spec.yaml": "extends: link.yaml\n", "real/base.yaml": "a: 1\n"})
    (root / "link.yaml").symlink_to("real/base.yaml")
    document = load("spec.yaml")
    assert document.spans[("a",)].file == "link.yaml"
    assert document.origins[("a",)] == root / "real"


def test_without_a_marker_the_project_is_the_specs_folder(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "base.yaml").write_text("a: 1\n")
    (tmp_path / "specs" / "spec.yaml").write_text("extends: ../base.yaml\n")
    assert [fault.code for fault in refused(str(tmp_path / "specs" / "spec.yaml"))] == ["HB018"]
    assert load(tmp_path / "specs" / "spec.yaml", root=tmp_path).values == {"a": 1}


@pytest.mark.parametrize(
    "path", ["missing.yaml", "fifo", ".", "/dev/zero", "spec.yaml/x", '"a\\nb"', "loop.yaml", "~/base.yaml"]
)
def test_only_regular_files_are_read(path: str, project: Project) -> None:
    root = project({"spec.yaml": f"extends: {path}\n"})
    os.mkfifo(root / "fifo")
    (root / "loop.yaml").symlink_to("loop.yaml")
    assert [(fault.code, fault.file) for fault in refused("spec.yaml", allow_outside=True)] == [("HB015", "spec.yaml")]


def test_faults_of_all_files_are_told_together(project: Project) -> None:
    project({"spec.yaml": "extends: b.yaml\na: 1\na: 2\n", "b.yaml": "extends: c.yaml\nx: .nan\n", "c.yaml": "x: 'y\n"})
    assert [(fault.file, fault.code) for fault in refused("spec.yaml")] == [
        ("b.yaml", "HB005"),
        ("c.yaml", "HB001"),
        ("spec.yaml", "HB002"),
    ]


def test_a_base_must_be_a_map_too(project: Project) -> None:
    project({"spec.yaml": "extends: b.yaml\n", "b.yaml": "[1]"})
    assert [(fault.file, fault.code) for fault in refused("spec.yaml")] == [("b.yaml", "HB011")]


def test_files_small_enough_alone_may_be_too_large_together(project: Project) -> None:
    many = ", ".join(["0"] * 60_000)
    project({"spec.yaml": f"extends: b.yaml\na: [{many}]\n", "b.yaml": f"b: [{many}]\n"})
    assert [fault.code for fault in refused("spec.yaml")] == ["HB014"]


def test_a_mapping_extends_from_the_working_folder(project: Project) -> None:
    root = project({"base.yaml": "a: {b: 1, c: 2}\n"})
    document = load_mapping({"extends": "./base.yaml", "a": {"c": 3}})
    assert document.values == {"a": {"b": 1, "c": 3}}
    assert document.spans[("a", "b")].file == "base.yaml"
    assert document.origins[("a", "c")] == root
