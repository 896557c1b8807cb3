"""A credential anywhere in a spec reaches no output and no artifact, `--force` or not."""

from __future__ import annotations

from typing import Any

import pytest
from compiled import BASE, TARGETS

from hbspec.api import InvalidSpecError, check, compile_spec, estimate
from hbspec.render.report import report_lines

TOKEN = "hf_" + "abcdefghijklmnopqrstuvwx"
PLACES = (
    "name=%s",
    "model.id=%s",
    "model.config=%s",
    "model.revision=%s",
    "model.license=%s",
    "data.train.uri=s3://bucket/%s/",
    "data.profile=%s",
    "instance.type=%s",
    "instance.alternatives=[%s]",
    "instance.region=%s",
    "instance={gpu: %s, gpus: 8}",
    "instance.price=%s",
    "instance.parallelism=%s",
    "software={transformers: %s}",
    "script={entry_point: %s}",
    "script={entry_point: train.py, source_dir: %s}",
    "script={entry_point: train.py, hyperparameters: {note: %s}}",
    "hyperparameters.learning_rate=%s",
    "hyperparameters.optim=%s",
    "hyperparameters.lr_scheduler_type=%s",
    "hyperparameters.target_modules=[%s]",
    "hyperparameters.modules_to_save=[%s]",
    "budget.max_cost=%s",
    "monitoring={metrics: [{name: %s, regex: '(x)'}]}",
    "monitoring={metrics: [{name: x, regex: '(%s'}]}",
    "evaluation=[{suite: %s, min_score: 0.5}]",
    "deployment.instance.type=%s",
    "deployment.region=%s",
    "deployment.ab_test={baseline: %s, candidate_weight: 0.1}",
    "deployment.ab_test={baseline: today, endpoint: %s, candidate_weight: 0.1}",
    "deployment.ab_test={baseline: today, served_model_name: %s, candidate_weight: 0.1}",
    "sagemaker.role=%s",
    "sagemaker.output=s3://%s/",
    "sagemaker.code=s3://%s/",
    "sagemaker.checkpoints=s3://%s/",
    "sagemaker.image=%s",
    "sagemaker.serving_image=%s",
    "sagemaker.job_name=%s",
    "sagemaker.vpc={subnets: [%s], security_groups: [sg-1]}",
    "sagemaker.environment={HF_TOKEN: %s}",
    "sagemaker.tags={k: %s}",
    "expect={training.cost: %s}",
    "expect={training.cost: 5 %s}",
    "nowhere=%s",
)


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    if isinstance(value, (list, tuple)):
        return [text for part in value for text in texts(part)]
    return [str(value)]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("place", PLACES)
def test_it_is_shown_nowhere_and_compiled_into_nothing(place):
    override = place % TOKEN
    report = check(BASE, overrides=[override])
    assert not report.ok
    shown = texts(report.to_dict()) + ["".join(text for _, text in line) for line in report_lines(report)]
    try:
        shown += texts(estimate(BASE, overrides=[override]).to_dict())
    except InvalidSpecError as invalid:
        shown += [*texts(invalid.report.to_dict()), str(invalid)]
    for target in TARGETS:
        with pytest.raises(InvalidSpecError) as refused:
            compile_spec(BASE, target, overrides=[override], force=True)
        shown += [*texts(refused.value.report.to_dict()), str(refused.value)]
    assert [text for text in shown if TOKEN in text] == []


def test_what_only_looks_like_one_can_be_allowed_and_is_then_compiled(tmp_path):
    spec = tmp_path / "spec.yaml"
    text = BASE.read_text().replace("sagemaker:\n", "sagemaker:\n  tags: {secret: of life} # hbspec: allow HB605\n")
    spec.write_text(text)
    assert check(spec).ok
    assert any(b"of life" in file.content for file in compile_spec(spec, "sagemaker"))


def test_a_published_form_of_one_cannot_be_allowed(tmp_path):
    spec = tmp_path / "spec.yaml"
    text = BASE.read_text().replace("sagemaker:\n", f"sagemaker:\n  tags: {{k: {TOKEN}}} # hbspec: allow HB605\n")
    spec.write_text(text)
    found = {entry.code: entry.message for entry in check(spec).diagnostics}
    assert found["HB071"] == "a comment does not allow a credential: HB605 has no effect"
    assert found.keys() == {"HB071", "HB605"}
    with pytest.raises(InvalidSpecError):
        compile_spec(spec, "sagemaker", force=True)


@pytest.mark.parametrize("comment", ["# hbspec: allow-file HB605\n{}", "{} # hbspec: allow-section HB605\n"])
def test_a_comment_for_more_than_its_line_lets_none_out(tmp_path, comment):
    section = comment.format("sagemaker:").rstrip()
    spec = tmp_path / "spec.yaml"
    spec.write_text(BASE.read_text().replace("sagemaker:\n", f"{section}\n  tags: {{secret: of life}}\n"))
    assert "HB605" in [entry.code for entry in check(spec).diagnostics]
    with pytest.raises(InvalidSpecError):
        compile_spec(spec, "sagemaker", force=True)
