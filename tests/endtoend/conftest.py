"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest import mock

import pytest
from botocore import session
from botocore.loaders import create_loader
from moto_strict import HOST, Server, strict_server

REGION = "ca-central-1"


@pytest.fixture(scope="session", autouse=True)
def services_read_once() -> Iterator[None]:
    """Sessions of botocore share the descriptions of services, which each would read anew: half a second of JSON."""
    with mock.patch.object(session, "create_loader", cache(create_loader)):
        yield


@pytest.fixture
def sagemaker_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """A SageMaker that judges, and an environment in which every AWS client finds it and nothing else."""
    with strict_server(REGION) as server:
        for name, value in {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_DEFAULT_REGION": server.region,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": HOST,
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield server
