from __future__ import annotations

import re

import pytest
from judged import SPECS, judged

from hbspec.catalog.limits import TRAINING_JOB_NAME_PATTERN


class TestName:
    @pytest.mark.parametrize(
        ("name", "legal"),
        [
            ("a_b", "a-b"),
            ("-a-", "a"),
            ("Modèle 32B!", "Mod-le-32B"),
            ("a" * 47, "a" * 46),
            ("a" * 45 + "-b", "a" * 45),
        ],
    )
    def test_the_fix_is_accepted(self, tmp_path, name, legal):
        (found,) = judged("HB601", f'name: "{name}"', tmp_path)
        assert found.fixes[0].value == legal
        assert re.fullmatch(TRAINING_JOB_NAME_PATTERN, legal)
        assert judged("HB601", f'name: "{legal}"', tmp_path) == []

    def test_a_name_without_a_legal_character_has_no_fix(self, tmp_path):
        (found,) = judged("HB601", 'name: "___"', tmp_path)
        assert found.fixes == ()

    def test_what_is_added_to_a_training_jobs_name_is_counted(self, tmp_path):
        assert judged("HB601", f"name: {'a' * 46}", tmp_path) == []
        (found,) = judged("HB601", f"name: {'a' * 47}", tmp_path)
        assert "47 characters" in found.message
        assert "64, the limit is 63" in found.message

    @pytest.mark.parametrize(("length", "count"), [(63, 0), (64, 1)])
    def test_nothing_is_added_to_other_names(self, tmp_path, length, count):
        endpoint = f"name: {'a' * length}\nsagemaker: {{job_name: short}}"
        assert len(judged("HB601", endpoint, tmp_path)) == count
        by_hand = f"name: {'a' * length}\ninstance: {{type: null, gpu: A100-40, gpus: 8}}"
        assert len(judged("HB601", by_hand, tmp_path)) == count

    def test_the_job_may_have_its_own(self, tmp_path):
        own = "name: my_job\nsagemaker: {job_name: my-job}\n"
        assert judged("HB601", f"{own}deployment: null", tmp_path) == []
        assert [found.route for found in judged("HB601", own, tmp_path)] == [("name",)]  # the endpoint's
        assert [found.route for found in judged("HB601", "sagemaker: {job_name: a_b}", tmp_path)] == [
            ("sagemaker", "job_name")
        ]

    def test_the_baseline_is_a_model_of_the_service(self, tmp_path):
        test = "deployment: {ab_test: {baseline: llama_4, candidate_weight: 0.1}}"
        assert [found.route[-1] for found in judged("HB601", test, tmp_path)] == ["baseline"]

    def test_a_machine_of_ones_own_takes_any_name(self, tmp_path):
        local = "name: my_job\nsagemaker: null\ndeployment: null\ninstance: {type: null, gpu: A100-40, gpus: 8}"
        assert judged("HB601", local, tmp_path) == []


class TestSizes:
    @pytest.mark.parametrize(
        ("fragment", "route", "numbers"),
        [
            (f"script: {{entry_point: base.yaml, hyperparameters: {{note: {'x' * 2500}}}}}", None, None),
            (
                f"script: {{entry_point: base.yaml, hyperparameters: {{note: {'x' * 2501}}}}}",
                ("script", "hyperparameters", "note"),
                ("2,501", "2,500"),
            ),
            (
                f"script: {{entry_point: base.yaml, reads: environment, hyperparameters: {{note: {'x' * 513}}}}}",
                ("script", "hyperparameters", "note"),
                ("513", "512"),
            ),
            (f"sagemaker: {{environment: {{NOTE: {'x' * 512}}}}}", None, None),
            (
                f"sagemaker: {{environment: {{NOTE: {'x' * 513}}}}}",
                ("sagemaker", "environment", "NOTE"),
                ("513", "512"),
            ),
            (f"sagemaker: {{tags: {{{'k' * 129}: v}}}}", ("sagemaker", "tags", "k" * 129), ("129", "128")),
            (f"sagemaker: {{tags: {{k: {'v' * 256}}}}}", None, None),
        ],
    )
    def test_one_value(self, tmp_path, fragment, route, numbers):
        found = judged("HB602", fragment, tmp_path)
        assert [diagnostic.route for diagnostic in found] == ([route] if route else [])
        assert all(number in found[0].message for number in numbers or ())

    @pytest.mark.parametrize(("count", "found"), [(50, 0), (51, 1)])
    def test_tags(self, tmp_path, count, found):
        tags = ", ".join(f"t{index}: v" for index in range(count))
        assert len(judged("HB602", f"sagemaker: {{tags: {{{tags}}}}}", tmp_path)) == found

    @pytest.mark.parametrize(("count", "found"), [(40, 0), (41, 1)])
    def test_metrics(self, tmp_path, count, found):
        metrics = ", ".join(f'{{name: m{index}, regex: "(.)"}}' for index in range(count))
        assert len(judged("HB602", f"monitoring: {{metrics: [{metrics}]}}", tmp_path)) == found

    def test_hyperparameters_are_counted_with_ours(self, tmp_path):
        names = ", ".join(f"h{index}: 1" for index in range(95))
        (found,) = judged("HB602", f"script: {{entry_point: base.yaml, hyperparameters: {{{names}}}}}", tmp_path)
        assert found.route == ("script", "hyperparameters")


class TestRole:
    @pytest.mark.parametrize(
        ("role", "count"),
        [
            ("arn:aws:iam::111122223333:role/service-role/Execution.Role@x", 0),
            ("arn:aws:iam::11112222333:role/ExecutionRole", 1),
            ("arn:aws:iam::111122223333:user/me", 1),
            ("arn:aws-us-gov:iam::111122223333:role/ExecutionRole", 1),
        ],
    )
    def test_arn_and_partition(self, tmp_path, role, count):
        assert len(judged("HB603", f'sagemaker: {{role: "{role}"}}', tmp_path)) == count

    def test_the_partition_is_the_regions(self, tmp_path):
        role = 'sagemaker: {role: "arn:aws-us-gov:iam::111122223333:role/ExecutionRole"}'
        assert judged("HB603", f"instance: {{region: us-gov-west-1}}\n{role}", tmp_path) == []


class TestAddresses:
    @pytest.mark.parametrize(
        ("uri", "count"),
        [
            ("s3://bucket", 0),
            ("s3://bucket/a b/ü.jsonl", 0),
            ("s3:///key", 1),
            ("S3://bucket/key", 1),
            ("https://bucket.s3.amazonaws.com/key", 1),
            (f"s3://bucket/{'x' * 1012}", 0),
            (f"s3://bucket/{'x' * 1013}", 1),
        ],
    )
    def test_forms(self, tmp_path, uri, count):
        assert len(judged("HB604", f'data: {{train: {{uri: "{uri}"}}}}', tmp_path)) == count

    def test_a_machine_of_ones_own_reads_a_path(self, tmp_path):
        local = "data: {train: {uri: ./train.jsonl}}\ninstance: {type: null, gpu: A100-40, gpus: 8}"
        assert judged("HB604", local, tmp_path) == []


class TestPrefixes:
    """HB615 over base.yaml: it reads s3://bucket/train/ and s3://bucket/validation/."""

    @pytest.mark.parametrize(
        ("fragment", "keys"),
        [
            ('sagemaker: {code: "s3://bucket/train/"}', ["sagemaker.code"]),
            ('sagemaker: {code: "s3://bucket/train"}', ["sagemaker.code"]),
            ('sagemaker: {code: "s3://bucket/train/code/"}', ["sagemaker.code"]),
            ('sagemaker: {output: "s3://bucket/validation/models"}', ["sagemaker.output"]),
            ('sagemaker: {checkpoints: "s3://bucket/train//"}', ["sagemaker.checkpoints"]),
            ('data: {train: {uri: "s3://bucket/code/train.jsonl"}}', ["sagemaker.code"]),
            # a channel reads all keys that begin with its address
            ('data: {train: {uri: "s3://bucket/mod"}}', ["sagemaker.output"]),
            ('data: {train: {uri: "s3://bucket/c"}}', ["data.train.uri"]),
            ('data: {train: {uri: "s3://bucket"}}', ["data.train.uri"]),
            ('data: {train: {uri: "s3://bucket/"}, validation: {uri: "s3://bucket/"}}', ["data.train.uri"]),
            # a folder of another name, another case, another bucket
            ('sagemaker: {code: "s3://bucket/train-code/"}', []),
            ('sagemaker: {code: "s3://bucket/Train/"}', []),
            ('sagemaker: {code: "s3://bucket/x/../train/"}', []),
            ('sagemaker: {code: "s3://bucket//train/"}', []),
            ('sagemaker: {code: "s3://bucket2/train/"}', []),
            ('data: {train: {uri: "s3://bucket/code-data/"}}', []),
            # the job has a folder of its own below each
            ("sagemaker: {code: null, checkpoints: null}", []),
            ('sagemaker: {code: "s3://bucket/models/", checkpoints: "s3://bucket/models/"}', []),
            # a whole bucket
            ('sagemaker: {code: "s3://other"}', ["sagemaker.code"]),
            ('sagemaker: {checkpoints: "s3://other/"}', ["sagemaker.checkpoints"]),
            ('sagemaker: {output: "s3://bucket//"}', ["sagemaker.output"]),
            # said elsewhere
            ('sagemaker: {code: "s3:///"}', []),
            ('data: {train: {uri: "./train"}}', []),
        ],
    )
    def test_what_is_written_and_what_is_read(self, tmp_path, fragment, keys):
        found = judged("HB615", fragment, tmp_path)
        assert [".".join(map(str, diagnostic.route)) for diagnostic in found] == keys
        assert all(diagnostic.severity == "error" for diagnostic in found)

    def test_data_inside_what_is_written_is_named_at_once(self, tmp_path):
        data = 'data: {train: {uri: "s3://bucket/models/a/"}, validation: {uri: "s3://bucket/models/b/"}}'
        (found,) = judged("HB615", data, tmp_path)
        assert found.route == ("sagemaker", "output")
        assert "data.train.uri and data.validation.uri" in found.message


class TestSecret:
    TOKEN = "hf_" + "abcdefghijklmnopqrstuvwx"

    @pytest.mark.parametrize(
        "fragment",
        [
            "sagemaker: {environment: {HF_TOKEN: %s}}",
            "script: {entry_point: base.yaml, hyperparameters: {note: %s}}",
            "name: %s",
            "hyperparameters: {optim: %s}",
            "evaluation: [{suite: %s, min_score: 0.5}]",
            "sagemaker: {tags: {k: %s}}",
        ],
    )
    def test_it_is_found_anywhere_and_never_shown(self, tmp_path, fragment):
        from hbspec.api import check

        (found,) = judged("HB605", fragment % self.TOKEN, tmp_path)
        assert found.severity == "error"
        assert self.TOKEN not in str(check(tmp_path / "spec.yaml").to_dict())

    def test_a_password_is_known_by_its_name(self, tmp_path):
        assert len(judged("HB605", "sagemaker: {environment: {DB_PASSWORD: correct-horse}}", tmp_path)) == 1

    @pytest.mark.parametrize("name", ["heartbeat-as-written.yaml"])
    def test_the_specs_hold_none(self, name):
        from judged import said

        assert said("HB605", SPECS / name) == []


class TestMetrics:
    @pytest.mark.parametrize(
        ("expression", "said"),
        [
            ("loss=([0-9.]+)", ""),
            ("(?P<value>x)", ""),
            ("(?:x)", "captures nothing"),
            ("(x", "does not compile"),
            ("(x){99999999999999999999}", "does not compile"),
            ("(" * 250 + ")" * 250, ""),
            ("(((a+)+)+)+$", ""),  # slow if it were run
        ],
    )
    def test_expressions(self, tmp_path, expression, said):
        found = judged("HB608", f"monitoring: {{metrics: [{{name: m, regex: '{expression}'}}]}}", tmp_path)
        assert (said in found[0].message) if said else found == []


class TestScript:
    SCRIPT = "script: {source_dir: %s, entry_point: %s}"

    def test_found(self, tmp_path):
        (tmp_path / "src").mkdir()
        (tmp_path / "src" / "train.py").write_text("")
        assert judged("HB611", self.SCRIPT % ("./src", "train.py"), tmp_path) == []

    def test_no_folder(self, tmp_path):
        (found,) = judged("HB611", self.SCRIPT % ("./src", "train.py"), tmp_path)
        assert found.route == ("script", "source_dir")

    def test_no_script(self, tmp_path):
        (tmp_path / "src").mkdir()
        (found,) = judged("HB611", self.SCRIPT % ("./src", "train.py"), tmp_path)
        assert found.route == ("script", "entry_point")

    def test_a_script_outside_its_folder_is_not_copied(self, tmp_path):
        (tmp_path / "src").mkdir()
        (tmp_path / "train.py").write_text("")
        (found,) = judged("HB611", self.SCRIPT % ("./src", "../train.py"), tmp_path)
        assert found.route == ("script", "entry_point")


class TestUnknown:
    def test_examples(self, tmp_path):
        (found,) = judged("HB610", "data: {train: {examples: null}}", tmp_path)
        assert found.severity == "note"

    def test_a_claim_says_it_at_its_own_line(self, tmp_path):
        claim = "data: {train: {examples: null}}\nexpect: {training.epochs: 4.4}"
        assert judged("HB610", claim, tmp_path) == []

    def test_a_gpu_of_an_alternative(self, tmp_path):
        (found,) = judged("HB610", "deployment: {instance: {alternatives: [ml.g7.12xlarge]}}", tmp_path)
        assert found.route == ("deployment", "instance", "alternatives", 0)
        assert "RTX PRO 4500" in found.message

    def test_every_suite_but_the_first_is_reported(self, tmp_path):
        suites = ", ".join("{suite: a, min_score: 0.5}" for _ in range(3))
        found = judged("HB614", f"evaluation: [{suites}]", tmp_path)
        assert [diagnostic.route[1] for diagnostic in found] == [1, 2]


class TestApostrophe:
    @pytest.mark.parametrize(("value", "count"), [('"sage\'s run"', 1), ('"sage run"', 0), ("3", 0), ("true", 0)])
    def test_values(self, tmp_path, value, count):
        script = f"script: {{entry_point: base.yaml, hyperparameters: {{run_name: {value}}}}}"
        assert len(judged("HB606", script, tmp_path)) == count
