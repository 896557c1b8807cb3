"""`#SBATCH` lines: what counts as one, the variables that Slurm sets from them, and the forms of a time."""

from __future__ import annotations

import pytest

from hbspec.frontends.commands.slurm import directives_of, time_limit, variables_of

SCRIPT = """#!/bin/bash
#SBATCH --job-name=qwen -N 2 # hosts
#SBATCH --gres=gpu:h100:8 --exclusive
# SBATCH --time=1
##SBATCH --time=2
 #SBATCH --time=3

#SBATCH -t30
echo begins
#SBATCH --time=4
"""


def told(text):
    directives = directives_of(text, 0, len(text))
    return {name: field.text for name, field in directives.items()}, {
        name: field.text for name, field in variables_of(directives)
    }


def test_options_come_before_the_first_command():
    options, variables = told(SCRIPT)
    assert options == {"job-name": "qwen", "nodes": "2", "gres": "gpu:h100:8", "time": "30"}
    assert variables == {"SLURM_NNODES": "2", "SLURM_JOB_NUM_NODES": "2", "SLURM_GPUS_ON_NODE": "8"}


def test_a_value_is_where_the_author_wrote_it():
    for field in directives_of(SCRIPT, 0, len(SCRIPT)).values():
        assert SCRIPT[field.start : field.end] == field.text == field.spelling
    for _, field in variables_of(directives_of(SCRIPT, 0, len(SCRIPT))):
        assert "".join(SCRIPT[place] for place in field.places) == field.text


@pytest.mark.parametrize("count", ["2-4", "min", "2,4", "$NODES"])
def test_a_number_that_is_not_certain_is_no_variable(count):
    assert told(f"#SBATCH --nodes={count}\n")[1] == {}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 5400), ("1:30", 90), ("2:30:00", 9000), ("1-12", 129600), ("0-02:30", 9000), ("3-00:00:00", 259200),
        ("1-00:00:01", 86401), ("0", None), ("INFINITE", None), ("soon", None), ("1:2:3:4", None),
    ],
)  # fmt: skip
def test_forms_of_a_time(text, seconds):
    line = f"#SBATCH --time={text}\n"
    assert time_limit(directives_of(line, 0, len(line))) == seconds


@pytest.mark.parametrize("text", ["", "\n", "#SBATCH", "#SBATCH --time", "#SBATCH --time=", "#SBATCH\r\n\r#SBATCH -N"])
def test_half_a_line_says_nothing(text):
    assert told(text) == ({}, {})
