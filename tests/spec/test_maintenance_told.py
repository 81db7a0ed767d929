"""Mails about announced maintenance: when it begins, when its times change meanwhile, when it is over. Once each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.maintenance_telling import tell_maintenance
from monitor.recipients import Recipient
from monitor.store import ledger
from sla.assessment import Text, WindowDecision
from sla.intervals import Span
from sla.ledger import Entry
from tests.heart import DAY, INDIENEN, MINUTE, OPS, Office, at
from tests.new_store import new_store

READER = Recipient(address="ploeg@example.be", receives=("maintenance",))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database, recipients=(READER, OPS))
    database.close()


def announce(office: Office, start: str, end: str, *scope: str, instead_of: int | None = None, by: str = "Jan") -> int:
    entry = Entry(
        kind="maintenance",
        recorded_us=office.now_us,
        by=by,
        reason="Nieuwe versie",
        from_us=at(start),
        until_us=at(end),
        scope=scope,
        supersedes=instead_of,
    )
    with office.database.begin() as tx:
        return ledger.append(tx, entry).seq


def cancel(office: Office, seq: int) -> None:
    entry = Entry(kind="maintenance-cancelled", recorded_us=office.now_us, by="An", reason="Niet klaar", supersedes=seq)
    with office.database.begin() as tx:
        ledger.append(tx, entry)


def look(office: Office, moment: str, *decisions: WindowDecision) -> None:
    """As the service does every few seconds; each time by a new process."""
    office.now_us = at(moment)
    with office.database.begin() as tx:
        tell_maintenance(tx, office.alerting.titles, {"PROEF": decisions}, office.recipients, now_us=office.now_us)
    office.deliver()


def test_it_is_told_when_it_begins_and_when_it_is_over_and_each_once(office: Office) -> None:
    """T10: whatever restarts in between."""
    announce(office, "11:00", "12:00", "indienen")
    for moment in ("10:59", "11:00", "11:01", "11:30", "11:59", "12:00", "12:01", "13:00"):
        look(office, moment)
    assert office.subjects == [
        "[Voorbeeldloket] ONDERHOUD: Aanvraag indienen",
        "[Voorbeeldloket] ONDERHOUD VOORBIJ: Aanvraag indienen",
    ]
    assert [mail.date_us for mail in office.sent] == [at("11:00"), at("12:00")]
    assert office.sent[1].in_reply_to == office.sent[0].message_id
    assert office.accepted == [("ploeg@example.be",)] * 2  # nobody else asked for it


def test_what_began_and_ended_while_nobody_looked_is_told_to_nobody(office: Office) -> None:
    announce(office, "10:10", "10:50")
    look(office, "11:00")
    assert office.sent == []


def test_an_end_while_nobody_looked_is_told_afterwards(office: Office) -> None:
    announce(office, "11:00", "12:00")
    look(office, "11:10")
    look(office, "15:00")
    assert office.words() == ["ONDERHOUD", "ONDERHOUD VOORBIJ"]
    assert "liep tot 23 november 2026 om 13:00 (CET)" in office.sent[1].text


def test_an_end_of_more_than_a_week_ago_is_told_to_nobody(office: Office) -> None:
    announce(office, "11:00", "12:00")
    look(office, "11:10")
    office.now_us = at("12:00") + 8 * DAY
    with office.database.begin() as tx:
        assert tell_maintenance(tx, {}, {}, office.recipients, now_us=office.now_us) == ()


def test_longer_maintenance_is_told_and_its_end_is_the_new_one(office: Office) -> None:
    first = announce(office, "11:00", "12:00")
    look(office, "11:10")
    office.now_us = at("11:20")
    announce(office, "11:00", "13:00", instead_of=first, by="An")
    for moment in ("11:21", "11:22", "12:00", "12:30", "13:00", "13:01"):
        look(office, moment)
    assert office.words() == ["ONDERHOUD", "ONDERHOUD GEWIJZIGD", "ONDERHOUD VOORBIJ"]
    assert "Eerder was het einde 23 november 2026 om 13:00 (CET)." in office.sent[1].text
    assert "Aangekondigd door: An" in office.sent[1].text
    assert office.sent[2].date_us == at("13:00")


def test_each_change_is_told(office: Office) -> None:
    seq = announce(office, "11:00", "12:00")
    look(office, "11:10")
    for end in ("12:30", "13:00", "11:40"):
        seq = announce(office, "11:00", end, instead_of=seq)
        look(office, "11:20")
    look(office, "11:40")
    assert office.words() == ["ONDERHOUD", *["ONDERHOUD GEWIJZIGD"] * 3, "ONDERHOUD VOORBIJ"]


def test_maintenance_that_is_cancelled_while_it_lasts_is_told_with_whoever_did_it(office: Office) -> None:
    seq = announce(office, "11:00", "12:00")
    look(office, "11:10")
    cancel(office, seq)
    look(office, "11:11")
    look(office, "12:01")
    assert office.words() == ["ONDERHOUD", "ONDERHOUD GEANNULEERD"]
    assert "An annuleerde het onderhoud: Niet klaar." in office.sent[1].text


def test_maintenance_that_is_cancelled_before_it_begins_is_told_to_nobody(office: Office) -> None:
    cancel(office, announce(office, "11:00", "12:00"))
    look(office, "11:10")
    assert office.sent == []


def test_what_is_announced_anew_after_its_end_begins_once_more(office: Office) -> None:
    seq = announce(office, "11:00", "12:00")
    look(office, "11:10")
    look(office, "12:00")
    office.now_us = at("12:05")
    announce(office, "11:00", "14:00", instead_of=seq)
    look(office, "12:06")
    look(office, "14:00")
    assert office.words() == ["ONDERHOUD", "ONDERHOUD VOORBIJ", "ONDERHOUD", "ONDERHOUD VOORBIJ"]
    assert office.sent[2].in_reply_to is None


def test_two_announcements_are_two_threads(office: Office) -> None:
    announce(office, "11:00", "12:00", "indienen")
    announce(office, "11:30", "12:30", "inzage")
    for moment in ("11:00", "11:30", "12:00", "12:30"):
        look(office, moment)
    assert [subject.partition("] ")[2] for subject in office.subjects] == [
        "ONDERHOUD: Aanvraag indienen",
        "ONDERHOUD: Dossier inzien",
        "ONDERHOUD VOORBIJ: Aanvraag indienen",
        "ONDERHOUD VOORBIJ: Dossier inzien",
    ]


def test_at_its_end_it_is_said_what_fails_still(office: Office) -> None:
    """T12: and the outage itself is told by the next failing run."""
    announce(office, "09:00", "10:04", "indienen")
    look(office, "10:00")
    office.live("xxxx")
    look(office, "10:04")
    office.live("x")
    assert office.words() == ["ONDERHOUD", "ONDERHOUD VOORBIJ", "STORING"]
    assert "Dit werkt nog niet: Aanvraag indienen." in office.sent[1].text


def test_only_readers_of_the_checks_it_is_about_hear_of_it(office: Office) -> None:
    office.recipients = tuple(
        Recipient(address=f"{name}@example.be", receives=("maintenance",), checks=(name,))
        for name in ("indienen", "inzage", "certificaat")
    )
    announce(office, "11:00", "12:00", "indienen", "inzage")
    look(office, "11:00")
    assert office.accepted == [("indienen@example.be", "inzage@example.be")]
    look(office, "12:00")
    announce(office, "13:00", "14:00")
    look(office, "13:00")
    assert len(office.accepted[-1]) == 3


def test_what_the_contract_makes_of_it_is_said_where_it_is_known(office: Office) -> None:
    seq = announce(office, "11:00", "12:00")
    other = decision(seq + 1, "Geweigerd: te laat.")
    look(office, "11:00", decision(seq, "Aanvaard: tijdig aangekondigd."), other)
    assert "Volgens contract: PROEF: Aanvaard: tijdig aangekondigd." in office.sent[0].text
    assert "te laat" not in office.sent[0].text


def decision(entry: int, reason: str) -> WindowDecision:
    return WindowDecision(
        entry=entry,
        kind="maintenance",
        claimed=Span(start_us=0, end_us=MINUTE),
        granted=(),
        refused=(),
        scope=(),
        by="Jan",
        reason="x",
        recorded_us=0,
        reasons=(Text(nl=reason, en=reason),),
    )


def test_a_check_that_is_gone_is_called_by_its_id(office: Office) -> None:
    announce(office, "11:00", "12:00", "weg", INDIENEN.id)
    look(office, "11:00")
    assert office.subjects == ["[Voorbeeldloket] ONDERHOUD: weg, Aanvraag indienen"]
