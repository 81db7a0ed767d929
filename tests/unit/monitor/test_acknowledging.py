"""Who is on an incident: by the signed link of the mail, by the API, and what that silences."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor import acknowledging
from monitor.access import Gate
from monitor.acknowledge_web import GOOD_US, path_of
from monitor.acknowledging import AlreadyError, NotSaidError
from monitor.attribution import Cause
from monitor.pages import Days, Watched
from monitor.signed_links import Signer, signer_of
from monitor.store import incidents, ledger
from monitor.web import Shown, pages_app
from tests.heart import HOUR, INDIENEN, MINUTE, Office, run
from tests.new_store import new_store

WORD = "een-lang-geheim-woord"


@dataclass
class Site:
    office: Office
    signer: Signer
    gate: Gate = field(default_factory=Gate)
    write_token: str | None = WORD

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        watched = Watched(
            portal="Voorbeeldloket", checks=(INDIENEN,), location="lokaal", timezone="Europe/Brussels", gate=self.gate
        )
        shown = Shown(
            database=self.office.database, watched=watched, clock=self.office.clock, days=Days(), months={},
            version="1", signer=self.signer, write_token=self.write_token,
        )  # fmt: skip

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(pages_app(lambda: shown))
            async with httpx.AsyncClient(transport=transport, base_url="http://monitor") as client:
                return await client.request(method, path, **more)

        return run(ask())

    @property
    def incident(self) -> str:
        return self.office.open_incidents()[0]

    @property
    def link(self) -> str:
        return path_of(self.signer, self.incident, self.office.now_us)

    def who(self) -> str | None:
        with self.office.database.read() as tx:
            found = incidents.get(tx, self.incident)
            assert found is not None
            said = acknowledging.about(tx, found).acknowledged
        return said.by if said else None


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = new_store(tmp_path / "loketwacht.db")
    site = Site(office=Office(database=database), signer=signer_of(tmp_path / "acknowledge.key"))
    site.office.live("xx")
    yield site
    database.close()


def test_a_scanner_that_follows_the_link_of_a_mail_acknowledges_nothing(site: Site) -> None:
    answers = [site.ask(method, site.link) for method in ("GET", "HEAD", "GET")]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert site.who() is None


def test_the_page_behind_the_link_asks_for_a_name_and_its_form_acknowledges(site: Site) -> None:
    asked = site.ask("GET", site.link)
    assert '<form class="card ack" method="post">' in asked.text
    assert "form-action 'self'" in asked.headers["content-security-policy"]
    done = site.ask("POST", site.link, data={"by": "An", "note": "ik bel de dienst"})
    assert (done.status_code, done.headers["location"], site.who()) == (303, site.link, "An")
    shown = site.ask("GET", site.link)
    assert "An volgt dit op sinds" in shown.text
    assert "<form" not in shown.text


def test_a_form_without_a_name_is_asked_again(site: Site) -> None:
    again = site.ask("POST", site.link, data={"by": "  "})
    assert (again.status_code, site.who()) == (400, None)
    assert "Vul uw naam in." in again.text


def test_the_second_to_press_is_told_who_was_first(site: Site) -> None:
    for name in ("An", "Bob"):
        site.ask("POST", site.link, data={"by": name})
    assert site.who() == "An"
    assert "An volgt dit op" in site.ask("GET", site.link).text


@pytest.mark.parametrize("what", ["another incident", "a later end", "another signature", "another key", "too late"])
def test_a_link_is_good_for_one_incident_and_a_week_and_tells_strangers_nothing(site: Site, what: str) -> None:
    link, head = site.link, "/opvolgen/"
    name, until, signature = link.removeprefix(head).split("/")
    bad = {
        "another incident": f"{head}{name}x/{until}/{signature}",
        "a later end": f"{head}{name}/{int(until) + 1}/{signature}",
        "another signature": f"{head}{name}/{until}/{'0' * 64}",
        "another key": path_of(Signer(b"0" * 32), name, site.office.now_us),
        "too late": link,
    }[what]
    if what == "too late":
        site.office.now_us += GOOD_US
    answer = site.ask("POST", bad, data={"by": "Mallory"})
    assert (answer.status_code, site.who()) == (403, None)
    assert "Aanvraag" not in answer.text


def test_the_link_needs_no_token_where_the_pages_are_closed_and_opens_nothing_else(site: Site) -> None:
    site.gate = Gate(token="een ander geheim")
    assert site.ask("GET", f"/incident/{site.incident}").status_code == 401
    assert site.ask("POST", site.link, data={"by": "An"}).status_code == 303
    assert site.who() == "An"


def test_the_mail_of_an_opening_carries_the_link_and_that_of_the_end_does_not(site: Site) -> None:
    from monitor.mail_text import composer
    from tests.heart import HOUSE

    compose = composer(replace(HOUSE, acknowledge=lambda name, at_us: path_of(site.signer, name, at_us)))
    site.office.now_us += MINUTE
    links = []
    for message in site.office.sent:
        assert message.event == "opened"
    from monitor.store import leaving, outbox

    office = Office(database=site.office.database, now_us=site.office.now_us)
    office.live("..", INDIENEN, mail=False)
    with office.database.begin() as tx:
        tosend = leaving.claim(tx, now_us=office.now_us, owner="x", lease_us=1, hold_us=1)
    assert tosend is not None
    links.append("opvolgen" in compose(tosend, office.now_us, None).text)
    opened = replace(tosend, kind=outbox.Kind.OPENED, news=replace(tosend.news, until_us=None))
    mail = compose(opened, office.now_us, None)
    assert links == [False]
    assert re.search(r"https://monitor\.example/opvolgen/indienen-\S+/\d+/[0-9a-f]{64}", mail.text)
    assert "Ik volg dit op" in mail.html


def test_who_acknowledges_gets_no_reminders_but_hears_the_end(site: Site) -> None:
    site.ask("POST", site.link, data={"by": "An"})
    site.office.now_us += 2 * HOUR
    site.office.live("xx")
    site.office.live("..")
    assert site.office.words() == ["STORING", "HERSTELD"]


def test_without_anybody_on_it_the_reminder_is_sent(site: Site) -> None:
    site.office.now_us += 2 * HOUR
    site.office.live("xx")
    assert site.office.words() == ["STORING", "HERINNERING"]


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_program_acknowledges_notes_and_names_the_cause_with_its_token(site: Site) -> None:
    api = f"/api/v1/incidents/{site.incident}"
    said = [
        site.ask("POST", f"{api}/acknowledge", headers=bearer(WORD), json={"by": "Wachtrooster"}),
        site.ask("POST", f"{api}/note", headers=bearer(WORD), json={"by": "An", "note": "<b>schijf vol</b>"}),
        site.ask("POST", f"{api}/cause", headers=bearer(WORD), json={"by": "An", "cause": "portal", "reason": "log"}),
    ]
    assert [answer.status_code for answer in said] == [201] * 3
    page = site.ask("GET", f"/incident/{site.incident}").text
    for words in ("Wachtrooster volgt dit op", "&lt;b&gt;schijf vol&lt;/b&gt;", "Vastgesteld door An"):
        assert words in page


@pytest.mark.parametrize(
    ("headers", "configured", "status"),
    [({}, WORD, 401), (bearer("fout"), WORD, 401), ({"authorization": "Basic OmVlbi1sYW5n"}, WORD, 401),
     (bearer(WORD), None, 403), (bearer(""), None, 403)],
)  # fmt: skip
def test_nobody_writes_without_the_token(site: Site, headers: dict[str, str], configured: str | None, status: int):
    site.write_token = configured
    answer = site.ask("POST", f"/api/v1/incidents/{site.incident}/acknowledge", headers=headers, json={"by": "M"})
    assert (answer.status_code, site.who()) == (status, None)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("acknowledge", "geen json", 400), ("acknowledge", '{"by": 3}', 400), ("acknowledge", '{"by": ""}', 400),
     ("cause", '{"by": "An", "cause": "de kat", "reason": "x"}', 400), ("weg", '{"by": "An"}', 400),
     ("note", '{"by": "An", "note": "' + "x" * 20_000 + '"}', 400)],
)  # fmt: skip
def test_what_a_program_sends_wrong_is_refused_and_not_recorded(site: Site, path: str, body: str, status: int) -> None:
    answer = site.ask("POST", f"/api/v1/incidents/{site.incident}/{path}", headers=bearer(WORD), content=body)
    assert answer.status_code == status
    with site.office.database.read() as tx:
        assert list(ledger.read(tx)) == []


def test_what_is_said_stands_in_the_ledger_for_ever_and_the_last_cause_counts(site: Site) -> None:
    with site.office.database.begin() as tx:
        acknowledging.acknowledge(tx, site.incident, by="An", now_us=1)
        for cause in (Cause.NETWORK, Cause.PORTAL):
            acknowledging.attribute(tx, site.incident, cause, by="An", reason="gezien in de logs", now_us=2)
        with pytest.raises(AlreadyError, match="An"):
            acknowledging.acknowledge(tx, site.incident, by="Bob", now_us=3)
        with pytest.raises(NotSaidError, match="no incident"):
            acknowledging.note(tx, "er-is-niets", by="An", text="x", now_us=3)
        found = incidents.get(tx, site.incident)
        assert found is not None
        about = acknowledging.about(tx, found)
        kinds = [sealed.entry.kind for sealed in ledger.read(tx)]
    assert (about.cause and about.cause.cause, kinds) == (
        Cause.PORTAL, ["acknowledged", "incident-cause", "incident-cause"],
    )  # fmt: skip


def test_the_key_is_for_our_eyes_only_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "nieuw" / "acknowledge.key"
    assert signer_of(path) == signer_of(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"kort")
    with pytest.raises(OSError, match="32 bytes"):
        signer_of(path)
