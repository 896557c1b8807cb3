"""HB130: settings of torch's allocator."""

from __future__ import annotations

import pytest
from judged import codes, edge, found_by

from hbspec.diagnostics import Severity


def test_edge(tmp_path):
    edge("HB130", "", "software.allocator", "expandable_segments:True", "max_split_size_mb:128", tmp_path)


def test_both_places_must_agree(tmp_path):
    own = "software: {allocator: 'expandable_segments:True'}\n"
    for other, differs in (("False", True), ("True", False)):
        both = f"{own}sagemaker: {{environment: {{PYTORCH_CUDA_ALLOC_CONF: 'expandable_segments:{other}'}}}}"
        assert ("HB130" in codes(both, tmp_path)) is differs


def test_the_environment_is_read_too(tmp_path):
    given = "sagemaker: {environment: {PYTORCH_CUDA_ALLOC_CONF: 'garbage_collection_threshold:0.8'}}"
    (found,) = found_by("HB130", given, tmp_path)
    assert found.route == ("sagemaker", "environment", "PYTORCH_CUDA_ALLOC_CONF")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("expandble_segments:True", "expandable_segments"),
        ("expandable_segments:true", "True or False"),
        ("nonsense", "nonsense"),
    ],
)
def test_what_torch_refuses_is_an_error(given, said, tmp_path):
    (found,) = found_by("HB130", f"software: {{allocator: '{given}'}}", tmp_path)
    assert found.severity is Severity.ERROR
    assert said in f"{found.message} {found.help}"
