"""One small job with all that a report has a chapter for, by an author who tries markup; its page is made once."""

from __future__ import annotations

import json
from datetime import date
from html.parser import HTMLParser

import pytest

from hbspec.api import estimate
from hbspec.comparison.compared import compare
from hbspec.reporting.contents import contents
from hbspec.reporting.page import page

DAY = date(2026, 11, 30)
SECRET = "hf_" + "abcdefghijABCDEFGHIJ0123456789abcd"
FILE = 'a"><img src=x onerror=alert(1)>.yaml'
SPEC = {
    "hbspec": 1,
    "name": "<script>alert('x')</script>",
    "model": {"id": "Qwen/Qwen2.5-0.5B"},
    "data": {"train": {"examples": 1000}, "profile": "profile.json"},
    "instance": {"type": "ml.g5.xlarge", "region": "us-east-1", "price": "1.408 USD/h", "max_runtime": "30m"},
    "budget": {"max_cost": "3 USD"},
    "hyperparameters": {
        "method": "lora",
        "learning_rate": 2e-4,
        "max_steps": 60,
        "per_device_batch_size": 2,
        "max_length": 512,
    },
    "deployment": {
        "instance": {"type": "ml.g5.xlarge"},
        "concurrency": 4,
        "typical_output_tokens": 100,
        "typical_input_tokens": 200,
    },
    "expect": {"training.cost": "1 USD..2 USD", f"<b>no such {SECRET}": "1"},
}
PROFILE = {
    "format_version": 1,
    "examples": 1000,
    "exact_duplicates": 2,
    "digest": "0" * 64,
    "tokens": {"mean": 307.0, "max": 1000, "method": "counted"},
    "histogram": {"expected": {"tokens": [300, 1000], "counts": [990, 10]}},
}


class Element:
    """An element of a page, with what is in it."""

    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.children = tag, attributes, []

    def text(self):
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def every(self, *tags):
        for child in self.children:
            if isinstance(child, Element):
                if not tags or child.tag in tags:
                    yield child
                yield from child.every(*tags)


class Tree(HTMLParser):
    """The elements of a page; each must be closed where it was opened."""

    EMPTY = ("meta",)

    def __init__(self, text):
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert self.open == [self.root]

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs)
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in self.EMPTY:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].children.append(data)


@pytest.fixture(scope="package")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reported")
    (folder / "profile.json").write_text(json.dumps(PROFILE))
    (folder / "spec.yaml").write_text(json.dumps(SPEC))
    return compare([FILE], [estimate(folder / "spec.yaml", as_of=DAY)])


@pytest.fixture(scope="package")
def report(compared):
    return contents(compared)


@pytest.fixture(scope="package")
def html(report):
    return page(report)


@pytest.fixture(scope="package")
def tree(html):
    return Tree(html).root
