"""How the data come to the job: a download before the start, or a stream while the script reads."""

from __future__ import annotations

import pytest
from planned import P4D, planned

from hbspec.estimators.constants import DOWNLOAD_BYTES_PER_SECOND
from hbspec.estimators.job.interruptions import RESTARTED
from hbspec.estimators.job.phases import data_text
from hbspec.estimators.job.storage import storage
from hbspec.estimators.job.time import time

JOB = {"instance": {**P4D, "parallelism": "ddp"}, "gradient_accumulation_steps": 4}


def streamed():
    return planned(**JOB)._replace(streams_data=True)


def test_file_mode_downloads_once_and_fast_file_reads_in_every_process():
    plan = planned(**JOB)
    download, stream = time(plan).phases["data_download"], time(streamed()).phases["data_stream"]
    assert "data_stream" not in time(plan).phases
    assert "data_download" not in time(streamed()).phases
    size, rate = data_text(plan), DOWNLOAD_BYTES_PER_SECOND
    assert download.high == pytest.approx(size.high / rate.low)
    assert stream.high == pytest.approx(8 * size.high / rate.low)
    assert stream.expected >= size.expected / rate.expected


def test_the_text_of_both_splits_is_read():
    plan = planned(**JOB)._replace(validation_examples=440)
    without = data_text(plan._replace(validation_examples=0))
    both = plan.counts.examples + plan.validation_examples
    assert data_text(plan).expected == pytest.approx(without.expected * both / plan.counts.examples)


def test_streamed_text_takes_no_disk():
    plan = planned(**JOB)
    held = storage(plan, volume=None, kept=None).terms["data"]
    prepared = storage(streamed(), volume=None, kept=None).terms["data"]
    assert held.expected - prepared.expected == pytest.approx(data_text(plan).expected)
    assert prepared.low == 0


def test_an_interrupted_job_reads_its_data_again():
    assert {"data_download", "data_stream"} < set(RESTARTED)


def test_both_are_billed():
    for plan in (planned(**JOB), streamed()):
        assert all(phase["billed"] for name, phase in time(plan).to_dict()["phases"].items() if "data" in name)
