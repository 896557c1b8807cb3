from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from training_bench import TEMPLATES, Bench

sys.path.insert(0, str(TEMPLATES))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def job(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    """Runs the job in this process, which saves the imports; gives its standard output."""
    for name in ("CUDA_VISIBLE_DEVICES", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    before = signal.getsignal(signal.SIGTERM)

    def run(*more: str) -> str:
        import torch
        import train

        torch.set_num_threads(1)  # models this small only lose time to more

        capsys.readouterr()
        assert train.main([*bench.arguments, *more]) == 0
        return capsys.readouterr().out

    yield run
    signal.signal(signal.SIGTERM, before)
