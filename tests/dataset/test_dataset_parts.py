"""Parts of a split: profiled apart and joined, they are the whole, with its findings and the numbers of their lines."""

from __future__ import annotations

import gzip
import json
import pickle

import pytest

from hbspec.dataset.engines import EngineError, map_parts
from hbspec.dataset.files import data_files
from hbspec.dataset.lines import MAX_LINE_BYTES
from hbspec.dataset.parts import UnprofiledPart, joined, parts_of, profile_part
from hbspec.dataset.profile import profile_data
from hbspec.dataset.readers import Reader


def chat(number: int) -> bytes:
    asked = {"role": "user", "content": f"question {number % 19}"}
    return json.dumps({"messages": [asked, {"role": "assistant", "content": "word " * (number % 7) + "x"}]}).encode()


# what a file may not begin with may begin a line; the last line has no end
LINES = [*map(chat, range(12)), b"", b"PK\x03\x04", b"\x1f\x8b", b"\0\0\0", b"[]", b"\r", chat(3), b"  ", chat(4)]
TEXT = b"\n".join(LINES)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(TEXT)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(TEXT))
    (tmp_path / "c.json").write_bytes(b"[" + b",".join(map(chat, range(30))) + b", 5]")
    (tmp_path / "d.jsonl").write_bytes(b"PK\x03\x04" + TEXT)
    return tmp_path


def parts(files, size, weights=None):
    return parts_of(files, Reader(), {}, weights or {}, size=size)


def seen(profile, tallies):
    return profile.text(), [(tally.what, tally.count, tally.places) for tally in tallies]


@pytest.mark.parametrize("size", [1, 2, 100, 101, 500, len(TEXT) - 1, len(TEXT)])
def test_joined_parts_are_the_whole_whatever_their_size(folder, size):
    files = data_files([str(folder)])
    asked = pickle.loads(pickle.dumps(parts(files, size)))
    blocks = [part for part in asked if part.file.name.endswith("a.jsonl")]
    assert sum(part.file.size for part in blocks) == len(TEXT)
    assert len(blocks) == {1: len(LINES), len(TEXT): 1}.get(size, len(blocks))
    assert seen(*joined(asked, map(profile_part, asked))) == seen(*profile_data(files))


def test_a_weighed_file_is_one_part(folder):
    files, weights = data_files([str(folder)]), {"a.jsonl": 0.5, "c.json": 2.0}
    asked = parts(files, 100, weights)
    assert [part.file.below for part in asked] == ["a.jsonl", "b.jsonl.gz", "c.json", "d.jsonl"]
    assert seen(*joined(asked, map(profile_part, asked))) == seen(*profile_data(files, weights=weights))


def test_the_first_example_decides_the_layout_of_all_parts(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"nothing\n" + chat(1) + b"\n")
    (tmp_path / "b.jsonl").write_bytes(b'{"prompt": "p", "completion": "c"}\n')
    files = data_files([str(tmp_path)])
    asked = parts(files, 10)
    assert seen(*joined(asked, map(profile_part, asked))) == seen(*profile_data(files))


def test_a_line_longer_than_a_block_is_in_one(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"x" * (MAX_LINE_BYTES + 1) + b"\n" + chat(1) + b"\n")
    files = data_files([str(tmp_path)])
    asked = parts(files, 2**20)
    assert len(asked) == 2
    assert seen(*joined(asked, map(profile_part, asked))) == seen(*profile_data(files))


def test_what_this_process_alone_can_read_is_refused():
    with pytest.raises(ValueError, match="- is read by this process only; name a file that the workers see"):
        parts(data_files(["-"]), 100)


def test_a_worker_that_lacks_the_file_or_the_version_says_so(folder):
    name = str(folder / "a.jsonl")
    (part,) = parts(data_files([name]), len(TEXT))
    assert profile_part(part._replace(version="0")).where == "a worker"
    (folder / "a.jsonl").unlink()
    assert profile_part(part) == UnprofiledPart(name, "No such file or directory")


def test_a_file_that_has_become_shorter_is_no_whole(folder):
    name = str(folder / "a.jsonl")
    asked = parts(data_files([name]), 500)
    (folder / "a.jsonl").write_bytes(TEXT[:-10])
    assert profile_part(asked[-1]) == UnprofiledPart(name, "was shortened while it was read; run the command again")


class TestEngines:
    """On Dask and on Ray themselves, where they are installed: the extras `dask` and `ray`."""

    def test_a_cluster_of_dask(self, folder):
        distributed = pytest.importorskip("distributed")
        files = data_files([str(folder)])
        asked = parts(files, 500)
        with distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="tcp"
        ) as cluster:
            done = map_parts("dask", asked, cluster.scheduler_address)
            (folder / "c.json").unlink()
            with pytest.raises(EngineError, match=r"c\.json: No such file or directory; workers need the same hbspec"):
                map_parts("dask", asked, cluster.scheduler_address)
        (folder / "c.json").write_bytes(b"[" + b",".join(map(chat, range(30))) + b", 5]")
        assert seen(*joined(asked, done)) == seen(*profile_data(files))

    def test_a_ray_of_this_machine(self, folder):
        pytest.importorskip("ray")
        files = data_files([str(folder)])
        asked = parts(files, 500)
        assert seen(*joined(asked, map_parts("ray", asked, "local"))) == seen(*profile_data(files))
