"""Words of shell scripts: those of `shlex` and of bash, each at its place."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.frontends.commands.fences import scripts_in
from hbspec.frontends.commands.script import script_of

PLAIN = st.text("abz019-_=./,:{}~\u00e9*", min_size=1, max_size=5)
SINGLE = st.text('ab \t"\\#$`;|&()<>\n', max_size=5).map(lambda text: f"'{text}'")
DOUBLE = st.text("ab \t'#;|&()<>\n", max_size=5).map(lambda text: f'"{text}"')
ESCAPED = st.sampled_from(["\\ ", "\\'", '\\"', "\\\\", "\\#", "\\a", '"\\""', '"\\\\"', "a#b"])
WORD = st.lists(st.one_of(PLAIN, SINGLE, DOUBLE, ESCAPED), min_size=1, max_size=4).map("".join)
LINE = st.lists(WORD, min_size=1, max_size=5).map(lambda words: ["run", *words])


def words_of(text):
    """The words of every command."""
    runs = script_of(text, [(0, len(text))]).runs
    return [[field.text for field in run.words] for run in runs]


@given(LINE, st.sampled_from([" ", "  ", "\t"]), st.sampled_from(["", " # it's \"one", " ; "]))
def test_words_are_those_of_shlex(words, between, end):
    line = between.join(words)
    assert words_of(line + end) == [shlex.split(line)]


@given(LINE)
def test_a_continued_line_has_the_same_words_each_at_its_place(words):
    text = " \\\n  ".join(words)
    (run,) = script_of(text, [(0, len(text))]).runs
    assert [field.text for field in run.words] == shlex.split(" ".join(words))
    assert [text[field.start : field.end] for field in run.words] == words


SCRIPT = r"""
MODEL=Qwen/Qwen2.5-7B
A='two  words' B="x${MODEL}y" C=$A EMPTY=
ARGS="--lr 1e-4
 --bf16"
LIST=(--a 1 "two words" # a comment
  $A "$B")
LIST+=(--last "$C")
show $MODEL "$A" $A ${B} $EMPTY "$EMPTY" end
show $ARGS "$ARGS" pre$ARGS "${LIST[@]}" ${UNSET_ONE:-8} "${UNSET_TWO:-a b}" ${EMPTY:-given} "a\$b\"c\`d\e" '$x' a"b"'c'
if true; then IN=1; show $IN; else IN=2; show else-$IN; fi
for one in only; do show --one=$one; done
{ show group; } 2>/dev/null >&2 3>&1 | cat; show after && show and || show or
cat > /dev/null <<END
show nothing "
END
cat <<-'STOP' >/dev/null
	show 'no
	STOP
case x in a|b) show no ;; *) show star ;; esac
show last	tab
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not there to compare with")
def test_words_with_variables_are_those_of_bash():
    shown = f'show() {{ printf "%s\\0" show "$@" END >> "$OUT"; }}\n{SCRIPT}'
    ours = [words for words in words_of(SCRIPT) if words[0] == "show"]
    command = ["bash", "-c", f'OUT=$(mktemp); true; {shown}\ncommand cat "$OUT"; rm "$OUT"']
    ran = subprocess.run(command, capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"}).stdout.decode()
    theirs = [part.split("\0") for part in ran.removesuffix("\0END\0").split("\0END\0")]
    not_run = [["show", "else-2"], ["show", "or"], ["show", "no"]]
    assert [words for words in ours if words not in not_run] == theirs


@pytest.mark.parametrize(
    "lines",
    [
        "X=$(date)",
        "X=`date`",
        "X=$1",
        "X=$((1 + 2))",
        "X=${Y%%/*}",
        "X=${Z:-$(date)}",
        "if a; then X=1; fi",
        "while read X; do a; done",
        "for X in 1 2; do a; done",
        "a && X=1",
        "X=1\nunset X",
        "X=1\nf() { X=2; }\nf",
        "case $1 in a) X=1;; *) X=2;; esac",
        "",
    ],
)
def test_what_only_a_shell_tells_is_open(lines):
    text = f"{lines}\nrun --x $X"
    last = script_of(text, [(0, len(text))]).runs[-1].words[-1]
    assert (last.is_open, last.spelling) == (True, "$X")


@pytest.mark.parametrize("end", ["'a", '"a', "$(a", "${a", "`a", "A=(a", "$'a"])
def test_what_does_not_end_is_said_and_what_is_before_it_is_read(end):
    script = script_of(text := f"run a\nrun b {end}\nrun c", [(0, len(text))])
    assert script.unclosed
    assert text[script.unclosed.start] in end
    assert [field.text for field in script.runs[0].words] == ["run", "a"]


def test_a_variable_s_words_stand_where_it_is_assigned():
    text = 'ARGS="--a 1 --b x"\nrun $ARGS'
    (run,) = script_of(text, [(0, len(text))]).runs
    assert [text[field.start : field.end] for field in run.words] == ["run", "--a", "1", "--b", "x"]


def test_blocks_of_a_page():
    page = "a\n```bash\none\n```\n~~~yaml\nno: 1\n~~~\n````sh title=x\n```\ntwo\n````\n```console\nlast"
    assert [page[start:end] for start, end in scripts_in(page)] == ["one\n", "```\ntwo\n", "last"]


def test_a_variable_that_doubles_with_every_line_is_not_known_in_the_end():
    text = "A=xxxxxxxx\n" + "A=$A$A\n" * 60 + "L=(a b)\n" + 'L=("${L[@]}" "${L[@]}")\n' * 60 + 'run $A "${L[@]}"'
    words = script_of(text, [(0, len(text))]).runs[-1].words
    assert [word.is_open for word in words] == [False, True, True]


def test_lines_that_end_as_on_windows():
    text = "A=1\r\nrun --a $A \\\r\n  --b 'x'\r\nrun c\r\n"
    assert words_of(text) == [["run", "--a", "1", "--b", "x"], ["run", "c"]]
