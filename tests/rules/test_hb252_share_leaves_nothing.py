"""HB252: a share of the training data that is all of them."""

from __future__ import annotations

from judged import codes, estimated

SHARE = "data: {validation: {uri: null, examples: null, share: 0.5}}"


def test_the_edge_is_the_number_of_examples(tmp_path):
    fragment = f"{SHARE}\nhyperparameters: {{max_steps: 1, gradient_accumulation_steps: 1}}"
    assert "HB252" in codes(fragment, tmp_path, ["data.train.examples=1"])
    assert "HB252" not in codes(fragment, tmp_path, ["data.train.examples=2"])


NO_EDGE = "of two examples, a job on eight GPUs is told other things than of one, whose count is not known"


def test_the_split_is_the_one_that_the_script_makes(tmp_path):
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[2] / "templates"))
    from mixing import split

    for examples, share in ((2198, 0.2), (101, 0.07), (7, 0.5)):
        fragment = (
            f"data: {{train: {{examples: {examples}}}, validation: {{uri: null, examples: null, share: {share}}}}}"
        )
        plan = estimated(fragment, tmp_path).plan
        train, validation = split(list(range(examples)), share, 42, str)
        assert (plan.counts.examples, plan.validation_examples) == (len(train), len(validation))
        assert sorted(train + validation) == list(range(examples))
