"""The file of a recorded model: what a spec makes of it, and of one that is not as it was written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("torch")

from hbspec import check, estimate
from hbspec.catalog.recorded_file import digest_of
from hbspec.recording.files import text_of

SPEC = """hbspec: 1
name: recorded
model: {config: ./olmo.model.json}
data: {train: {examples: 1000}, tokens: {mean: 100, max: 200}}
instance: {gpu: A100-80, gpus: 1, parallelism: single}
hyperparameters:
  {method: qlora, learning_rate: 1e-4, max_steps: 10, max_length: 256, lora_r: 8, lora_alpha: 16,
   per_device_batch_size: 2}
"""


@pytest.fixture
def folder(tmp_path, olmo):
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "olmo.model.json").write_bytes(text_of(olmo))
    return tmp_path


def messages(folder):
    return [found.message for found in check(folder / "spec.yaml").diagnostics if found.code == "HB031"]


def test_a_spec_that_names_it_is_judged(folder):
    assert messages(folder) == []
    assert estimate(folder / "spec.yaml").plan.require("trainable_parameters") > 0


def test_another_release_of_transformers_may_have_other_layers(folder, olmo):
    recorded = olmo["versions"]["transformers"]
    found = [estimate(folder / "spec.yaml", overrides=[f"software.transformers={it}"]) for it in (recorded, "4.57.0")]
    assert [one.memory is not None for one in found] == [True, False]
    assert f"under transformers 4.57.0 of a model recorded with {recorded}" in found[1].unknown["memory"]


def test_check_reads_it_without_torch(folder):
    code = "import sys; from hbspec.cli import main; main(sys.argv[1:]); print([*{'torch', 'jinja2'} & {*sys.modules}])"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "spec.yaml"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def edited(change):
    def edit(values):
        change(values)
        return {**values, "digest": digest_of(values)}

    return edit


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda values: {**values, "hbspec_model": 99}, "its format is 99, and this hbspec reads format 3; upgrade"),
        (lambda values: {**values, "hbspec_model": 2}, "format 3; record it again with `hbspec model add`"),
        (lambda values: {**values, "hbspec_model": "1"}, "not a version"),
        (lambda values: {**values, "parameters": 1}, "cut or edited"),
        (edited(lambda values: values.update(parameters=1)), "it says 1 parameters"),
        (edited(lambda values: values.update(kinds=[7])), "list of kinds"),
        (edited(lambda values: values.pop("weights")), "not whole"),
        (edited(lambda values: values.pop("versions")), "not whole"),
        (edited(lambda values: values["versions"].update(transformers=5)), "not text"),
        (edited(lambda values: values.update(ways=[])), "derivative"),
        (edited(lambda values: values["programs"][1].update(output=4000)), "puts out"),
    ],
)
def test_a_file_that_is_not_as_it_was_written(edit, word, folder, olmo):
    values = edit(json.loads(json.dumps(olmo)))
    (folder / "olmo.model.json").write_bytes(text_of(values))
    (message,) = messages(folder)
    assert word in message


def test_a_file_that_was_cut_is_not_json(folder):
    place = folder / "olmo.model.json"
    place.write_bytes(place.read_bytes()[:-500])
    assert [found.code for found in check(folder / "spec.yaml").diagnostics][:1] == ["HB030"]
