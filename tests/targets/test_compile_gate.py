"""The gate: what lets a deployment out, and everything that does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from compiled import BASE, body

from hbspec import suites
from hbspec.analysis.release import Release, read_record, record_digest
from hbspec.api import InvalidSpecError, compile_spec
from hbspec.cli import main
from hbspec.manual import page_of

SUITES = (
    "evaluation=[{suite: mathematical-accuracy, min_score: 0.9}, "
    "{suite: reasoning-quality, min_score: 0.8, seed: 4, items: 50}]"
)
TARGETS = ("deployment", "cloudformation")
JOB = body(BASE)["TrainingJobName"]


def suite(name: str, seed: int, items: int, right: int, **changed: Any) -> dict[str, Any]:
    """What a record has of a suite of which so many are right."""
    made = suites.suite("reasoning-quality" if name == "other" else name)
    outcomes = [
        [item.id, item.template, "0" * 64, "right" if number < right else "wrong", None, None]
        for number, item in enumerate(made.items(seed, items))
    ]
    kinds = {"right": right, "wrong": items - right}
    return {
        "suite": name,
        "digest": made.digest,
        "seed": seed,
        "wanted": items,
        "items": items,
        "kinds": kinds,
        "verdict": "passed",
        "interval": {},
        "source": None,
        "baseline": None,
        "faults": {},
        "parts": {"stratum": [], "seen": []},
        "outcomes": outcomes,
        **changed,
    }


def record(**changed: Any) -> Release:
    scored = [suite("mathematical-accuracy", 0, 200, 196), suite("reasoning-quality", 4, 50, 49)]
    made = {"format_version": 2, "job": {"name": JOB}, "model": {"kind": "endpoint", "against": "here"}}
    made = {**made, "suites": scored, "verdict": "passed", **changed}
    return Release({**made, "digest": record_digest(made)}, "my.record.json", None)


def refused(release: Release | None, target: str = "deployment", *more: str) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidSpecError) as invalid:
        compile_spec(BASE, target, overrides=(SUITES, *more), release=release, force=True)
    errors = [entry for entry in invalid.value.report.diagnostics if entry.severity == "error"]
    assert {entry.code for entry in errors} == {"HB541"}
    return [(".".join(map(str, entry.route)), entry.message, entry.help) for entry in errors]


def tags(release: Release | None, target: str, *overrides: str) -> list[list[dict[str, str]]]:
    """The tags of everything that is made and may have any."""
    files = {file.path: file.content for file in compile_spec(BASE, target, overrides=overrides, release=release)}
    if target == "deployment":
        return [json.loads(files[f"create_{name}.json"])["Tags"] for name in ("model", "endpoint_config", "endpoint")]
    resources = json.loads(files["template.json"])["Resources"]
    return [resources[name]["Properties"]["Tags"] for name in ("Model", "Configuration", "Endpoint")]


@pytest.mark.parametrize("target", TARGETS)
class TestEveryDeployment:
    def test_nothing_is_compiled_without_a_record_not_even_by_force(self, target: str) -> None:
        ((key, said, action),) = refused(None, target)
        assert key == "evaluation"
        assert said == "the spec's 2 suites have to pass before a deployment, and no record says so"
        assert "--record FILE" in action
        assert "--without-evaluation REASON" in action

    def test_a_record_that_passes_lets_it_out_and_is_named_in_the_tags(self, target: str) -> None:
        release = record()
        tag = {"Key": "hbspec:evaluation", "Value": release.record["digest"]}
        assert all(tag in made for made in tags(release, target, SUITES))

    def test_a_reason_lets_it_out_and_is_in_the_tags(self, target: str) -> None:
        release = Release(None, "", "it is evaluated  at its endpoint")
        tag = {"Key": "hbspec:without-evaluation", "Value": "it is evaluated at its endpoint"}
        assert all(tag in made for made in tags(release, target, SUITES))

    def test_the_same_record_gives_the_same_bytes(self, target: str) -> None:
        one, two = (compile_spec(BASE, target, overrides=[SUITES], release=record()) for _ in range(2))
        assert one == two

    def test_without_suites_there_is_no_gate(self, target: str) -> None:
        assert compile_spec(BASE, target)
        with pytest.raises(InvalidSpecError, match="the spec has no evaluation"):
            compile_spec(BASE, target, release=record())


@pytest.mark.parametrize("target", ["sagemaker", "launch", "serve"])
def test_what_deploys_nothing_needs_no_record(target: str) -> None:
    assert compile_spec(BASE, target, overrides=[SUITES])


class TestServingHere:
    """The target `serve` has no gate, since an evaluation asks what it serves; it says how the evaluation stands."""

    def said(self, release: Release | None, *overrides: str) -> set[str]:
        """What each of the scripts says of it."""
        made = {
            file.path: file.content.decode()
            for file in compile_spec(BASE, "serve", overrides=overrides, release=release)
        }
        return {
            next((line for line in made[name].splitlines() if line.startswith("echo 'This model ")), "")
            for name in ("serve.sh", "docker-run.sh")
        }

    def test_without_a_record_that_it_is_not_shown_to_pass(self) -> None:
        (said,) = self.said(None, SUITES)
        assert "not shown to pass mathematical-accuracy, reasoning-quality: evaluate it here before others" in said

    def test_with_one_that_it_passed_or_why_there_is_none(self) -> None:
        (passed,) = self.said(record(), SUITES)
        assert f"passed its evaluation, by the record {record().record['digest']}" in passed
        (reason,) = self.said(Release(None, "", "only a look"), SUITES)
        assert "served without an evaluation: only a look" in reason

    def test_one_that_does_not_pass_is_refused(self) -> None:
        assert "but this spec trains" in refused(record(job={"name": "base-ffffffffffff"}), "serve")[0][1]

    def test_without_suites_nothing_is_said(self) -> None:
        assert self.said(None) == {""}


class TestAnotherRecord:
    def test_of_another_job(self) -> None:
        ((key, said, _),) = refused(record(job={"name": "base-ffffffffffff"}))
        assert (key, said) == ("evaluation", f"my.record.json evaluates base-ffffffffffff, but this spec trains {JOB}")

    def test_of_the_job_before_a_change(self) -> None:
        ((_, said, _),) = refused(record(), "deployment", "hyperparameters.lora_r=8")
        assert f"evaluates {JOB}, but this spec trains base-" in said

    def test_of_a_model_to_compare_with(self) -> None:
        assert "a model beside the spec's (--other-model)" in refused(record(job={"name": None}))[0][1]

    def test_of_an_endpoint_that_served_something_else(self) -> None:
        model = {"kind": "sagemaker", "against": "sagemaker:live", "serves": ["s3://bucket/models/old/model.tar.gz"]}
        ((_, said, _),) = refused(record(model=model))
        assert said.startswith("my.record.json: sagemaker:live served s3://bucket/models/old/model.tar.gz")
        own = f"s3://bucket/models/{JOB}/output/model.tar.gz"
        both = refused(record(model={**model, "serves": [own, *model["serves"]]}))
        assert "which is not of" in both[0][1], "an A/B test's answers are of either"
        nothing = refused(record(model={**model, "serves": []}))
        assert "does not say which model sagemaker:live served" in nothing[0][1]
        assert "--without-evaluation REASON" in nothing[0][2]
        model["serves"] = [own]
        assert tags(record(model=model), "deployment", SUITES)

    @pytest.mark.parametrize(
        ("changed", "key", "said"),
        [
            ({"suite": "other"}, "evaluation.1.suite", "has no scores of reasoning-quality"),
            ({"seed": 5}, "evaluation.1", "has reasoning-quality with seed 5, but the spec's is 4"),
            ({"wanted": 49}, "evaluation.1", "has 49 items of reasoning-quality, but the spec asks 50"),
        ],
    )
    def test_of_other_items(self, changed: dict[str, Any], key: str, said: str) -> None:
        other = {"suite": "reasoning-quality", "seed": 4, "wanted": 50} | changed
        made = [
            suite("mathematical-accuracy", 0, 200, 196),
            suite(other["suite"], other["seed"], 50, 49, wanted=other["wanted"]),
        ]
        ((found, message, _),) = refused(record(suites=made))
        assert found == key
        assert said in message

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            (
                {"digest": "f" * 64},
                "reasoning-quality was another suite: its digest is ffffffffffff, but this spec's is",
            ),
            (
                {"outcomes": [["1", "1", "", "right", None, None]] * 50},
                "reasoning-quality has other items than those of seed 4",
            ),
        ],
    )
    def test_of_another_suite_by_the_same_name(self, changed: dict[str, Any], said: str) -> None:
        made = [suite("mathematical-accuracy", 0, 200, 196), suite("reasoning-quality", 4, 50, 49, **changed)]
        ((found, message, _),) = refused(record(suites=made))
        assert found == "evaluation.1"
        assert said in message

    def test_with_fewer_items_than_it_says(self) -> None:
        few = suite("reasoning-quality", 4, 50, 49)
        few["outcomes"] = few["outcomes"][:40]
        made = [suite("mathematical-accuracy", 0, 200, 196), few]
        assert "has other items than those of seed 4" in refused(record(suites=made))[0][1]

    @pytest.mark.parametrize(("right", "said"), [(185, "is not decided"), (150, "has failed")])
    def test_whose_score_does_not_pass_whatever_it_says(self, right: int, said: str) -> None:
        made = [suite("mathematical-accuracy", 0, 200, right), suite("reasoning-quality", 4, 50, 49)]
        ((key, message, action),) = refused(record(suites=made))
        assert key == "evaluation.0.min_score"
        assert f"my.record.json: mathematical-accuracy {said}: its score is 0." in message
        assert ("set items to about" in action) == (right == 185)

    def test_when_the_spec_asks_for_more(self) -> None:
        assert refused(record(), "deployment", "evaluation[0].min_score=0.97")[0][0] == "evaluation.0.min_score"


class TestReason:
    @pytest.mark.parametrize("reason", ["", "  ", "because <b>", "x" * 257, "line {{resolve:ssm:a}}"])
    def test_one_that_a_tag_cannot_hold_is_refused(self, reason: str) -> None:
        ((_, said, _),) = refused(Release(None, "", reason))
        assert said.startswith("the reason is a tag, which has 1 to 256 letters")

    def test_one_with_a_secret_is_refused_without_repeating_it(self) -> None:
        ((_, said, _),) = refused(Release(None, "", "with AKIAIOSFODNN7EXAMPLE"))
        assert said == "the reason appears to contain a secret, and tags are not secret"

    @pytest.mark.parametrize("key", ["hbspec:evaluation", "hbspec:without-evaluation"])
    def test_the_author_s_tags_do_not_stand_for_it(self, key: str) -> None:
        with pytest.raises(InvalidSpecError, match="is the tag that says by what the deployment was let out"):
            compile_spec(BASE, "deployment", overrides=[f'sagemaker.tags={{"{key}": mine}}'], force=True)


class TestCommand:
    @pytest.fixture
    def spec(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.chdir(tmp_path)
        Path("spec.yaml").write_text(BASE.read_text())
        Path("my.record.json").write_text(json.dumps(record().record))
        return "spec.yaml"

    def compile(self, spec: str, *words: str, target: str = "deployment") -> int:
        return main(["compile", spec, "--set", SUITES, "--target", target, *words])

    def test_a_record_or_a_reason_compiles(self, spec: str) -> None:
        assert self.compile(spec, "--record", "my.record.json") == 0
        assert self.compile(spec, "--without-evaluation", "evaluated by hand") == 0
        assert self.compile(spec) == 1

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--record", "my.record.json", "--without-evaluation", "x"), "exclude each other"),
            (("--record", "my.record.json", "--target", "launch"), "the target launch deploys nothing"),
            (("--record", "none.json"), "none.json cannot be read"),
            (("--record", "spec.yaml"), "spec.yaml is not an evaluation's record as it was written"),
        ],
    )
    def test_misuse_is_said(self, spec: str, words: tuple[str, ...], said: str, capsys: Any) -> None:
        assert self.compile(spec, *words) == 2
        assert said in capsys.readouterr().err

    @pytest.mark.parametrize(
        "changed",
        [
            {"outcomes": None},
            {"outcomes": [["0", "0"]]},
            {"outcomes": [["0", "0", "0", None, None, None]]},
            {"outcomes": [["0", "0", "0", "right", None, 1.5]]},
            {"outcomes": []},
            {"seed": "4"},
            {"wanted": None},
            {"suite": []},
            {"digest": None},
        ],
    )
    def test_a_record_of_other_types_is_refused(self, spec: str, changed: dict[str, Any], capsys: Any) -> None:
        made = record(suites=[suite("mathematical-accuracy", 0, 200, 196) | changed]).record
        Path("my.record.json").write_text(json.dumps(made))
        assert self.compile(spec, "--record", "my.record.json") == 2
        assert "my.record.json is not an evaluation's record as it was written" in capsys.readouterr().err

    def test_a_record_of_another_version_says_which(self, spec: str, capsys: Any) -> None:
        Path("my.record.json").write_text(json.dumps(record(format_version=1).record))
        assert self.compile(spec, "--record", "my.record.json") == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "my.record.json has format 1, but this version reads 2: evaluate again" in said

    def test_a_record_that_was_changed_is_refused(self, spec: str) -> None:
        text = Path("my.record.json").read_text()
        Path("my.record.json").write_text(text.replace('"wrong"', '"right"', 1))
        with pytest.raises(ValueError, match="as it was written"):
            read_record(Path("my.record.json"))


@pytest.mark.parametrize(("part", "is_refused"), [("example", True), ("instead", False)])
def test_the_page_s_examples_are_judged_as_it_says(part: str, is_refused: bool, tmp_path: Path) -> None:
    page = page_of("HB541")
    assert page is not None
    (tmp_path / "spec.yaml").write_text(f"{BASE.read_text()}{getattr(page, part)}\n")
    if is_refused:
        with pytest.raises(InvalidSpecError, match="HB541"):
            compile_spec(tmp_path / "spec.yaml", "deployment")
    else:
        assert compile_spec(tmp_path / "spec.yaml", "deployment")
