"""How fast `hbspec data` reads and converts examples, as a ratio to plain `json.loads` in the same run, and its memory.

    python benchmarks/data.py [--rounds 5] [FILE …]

Every round reads the same examples once in each way, one after the other on one core, so that whatever else the machine
does hits all of them; a ratio is the median of the rounds' ratios. Times are of the processor, in this process: reading
Parquet may use threads of its own, which are counted. The lines are those of the files, or conversations
of 2 KB made up here. Memory is the largest resident size of a process of its own, for two numbers of short examples:
what the one has more than the other is what an example costs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median
from time import process_time

from hbspec.dataset import check_data, data_files, profile_data
from hbspec.dataset.convert import Conversion

AIM, CONVERTED = 10_000, 20_000
"""Examples a second on one core: checked or profiled without a tokenizer, and converted."""
EXAMPLES = 20_000
FEW, MANY = 50_000, 200_000
WORDS = 330
"""Of an example: about 2 KB, as the HeartBeat examples have."""
PEAK = """
import sys
from hbspec.dataset import check_data, data_files, profile_data
{"check": check_data, "profile": profile_data}[sys.argv[1]](data_files(sys.argv[2:]))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
"""Of Linux. (`ru_maxrss` of a child holds what its parent had before it.)"""
KIBIBYTE = 1024


def made(examples: int, words: int) -> Iterator[str]:
    """Conversations of so many words, no two alike."""
    random = Random(0)
    vocabulary = ["".join(random.choices("etaoinshrdlu", k=random.randint(2, 9))) for _ in range(2000)]
    for number in range(examples):
        text = " ".join(random.choices(vocabulary, k=words))
        question, answer = f"Number {number}: {text[: len(text) // 4]}?", f"{text[len(text) // 4 :]}."
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        yield json.dumps({"messages": messages}) + "\n"


def parsed(files: list[str]) -> None:
    """What nobody can do without: every line read and parsed."""
    for name in files:
        with Path(name).open("rb") as lines:
            for line in lines:
                json.loads(line)


def seconds(call: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = process_time()
    call()
    return process_time() - start


def converted(files: list[str]) -> None:
    """Every line of a conversion, written nowhere."""
    for _ in Conversion(data_files(files)):
        pass


def tables(files: list[str], folder: Path) -> tuple[str, str]:
    """The same conversations as Parquet, in one group of rows, and as Alpaca's lines."""
    import pyarrow
    from pyarrow.parquet import write_table

    rows = [json.loads(line) for name in files for line in Path(name).read_text(encoding="utf-8").splitlines()]
    parquet, alpaca = folder / "made.parquet", folder / "alpaca.jsonl"
    write_table(pyarrow.Table.from_pylist(rows), parquet, row_group_size=len(rows))
    with alpaca.open("w", encoding="utf-8") as lines:
        for row in rows:
            first, *_, last = (message["content"] for message in row["messages"])
            lines.write(json.dumps({"instruction": first, "input": "", "output": last}) + "\n")
    return str(parquet), str(alpaca)


def speed(files: list[str], rounds: int, folder: Path) -> None:
    """Prints examples a second, and the ratio to plain parsing."""
    parquet, alpaca = tables(files, folder)
    ways: dict[str, Callable[[], object]] = {
        "json.loads": lambda: parsed(files),
        "data check": lambda: check_data(data_files(files)),
        "data profile": lambda: profile_data(data_files(files)),
        "data profile, Parquet": lambda: profile_data(data_files([parquet])),
        "data convert, Alpaca": lambda: converted([alpaca]),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, call in ways.items():
            taken[name].append(seconds(call))
    examples = check_data(data_files(files)).splits[0].examples
    size = sum(Path(name).stat().st_size for name in files)
    print(f"{examples:,} examples of {size / examples:,.0f} bytes, {rounds} rounds\n")
    print(f"{'in a running Python':<25}{'examples/s':>12}{'time as a multiple':>20}")
    for name, times in taken.items():
        ratio = median(time / base for time, base in zip(times, taken["json.loads"], strict=True))
        print(f"{name:<25}{examples / median(times):>12,.0f}{ratio:>20.1f}")
    print(f"\nThe aims are {AIM:,} profiled and {CONVERTED:,} converted examples a second on one core.\n")


def memory(folder: Path) -> None:
    """Prints the largest resident size for few and for many examples, and what one more takes."""
    print(f"{'largest resident size':<25}{FEW:>12,}{MANY:>12,}{'one more takes':>20}")
    paths = {count: folder / f"{count}.jsonl" for count in (FEW, MANY)}
    for count, path in paths.items():
        with path.open("w", encoding="utf-8") as file:
            file.writelines(made(count, 12))
    groups = {count: Path(tables([str(path)], _made(folder / str(count)))[0]) for count, path in paths.items()}
    for command, files in (("check", paths), ("profile", paths), ("profile, Parquet", groups)):
        few, many = (_peak(command.partition(",")[0], path) for path in files.values())
        shown = "".join(f"{peak / 1e6:>9.1f} MB" for peak in (few, many))
        print(f"{'data ' + command:<25}{shown}{(many - few) / (MANY - FEW):>14.0f} bytes")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _peak(command: str, path: Path) -> int:
    done = subprocess.run([sys.executable, "-c", PEAK, command, str(path)], capture_output=True, check=True, text=True)
    return int(done.stdout) * KIBIBYTE


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files = list(asked.files)
        if not files:
            files = [f"{name}/made.jsonl"]
            Path(files[0]).write_text("".join(made(EXAMPLES, WORDS)), encoding="utf-8")
        speed(files, asked.rounds, Path(name))
        memory(Path(name))


if __name__ == "__main__":
    main()
