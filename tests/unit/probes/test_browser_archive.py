"""What pages asked becomes an archive that holds to its format, is bounded, and holds no secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from probes.browser.archive import browser_archive, documents
from probes.browser.exchange import Loaded, Seen
from probes.redaction import Redactor
from probes.sample import Phases, StepOutcome, StepResult
from tests.archives import problems

PAGE = Loaded(
    step="pagina", at_us=1_000, sort="document", is_page=True, method="POST", url="https://loket.example/?token=abc",
    version="HTTP/2.0",
    request_headers=(("Cookie", "sessie=abc"), ("Content-Type", "application/x-www-form-urlencoded")),
    sent="naam=geheim&_csrf=abc", sent_size=21, status=200, status_text="OK",
    response_headers=(("set-cookie", "a=abc; Path=/\nb=abc"), ("content-type", "text/html")),
    body="<p>geheim</p><input type=hidden value=abc>", size=40, phases=Phases(processing_us=2_000, transfer_us=500),
    address="192.0.2.7", connected=True,
)  # fmt: skip
STEP = StepResult(step="pagina", outcome=StepOutcome.FAILED, loaded_us=90_000, lcp_us=70_000)


def archived(*loaded: Loaded, asked: int | None = None, most: int = 200, body_limit: int = 100) -> dict[str, Any]:
    log = browser_archive(
        Seen(loaded=loaded, asked=asked or len(loaded)), (STEP,), started_us=0, redact=Redactor(["geheim"]),
        creator="Loketwacht", version="1", body_limit=body_limit, most=most,
    )  # fmt: skip
    assert problems({"log": log}) == []
    return log


def test_a_request_is_told_with_what_it_carried_and_when_and_without_what_is_secret() -> None:
    log = archived(PAGE)
    [entry] = log["entries"]
    assert entry["startedDateTime"] == "1970-01-01T00:00:00.001000Z"
    assert (entry["time"], entry["serverIPAddress"]) == (2.5, "192.0.2.7")
    assert entry["request"]["postData"]["params"] == [
        {"name": "naam", "value": "***"}, {"name": "_csrf", "value": "***"},
    ]  # fmt: skip
    assert [header["value"] for header in entry["response"]["headers"]] == ["a=***; Path=/", "b=***", "text/html"]
    assert entry["response"]["content"]["text"] == '<p>***</p><input type=hidden value="***">'
    assert "abc" not in repr(log)


def test_each_step_is_a_page_with_its_timings_and_its_document_is_found() -> None:
    picture = replace(PAGE, sort="image", is_page=False, url="https://loket.example/a.png", body="", at_us=2_000)
    later = replace(PAGE, at_us=3_000, url="https://loket.example/verder")
    log = archived(PAGE, picture, later, replace(picture, step="elders", at_us=4_000))
    assert [page["id"] for page in log["pages"]] == ["pagina", "elders"]
    assert log["pages"][0]["pageTimings"] == {"onLoad": 90.0, "_largestContentfulPaint": 70.0}
    assert log["pages"][1]["pageTimings"] == {}
    assert documents(log["entries"]) == {"pagina": 2}


def test_what_never_came_about_says_why() -> None:
    nothing = Loaded(step="pagina", at_us=0, sort="image", is_page=False, method="GET", url="https://cdn.example/a")
    for failure, comment in (
        ("csp", "the page's own Content-Security-Policy forbids it"),
        ("net::ERR_BLOCKED_BY_CLIENT.Inspector", "kept out: a host that is not allowed"),
        ("net::ERR_CONNECTION_REFUSED", "it came to nothing"),
    ):
        [entry] = archived(replace(nothing, failure=failure))["entries"]
        assert (entry["response"]["_failureText"], entry["comment"]) == (failure, comment)


def test_what_is_cut_or_left_out_is_said() -> None:
    upload = replace(PAGE, sent=None, sent_size=5_000_000, body="", size=123)
    long = replace(PAGE, body="x" * 500, size=90_000)
    [one, two] = archived(upload, long, asked=9)["entries"]
    assert one["request"]["postData"]["comment"] == "5000000 bytes that are no text were left out"
    assert one["response"]["content"] == {"mimeType": "text/html", "size": 123, "comment": "left out"}
    assert two["response"]["content"]["comment"] == "cut after 100 characters"
    log = archived(upload, long, asked=9, most=1)
    assert (len(log["entries"]), log["comment"]) == (1, "the first 8 of 9 requests were left out")
