"""What the real service tells of agreements: an outage's effect, spent downtime, maintenance as it comes and goes."""

from __future__ import annotations

import json
from pathlib import Path

from monitor.clock import wall_us
from sla.period import instant_text
from tests.running_service import Place, Running, a_place, loketwacht, running, until

SECOND = 1_000_000
#: One clause that leaves three quarters of an hour a month, and one that leaves less than three seconds.
CONTRACT = """
contract = "KLEIN"
authority = "Voorbeeldbestuur"
supplier = "Voorbeeld NV"

[[version]]
number = 1
valid_from = 2020-01-01
valid_until = 2040-12-31

[[version.clause]]
id = "A1"
kind = "availability"
scope = ["startpagina"]
target = "0.999"
sanction = { scale = "fixed", amount = "EUR 100" }

[[version.clause]]
id = "A2"
kind = "availability"
scope = ["startpagina"]
target = "0.999999"
sanction = { scale = "fixed", amount = "EUR 100" }
"""
MORE = """
[[contract]]
file = "klein.toml"

[[recipient]]
address = "onderhoud@oefenloket.example"
receives = ["maintenance"]
"""


def test_an_outage_is_told_with_its_effect_its_budget_and_the_maintenance_after_it(tmp_path: Path) -> None:
    """T10, T12: each once, by the service and not by its parts; over a restart, after which the month is assessed."""
    place = a_place(tmp_path, journeys=("startpagina",), every="6s", deadline="5s", more=MORE)
    (place.folder / "klein.toml").write_text(CONTRACT, encoding="utf-8")
    with running(place, "--practice") as service:
        until(lambda: "startpagina" in service.up(), seconds=120, what="it is up")
        until(lambda: "sla_budget_seconds{" in service.exposition(), seconds=240, what="the month is assessed")
        service.break_it(fault="status-500", path="/")
        until(lambda: service.mails("STORING"), seconds=120, what="the outage is mailed")
        [mail] = service.mails("STORING")
        assert "(bepaling A2)" in mail["text"]
        assert "deze maand rest nog" in mail["text"]  # of A1
        until(lambda: failures(service) >= 2, seconds=120, what="it lasts for longer than A2 allows in any month")
    with running(place, "--practice") as service:
        until(lambda: service.mails("UITVALBUDGET"), seconds=240, what="the spent downtime is mailed")
        [budget] = service.mails("UITVALBUDGET")
        assert budget["to"] == ["contractbeheer@oefenloket.example"]
        assert "A2 100 % - KLEIN" in budget["subject"]
        maintenance_comes_and_goes(service)
        assert service.mails("UITVALBUDGET") == [budget]


def failures(service: Running) -> float:
    lines = (line for line in service.exposition().splitlines() if line.startswith("journey_runs_total"))
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'outcome="down"' in line)


def maintenance_comes_and_goes(service: Running) -> None:
    """Announced for an hour from now on, and cancelled as soon as its beginning was told."""
    now_us = wall_us() // SECOND * SECOND
    start, end = instant_text(now_us), instant_text(now_us + 3600 * SECOND)
    words = ("--by", "Jan", "--reason", "Proef")
    written(service.place, "announce", "--from", start, "--until", end, "--scope", "startpagina", *words)
    until(lambda: service.mails("ONDERHOUD:"), seconds=120, what="the beginning of maintenance is mailed")
    [announced] = json.loads(written(service.place, "list", "--json"))
    written(service.place, "cancel", str(announced["seq"]), *words)
    until(lambda: service.mails("ONDERHOUD GEANNULEERD"), seconds=120, what="its cancellation is mailed")
    began, over = service.mails("ONDERHOUD")
    assert began["to"] == over["to"] == ["onderhoud@oefenloket.example"]
    assert over["in_reply_to"] == began["message_id"]


def written(place: Place, *words: str) -> str:
    done = loketwacht(place, "maintenance", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout
