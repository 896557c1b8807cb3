"""Defects that keep a target from being compiled: HB540 to HB542."""

from __future__ import annotations

from hbspec.manual.page import Page

_ENTRIES = (
    Page(
        code="HB540",
        name="not-in-a-template",
        summary="A CloudFormation template cannot express a part of the spec.",
        why="A stack updates only what it has created: the live endpoint of an A/B test and its variants belong to "
        "somebody else. `AWS::SageMaker::Model` has no AdditionalModelDataSources, by which a container gets a base "
        "model from S3 beside its adapters. A template without these parts would create another endpoint than the "
        "spec describes; the target `deployment` has both. CloudFormation replaces the text `{{resolve:…}}` wherever "
        "it stands in a template, by a parameter or a secret of the account, and has no way to write that text itself.",
        example="deployment: {ab_test: {baseline: current-model, served_model_name: assistant, candidate_weight: 0.1}}",
        instead="deployment: {ab_test: null}",
        references=(
            "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html",
            "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html",
            "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-model.html",
        ),
    ),
    Page(
        code="HB541",
        name="not-evaluated",
        summary="No evaluation lets the deployment out.",
        why="The suites of `evaluation` say below which score a model must not answer anybody. The targets that deploy "
        "are therefore compiled only with the record of an evaluation (`--record`) in which every suite passes: of the "
        "model of this very job, by the digest in its name; with the spec's seed, so that none is drawn to suit; "
        "with as many items; and with a confidence interval that reaches `min_score` with its lower end. A model that "
        "has to be deployed all the same, such as one that is evaluated at its endpoint, is compiled with "
        "`--without-evaluation REASON`, and everything that the deployment makes has the reason in its tags.",
        example="evaluation: [{suite: tool-usage, min_score: 0.9}]",
        instead="evaluation: []",
        references=("https://arxiv.org/abs/2411.00640",),
    ),
    Page(
        code="HB542",
        name="not-in-this-target",
        summary="The target has no way to say a value of the spec.",
        why="Each scheduler and each training framework has its own language. A value that its file cannot hold would "
        "be dropped without a word, and what runs would not be what was judged: another memory, another bill, or "
        "another model. So the target refuses the spec at that key, and writes nothing.",
        example="instance: {spot: true}",
        instead="instance: {spot: false}",
        references=(
            "https://slurm.schedmd.com/sbatch.html",
            "https://docs.skypilot.co/en/latest/reference/yaml-spec.html",
        ),
    ),
)

PAGES = {entry.code: entry for entry in _ENTRIES}
