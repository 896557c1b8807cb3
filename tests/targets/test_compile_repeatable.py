"""Same spec, same bytes: in another process or folder, on another day, with another hash seed, locale and time zone."""

from __future__ import annotations

import subprocess
import sys
from shutil import copy

import pytest
from compiled import AS_WRITTEN, BASE, HEARTBEAT, ROOT, TARGETS, files

SCRIPT = """
import sys
from datetime import date
import hbspec.api

class Another(date):
    @classmethod
    def today(cls):
        return cls.fromisoformat(sys.argv[1])

hbspec.api.date = Another
from hashlib import sha256
for spec in sys.argv[2:]:
    for target in ("sagemaker", "launch", "deployment", "serve", "cloudformation"):
        tested = target == "cloudformation" and "ab_test" in open(spec).read()
        alone = ["evaluation=[]", *(["deployment.ab_test=null"] if tested else [])]
        for file in hbspec.api.compile_spec(spec, target, overrides=alone, force=True):
            print(spec, target, file.path, file.executable, sha256(file.content).hexdigest())
"""
SPECS = (AS_WRITTEN, HEARTBEAT, BASE)


def digests(day: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, day, *(str(spec) for spec in SPECS)],
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_two_processes_on_two_days_write_the_same_bytes():
    first = digests("2026-11-22", PYTHONHASHSEED="1")
    second = digests("2036-02-29", PYTHONHASHSEED="4242", LC_ALL="C", TZ="Pacific/Kiritimati", HOME="/nowhere")
    assert first == second
    assert len(first) > 40


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_of_this_machine_gets_in(target):
    for spec in SPECS:
        for path, content in files(spec, target, force=True).items():
            assert str(ROOT).encode() not in content, path
            assert content.endswith(b"\n"), path
            assert b"\r" not in content, path


@pytest.mark.parametrize("target", ["sagemaker", "launch", "monitoring"])
def test_another_folder_gives_the_same_bytes(target, tmp_path):
    for file in (HEARTBEAT, *HEARTBEAT.parent.glob(f"{HEARTBEAT.stem}.*.json")):
        copy(file, tmp_path)
    assert files(tmp_path / HEARTBEAT.name, target) == files(HEARTBEAT, target)


@pytest.mark.parametrize("target", TARGETS)
def test_files_come_in_the_order_of_their_paths(target):
    paths = list(files(HEARTBEAT, target, force=True))
    assert paths == sorted(set(paths))
