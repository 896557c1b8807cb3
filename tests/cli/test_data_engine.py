"""`hbspec data profile --engine`."""

from __future__ import annotations

from .conversations import chat

LINES = "".join(f"{chat(f'question {number}', 'word ' * (number % 40))}\n" for number in range(40))


def test_dask_writes_the_same_profile_and_reports_the_same_lines(hbspec):
    hbspec.write("data/a.jsonl", LINES)
    hbspec.write("data/b.jsonl", f"broken\n{LINES}")
    words = ("data", "profile", "data", "--weight", "a.jsonl=2")
    there = hbspec(*words, "--engine", "dask", DASK_SCHEDULER="synchronous")
    assert there == hbspec(*words)
    assert there[0] == 1


def test_a_cluster_that_does_not_answer_is_one_line(hbspec):
    hbspec.write("a.jsonl", LINES)
    code, out, err = hbspec("data", "profile", "a.jsonl", "-o", "p.json", "--engine", "dask", "--address", "bad://x:1")
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("hbspec: --engine dask: the cluster at bad://x:1 did not profile the data (ValueError: ")
    assert not (hbspec.folder / "p.json").exists()


def test_a_missing_engine_is_named_by_its_extra(hbspec):
    hbspec.write("a.jsonl", LINES)
    for name in ("dask", "ray"):
        hbspec.write(f"without/{name}.py", "raise ImportError")
    for name in ("dask", "ray"):
        code, out, err = hbspec(
            "data", "profile", "a.jsonl", "--engine", name, PYTHONPATH=str(hbspec.folder / "without")
        )
        assert (code, out) == (2, "")
        assert err == f'hbspec: --engine {name} needs `pip install "hbspec[{name}]"`\n'


def test_an_address_needs_an_engine_and_an_engine_needs_a_file(hbspec):
    code, _, err = hbspec("data", "profile", "a.jsonl", "--address", "tcp://x:1")
    assert (code, err) == (2, "hbspec: --address is that of a cluster of --engine; give both, or neither\n")
    code, _, err = hbspec("data", "profile", "-", "--engine", "dask", stdin=LINES.encode())
    assert (code, err) == (2, "hbspec: - is read by this process only; name a file that the workers see\n")
