"""Single values of a spec changed in its text."""

import pytest

from hbspec.diagnostics import Renamed
from hbspec.source import load
from hbspec.source.edited import EditError, edited

SPEC = """\
# A job.
hbspec: 1
instance: # rented
  type: ml.g5.xlarge   # one A10G
  alternatives: # in this order
    - ml.g6.xlarge
    - ml.g4dn.xlarge # slower
  price: 1.4 USD/h # last week's
model: {id: a/b, license: mit, revision: main}
deployment:
  instance: {type: ml.g5.2xlarge}
"""
TYPE, SPOT = ("instance", "type"), ("instance", "spot")


@pytest.fixture
def changed(tmp_path):
    def change(settings, text=SPEC):
        file = tmp_path / "job.yaml"
        file.write_bytes(text.encode())
        return edited(load(file), settings)

    return change


def test_only_the_value_is_replaced(changed):
    assert changed({TYPE: "ml.p4d.24xlarge"}) == SPEC.replace("ml.g5.xlarge ", "ml.p4d.24xlarge ")


def test_a_deleted_key_goes_with_its_lines(changed):
    without = "".join(line for line in SPEC.splitlines(True) if not any(word in line for word in ("g4dn", "g6", "alt")))
    assert changed({("instance", "alternatives"): None}) == without


def test_a_new_key_comes_last_in_its_section(changed):
    after = "  price: 1.4 USD/h # last week's\n"
    assert changed({SPOT: True, ("instance", "max_wait"): "8h"}) == SPEC.replace(
        after, f"{after}  spot: true\n  max_wait: 8h\n"
    )


def test_a_key_may_take_the_place_of_the_last_one(changed):
    before = "  price: 1.4 USD/h # last week's\n"
    assert changed({("instance", "price"): None, SPOT: True}) == SPEC.replace(before, "  spot: true\n")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({("model", "id"): None}, "model: {license: mit, revision: main}"),
        ({("model", "revision"): None}, "model: {id: a/b, license: mit}"),
        ({("model", "source"): "s3://a/b"}, 'model: {id: a/b, license: mit, revision: main, source: "s3://a/b"}'),
        (
            {("deployment", "instance", "type"): "x", ("deployment", "instance", "count"): 2},
            "  instance: {type: x, count: 2}",
        ),
    ],
)
def test_a_mapping_in_braces_stays_one(changed, settings, line):
    assert line in changed(settings).splitlines()


@pytest.mark.parametrize(
    "line", ["  {0}: ml.g5.xlarge   # one A10G", "  '{0}': ml.g5.xlarge # a", '  "{0}": # b\n    [1]']
)
def test_only_the_name_of_a_renamed_key_changes(changed, line):
    text = "hbspec: 1\ninstance:\n" + line.format("typ") + "\n  spot: true\n"
    assert changed({("instance", "typ"): Renamed("type")}, text) == text.replace("typ", "type")


def test_a_new_section_is_added_at_the_end(changed):
    assert changed({("budget", "max_cost"): "5 USD"}, SPEC.rstrip()) == f'{SPEC}\nbudget:\n  max_cost: "5 USD"\n'


def test_lines_end_as_they_did(changed):
    windows = SPEC.replace("\n", "\r\n")
    assert changed({SPOT: True, TYPE: "x"}, windows).replace("\r\n", "\n") == changed({SPOT: True, TYPE: "x"})


@pytest.mark.parametrize(("value", "spelled"), [("true", '"true"'), ("1e3", '"1e3"'), ('a"b', '"a\\"b"'), (0.5, "0.5")])
def test_a_string_that_looks_like_something_else_is_quoted(changed, value, spelled):
    assert f"  type: {spelled}   #" in changed({TYPE: value})


def test_what_another_file_says_is_not_changed(tmp_path):
    (tmp_path / "base.yaml").write_text(SPEC)
    (tmp_path / "job.yaml").write_text("extends: ./base.yaml\ninstance: {count: 2}\n")
    document = load(tmp_path / "job.yaml")
    with pytest.raises(EditError, match=r"instance.type is set in .*base.yaml"):
        edited(document, {TYPE: "ml.g5.2xlarge"})
    assert edited(document, {SPOT: True}).endswith("instance: {count: 2, spot: true}\n")


@pytest.mark.parametrize(
    "settings",
    [
        {("model", "license"): None, ("model", "revision"): None},
        {("instance",): None, TYPE: "ml.g5.2xlarge"},
    ],
)
def test_changes_that_meet_are_refused_together(changed, settings):
    with pytest.raises(EditError, match="the changes meet in the text: make them by hand"):
        changed(settings)


def test_a_section_goes_with_its_last_key(changed):
    assert changed({("budget", "max_cost"): None}, f"{SPEC}budget:\n  max_cost: 5 USD\n") == SPEC
