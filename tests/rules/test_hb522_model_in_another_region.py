"""HB522: the regions of the training job and of the endpoint."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_the_job_s_region(tmp_path):
    edge(
        "HB522",
        "deployment: {instance: {type: ml.g5.12xlarge}}",
        "deployment.region",
        "us-east-1",
        "us-west-2",
        tmp_path,
    )


def test_both_regions_are_said(tmp_path):
    (found,) = judged("HB522", "deployment: {region: us-west-2}", tmp_path)
    assert found.message == "the endpoint is in us-west-2, but the model is written to a bucket of us-east-1"
    alone = "instance: {type: null, gpu: A100-80, gpus: 8}\ndeployment: {region: us-west-2}"
    assert judged("HB522", alone, tmp_path) == []
