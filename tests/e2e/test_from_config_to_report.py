"""The whole way, once: the real process against the practice portal, from config.toml to the report of the month."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import wall_us
from sla.period import local_date
from tests.conftest import NEEDS
from tests.running_service import Place, Running, a_place, loketwacht, running, until

INDIENEN = "Ondertekenen en indienen"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return a_place(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def service(place: Place) -> Iterator[Running]:
    with running(place, "--practice") as service:
        yield service


def test_an_outage_is_mailed_shown_and_reported(service: Running) -> None:
    """One story, told in order, because each chapter needs the one before. T25: the mail names the step."""
    everything_is_well(service)
    submitting_breaks(service)
    submitting_works_again(service)
    the_month_is_reported(service.place)
    ctrl_c_ends_it(service)


def everything_is_well(service: Running) -> None:
    until(lambda: len(service.up()) == 15, seconds=180, what="every check is up")
    until(lambda: "Alles werkt" in service.page(), seconds=60, what="the page says so")
    until(lambda: "All is well" in service.page("/?lang=en"), seconds=60, what="in English too")
    well = {"ok": True, "problems": []}
    until(lambda: service.client.get(service.metrics + "/healthz").json() == well, seconds=60, what="it is healthy")
    assert service.client.get(service.metrics + "/readyz").status_code == 200
    assert service.mails("STORING", INDIENEN) == []


def submitting_breaks(service: Running) -> None:
    service.break_it(fault="status-500", path="/loket/indienen")
    until(lambda: service.mails("STORING", INDIENEN), seconds=120, what="the outage is mailed")
    [mail] = service.mails("STORING", INDIENEN)
    assert INDIENEN in mail["subject"]
    assert "Stap: Indienen" in mail["text"]
    assert "status 500" in mail["text"]
    assert mail["to"] == ["wachtdienst@oefenloket.example"]
    assert service.series("probe_success")["indienen"] == 0
    assert service.series("journey_incident_open")["indienen"] == 1
    told = service.client.get(service.pages + "/api/v1/incidents").json()["incidents"]
    [incident] = [one for one in told if one["journey"] == "indienen"]
    assert (incident["step"], incident["until_us"]) == ("indienen", None)
    assert f"/incident/{incident['id']}" in service.page()
    assert "status 500" in service.page(f"/incident/{incident['id']}")


def submitting_works_again(service: Running) -> None:
    service.mend()
    until(lambda: service.mails("HERSTELD", INDIENEN), seconds=120, what="the recovery is mailed")
    until(lambda: service.series("probe_success")["indienen"] == 1, seconds=60, what="submitting is up")
    [opened], [recovered] = service.mails("STORING", INDIENEN), service.mails("HERSTELD", INDIENEN)
    assert recovered["in_reply_to"] == opened["message_id"]
    assert recovered["references"] == opened["message_id"]
    assert INDIENEN in recovered["subject"]
    assert service.series("journey_incident_open")["indienen"] == 0


def the_month_is_reported(place: Place) -> None:
    today = local_date(wall_us(), "Europe/Brussels")
    month = f"{today:%Y-%m}"
    done = loketwacht(place, "report", month, "--json")
    assert done.returncode in (0, 1), done.stderr
    files = {form: Path(path) for form, path in json.loads(done.stdout)["files"].items()}
    pdfs = {"pdf-nl", "pdf-en"} if NEEDS["pango"][0]() else set()
    sheets = {"xlsx-nl", "xlsx-en", "csv"}
    assert files.keys() == {"html-nl", "html-en", "json", "json-en", "sha256"} | sheets | pdfs
    assert "Indienen" in files["html-nl"].read_text(encoding="utf-8")
    for line in files["sha256"].read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((files["json"].parent / name).read_bytes()).hexdigest() == digest
    document = json.loads(files["json"].read_bytes())
    assert "indienen" in [outage["journey"] for outage in document["outages"]]
    for clause in document["clauses"]:
        seconds_add_up(clause["seconds"])


def seconds_add_up(seconds: dict[str, Any] | None) -> None:
    if seconds is not None:
        parts = sum(seconds[name] for name in ("up", "degraded", "down", "excluded", "unmeasured"))
        assert parts == pytest.approx(seconds["service"], abs=1e-6)


def ctrl_c_ends_it(service: Running) -> None:
    service.end(signal.SIGINT)
    assert service.process.returncode == 0
    assert service.said().rstrip().endswith("Stopped.")
    assert "Traceback" not in service.said()


def test_a_bad_configuration_on_reload_keeps_the_old_one(tmp_path: Path) -> None:
    """T44, T46."""
    place = a_place(tmp_path, journeys=("startpagina", "webservice"))
    good = place.config.read_text(encoding="utf-8")
    with running(place, "--practice") as service:
        until(lambda: {"startpagina", "webservice"} <= service.up(), seconds=120, what="both are up")
        old = service.series("monitor_config_info")
        place.config.write_text(good.replace('name = "Oefenloket"', "name = 3\nwhat = 4"), encoding="utf-8")
        service.reload()
        until(lambda: refused(service), seconds=60, what="the bad configuration is refused")
        assert service.series("monitor_config_info") == old
        assert f"{place.config.name}:" in service.said()
        until(lambda: service.mails("MONITOR: configuratie geweigerd"), seconds=60, what="the refusal is mailed")
        [mail] = service.mails("MONITOR: configuratie geweigerd")
        assert f"{place.config.name}:" in mail["text"]
        assert service.series("probe_success").keys() >= {"startpagina", "webservice"}
        place.config.write_text(good, encoding="utf-8")
        journeys = (place.folder / "journeys.toml").read_text(encoding="utf-8")
        (place.folder / "journeys.toml").write_text(journeys.partition('[[journey]]\nid = "webservice"')[0])
        service.reload()
        until(lambda: not refused(service), seconds=60, what="the good configuration is taken over")
        assert 'journey="webservice"' not in service.exposition()
        assert 'journey="startpagina"' in service.exposition()
        until(
            lambda: service.mails("MONITOR: nieuwe configuratie van kracht"), seconds=60, what="the end of it is mailed"
        )
        [over] = service.mails("MONITOR: nieuwe configuratie van kracht")
        assert over["in_reply_to"] == mail["message_id"]


def refused(service: Running) -> bool:
    return service.series("monitor_config_last_reload_successful")[""] == 0
