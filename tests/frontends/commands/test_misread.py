"""Values that a shell changes where a reader would not look: they are read as the program gets them, or are open."""

from __future__ import annotations

import pytest

from hbspec import check
from hbspec.frontends.commands.script import script_of
from hbspec.frontends.reading.front import ForeignReader
from hbspec.source import load

TRL = "trl sft --model_name_or_path Qwen/Qwen2.5-7B"
BATCH = f"{TRL} --per_device_train_batch_size $BS"


def read(tmp_path, text):
    """The document of a script on one instance with four GPUs."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "run.sh").write_text(text)
    return load(tmp_path / "run.sh", overrides=("instance.type=ml.g5.12xlarge",), reader=ForeignReader(None))


def said(document):
    """The codes and messages of what is said of a file."""
    return [(finding.code, finding.message) for finding in document.translated.findings]


@pytest.mark.parametrize(
    "text",
    [
        f"BS=1\ntrain() {{\n  {BATCH}\n}}\nBS=16\ntrain\n",
        f"BS=1\nfunction train {{\n  {TRL} --per_device_train_batch_size ${{BS:-1}}\n}}\nexport BS=16\ntrain\n",
        f"train() {{ {TRL} --per_device_train_batch_size ${{BS:-1}}; }}\nBS=16\ntrain\n",
        f"BS=1\nlet BS=16\n{BATCH}\n",
        f"BS=1\nlet 'BS += 16'\n{BATCH}\n",
        f"BS=1\nprintf -v BS 16\n{BATCH}\n",
        f"BS=1\n((BS *= 16))\n{BATCH}\n",
        f"BS=1\n((BS++))\n{BATCH}\n",
        f"BS=\n: ${{BS:=16}}\n{BATCH}\n",
        f': "${{BS:=16}}"\n{TRL} --per_device_train_batch_size ${{BS:-1}}\n',
    ],
)
def test_a_variable_that_is_set_in_another_way_is_not_known(text):
    word = next(run for run in script_of(text, [(0, len(text))]).runs if run.words[0].text == "trl").words[-1]
    assert word.is_open


@pytest.mark.parametrize(
    "text",
    [
        f"BS=1\ntrain() {{\n  BS=4\n  {BATCH}\n}}\nBS=16\ntrain\n",
        f"BS=4\ntrain() {{\n  {BATCH}\n}}\ntrain\n",
        f"BS=4\n: ${{BS:=16}}\n{BATCH}\n",
        f"train() {{\n  echo\n}}\nBS=4\n{BATCH}\n",
    ],
)
def test_a_variable_that_is_certain_stays_known(text):
    word = next(run for run in script_of(text, [(0, len(text))]).runs if run.words[0].text == "trl").words[-1]
    assert (word.text, word.is_open) == ("4", False)


@pytest.mark.parametrize("start", ["env", "sudo", "nohup env -u X", "sudo -u me env"])
def test_visible_devices_that_a_command_sets_for_another(tmp_path, start):
    text = f"{start} CUDA_VISIBLE_DEVICES=0 accelerate launch trl/scripts/sft.py --model_name_or_path Qwen/Qwen2.5-7B\n"
    assert read(tmp_path, text).values["instance"]["parallelism"] == "single"


@pytest.mark.parametrize("listed", ["{q,k,v}_proj", "layers.{0..3}.q_proj"])
def test_braces_are_words_that_only_a_shell_tells(tmp_path, listed):
    document = read(tmp_path, f"{TRL} --use_peft --lora_target_modules {listed}\n")
    assert ("lora_target_modules", "either") in document.translated.unread
    quoted = read(tmp_path, f"{TRL} --use_peft --lora_target_modules '{listed}' --lora_r 8\n")
    assert quoted.values["hyperparameters"]["lora_r"] == 8


def test_a_configuration_that_is_computed_leaves_memory_open(tmp_path):
    document = read(tmp_path, f'{TRL} --config "$CFG"\n')
    assert ("HB048", 'config is computed (`"$CFG"`): not read, and it influences memory') in said(document)


def test_a_flag_of_no_command_is_named_without_its_value(tmp_path):
    document = read(tmp_path, f"{TRL}\n--hub_token=0123456789abcdef\n")
    assert not [message for _, message in said(document) if "0123" in message]
    assert [message for code, message in said(document) if code == "HB067" and "`--hub_token`" in message]


@pytest.mark.parametrize(
    ("start", "is_said"),
    [
        ("CUDA_VISIBLE_DEVICES=$1 accelerate launch", True),
        ("CUDA_VISIBLE_DEVICES=$(cat free) accelerate launch", True),
        ("CUDA_VISIBLE_DEVICES=$1 accelerate launch --num_processes 2", False),
        ("CUDA_VISIBLE_DEVICES=$1 torchrun --nproc_per_node 2", False),
        ("CUDA_VISIBLE_DEVICES=0,1 accelerate launch", False),
    ],
)
def test_visible_devices_that_are_computed_are_said(tmp_path, start, is_said):
    document = read(tmp_path, f"{start} trl/scripts/sft.py --model_name_or_path Qwen/Qwen2.5-7B\n")
    message = "CUDA_VISIBLE_DEVICES is computed: one process for every GPU is taken"
    assert (("HB048", message) in said(document)) is is_said


@pytest.mark.parametrize("value", ["$(cat /run/secret)", "`cat /run/secret`", '"x$(cat /run/secret)"'])
def test_a_command_inside_of_a_value_is_not_repeated(tmp_path, value):
    found = [message for code, message in said(read(tmp_path, f"{TRL} --max_length {value}\n")) if code == "HB048"]
    assert found == ["max_length is what a command puts out: not read, and it influences memory"]


def test_a_secret_after_a_blank_is_starred_out_where_its_line_is_shown(tmp_path):
    (tmp_path / "run.sh").write_text(f"{TRL} --api_key abcdef12345 --per_device_train_batch_sizes 3\n")
    shown = "".join(entry.excerpt or "" for entry in check(tmp_path / "run.sh").diagnostics)
    assert "--api_key ***********" in shown
    assert "abcdef" not in shown
