"""The section `data`: where the examples are, how they are laid out, and how long they are.

As in `sections.py`, annotations are real objects.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from hbspec.spec.fields import Positive, Section, Text

Weight = Annotated[float, Field(gt=0, le=1000)]


class TrainingData(Section):
    """The training split."""

    uri: Text | None = Field(None, description="S3 URI of the file or prefix (`s3://…`).")
    examples: Positive | None = Field(
        None, description="Number of examples, before any are held out; with `weights`, of an epoch."
    )
    weights: dict[str, Weight] | None = Field(
        None,
        description="How often the examples of a file, or of a `folder/`, below `uri` are in an epoch; 1 by default.",
    )


class ValidationData(Section):
    """The validation split: files of its own, or a share of the training data."""

    uri: Text | None = Field(None, description="S3 URI of the file or prefix (`s3://…`).")
    examples: Positive | None = Field(None, description="Number of examples.")
    share: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="Share of the training data that the job holds out, such as 0.05, instead of files."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.share is not None and (self.uri is not None or self.examples is not None):
            other = "uri" if self.uri is not None else "examples"
            raise PydanticCustomError(
                "contradiction",
                "share holds out {share} of the training data, and {other} describes a split of its own",
                {"share": f"{self.share:g}", "other": other},
            )
        return self


class Tokens(Section):
    """Known token lengths of the examples, including the model's chat template."""

    mean: Annotated[float, Field(ge=1, le=10**8)] = Field(description="Mean tokens of an example.")
    max: Positive = Field(description="Tokens of the longest example.")

    @model_validator(mode="after")
    def _mean_within_max(self) -> Self:
        if self.mean > self.max:
            raise PydanticCustomError(
                "contradiction",
                "the mean of {mean} tokens is above the longest example's {max}",
                {"mean": f"{self.mean:g}", "max": self.max},
            )
        return self


class Columns(Section):
    """Names of the data's columns, by those that TRL gives them."""

    messages: Text | None = Field(None, description="The conversation, of language modeling.")
    text: Text | None = Field(None, description="The text, of language modeling in the standard format.")
    prompt: Text | None = Field(None, description="The prompt.")
    completion: Text | None = Field(None, description="The answer.")
    chosen: Text | None = Field(None, description="The preferred answer.")
    rejected: Text | None = Field(None, description="The other answer.")
    label: Text | None = Field(None, description="Whether the answer is good.")
    completions: Text | None = Field(None, description="The steps of an answer.")
    labels: Text | None = Field(None, description="Whether each step is good.")


class Data(Section):
    """The training data."""

    type: Literal[
        "language_modeling",
        "prompt_only",
        "prompt_completion",
        "preference",
        "unpaired_preference",
        "stepwise_supervision",
    ] = Field(
        "language_modeling",
        description="Dataset type, by TRL's names; each task of the shipped script trains its own.",
    )
    format: Literal["messages", "conversational", "standard", "alpaca", "sharegpt"] = Field(
        "messages",
        description="`messages`, or `conversational` as TRL calls it: lists of `{role, content}`; `standard`: plain "
        "texts. `alpaca` and `sharegpt` are for your script.",
    )
    columns: Columns | None = Field(None, description="Names of the data's columns, where they differ from TRL's.")
    chat_template: Text | None = Field(
        None,
        description="Chat template of the job and its endpoint, instead of the model's: a shipped one, such as "
        "`llama3`, or the path of a `.jinja` file.",
    )
    input_mode: Literal["File", "FastFile"] = Field(
        "File",
        description="How a SageMaker job gets the data: `File` downloads it before the start, `FastFile` reads it from "
        "S3 when the script does.",
    )
    train: TrainingData | None = Field(None, description="The training split.")
    validation: ValidationData | None = Field(None, description="The validation split.")
    profile: Text | None = Field(
        None, description="Path of a profile written by `hbspec data profile`: the measured lengths."
    )
    digest: Text | None = Field(None, description="The digest that the profile must have; it pins the data.")
    tokens: Tokens | None = Field(None, description="Known lengths, instead of a profile.")
