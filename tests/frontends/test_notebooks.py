"""Notebooks and broken code: what is Python is read, what is not is named, and places are those of cells."""

from __future__ import annotations

import json

import pytest
from sagemaker_cases import ESTIMATOR, TRAINER, notebook, said

from hbspec.api import check
from hbspec.manual import page_of
from hbspec.render.github import github_lines
from hbspec.render.gitlab import gitlab
from hbspec.render.junit import junit
from hbspec.render.sarif import sarif
from hbspec.source import SourceError
from hbspec.spec import Spec, read

SETUP, CALL = ESTIMATOR.split("estimator = ")
CALL = f"estimator = {CALL}"
WITH_MAGICS = (
    "%load_ext autoreload\n!pip install \\\n  sagemaker\nfiles = !ls\nhelp?\npip install -q trl==0.9\n" + SETUP
)


def test_a_value_is_in_its_cell(coded):
    document = coded(notebook(WITH_MAGICS, CALL), name="train.ipynb")
    span = document.span(("instance", "type"))
    assert span.file.endswith("train.ipynb:cell 3")
    assert CALL.splitlines()[span.start.line - 1].strip() == 'instance_type="ml.g5.12xlarge",'
    assert document.excerpt(span).strip() == 'instance_type="ml.g5.12xlarge",'
    assert document.span(("model", "id")).file.endswith("train.ipynb:cell 2")
    assert said(document, "HB067") == []
    assert document.origin(("script", "entry_point")) == document.directory


def test_a_notebook_is_read_as_the_file_of_its_code(coded):
    assert coded(notebook(SETUP, CALL), name="job.ipynb").values == coded(ESTIMATOR).values


@pytest.mark.parametrize("first", ["%%bash\nls -l\n", "%%writefile run_sft.py\nestimator = HuggingFace(\n", "%%time\n"])
def test_a_cell_of_another_language_is_passed_over(coded, first):
    document = coded(notebook(first, SETUP, CALL), name="job.ipynb")
    assert said(document, "HB067") == []
    assert document.values["instance"]["type"] == "ml.g5.12xlarge"


def test_a_cell_with_an_error_is_named_and_the_others_are_read(coded):
    broken = "epochs = 3\nprint 'started'\nrank = 8\n"
    call = CALL.replace("=hyperparameters,", "={**hyperparameters, 'lora_r': rank, 'epochs': epochs},")
    document = coded(notebook(broken, SETUP, call), name="job.ipynb")
    (message,) = said(document, "HB067")
    assert message.startswith("line 2 cannot be read as Python")
    assert (document.values["hyperparameters"]["lora_r"], document.values["hyperparameters"]["num_train_epochs"]) == (
        8,
        3,
    )
    assert "code that is not read" in document.translated.may_need("less")


def test_what_a_shell_gives_is_computed(coded):
    document = coded(notebook("kind = !hostname\n", SETUP, CALL.replace('"ml.g5.12xlarge"', "kind")), name="job.ipynb")
    assert "instance_type is computed (`!hostname`): not read" in said(document, "HB048")


def test_half_a_call_is_read_as_far_as_it_goes(coded):
    document = coded(ESTIMATOR[: ESTIMATOR.index("use_spot_instances") + 6])
    (message,) = said(document, "HB067")
    assert "the end is missing" in message
    assert document.values["instance"]["max_runtime"] == "172800 s"
    assert isinstance(read(document), Spec)


@pytest.mark.parametrize("text", [ESTIMATOR, TRAINER, notebook(SETUP, CALL)], ids=["py", "trainer", "ipynb"])
def test_any_part_of_a_file_is_read_or_refused_with_a_place(coded, text):
    for end in range(0, len(text), 23):
        try:
            found = read(coded(text[:end], program="sagemaker"))
        except SourceError as refused:
            found = refused.diagnostics
        assert isinstance(found, Spec) or found


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"cells": 3}',
        '{"cells": [1, {"cell_type": "code"}, {"cell_type": "code", "source": [3]}]}',
        '{"cells": [',
        "{" * 5000,
        '{"a":' * 5000,
        "(" * 5000,
        "-" * 20_000 + "1",
        "x = " + "1 + " * 5_000 + "1",
        "if x:\n  a\n" + "elif x:\n  a\n" * 1500,
        "x = '\0'",
        "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    ],
    ids=range(12),
)
def test_text_that_is_no_notebook_and_no_program_is_refused(coded, text):
    with pytest.raises(SourceError):
        coded(text, name="job.ipynb")


def test_names_of_names_do_not_take_for_ever(coded):
    lists = "a0 = [1, 1]\n" + "".join(f"a{n} = [a{n - 1}, a{n - 1}]\n" for n in range(1, 60))
    text = lists + ESTIMATOR.replace('"epochs": 3', '"epochs": a59')
    assert any("epochs" in message for message in said(coded(text), "HB048"))


def test_columns_count_characters(coded):
    text = ESTIMATOR.replace("    entry_point=", "    role='é漢😀', entry_point=")
    span = coded(text).span(("script", "entry_point"))
    assert text.splitlines()[span.start.line - 1][span.start.column - 1 : span.end.column - 1] == '"run_sft.py"'


def test_a_long_line_does_not_take_for_ever(coded):
    text = ESTIMATOR.replace('"epochs": 3', '"epochs": [' + "'é', " * 20_000 + "]")
    assert any("epochs" in message for message in said(coded(text), "HB048"))


def test_nothing_is_run(coded, tmp_path):
    mark = tmp_path / "mark"
    coded(f"open({str(mark)!r}, 'w').close()\n{ESTIMATOR}")
    assert not mark.exists()


def test_formats_without_cells_name_the_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.ipynb").write_text(notebook(SETUP, CALL))
    report = check("job.ipynb", overrides=("data.train.examples=1000",))
    assert any(entry.file == "job.ipynb:cell 3" for entry in report.diagnostics)
    assert all("file=job.ipynb," in line and "line=1," in line for line in github_lines(report))
    assert {entry["location"]["path"] for entry in gitlab(report)} == {"job.ipynb"}
    assert "job.ipynb:cell" not in junit(report)
    texts = json.dumps(sarif(report, page_of)["runs"][0]["results"])
    assert "job.ipynb:cell" not in texts
    assert "cell 3, line " in texts


def test_cells_are_in_their_order(tmp_path):
    file = tmp_path / "job.ipynb"
    file.write_text(notebook(SETUP.replace("7B", "7"), *[""] * 9, CALL))
    cells = [int(entry.file.rpartition(" ")[2]) for entry in check(str(file)).diagnostics if ":cell" in entry.file]
    assert cells == sorted(cells)
    assert {2, 12} <= set(cells)
