"""HB121: training types without a GPU."""

from __future__ import annotations

import pytest
from judged import edge, judged

from hbspec.catalog import catalog


def test_edge(tmp_path):
    edge("HB121", "", "instance.type", "ml.p4d.24xlarge", "ml.trn1.32xlarge", tmp_path)


@pytest.mark.parametrize("name", ["ml.trn1.32xlarge", "ml.m5.xlarge", "ml.c7i.48xlarge"])
def test_training_types_without_a_gpu(name, tmp_path):
    (found,) = judged("HB121", f"instance: {{type: {name}}}", tmp_path)
    assert found.message.startswith(f"{name} has no GPU")


def test_every_training_type_with_a_gpu_has_one_in_the_catalog():
    for name, row in catalog().instances.items():
        assert (row.gpus > 0) == (row.accelerator == "gpu"), name
