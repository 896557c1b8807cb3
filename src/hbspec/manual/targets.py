"""Defects that one target alone cannot compile: HB540."""

from __future__ import annotations

from hbspec.manual.page import Page

_ENTRIES = (
    Page(
        code="HB540",
        name="not-in-a-template",
        summary="The target `cloudformation` cannot express a part of the endpoint.",
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
)

PAGES = {entry.code: entry for entry in _ENTRIES}
