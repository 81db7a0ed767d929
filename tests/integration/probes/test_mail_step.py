"""A journey that waits for a mail: what came, what did not, and whose fault it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probes.mailboxes import Mailbox
from probes.run import run
from probes.sample import Outcome, Sample
from probes.sentences import sentence
from tests.certificates import authority
from tests.imap_server import NOW, PASSWORD, USER, Folder, a_mail, serving
from tests.scripted_server import ScriptedServer, answer, journey, pages, setup, step

NOW_US = int(NOW.timestamp()) * 1_000_000
MAIL = a_mail(to="m+run-0@oefen.example", subject="Bevestiging", html='<a class="ja" href="/ja/0012">Bevestig</a>')


def lived(folder: Folder, tmp_path: Path, *, password: str = PASSWORD, **mail: Any) -> tuple[Sample, list[str]]:
    """A run that asks for a mail, waits for it and opens its link; and every path that was asked."""
    ca = authority(tmp_path)
    wait: dict[str, Any] = {
        "id": "mail",
        "kind": "mail",
        "mailbox": "post",
        "to": "m+{{ run.id }}@oefen.example",
        "within": "20s",
    }
    wait |= {"capture": {"link": {"css": "a.ja", "attribute": "href"}}, **mail}
    what = journey(step("/vraag"), wait, step("{{ link }}", name="open"), deadline="30s")

    async def go() -> tuple[Sample, list[str]]:
        script = pages({"/vraag": answer("ok"), "/ja/0012": answer("bevestigd")})
        async with ScriptedServer(script) as portal, serving(folder, ca.server("127.0.0.1")) as port:
            way = setup(f"http://127.0.0.1:{portal.port}", secrets={"post": password})
            box = Mailbox(host="127.0.0.1", port=port, user=USER, password="post", ca_file=ca.file)
            way = replace(way, mailboxes={"post": box}, now_us=lambda: NOW_US)
            sample = await run(what, slot_us=0, location="hier", setup=way)
            return sample, [request.target for request in portal.requests]

    return asyncio.run(go())


def told(sample: Sample, language: Any = "nl") -> str:
    assert sample.failure is not None
    return sentence(sample.failure, language)


def test_a_link_is_taken_out_of_a_mail_and_opened(tmp_path: Path) -> None:
    folder = Folder()
    folder.arrive(MAIL)
    sample, asked = lived(
        folder, tmp_path, expect={"text": "Bevestig", "header": {"name": "Subject", "contains": "Bev"}}
    )
    assert (sample.outcome, asked, folder.mails) == (Outcome.UP, ["/vraag", "/ja/0012"], {})


def test_a_mail_that_says_the_wrong_thing_fails_the_portal_and_is_thrown_away_all_the_same(tmp_path: Path) -> None:
    folder = Folder()
    folder.arrive(MAIL)
    sample, _ = lived(folder, tmp_path, expect={"text": "Welkom"})
    assert (sample.outcome, folder.mails) == (Outcome.DOWN, {})
    assert sample.evidence[0].response_head.startswith("From: Loket")


def test_a_mail_that_does_not_come_is_the_portal_s_failure(tmp_path: Path) -> None:
    sample, _ = lived(Folder(), tmp_path, within="3s")
    assert sample.outcome is Outcome.DOWN
    assert told(sample) == "Stap “mail”: voor de mail werd verwacht: ontvangen binnen 3 s; gevonden: geen zulke mail."


@pytest.mark.parametrize("trouble", ["refuse", "hang", "drop", "garbage"])
def test_trouble_of_our_own_mailbox_says_nothing_about_the_portal(tmp_path: Path, trouble: str) -> None:
    sample, _ = lived(Folder(trouble=trouble), tmp_path, within="1s")
    assert sample.outcome is Outcome.UNKNOWN
    assert PASSWORD not in str(sample)


def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    sample, _ = lived(Folder(), tmp_path, password="niet dit")
    assert (sample.outcome, "AUTHENTICATIONFAILED" in told(sample), "niet dit" in str(sample)) == (
        Outcome.UNKNOWN,
        True,
        False,
    )
