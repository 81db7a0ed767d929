"""Alerts in a real Alertmanager: what fires arrives with its labels, is told again, and is told when it is over."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from monitor.alertmanager import Alert, Alertmanagers, alerts_of
from monitor.check_run import Finding, save
from monitor.clock import LIVE
from monitor.incidents import IncidentRule
from monitor.month import month_to_date
from monitor.outward_settings import AlertmanagerSettings
from monitor.recipients import Recipient
from monitor.severity import Severity
from probes.sample import Failure, FailureKind
from tests.agreements import at as october
from tests.heart import CERTIFICATE, HOUR, INDIENEN, INZAGE, MINUTE, OPS, Office, a_sample, run
from tests.new_store import new_store
from tests.receiver import Receiver, receiving
from tests.running_service import free_ports, until
from tests.stored_month import AGREED, fill

_CONFIG = """
route: {{receiver: back, group_by: [alertname, journey], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: back, webhook_configs: [{{url: "{url}/back", send_resolved: true}}]}}]
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database)
    database.close()


@dataclass
class Telling:
    """What the service does every few seconds, with the office's clock."""

    office: Office
    urls: tuple[str, ...]
    every: str = "1m"

    def __post_init__(self) -> None:
        keys = {"urls": self.urls, "language": "en", "every": self.every}
        self.settings = AlertmanagerSettings.model_validate(keys)
        self.managers = Alertmanagers(clock=self.office.clock, observer=self.office.told)

    def alerts(self) -> tuple[Alert, ...]:
        with self.office.database.read() as tx:
            return alerts_of(
                tx,
                (INDIENEN, INZAGE.model_copy(update={"depends_on": ("indienen",)}), CERTIFICATE),
                location="lokaal",
                settings=self.settings,
                pages_url="https://monitor.example/",
                since_us=self.managers.since_us(),
                now_us=self.office.now_us,
                rule=self.office.rule,
            )

    def tell(self) -> None:
        run(self.managers.tell(self.alerts(), self.settings, {}))


def bodies(receiver: Receiver, path: str = "/api/v2/alerts") -> list[list[dict[str, object]]]:
    return [json.loads(one.body) for one in receiver.taken if one.path == path]


@pytest.fixture
def manager(receiver: Receiver, tmp_path: Path) -> Iterator[str]:
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("Debian's prometheus-alertmanager is not installed")
    [port] = free_ports(1)
    (tmp_path / "alertmanager.yml").write_text(_CONFIG.format(url=receiver.url))
    command = [
        program,
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'kept'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            until(lambda: httpx.get(f"{url}/-/ready", trust_env=False).is_success, seconds=60, what="it is ready")
            yield url
        finally:
            process.terminate()


@pytest.mark.alertmanager
def test_a_real_alertmanager_routes_the_opening_and_the_end(office: Office, receiver: Receiver, manager: str) -> None:
    office.now_us = LIVE.now_us() // MINUTE * MINUTE - 10 * MINUTE
    telling = Telling(office, (manager,), every="15m")  # it judges by a clock of its own
    office.live("xx")
    telling.tell()
    fired = until(lambda: bodies(receiver, "/back"), seconds=60, what="the alert is routed")[0]
    assert fired["status"] == "firing"  # type: ignore[call-overload]
    [alert] = httpx.get(f"{manager}/api/v2/alerts", trust_env=False).json()
    assert alert["labels"] == {
        "alertname": "JourneyDown",
        "job": "loketwacht",
        "journey": "indienen",
        "severity": "critical",
        "team": "loketwacht",
    }
    assert alert["annotations"]["summary"] == "Submit an application is not working"
    assert alert["generatorURL"].startswith("https://monitor.example/incident/")
    office.live("..")
    telling.tell()
    told = until(lambda: bodies(receiver, "/back")[1:], seconds=60, what="the end is routed")[0]
    assert told["status"] == "resolved"  # type: ignore[call-overload]


def test_what_fires_is_told_again_before_it_ends_by_itself(office: Office, receiver: Receiver) -> None:
    telling = Telling(office, (receiver.url,))
    office.live("xx")
    for _ in range(4):
        telling.tell()
        office.now_us += MINUTE // 2
    first, second = bodies(receiver)
    assert [first[0]["startsAt"], second[0]["startsAt"]] == ["2026-11-23T10:00:00Z"] * 2
    assert [first[0]["endsAt"], second[0]["endsAt"]] == ["2026-11-23T10:06:00Z", "2026-11-23T10:07:00Z"]


def test_what_is_over_is_told_with_its_end_and_then_no_more(office: Office, receiver: Receiver) -> None:
    telling = Telling(office, (receiver.url,))
    office.live("xx")
    telling.tell()
    office.live("..")
    telling.tell()
    assert bodies(receiver)[-1][0]["endsAt"] == "2026-11-23T10:02:00Z"
    office.now_us += HOUR
    assert telling.alerts() == ()


def test_one_that_was_away_hears_of_the_end_later_and_keeps_no_other_waiting(office: Office) -> None:
    with receiving() as well, receiving() as ill:
        ill.status = lambda _: 503
        telling = Telling(office, (well.url, ill.url))
        office.live("xx")
        telling.tell()
        office.live("..")
        telling.tell()
        office.now_us += HOUR
        ill.status = lambda _: 200
        telling.tell()
        assert bodies(ill)[-1][0]["endsAt"] == "2026-11-23T10:02:00Z"
        assert bodies(well)[1][0]["endsAt"] == "2026-11-23T10:02:00Z"
    assert set(office.told.deliveries) == {"delivered", "retry"}


def test_what_follows_from_another_failure_is_not_told(office: Office, receiver: Receiver) -> None:
    telling = Telling(office, (receiver.url,))
    office.live("xx")
    office.recipients = ()
    office.live("xx", INZAGE)
    assert [dict(one.labels)["journey"] for one in telling.alerts()] == ["indienen"]


def test_an_incident_that_no_recipient_wants_is_told_all_the_same(office: Office, receiver: Receiver) -> None:
    office.recipients = (Recipient(address=OPS.address, receives=("reports",)),)
    telling = Telling(office, (receiver.url,))
    office.live("xx")
    assert [dict(one.labels)["alertname"] for one in telling.alerts()] == ["JourneyDown"]


def test_blindness_and_certificates_are_alerts_too(office: Office, receiver: Receiver) -> None:
    telling = Telling(office, (receiver.url,))
    office.live("?" * 6)
    office.certificate("ab" * 32, 10)
    labels = [dict(one.labels) for one in telling.alerts()]
    assert [(one["alertname"], one["severity"]) for one in labels] == [
        ("MonitorCannotMeasure", "critical"),
        ("CertificateExpiresSoon", "warning"),
    ]


def test_slowness_fires_while_people_know_of_it_and_never_beside_an_incident(
    office: Office, receiver: Receiver
) -> None:
    telling = Telling(office, (receiver.url,))
    office.rule = IncidentRule(degraded_after=2)

    def firing() -> list[tuple[str, str]]:
        labels = [dict(one.labels) for one in telling.alerts()]
        return [(one["alertname"], one["severity"]) for one in labels]

    office.live("~")
    assert firing() == []
    office.live("~")
    assert firing() == [("JourneySlow", "warning")]
    [alert] = telling.alerts()
    assert dict(alert.annotations)["summary"] == "Submit an application works, but slowly"
    assert alert.since_us == office.now_us - 2 * MINUTE
    office.live("xx")
    assert firing() == [("JourneyDown", "critical")]
    office.now_us += 24 * HOUR
    office.live("....")
    office.now_us += 24 * HOUR
    assert firing() == []


@pytest.mark.parametrize(
    ("hours", "fires"),
    [(5, None), (6, ("ErrorBudgetLow", "warning")), (8, ("ErrorBudgetGone", "critical"))],
    ids=["a third left", "a fifth left", "too much"],
)
def test_allowed_downtime_that_is_nearly_or_wholly_spent_fires(
    tmp_path: Path, hours: int, fires: tuple[str, str] | None
) -> None:
    """October allows 7 h 27 min; under the labels of the rules for Prometheus."""
    database = new_store(tmp_path / "loketwacht.db")
    fill(database, marks={f"2026-10-05 {8 + n:02}:00": "X" for n in range(hours)})
    month = month_to_date(str(database.engine.url), AGREED, october("2026-10-16 00:00"))
    assert month is not None
    settings = AlertmanagerSettings(urls=("http://127.0.0.1:9093",), language="en")
    with database.read() as tx:
        alerts = alerts_of(
            tx,
            (),
            location="lokaal",
            settings=settings,
            pages_url="https://monitor.example/",
            since_us=0,
            now_us=month.assessed_us,
            forecasts={"PROEF": month.forecasts},
        )
    database.close()
    labels = [dict(one.labels) for one in alerts]
    assert [(one["alertname"], one["severity"]) for one in labels] == ([fires] if fires else [])
    for one, alert in zip(labels, alerts, strict=True):
        assert (one["contract"], one["clause"]) == ("PROEF", "B1")
        assert alert.link == "https://monitor.example/sla/PROEF"


@pytest.mark.parametrize(
    ("severity", "label"),
    [(Severity.CRITICAL, "critical"), (Severity.MAJOR, "critical"), (Severity.MINOR, "warning")],
)
def test_how_bad_an_outage_is_decides_whether_it_pages(
    office: Office, receiver: Receiver, severity: Severity, label: str
) -> None:
    office.rule = office.rule.model_copy(update={"severities": {"indienen": severity}})
    office.live("xx")
    [alert] = Telling(office, (receiver.url,)).alerts()
    assert dict(alert.labels)["severity"] == label


@pytest.mark.parametrize("labels", [{"alertname": "x"}, {"met-streep": "x"}])
def test_labels_that_cannot_be_are_refused(labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="labels"):
        AlertmanagerSettings(urls=("http://127.0.0.1:9093",), labels=labels)


def test_an_end_that_is_still_told_ends_no_outage_that_began_since(office: Office, receiver: Receiver) -> None:
    """An Alertmanager knows an alert by its labels, and the last in a request wins."""
    telling = Telling(office, (receiver.url,))
    office.live("xx..xx", mail=False)
    telling.tell()
    [[one]] = bodies(receiver)
    assert one["startsAt"] == "2026-11-23T10:04:00Z"
    assert str(one["endsAt"]) > "2026-11-23T10:06"


def test_an_outage_that_got_worse_pages_as_what_it_became(office: Office) -> None:
    office.rule = IncidentRule(open_after=1, severities={"*/timeout": Severity.MINOR})
    slow = replace(a_sample("x", office.now_us), failure=Failure(kind=FailureKind.TIMEOUT, step="verzenden"))
    save(office.database, Finding(check=INDIENEN, sample=slow, alerting=office.alerting), now_us=office.now_us)
    telling = Telling(office, ("http://127.0.0.1:1",))
    assert dict(telling.alerts()[0].labels)["severity"] == "warning"
    office.now_us += MINUTE
    office.live("x", mail=False)
    assert dict(telling.alerts()[0].labels)["severity"] == "critical"
