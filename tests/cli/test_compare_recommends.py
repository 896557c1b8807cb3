"""What `hbspec compare` says to take: what fits and is certain to be cheaper or faster, and nothing else."""

from __future__ import annotations

import json

import pytest

SPEC = """\
hbspec: 1
name: bot
model: {id: Qwen/Qwen2.5-7B}
data: {train: {uri: "s3://acme/train/", examples: 4000}, tokens: {mean: 300, max: 900}}
instance: {type: ml.g5.12xlarge, region: us-east-1, parallelism: ddp, max_runtime: 20h}
hyperparameters: {method: qlora, learning_rate: 2e-4, num_train_epochs: 2, per_device_batch_size: 2, max_length: 1024}
"""


@pytest.fixture
def said(hbspec):
    """The sentences about specs, of which each but the first extends the first."""

    def sentences(first: str, *others: str) -> str:
        hbspec.write("a.yaml", first)
        files = ["a.yaml"]
        for number, other in enumerate(others):
            files.append(f"{'bcd'[number]}.yaml")
            hbspec.write(files[-1], f"extends: ./a.yaml\n{other}\n")
        code, out, err = hbspec("compare", *files)
        assert (code, err) == (0, "")
        document = json.loads(hbspec("compare", *files, "--format", "json")[1])["recommendation"]
        before = "\nNot like with like" if "\nNot like with like" in out else "\nVerdict\n"
        text = out[: out.index(before)].strip("\n").rpartition("\n\n")[2]
        return " ".join(text.split()), document

    return sentences


def test_the_one_that_is_certain_to_be_cheaper_is_taken(said):
    text, document = said(SPEC, "instance: {price: 90 USD/h}")
    assert text.startswith("Take A: it is certain to be the cheapest; B costs ")
    assert " more than A (" in text
    assert (document["take"], document["by"], document["train_the_same"]) == ("A", "cost", True)


def test_where_the_interval_spans_zero_none_is_called_better(said):
    text, document = said(SPEC, "instance: {type: ml.g6.12xlarge}")
    assert text.startswith("A, B fit within their limits, and none is certain to be cheaper or faster: ")
    assert " costs from " in text
    assert " takes from " in text
    assert "Take A" not in text
    assert "Take B" not in text
    assert document["take"] is None


def test_a_faster_one_at_a_cost_that_is_not_certain(said):
    slow = SPEC.replace("ml.g5.12xlarge", "ml.g5.xlarge").replace("parallelism: ddp, ", "").replace("4000", "90000")
    change = "instance: {type: ml.p5.4xlarge, price: 16 USD/h}"
    text, document = said(slow.replace("20h", "400h"), change)
    assert text.startswith("Take B: it is certain to be the fastest; A takes ")
    assert "Which is the cheapest is not certain: " in text
    assert document["by"] == "time"


def test_the_only_one_that_fits_is_taken_and_the_others_are_named(said):
    text, document = said(SPEC, "hyperparameters: {gradient_checkpointing: false}", "instance: {max_runtime: 10m}")
    assert text == (
        "Take A: it alone is certain to fit and to stay within its limits. "
        "Left out: B may not fit; C is stopped at its max_runtime of 10.0 min before it ends."
    )
    assert [bool(spec["against"]) for spec in document["specs"]] == [False, False, True]


def test_where_none_is_ready_what_helps_is_named(said):
    text, document = said(SPEC + "budget: {max_cost: 1 USD}\n", "instance: {max_runtime: 10m}")
    assert text.startswith("Take none of them as it is: A costs more than its budget of 1.00 USD; B ")
    assert "Nearest is A: `hbspec check a.yaml` says what to change, and `hbspec optimize a.yaml` looks for " in text
    assert (document["take"], document["nearest"]) == (None, "A")


def test_only_the_endpoints_differ(said):
    served = SPEC + "deployment: {instance: {type: ml.g5.2xlarge}, concurrency: 4, max_model_len: 2048}\n"
    text, document = said(served, "deployment: {instance: {type: ml.g6.2xlarge}}")
    assert text.startswith(
        "Take B: its endpoint is certain to be the cheapest; an hour of the endpoint of A costs 0.29 "
    )
    assert document["by"] == "endpoint_cost_per_hour"


def test_endpoints_that_do_not_fit_are_searched_for_as_endpoints(said):
    served = SPEC + "deployment: {instance: {type: ml.g4dn.xlarge}, concurrency: 4, max_model_len: 2048}\n"
    text, _ = said(served, "instance: {type: ml.g6.12xlarge}")
    assert text.startswith("Take none of them as it is: A, B has an endpoint that does not fit.")
    assert "`hbspec optimize a.yaml --deployment` looks for what passes" in text


def test_what_trains_less_is_not_simply_better(said):
    text, document = said(SPEC, "hyperparameters: {num_train_epochs: 1}")
    assert text.startswith("They do not train the same, and no figure says which result is better. By these figures, ")
    assert "take B: it is certain to be the cheapest" in text
    assert document["train_the_same"] is False


def test_the_same_spec_twice_decides_nothing(said):
    text, _ = said(SPEC, "name: bot")
    assert text == "A, B fit within their limits, and no figure known of each decides between them."
