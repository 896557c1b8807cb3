"""Which findings are reported, and what a configuration file may say."""

from __future__ import annotations

import pytest

from hbspec.configuration import Configuration, ConfigurationError
from hbspec.configuration.file import codes, read
from hbspec.configuration.place import found_from
from hbspec.diagnostics import Severity


def written(folder, text, name="hbspec.toml"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


class TestReports:
    @pytest.mark.parametrize(
        ("select", "ignore", "reported"),
        [
            ((), (), True),
            (("HB1",), (), True),
            (("does-not-fit",), (), True),
            (("HB2",), (), False),
            ((), ("HB109",), False),
            (("HB1",), ("HB10",), False),
            ((), ("does-not",), True),
        ],
    )
    def test_a_finding(self, select, ignore, reported):
        assert Configuration(select, ignore).reports("HB109", "does-not-fit", "a.yaml") is reported

    @pytest.mark.parametrize("code", ["HB001", "HB031", "HB605"])
    def test_what_is_always_reported(self, code):
        one = Configuration(select=("HB1",), ignore=(code, "HB"), severity=((code, Severity.NOTE),))
        assert one.reports(code, "x", "a.yaml")
        assert one.severity_of(code, "x", Severity.ERROR) is Severity.ERROR

    def test_the_last_severity_that_applies(self):
        one = Configuration(severity=(("HB1", Severity.NOTE), ("HB109", Severity.WARNING), ("HB2", Severity.NOTE)))
        assert one.severity_of("HB109", "x", Severity.ERROR) is Severity.WARNING
        assert one.severity_of("HB101", "x", Severity.ERROR) is Severity.NOTE
        assert one.severity_of("HB301", "x", Severity.ERROR) is Severity.ERROR

    @pytest.mark.parametrize(
        ("pattern", "file", "reported"),
        [
            ("old.yaml", "old.yaml", False),
            ("old", "old/a.yaml", False),
            ("specs/*", "specs/a.yaml", False),
            ("specs/*", "more/specs/a.yaml", True),
            ("old.yaml", "a.yaml", True),
        ],
    )
    def test_files_are_named_from_the_configuration_s_folder(self, tmp_path, monkeypatch, pattern, file, reported):
        (tmp_path / "below").mkdir()
        monkeypatch.chdir(tmp_path / "below")
        one = Configuration(per_file_ignores=((pattern, ("HB109",)),), folder=tmp_path)
        assert one.reports("HB109", "does-not-fit", f"../{file}") is reported
        assert one.reports("HB101", "idle-gpus", f"../{file}")


class TestFile:
    def test_every_key(self, tmp_path):
        text = (
            'select = ["HB1"]\nignore = ["does-not-fit"]\nstrict = true\ncatalog = "p.json"\n'
            'severity = {HB305 = "error"}\n[per-file-ignores]\n"old/*" = ["HB4"]\n'
        )
        assert read(written(tmp_path, text)) == Configuration(
            select=("HB1",),
            ignore=("does-not-fit",),
            severity=(("HB305", Severity.ERROR),),
            per_file_ignores=(("old/*", ("HB4",)),),
            strict=True,
            catalog=tmp_path / "p.json",
            folder=tmp_path,
        )

    def test_the_table_of_a_project(self, tmp_path):
        file = written(tmp_path, '[project]\nname = "x"\n[tool.hbspec]\nstrict = true\n', "pyproject.toml")
        assert read(file).strict

    @pytest.mark.parametrize(
        ("text", "route", "message"),
        [
            ('ignor = ["HB1"]', ("ignor",), "ignor is not a key"),
            ('ignore = ["HB999"]', ("ignore",), "HB999 is neither a code nor a name"),
            ('ignore = ["idle-gpu"]', ("ignore",), "idle-gpu is neither a code nor a name"),
            ('ignore = "HB1"', ("ignore",), "'HB1' is not a list of codes"),
            ('ignore = ["HB605"]', ("ignore",), "HB605 cannot be changed: a credential is always an error"),
            ('ignore = ["HB001"]', ("ignore",), "HB001 cannot be changed: a spec that cannot be read is not judged"),
            ("strict = 1", ("strict",), "1 is not true or false"),
            ("catalog = 1", ("catalog",), "1 is not a file name"),
            ('severity = {HB305 = "bad"}', ("severity", "HB305"), "'bad' is not a severity"),
            ('severity = "error"', ("severity",), "'error' is not a table"),
            ('per-file-ignores = {"a" = ["HB605"]}', ("per-file-ignores", "a"), "HB605 cannot be changed"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_key(self, tmp_path, text, route, message):
        with pytest.raises(ConfigurationError) as refused:
            read(written(tmp_path, text))
        (found,) = refused.value.diagnostics
        assert (found.code, found.route) == ("HB070", route)
        assert found.message.startswith(message)

    def test_all_at_once(self, tmp_path):
        with pytest.raises(ConfigurationError) as refused:
            read(written(tmp_path, 'ignor = 1\nstrict = 1\nselect = ["HB999", "x"]'))
        assert len(refused.value.diagnostics) == 4

    @pytest.mark.parametrize("content", [b"strict = ", b"\xff\xfe", b'[tool]\nhbspec = "x"'])
    def test_a_file_that_cannot_be_read(self, tmp_path, content):
        (tmp_path / "pyproject.toml").write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"pyproject.toml (is not TOML|has a `tool.hbspec`)"):
            read(tmp_path / "pyproject.toml")

    def test_a_secret_in_it_is_not_shown(self, tmp_path):
        secret = "hf_" + "aBcD1234" * 4
        with pytest.raises(ConfigurationError) as refused:
            read(written(tmp_path, f'ignore = ["{secret}"]'))
        assert secret not in str(refused.value)

    def test_words_of_an_option(self):
        assert codes("--ignore", ["HB1", "does-not-fit"], silenced=True) == ("HB1", "does-not-fit")
        with pytest.raises(ConfigurationError):
            codes("--ignore", ["HB605"], silenced=True)
        assert codes("--select", ["HB605"]) == ("HB605",)


class TestPlace:
    def test_the_nearest_up_to_the_repository(self, tmp_path):
        below = tmp_path / "repository" / "specs"
        below.mkdir(parents=True)
        above = written(tmp_path, "strict = true")
        assert found_from(below) == above
        (tmp_path / "repository" / ".git").mkdir()
        assert found_from(below) is None
        (tmp_path / "repository" / "pyproject.toml").write_text("[project]\n")
        assert found_from(below) is None
        own = written(tmp_path / "repository", "[tool.hbspec]\n", "pyproject.toml")
        assert found_from(below) == own
        assert found_from(below) != written(below.parent, "")
        assert found_from(below) == below.parent / "hbspec.toml"
