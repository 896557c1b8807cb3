"""The model folder: one run's model lies there, whole, or the run is refused before it costs anything."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fingerprint
import model_folder
import pytest
import served_adapters
from settings import Folders, Invocation, RefusedError, Settings
from training_bench import TEMPLATES, Bench, preloaded, run, sums

SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "5e-3",
    "PER_DEVICE_BATCH_SIZE": "2",
    "MAX_LENGTH": "256",
    "LORA_DROPOUT": "0.0",
    "MAX_STEPS": "2",
    "SAVE_STEPS": "2",
}
MINE = {"learned": {"LORA_R": 16}, "loaded": {}, "noted": {}}
OTHER = {"learned": {"LORA_R": 8}, "loaded": {}, "noted": {}}
Job = Callable[..., str]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestFolder:
    @pytest.fixture
    def invocation(self, tmp_path: Path) -> Invocation:
        return Invocation(Settings(MODEL_ID="any"), Folders(model_dir=tmp_path / "model"))

    def write(self, invocation: Invocation, mine: Any, **files: str) -> None:
        unfinished = model_folder.unfinished(invocation.folders.model_dir, mine)
        unfinished.mkdir(parents=True)
        for name, text in files.items():
            (unfinished / name).write_text(text)
        model_folder.deliver(model_folder.place_of(invocation), mine)

    def texts(self, invocation: Invocation) -> dict[str, str]:
        found = content(invocation.folders.model_dir)
        assert found.pop(model_folder.AUTHOR)
        return {name: text.decode() for name, text in found.items()}

    def test_a_runs_own_model_is_replaced_as_a_whole(self, invocation: Invocation) -> None:
        model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)
        self.write(invocation, MINE, weights="one", index="one")
        model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)
        self.write(invocation, MINE, weights="two")
        assert self.texts(invocation) == {"weights": "two"}

    def test_another_runs_is_refused_and_left(self, invocation: Invocation) -> None:
        self.write(invocation, OTHER, weights="theirs")
        with pytest.raises(
            RefusedError, match=r"holds files that this run has not written, or that were changed since \(weights\)"
        ):
            model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)
        with pytest.raises(RefusedError):  # it came while this run trained
            self.write(invocation, MINE, config="mine")
        unfinished = model_folder.unfinished(Path(), MINE)
        assert self.texts(invocation) == {"weights": "theirs", f"{unfinished}/config": "mine"}

    def test_one_run_neither_delivers_nor_removes_what_another_is_writing(self, invocation: Invocation) -> None:
        theirs = model_folder.unfinished(invocation.folders.model_dir, OTHER)
        theirs.mkdir(parents=True)
        (theirs / "weights").write_text("theirs")
        with pytest.raises(RuntimeError, match="and is gone: another program removed it"):
            model_folder.deliver(model_folder.place_of(invocation), MINE)
        self.write(invocation, MINE, weights="mine")
        assert self.texts(invocation) == {"weights": "mine", f"{theirs.name}/weights": "theirs"}

    def test_files_of_nobody_are_refused_by_their_names(self, invocation: Invocation) -> None:
        folder = invocation.folders.model_dir
        self.write(invocation, MINE, weights="mine")
        for number in range(7):
            (folder / f"file{number}").symlink_to("nowhere")
        with pytest.raises(RefusedError) as refused:
            model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)
        assert "(file0, file1, file2, file3, file4, …): pass another --model-dir" in str(refused.value)

    @pytest.mark.parametrize("name", ["README.md", "model.safetensors", "additional_chat_templates", "run.json"])
    def test_a_folder_in_the_place_of_a_models_file_is_refused(self, invocation: Invocation, name: str) -> None:
        folder = invocation.folders.model_dir
        self.write(invocation, MINE, weights="mine")
        for other in ("code", "lost+found", ".cache.json", name):
            (folder / other).mkdir()
        with pytest.raises(
            RefusedError, match=rf"files that this run has not written, or that were changed since \({name}\)"
        ):
            model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)

    def test_a_folder_that_stands_in_the_way_of_a_new_file_leaves_the_model_before_whole(
        self, invocation: Invocation
    ) -> None:
        self.write(invocation, MINE, weights="one", index="one")
        (invocation.folders.model_dir / "vocabulary").mkdir()
        with pytest.raises(RefusedError, match="vocabulary"):
            self.write(invocation, MINE, weights="two", vocabulary="two")
        unfinished = model_folder.unfinished(Path(), MINE)
        new = {f"{unfinished}/{name}": "two" for name in ("weights", "vocabulary")}
        assert self.texts(invocation) == {"weights": "one", "index": "one", **new}

    def test_a_runs_own_folder_is_replaced_with_all_that_it_holds(self, invocation: Invocation) -> None:
        folder = invocation.folders.model_dir
        for text in ("one", "two"):
            templates = model_folder.unfinished(folder, MINE) / "additional_chat_templates"
            templates.mkdir(parents=True)
            (templates / f"{text}.jinja").write_text(text)
            model_folder.deliver(model_folder.place_of(invocation), MINE)
            model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)
        assert self.texts(invocation) == {"additional_chat_templates/two.jinja": "two"}

    def test_a_file_that_was_edited_is_refused_and_left(self, invocation: Invocation) -> None:
        folder = invocation.folders.model_dir
        self.write(invocation, MINE, card="made", weights="made")
        (folder / "card").write_text("hand")
        with pytest.raises(RefusedError, match=r"or that were changed since \(card\)"):
            model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)
        with pytest.raises(RefusedError, match=r"or that were changed since \(card\)"):
            self.write(invocation, MINE, card="new")
        assert (folder / "card").read_text() == "hand"

    def test_a_file_that_was_put_into_a_runs_own_folder_is_refused_and_left(self, invocation: Invocation) -> None:
        folder = invocation.folders.model_dir
        templates = model_folder.unfinished(folder, MINE) / "additional_chat_templates"
        templates.mkdir(parents=True)
        (templates / "one.jinja").write_text("one")
        model_folder.deliver(model_folder.place_of(invocation), MINE)
        (folder / "additional_chat_templates/mine.jinja").write_text("mine")
        with pytest.raises(RefusedError, match="additional_chat_templates"):
            model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)

    @pytest.mark.parametrize("text", ["", "[]", "[" * 200_000, '{"format_version": 1, "files": {"weights": ""}}'])
    def test_a_list_that_cannot_be_read_makes_no_file_ours(self, invocation: Invocation, text: str) -> None:
        self.write(invocation, MINE, weights="mine")
        (invocation.folders.model_dir / model_folder.AUTHOR).write_text(text)
        with pytest.raises(RefusedError):
            model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)

    def test_nothing_outside_is_removed_whatever_is_listed(self, invocation: Invocation, tmp_path: Path) -> None:
        folder = invocation.folders.model_dir
        self.write(invocation, MINE, weights="one")
        (tmp_path / "elsewhere").touch()
        author = json.loads((folder / model_folder.AUTHOR).read_text())
        outside = ("../elsewhere", str(tmp_path / "elsewhere"), ".", "..")
        author["files"] |= dict.fromkeys(outside, fingerprint.contents(tmp_path)["elsewhere"])
        (folder / model_folder.AUTHOR).write_text(json.dumps(author))
        self.write(invocation, MINE, weights="two")
        assert (tmp_path / "elsewhere").exists()
        assert self.texts(invocation) == {"weights": "two"}

    @pytest.mark.parametrize("calls", range(6))
    def test_wherever_it_is_cut_off_one_run_has_written_all_and_may_go_on(
        self, invocation: Invocation, monkeypatch: pytest.MonkeyPatch, calls: int
    ) -> None:
        self.write(invocation, MINE, a="one", b="one", c="one")
        left = [calls]

        def cut(whole: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any) -> Any:
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
                return whole(*arguments)

            return run

        with monkeypatch.context() as patched:
            patched.setattr(model_folder, "remove", cut(model_folder.remove))
            patched.setattr(Path, "replace", cut(Path.replace))
            with pytest.raises(KeyboardInterrupt):
                self.write(invocation, MINE, b="two", c="two")
        found = {text for name, text in self.texts(invocation).items() if not name.startswith(".")}
        assert len(found) <= 1, "never of two models"
        model_folder.refuse_other_model(model_folder.place_of(invocation), MINE)
        shutil.rmtree(model_folder.unfinished(invocation.folders.model_dir, MINE), ignore_errors=True)
        self.write(invocation, MINE, b="two", c="two")
        assert self.texts(invocation) == {"b": "two", "c": "two"}


def test_only_adapters_are_kept_for_engines(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    served_adapters.keep(tmp_path)
    assert list(content(tmp_path)) == ["model.safetensors"]


@pytest.mark.parametrize(("first", "second"), [("lora", "full"), ("full", "lora")])
def test_a_second_model_is_never_mixed_into_the_first(
    bench: Bench, job: Job, capsys: pytest.CaptureFixture[str], first: str, second: str
) -> None:
    import train

    bench.write(SETTINGS, sums(8))
    job("--METHOD", first)
    before = content(bench.folder / "model")
    again = [*bench.arguments, "--METHOD", second, "--checkpoint-dir", str(bench.folder / "others")]
    assert train.main(again) == 2
    said = capsys.readouterr().err
    assert (
        f"--model-dir {bench.folder}/model holds files that this run has not written, or that were changed since ("
        in said
    )
    assert {"lora": "adapter_model.safetensors", "full": "model.safetensors"}[first] in said
    assert content(bench.folder / "model") == before


def test_the_models_and_the_checkpoints_of_another_run_are_refused_together(
    bench: Bench, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    import train

    bench.write(SETTINGS, sums(8))
    job()
    assert train.main([*bench.arguments, "--LORA_R", "8"]) == 2
    said = capsys.readouterr().err
    assert "pass another --model-dir, or empty this one" in said
    assert "LORA_R was 16 there and is 8 here" in said


@pytest.mark.parametrize(
    ("model", "checkpoints", "said"),
    [
        ("c", "c", "--model-dir and --checkpoint-dir are both {at}/c"),
        ("c/checkpoint-4", "c", "--model-dir {at}/c/checkpoint-4 lies in --checkpoint-dir {at}/c"),
        ("m", "m/deep/c", "--checkpoint-dir {at}/m/deep/c lies in --model-dir {at}/m"),
        ("m/../c/m", "c", "--model-dir {at}/m/../c/m lies in --checkpoint-dir {at}/c"),
    ],
)
def test_a_model_does_not_lie_among_checkpoints(
    bench: Bench, capsys: pytest.CaptureFixture[str], model: str, checkpoints: str, said: str
) -> None:
    import train

    bench.write(SETTINGS, sums(8))
    at = bench.folder
    folders = ["--model-dir", f"{at}/{model}", "--checkpoint-dir", f"{at}/{checkpoints}"]
    assert train.main([*bench.arguments, *folders]) == 2
    assert f"{said.format(at=at)}: pass two folders" in capsys.readouterr().err
    assert not (at / "c").exists()
    assert not (at / "m").exists()


def test_a_repeated_attempt_replaces_its_own_model(bench: Bench, job: Job) -> None:
    bench.write(SETTINGS, sums(8))
    job()
    folder = bench.folder / "model"
    before = content(folder)
    assert not list(folder.glob(f"{model_folder.UNFINISHED}*"))
    mine = json.loads((folder / model_folder.AUTHOR).read_text())["fingerprint"]
    shutil.rmtree(bench.folder / "checkpoints")
    (folder / "adapter_model.safetensors").unlink()
    model_folder.unfinished(folder, mine).mkdir()
    (model_folder.unfinished(folder, mine) / "model.safetensors").touch()
    job()
    assert content(folder) == before


def test_a_folder_in_the_place_of_the_record_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    import train

    bench.write(SETTINGS, sums(8))
    (bench.folder / "output/run.json").mkdir(parents=True)
    assert train.main(bench.arguments) == 2
    assert f"{bench.folder}/output/run.json is a folder: move it away" in capsys.readouterr().err


def test_a_rehearsals_own_base_is_not_overwritten(bench: Bench, job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    import train

    bench.write(SETTINGS, sums(8))
    job("--METHOD", "full")
    base = bench.folder / "output/tiny-model"
    before = content(base)
    shutil.rmtree(bench.folder / "checkpoints")
    assert train.main([*bench.arguments, "--METHOD", "full", "--model-dir", str(base)]) == 2
    assert "overlaps the folder of the base model" in capsys.readouterr().err
    assert content(base) == before


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("option", "below"),
    [
        *((option, below) for option in ("model", "checkpoint", "output-data") for below in (".", "deep/er", "link")),
        ("model", ".."),
        ("checkpoint", ".."),
    ],
)
def test_a_local_base_is_not_overwritten(bench: Bench, job: Job, option: str, below: str) -> None:
    bench.write(SETTINGS | {"PARALLELISM": "single"}, sums(8))
    job()
    (bench.folder / "bases").mkdir()
    base = (bench.folder / "output/tiny-model").rename(bench.folder / "bases/base")
    target = base / below
    if below == "link":
        target = bench.folder / "link"
        target.symlink_to(base)
    before = {path: path.is_dir() or path.read_bytes() for path in base.parent.rglob("*")}
    real = bench.arguments[1:]
    at = real.index("--model-config")
    real[at : at + 2] = ["--METHOD", "full", "--MODEL_ID", str(base)]
    more = ["--model-dir", bench.folder / "another", "--checkpoint-dir", bench.folder / "others"]
    more += [f"--{option}-dir", target]
    done = run([TEMPLATES / "train.py", *real, *more])
    assert done.returncode == 2, done.stderr[-4000:]
    said = f"--{option}-dir {target} overlaps the folder of the base model, {base}: pass another --{option}-dir"
    assert said in done.stderr
    assert {path: path.is_dir() or path.read_bytes() for path in base.parent.rglob("*")} == before


BEFORE_TRAINING = """
import os, signal, sys
sys.path.insert(0, {templates!r})
import train
def choose(invocation):
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
train._choose_devices = choose
sys.exit(train.main(sys.argv[1:]))
"""


def test_a_stop_before_training_does_not_pass_another_runs_model_off_as_this_ones(bench: Bench, job: Job) -> None:
    bench.write(SETTINGS, sums(8))
    job()
    driver = bench.folder / "stopped.py"
    driver.write_text(BEFORE_TRAINING.format(templates=str(TEMPLATES)))
    command = [preloaded().python, driver, *bench.arguments, "--checkpoint-dir", bench.folder / "others"]
    done = subprocess.run([*command, "--LORA_R", "8"], capture_output=True, env=bench.environment, timeout=300)
    assert done.returncode == 2
    assert subprocess.run(command, capture_output=True, env=bench.environment, timeout=300).returncode == 0


@pytest.mark.parametrize(
    ("trial", "made"),
    [(("--MAX_STEPS", "2"), 2), (("--NUM_TRAIN_EPOCHS", "0.5"), 2)],
    ids=["updates", "epochs"],
)
def test_a_short_trial_does_not_replace_the_finished_model_of_a_longer_run(
    bench: Bench, job: Job, capsys: pytest.CaptureFixture[str], trial: tuple[str, ...], made: int
) -> None:
    """Where the schedule is constant, both are the same run."""
    import train

    constant = {name: text for name, text in SETTINGS.items() if name != "MAX_STEPS"}
    bench.write(constant | {"LR_SCHEDULER_TYPE": "constant", "GRADIENT_ACCUMULATION_STEPS": "1"}, sums(8))
    job("--NUM_TRAIN_EPOCHS", "1")
    before = content(bench.folder / "model"), content(bench.folder / "output")
    elsewhere = ["--checkpoint-dir", str(bench.folder / "others")]
    assert train.main([*bench.arguments, *trial, *elsewhere]) == 2
    said = capsys.readouterr().err
    assert f"--model-dir {bench.folder}/model holds the finished model of 4 updates" in said
    assert f"this run would put one of {made} in its place: pass another --model-dir" in said
    assert (content(bench.folder / "model"), content(bench.folder / "output")) == before

    job("--NUM_TRAIN_EPOCHS", "1")
    assert "resumes from" in job("--NUM_TRAIN_EPOCHS", "1.5")
    assert json.loads((bench.folder / "model" / model_folder.AUTHOR).read_text())["updates"] == 6
