"""Records that are read back as they were written, and those that are refused with the number or key that is wrong."""

from __future__ import annotations

import json

import pytest
from made_records import SPEC, changed, record_of_estimate, signed

from hbspec.api import check, estimate
from hbspec.plan.measurement_file import digest_of, read_measurement


@pytest.fixture(scope="module")
def record():
    return record_of_estimate(estimate(SPEC))


def test_round_trip(record):
    found = read_measurement(json.loads(json.dumps(record)))
    assert found.conditions == json.loads(json.dumps(record["conditions"]))
    assert [update.seconds for update in found.updates] == [0.100, 0.110, 0.104]
    (device,) = found.devices
    assert (device.gpu, device.reserved) == (0, record["found"]["devices"][0]["reserved_bytes"])
    assert (found.rows.longest, found.rows.alike, found.ran_out) == (300, True, None)


def test_the_layout_of_the_file_does_not_matter(record):
    shuffled = dict(reversed(record.items()))
    assert digest_of(shuffled) == record["digest"]
    assert read_measurement(shuffled) == read_measurement(record)


def edited(values, *route, value):
    at = values
    for key in route[:-1]:
        at = at[key]
    at[route[-1]] = value


@pytest.mark.parametrize(
    ("route", "value", "said"),
    [
        (("hbspec_measurement",), 2, "is 2, but this hbspec reads version 1"),
        (("place",), None, "`place` is not a mapping"),
        (("conditions",), [], "`conditions` is not a mapping"),
        (("software", "trl"), "9" * 5000, "`software.trl` is not a version"),
        (("software", "trl"), 1.16, "`software.trl` is not a version"),
        (("day",), 20261201, "`day` is not a string"),
        (("rows", "longest"), 0, "`longest` is 0, which is not a whole number from 0 to"),
        (("rows", "longest"), 3.5, "`longest` is 3.5"),
        (("rows", "tokens"), -1, "`tokens` is -1"),
        (("found", "updates"), [], "holds 0 updates, and a spread needs 3"),
        (("found", "updates"), {}, "`found.updates` is not a list"),
        (("found", "updates", 0, "seconds"), 0, "`seconds` is 0"),
        (("found", "updates", 0, "seconds"), True, "`seconds` is True"),
        (("found", "updates", 0, "seconds"), 10**6, "`seconds` is 1000000"),
        (("found", "updates", 0, "tokens"), 10**300, "`tokens` is 1000"),
        (("found", "ran_out"), 3, "`found.ran_out` is neither null nor a string"),
        (("found", "devices"), None, "`found.devices` is not a list"),
        (("found", "devices", 0, "index"), -1, "`index` of a GPU is not a whole number"),
        (("found", "devices", 0, "process_bytes"), 10**12, "`process_bytes` 1,000,000,000,000 is above `total_bytes`"),
        (("found", "devices", 0, "reserved_bytes"), 1, "is above `reserved_bytes` 1"),
        (("found", "devices", 0, "allocated_bytes"), 10**15, "`allocated_bytes` is 1000000000000000"),
        (("found", "devices", 0, "others_bytes"), -5, "`others_bytes` is -5"),
    ],
)
def test_absurd_numbers(route, value, said, record):
    with pytest.raises(ValueError, match="`") as reason:
        read_measurement(changed(record, lambda values: edited(values, *route, value=value)))
    assert said in str(reason.value)


def test_a_record_that_was_edited_by_hand(record):
    copy = json.loads(json.dumps(record))
    copy["found"]["updates"][0]["seconds"] = 0.05
    with pytest.raises(ValueError, match="it was changed after it was measured"):
        read_measurement(copy)
    assert read_measurement(signed(copy)).updates[0].seconds == 0.05, "only the digest stands in the way"


@pytest.mark.parametrize("values", [None, [], "text", {}, {"format_version": 1}])
def test_what_is_not_a_record(values):
    with pytest.raises(ValueError, match="not a record of `hbspec measure`"):
        read_measurement(values)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, "HB030", "record.json"),
        ("{", "HB030", "is not JSON"),
        ('{"hbspec_measurement": 0}', "HB035", "./record.json: `hbspec_measurement` is 0"),
        ('{"hbspec_measurement": 1}', "HB035", "it was changed after it was measured"),
    ],
)
def test_a_spec_is_told_where_and_what(content, code, said, tmp_path):
    if content is not None:
        (tmp_path / "record.json").write_text(content)
    (tmp_path / "spec.yaml").write_text(json.dumps({**SPEC, "calibration": {"record": "./record.json"}}))
    (found,) = [entry for entry in check(tmp_path / "spec.yaml").diagnostics if entry.severity == "error"]
    assert (found.code, found.route) == (code, ("calibration", "record"))
    assert said in found.message
    assert estimate(tmp_path / "spec.yaml").plan.measured is None
