"""Files that are broken, half there, of two programs, or full of placeholders: what can be read is judged."""

from __future__ import annotations

import pytest
from frontends_cases import AXOLOTL, PROGRAMS, TRL, found

from hbspec.api import InvalidSpecError, check, estimate
from hbspec.frontends import front_of
from hbspec.source import SourceError
from hbspec.spec import Spec, read

PROGRAM_NAMES = {"axolotl": "axolotl", "TRL": "trl", "LLaMA-Factory": "llamafactory"}
ON = ("instance.type=ml.p4de.24xlarge", "instance.region=us-east-1", "data.train.examples=10000")


@pytest.mark.parametrize("value", ['"${oc.env:BATCH}"', "${BATCH}", "{{ batch }}", '"{{ batch }}"'])
def test_a_placeholder_is_named_and_the_default_stands_in(opened, value):
    document = opened(AXOLOTL.replace("micro_batch_size: 2", f"micro_batch_size: {value}"))
    assert found(document) == [("HB036", "micro_batch_size")]
    assert document.values["hyperparameters"]["per_device_batch_size"] == 1


def test_a_placeholder_does_not_move_what_follows_it(opened):
    text = AXOLOTL.replace("lora_r: 32", "lora_r: {{ rank }}")
    document = opened(text)
    span = document.span(("hyperparameters", "max_length"))
    assert text.splitlines()[span.start.line - 1][span.start.column - 1 :] == "4096"


def test_keys_of_two_programs_are_one_finding_that_names_both(opened):
    document = opened(f"{AXOLOTL}cutoff_len: 512\nfinetuning_type: lora\nnobody: 1\n")
    assert found(document) == [("HB037", "cutoff_len"), ("HB028", "nobody")]
    message = document.translated.findings[0].message
    assert message == (
        "the file is read as axolotl's, and cutoff_len, finetuning_type are keys of LLaMA-Factory, which axolotl "
        "0.19.0 does not have"
    )
    assert document.values["hyperparameters"]["max_length"] == 4096
    assert found(opened(f"{AXOLOTL}cutoff_len: 512\n")) == [("HB028", "cutoff_len")], "one may be a mistake"


def test_a_misspelt_key_is_found_with_the_one_that_is_meant(opened):
    document = opened(f"{AXOLOTL}gradient_checkpointing_kwarg: {{use_reentrant: false}}\n")
    (finding,) = document.translated.findings
    assert (finding.code, finding.help) == ("HB028", "did you mean `gradient_checkpointing_kwargs`?")


@pytest.mark.parametrize("program", PROGRAMS)
def test_any_part_of_a_file_is_read_or_refused_with_a_place(tmp_path, program):
    text, file = PROGRAMS[program], tmp_path / "job.yaml"
    for end in range(0, len(text), 37):
        file.write_text(text[:end])
        report = check(str(file), overrides=ON)
        assert all(entry.file for entry in report.diagnostics)


def test_wrong_types_are_found_at_the_author_s_line(tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text(AXOLOTL.replace("lora_r: 32", "lora_r: [32]"))
    (error,) = (entry for entry in check(str(file), overrides=ON).diagnostics if entry.code == "HB022")
    assert error.span.start.line == AXOLOTL.splitlines().index("lora_r: 32") + 1


def test_an_estimate_of_another_task_is_refused(tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text(f"{AXOLOTL}rl: orpo\n")
    with pytest.raises(InvalidSpecError) as refused:
        estimate(str(file), overrides=ON)
    assert [entry.code for entry in refused.value.report.diagnostics] == ["HB027"]


def test_a_job_that_may_need_less_is_not_called_too_large(tmp_path):
    file = tmp_path / "job.yaml"
    full = "base_model: Qwen/Qwen2.5-72B\nlearning_rate: 1e-5\nmicro_batch_size: 1\n"
    severities = []
    for more in ("", "unfrozen_parameters: [lm_head]\n"):
        file.write_text(full + more)
        report = check(str(file), overrides=ON)
        severities += [entry.severity for entry in report.diagnostics if entry.code == "HB109"]
    assert severities == ["error", "warning"]


def test_a_pattern_that_takes_for_ever_is_not_tried(opened):
    document = opened(AXOLOTL.replace("lora_target_linear: true", "lora_target_modules: '(model.)+(.+)+x'"))
    assert ("HB029", "lora_target_modules") in found(document)


def test_a_file_that_is_not_recognised_is_read_as_what_it_is_said_to_be(opened):
    text = "base_model: Qwen/Qwen2.5-7B\nlearning_rate: 1e-5\n"
    assert opened(text, program="axolotl").values["model"]["id"] == "Qwen/Qwen2.5-7B"
    with pytest.raises(ValueError, match="unknown program 'axolot'"):
        front_of("axolot")


def test_text_that_is_not_yaml_is_refused_as_a_spec_would_be(opened):
    with pytest.raises(SourceError, match="HB001"):
        opened(f"{TRL}output_dir: [\n")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "value", ["null", "true", "[]", "[1, {a: b}]", "{a: {b: c}}", "-3", "0.5", "''", "1e9", "none"]
)
@pytest.mark.parametrize("program", PROGRAMS)
def test_any_value_of_any_key_is_read_or_found(opened, program, value):
    lines = PROGRAMS[program].splitlines()
    more = ("fsdp", "fsdp_config", "deepspeed", "gradient_checkpointing_kwargs", "val_set_size", "val_size", "plugins")
    keys = [line.partition(":")[0] for line in lines if line[0].isalpha()] + list(more)
    for key in keys:
        kept = [line for line in lines if line.partition(":")[0] != key and line[0].isalpha()]
        document = opened("\n".join([*kept, f"{key}: {value}", ""]), program=PROGRAM_NAMES[program])
        assert isinstance(read(document), Spec | list), key
