"""Examples that are too long are left out of counts, as RewardTrainer and the shipped script leave them out."""

from __future__ import annotations

import json
from math import ceil
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.api import estimate
from hbspec.dataset.files import data_files
from hbspec.dataset.profile import profile_data
from hbspec.dataset.readers import Reader
from hbspec.histogram import Histogram
from hbspec.plan.lengths import Lengths, Profile, given_lengths, profiled_lengths
from hbspec.units import Interval

PAIRS = [
    {"prompt": f"{n} plus 1 is", "chosen": f" {n + 1}.", "rejected": f" {n}" + ", or so" * (n % 7)} for n in range(23)
]


def planned(profile, task="reward", validation=None, software=None, examples=None, **settings):
    """The plan of a job on a file with a profile."""
    kinds = {"reward": "preference", "dpo": "preference", "grpo": "prompt_only"}
    data = {"type": kinds[task], "format": "standard", **({"validation": validation} if validation else {})}
    data |= {"profile": f"./{profile.name}"} if profile else {"train": {"examples": examples}}
    usual = {"method": "lora", "learning_rate": 1e-4, "per_device_batch_size": 1, "gradient_accumulation_steps": 2}
    document = {
        "hbspec": 1,
        "name": "pairs",
        "task": task,
        "model": {"id": "Qwen/Qwen2.5-7B"},
        "data": {**data, **({"tokens": settings.pop("tokens")} if "tokens" in settings else {})},
        "instance": {"type": "ml.g5.2xlarge", "region": "us-east-1", "max_runtime": "99h"},
        "hyperparameters": {**usual, **settings},
        **({"software": software} if software else {}),
        **({"reward": {"functions": ["rewards.py:right"]}} if task == "grpo" else {}),
    }
    if profile is None:
        return estimate(document).plan
    spec = profile.with_name("spec.yaml")
    spec.write_text(json.dumps(document))
    return estimate(spec).plan


def profile_of(tmp_path, histograms, layout="preference"):
    """A profile of these lengths: those counted, or the fewest, expected and most tokens."""
    names = ("expected",) if len(histograms) == 1 else ("low", "expected", "high")
    low, usual, high = (Histogram.of(histograms[index if len(histograms) > 1 else 0]) for index in range(3))
    means, longest = ([getattr(one, key) for one in (low, usual, high)] for key in ("mean", "longest"))
    document = {
        "format_version": 1,
        "examples": usual.size,
        "exact_duplicates": 0,
        "tokens": {
            "mean": means[1],
            "max": longest[1],
            "bounds": {"mean": [means[0], means[2]], "max": [longest[0], longest[2]]},
            "method": "made",
        },
        "digest": "made",
        "histogram": {
            name: {"tokens": list(one.lengths), "counts": list(one.counts)}
            for name, one in zip(names, (usual,) if len(names) == 1 else (low, usual, high), strict=True)
        },
        "layout": {"type": layout, "format": "standard"},
    }
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(document))
    return path


def test_as_many_pairs_are_left_as_the_trainer_leaves(tmp_path):
    import trl
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from hbspec.dataset.vocabulary import counting

    words = sorted({word for pair in PAIRS for text in pair.values() for word in text.split()})
    tokens = {word: number for number, word in enumerate((*words, "[UNK]", "</s>"))}
    tokenizer = Tokenizer(models.WordLevel(tokens, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["</s>"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "chat_template.jinja").write_text("not used by texts")
    lines = tmp_path / "train.jsonl"
    lines.write_text("".join(json.dumps(pair) + "\n" for pair in PAIRS))
    found, _ = profile_data(data_files([str(lines)]), counting(str(tmp_path / "tokenizer.json")), reader=Reader())
    (tmp_path / "profile.json").write_text(found.whole().text())
    left = set()
    for cap in (8, 11, 14, 99):
        itself = SimpleNamespace(_tokenizer=tokenizer)
        arguments = trl.RewardConfig(str(tmp_path), max_length=cap, use_cpu=True, bf16=False)
        wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="</s>")
        prepare = trl.RewardTrainer._prepare_dataset
        theirs = len(prepare(itself, Dataset.from_list(PAIRS), wrapped, arguments, "train"))
        plan = planned(tmp_path / "profile.json", max_length=cap, num_train_epochs=1)
        assert (plan.counts.examples, plan.counts.optimizer_steps) == (theirs, ceil(theirs / 2))
        assert plan.loops == ()
        left.add(theirs)
    assert len(left) == 4
    assert max(left) == len(PAIRS)


def test_estimated_lengths_bound_the_pairs(tmp_path):
    plan = planned(
        profile_of(tmp_path, ({90: 60, 200: 40}, {90: 50, 200: 50}, {100: 30, 300: 70})),
        max_length=150,
        num_train_epochs=1,
    )
    found = plan.counted("optimizer_steps")
    assert (found.low, found.expected, found.high) == (15, 25, 30)
    assert plan.lengths.cut(150).longest.high <= 150


def test_held_out_pairs_may_be_those_left_out(tmp_path):
    plan = planned(
        profile_of(tmp_path, ({90: 60, 200: 40},)), max_length=150, num_train_epochs=1, validation={"share": 0.1}
    )
    found = plan.counted("optimizer_steps")
    assert (found.low, found.expected, found.high) == (25, 27, 30)


def test_no_pair_that_is_short_enough_leaves_counts_unknown(tmp_path):
    plan = planned(profile_of(tmp_path, ({90: 60, 200: 40},)), max_length=64, num_train_epochs=1)
    assert plan.counts is None
    assert plan.unknown["counts"] == "an example within max_length"


def test_other_objectives_and_frameworks_cut(tmp_path):
    profile = profile_of(tmp_path, ({90: 60, 200: 40},))
    assert planned(profile, task="dpo", max_length=150, num_train_epochs=1).counts.examples == 100
    framework = {"trainer": "llamafactory"}
    assert planned(profile, software=framework, max_length=150, num_train_epochs=1).counts.examples == 100


def test_prompts_without_room_are_left_out_by_the_shipped_script(tmp_path):
    profile = profile_of(tmp_path, ({90: 64, 200: 36},), "prompt_only")
    room = {"max_completion_length": 100, "per_device_batch_size": 8, "num_train_epochs": 1}
    plan = planned(profile, task="grpo", max_length=250, **room)
    assert (plan.counts.examples, plan.counts.rows) == (64, 512)
    assert planned(profile, task="grpo", max_length=300, **room).counts.examples == 100


def test_a_mean_and_a_longest_bound_the_pairs():
    plan = planned(None, examples=1000, tokens={"mean": 100, "max": 800}, max_length=400, num_train_epochs=1)
    found = plan.counted("optimizer_steps")
    assert (found.low, found.high) == (375, 500)
    assert found.low < found.expected < found.high


@st.composite
def estimated(draw):
    """Lengths of examples, and the fewest and the most that each was estimated to have."""
    true = draw(st.lists(st.integers(1, 40), min_size=1, max_size=30))
    spread = [(draw(st.integers(0, 9)), draw(st.integers(0, 9))) for _ in true]
    low = [max(1, length - below) for length, (below, _) in zip(true, spread, strict=True)]
    return low, true, [length + above for length, (_, above) in zip(true, spread, strict=True)]


@given(estimated(), st.integers(1, 45))
def test_lengths_that_are_left_lie_within_their_bounds(lengths, cap):
    histograms = tuple(Histogram.of({length: one.count(length) for length in one}) for one in lengths)
    mean = Interval(*(one.mean for one in histograms))
    longest = Interval(*(float(one.longest) for one in histograms))
    made = profiled_lengths(Profile(len(lengths[1]), 0, mean, longest, "made", "made", histograms))
    found = made._replace(left_out=True)
    left = [length for length in lengths[1] if length <= cap]
    kept, cut = found.kept(cap), found.cut(cap)
    assert kept.expected == pytest.approx(len(left) / len(lengths[1]))
    if left:
        assert cut.mean.low <= sum(left) / len(left) <= cut.mean.high
        assert cut.longest.low <= max(left) <= cut.longest.high <= cap


@given(st.lists(st.integers(1, 400), min_size=1, max_size=30), st.integers(1, 400))
def test_markov_bounds_what_a_mean_leaves(lengths, cap):
    found: Lengths = given_lengths(sum(lengths) / len(lengths), max(lengths))._replace(left_out=True)
    share = sum(length <= cap for length in lengths) / len(lengths)
    kept = found.kept(cap)
    assert kept.low <= share <= kept.high
    found.cut(cap)  # an interval, whatever the lengths
