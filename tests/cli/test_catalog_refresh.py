"""`catalog refresh prices` against a server on this machine, and what `--catalog` makes of the file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread

import pytest

# the columns of AWS's file (AWS Price List, AmazonSageMaker, index.csv)
COLUMNS = [
    "SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange",
    "EndingRange", "Unit", "PricePerUnit", "Currency", "RelatedTo", "Product Family", "serviceCode", "Location",
    "Location Type", "Instance Type", "Current Generation", "Clock Speed", "Memory", "Storage",
    "Network Performance", "Processor Architecture", "Volume Type", "Max throughput/volume", "Group",
    "Group Description", "usageType", "operation", "Automatic Label", "Component", "Compute Type",
    "DataStore StorageType", "GPU", "GPU Memory", "Instance Name", "Integrating API", "Integrating Feature",
    "Integrating Service", "Labeling Task Type", "MemoryGB", "Physical CPU", "Physical GPU",
    "PlatoClassificationType", "PlatoInstanceName", "PlatoInstanceType", "PricingUnit", "Region Code", "serviceName",
    "vCPU", "Workforce Type",
]  # fmt: skip
PREAMBLE = [
    ["FormatVersion", "v1.0"],
    ["Disclaimer", "This pricing list is for informational purposes only."],
    ["Publication Date", "2026-11-20T17:25:04Z"],
    ["Version", "20261120172504"],
    ["OfferCode", "AmazonSageMaker"],
]


def line(name: str, component: str, usd: str, **other: str) -> dict[str, str]:
    return {
        "TermType": "OnDemand", "Unit": "Hrs", "PricePerUnit": usd, "Currency": "USD", "Component": component,
        "Instance Name": name, "Region Code": "ca-central-1", "Product Family": "ML Instance", **other,
    }  # fmt: skip


RATES = [
    line("ml.p4d.24xlarge", "Training", "29.5000000000"),
    line("ml.p4d.24xlarge", "Hosting", "29.6000000000"),
    line("ml.p4d.24xlarge", "Notebook", "31.0000000000"),
    line("ml.p4d.24xlarge", "Training", "12.0", TermType="Reserved"),
    line("ml.p4d.24xlarge", "Training", "0.14", Unit="GB-Mo"),
]


def offer(rates=RATES, preamble=PREAMBLE, columns=COLUMNS) -> str:
    text = StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    table.writerows([*preamble, columns, *([rate.get(column, "") for column in columns] for rate in rates)])
    return text.getvalue()


class Served:
    """What the server answers: a body by region, a status, and how many bytes it promises too many."""

    def __init__(self) -> None:
        self.bodies, self.status, self.missing = {"ca-central-1": offer()}, 200, 0
        self.url = ""


@pytest.fixture
def served() -> Iterator[Served]:
    what = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = what.bodies.get(self.path.split("/")[1], "").encode()
            self.send_response(what.status if body else 404)
            self.send_header("Content-Length", str(len(body) + what.missing))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    what.url = f"http://127.0.0.1:{server.server_port}/{{region}}/index.csv"
    yield what
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def refresh(hbspec, served):
    def run(*words: str):
        return hbspec("catalog", "refresh", "prices", "--url", served.url, *words)

    return run


CANADA = ("--region", "ca-central-1")


def test_the_rates_that_jobs_and_endpoints_pay_are_written(refresh, tmp_path):
    code, out, err = refresh(*CANADA, "-o", "prices.csv")
    assert (code, err) == (0, "")
    assert out.startswith("ca-central-1: 2 prices of 2026-11-20 (version 20261120172504)\n")
    assert out.endswith("next: hbspec check SPEC --catalog prices.csv\n")
    rows = list(csv.DictReader((tmp_path / "prices.csv").read_text().splitlines()[1:]))
    assert {(row["component"], row["usd_per_hour"]) for row in rows} == {
        ("training", "29.5000000000"), ("hosting", "29.6000000000"),
    }  # fmt: skip


def test_a_check_and_an_estimate_use_them_and_say_so(refresh, hbspec):
    refresh(*CANADA, "-o", "prices.csv")
    words = (
        "job.yaml",
        "--set",
        "instance.region=ca-central-1",
        "--set",
        "instance.type=ml.p4d.24xlarge",
        "--set",
        "instance.price=null",
    )
    before = json.loads(hbspec("estimate", *words, "--format", "json")[1])["cost"]
    after = json.loads(hbspec("estimate", *words, "--format", "json", "--catalog", "prices.csv")[1])["cost"]
    assert before != after
    assert "29.5" in json.dumps(after)
    assert "version 20261120172504" in json.dumps(after)
    assert hbspec("check", *words, "--catalog", "prices.csv")[0] in (0, 1)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": 403}, "Forbidden"),
        ({"missing": 500}, "the connection ended 500 bytes early"),
        ({"bodies": {"ca-central-1": offer()[:-40]}}, "it ends in the middle"),
        ({"bodies": {"ca-central-1": "<html>not here</html>\n"}}, "it is not an offer of AmazonSageMaker"),
        ({"bodies": {"ca-central-1": offer(columns=COLUMNS[:-4])}}, "it has no column Region Code"),
        ({"bodies": {"ca-central-1": offer(RATES[2:])}}, "it has no hourly rate of Training or Hosting"),
        (
            {"bodies": {"ca-central-1": offer([line("ml.g5.xlarge", "Training", "1", **{"Region Code": "x"})])}},
            "is of x",
        ),
        ({"bodies": {"ca-central-1": offer([*RATES, line("ml.p4d.24xlarge", "Hosting", "1")])}}, "has two rates"),
        ({"bodies": {"ca-central-1": offer([line("ml.g5.xlarge", "Training", "NaN")])}}, "the price in line 7 is NaN"),
        ({"bodies": {}}, "Not Found"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_is_no_whole_offer_leaves_the_old_file(change, said, refresh, served, tmp_path):
    refresh(*CANADA, "-o", "prices.csv")
    old = (tmp_path / "prices.csv").read_bytes()
    for name, value in change.items():
        setattr(served, name, value)
    code, out, err = refresh(*CANADA, "-o", "prices.csv")
    assert (code, out) == (1, "")
    assert said in err
    assert err.endswith("prices.csv is as it was\n")
    assert (tmp_path / "prices.csv").read_bytes() == old


def test_one_region_of_two_that_fails_writes_neither(refresh, tmp_path):
    assert refresh(*CANADA, "--region", "us-east-1", "-o", "prices.csv")[0] == 1
    assert not (tmp_path / "prices.csv").exists()


def test_a_file_that_holds_something_else_is_not_replaced(refresh, tmp_path):
    before = (tmp_path / "job.yaml").read_bytes()
    code, _, err = refresh(*CANADA, "-o", "job.yaml")
    assert (code, err) == (2, "hbspec: job.yaml holds something else than prices; give --output another name\n")
    assert (tmp_path / "job.yaml").read_bytes() == before


@pytest.mark.one_in(3)
@pytest.mark.parametrize("command", ["check", "estimate", "compile"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda text: text.replace("29.5", "2.95"), "prices.csv: changed or cut short since it was written"),
        (lambda text: text[:-30], "prices.csv: changed or cut short since it was written"),
        (lambda _: "hbspec: 1\n", "prices.csv: not a file of prices"),
    ],
)
def test_a_changed_file_is_refused(command, content, said, refresh, hbspec, tmp_path):
    refresh(*CANADA, "-o", "prices.csv")
    (tmp_path / "prices.csv").write_text(content((tmp_path / "prices.csv").read_text()))
    code, out, err = hbspec(command, "job.yaml", "--catalog", "prices.csv")
    assert (code, out) == (2, "")
    assert err.startswith(f"hbspec: {said}")


def test_a_missing_file_is_said(hbspec):
    code, _, err = hbspec("check", "job.yaml", "--catalog", "none.csv")
    assert (code, err) == (2, "hbspec: none.csv: No such file or directory; correct the path\n")


def test_an_address_that_is_none(hbspec):
    words = ("catalog", "refresh", "prices", "--region", "ca-central-1", "--url")
    for address in ("file:///etc/hosts", "http://example.org/{region}", "http://127.0.0.1.example.org/{region}"):
        code, out, err = hbspec(*words, address)
        assert (code, out) == (2, "")
        assert err.endswith(": give an https address with {region} in it\n")
    assert hbspec("catalog", "refresh", "prices", "--region", "../x")[0] == 2
