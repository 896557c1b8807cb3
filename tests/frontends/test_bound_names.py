"""What code is read to say is what Python would make of it, or nothing: the oracle is Python itself."""

from __future__ import annotations

import pytest

from hbspec.frontends.calls.cells import Cell
from hbspec.frontends.calls.jobs import job_of
from hbspec.frontends.known.sagemaker import classes
from hbspec.frontends.reading.foreign import plain

READ = {
    "a literal": "x = 3",
    "a name": "a = 3\nx = a",
    "bound again": "x = 1\nx = 2",
    "bound after": "x = 1\nMAKE\nx = 2",
    "several names": "x = y = 4",
    "unpacked": "x, y = 1, 2",
    "annotated": "x: int = 5",
    "arithmetic": "x = 2 * 24 * 60 * 60 - 1 + 3 // 2",
    "a quotient": "x = 3 / 2",
    "a negative number": "x = -1",
    "joined texts": "a = 's3://'\nx = a + 'b'",
    "an f-string": "a = 'b'\nx = f's3://{a}/{3}/{True}/{None}/{1.5}'",
    "a mapping": "a = {'lr': 1}\nx = {**a, 'r': 2, 'lr': 3}",
    "merged mappings": "x = {'a': 1, 'b': 2} | {'a': 3}",
    "dict": "a = {'a': 1}\nx = dict(a, b=2)",
    "dict of words": "x = dict(a=1, **{'b': 2})",
    "an item": "x = {'a': 1}\nx['b'] = 2\nx['a'] = 3",
    "an item by a name": "k = 'b'\nx = {}\nx[k] = 2",
    "update": "x = {'a': 1}\nx.update({'a': 2}, b=3)",
    "a list": "a = 'q'\nx = [a, 'k', 3]",
    "under main": "if __name__ == '__main__':\n    x = 1",
    "in try": "try:\n    x = 1\nexcept ValueError:\n    pass",
    "in with": "import contextlib\nwith contextlib.nullcontext():\n    x = 1",
    "other in a function": "def f():\n    x = 2\nx = 1",
    "a shadowed comprehension": "x = 1\ny = [x for x in range(3)]",
    "a longer text": "x = ('a'\n     'b')",
}
OPEN = {
    "a call": "x = int('3')",
    "an environment": "import os\nx = os.environ.get('A', 'b')",
    "a condition": "x = 1\nif x > 5:\n    x = 2",
    "an inline condition": "x = 1 if True else 2",
    "a loop": "x = 0\nfor x in range(3):\n    pass",
    "in a loop": "x = 0\nfor i in range(3):\n    x = i",
    "while": "x = 0\nwhile x < 3:\n    x = 5",
    "augmented": "x = 1\nx += 1",
    "deleted": "x = {'a': 1, 'b': 2}\ndel x['a']",
    "popped": "x = {'a': 1, 'b': 2}\nx.pop('a')",
    "appended": "x = [1]\nx.append(2)",
    "walrus": "x = 1\nprint(x := 2)",
    "global": "x = 1\ndef f():\n    global x\n    x = 2\nf()",
    "a handler": "try:\n    x = 1\n    raise ValueError\nexcept ValueError:\n    x = 2",
    "imported": "from math import pi as x",
    "unpacked from a call": "x, y = divmod(7, 2)",
    "starred": "x, *y = [1, 2, 3]",
    "a format": "x = f'{3:03d}'",
    "a subscript": "a = {'b': 1}\nx = a['b']",
    "a key of a call": "x = {str(1): 2}",
    "a computed part": "x = {**dict(zip('a', 'b')), 'c': 1}",
    "an item under a condition": "x = {'a': 1}\nif x:\n    x['a'] = 2",
    "changed under another name": "x = {'a': 1}\ny = x\ny['a'] = 2",
    "changed under its first name": "y = {'a': 1}\nx = y\ny['a'] = 2",
    "changed deep inside": "x = {'a': {'b': 1}}\nx['a']['b'] = 2",
    "popped for its value": "x = {'a': 1, 'b': 2}\ny = x.pop('a')",
    "popped deep inside": "x = {'a': {'b': 1}}\nx['a'].pop('b')",
    "changed in a function": "x = {'a': 1}\ndef f():\n    x['a'] = 2\nf()",
    "a computed key after others": "x = {'a': 1}\nx[str('a')] = 2",
    "computed items after others": "x = {'a': 1, **dict(zip('a', 'b'))}",
    "items changed in a loop": "x = {'a': 1}\nfor k in list(x):\n    x[k] = str(x[k])",
    "updated under a condition": "x = {'a': 1}\nif x:\n    x.update(a=2)",
    "updated by computed items": "x = {'a': 1}\nx.update(dict(zip('a', 'b')))",
    "dict of computed words after others": "x = dict({'a': 1}, **dict(zip('a', 'b')))",
    "merged with computed items": "x = {'a': 1} | {**dict(zip('a', 'b'))}",
    "a power": "x = 10 ** 3",
    "a large number": "x = 10 * 10000000000000000",
    "a repeated text": "x = 'a' * 3",
    "a function": "def x():\n    pass",
    "a class": "class x:\n    pass",
    "a match": "x = 1\nmatch x:\n    case 1:\n        x = 2",
}
CALL = "HuggingFace(instance_type='ml.g5.xlarge', hyperparameters={'x': x})"


def of_python(text):
    """The value that the call is given, by running the snippet."""
    made = []
    exec(text, {"HuggingFace": lambda **given: made.append(given["hyperparameters"]["x"]), "__name__": "__main__"})
    return made[0]


def as_read(text):
    """The value that is read, in a list; an empty one where it is open."""
    job = job_of([Cell("job.py", text)], classes(), None)
    is_open = any(route[0] == "hyperparameters" for route in job.computed)
    return [] if is_open else [plain(job.peek("hyperparameters").node)["x"]]


def with_call(snippet):
    """The snippet with the call at its place, or behind it."""
    return snippet.replace("MAKE", CALL) if "MAKE" in snippet else f"{snippet}\n{CALL}"


@pytest.mark.parametrize("snippet", READ.values(), ids=READ)
def test_what_is_certain_is_read_as_python_does(snippet):
    text = with_call(snippet)
    assert as_read(text) == [of_python(text)]


@pytest.mark.parametrize("snippet", OPEN.values(), ids=OPEN)
def test_what_is_not_certain_is_open(snippet):
    text = with_call(snippet)
    of_python(text)
    assert as_read(text) == []


@pytest.mark.parametrize("first", range(0, len(READ), 5))
def test_what_is_read_stays_so_in_a_function(first):
    for snippet in list(READ.values())[first : first + 5]:
        if "__main__" in snippet or "def " in snippet:
            continue
        body = "".join(f"    {line}\n" for line in with_call(snippet).split("\n"))
        text = f"def start():\n{body}start()\n"
        assert as_read(text) == [of_python(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"x = 1\ndef start():\n    {CALL}\nstart()", [1]),
        (f"x = 1\ndef start():\n    {CALL}\nx = 2\nstart()", []),
        (f"def start(x):\n    {CALL}\nstart(3)", []),
        (f"for x in [1, 2]:\n    {CALL}", []),
        (f"x = 1\nfor i in [1, 2]:\n    {CALL}", [1]),
        (f"x = 1\nfor i in [1, 2]:\n    {CALL}\n    x = 2", []),
    ],
)
def test_names_from_outside_of_a_function_or_a_loop(text, wanted):
    assert as_read(text) == wanted
