"""A secret that a portal echoes back appears nowhere: not stored, not logged, not mailed, not shown, not counted."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import sqlite3
import zipfile
import zlib
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.running_service import Running, a_place, running, until

SECRET = "Zéér-geheim/42+&<x>=?"  # every way of writing it differs
#: Sends the secret in an address, a header and a form, and fails on the page that shows it again. The first run
#: is due within 25 seconds, and the failure is confirmed at once, because a second run fits before the next slot.
JOURNEY = """
[[journey]]
id = "lek"
title = { nl = "Lek", en = "Leak" }
interval = "25s"
deadline = "20s"
secrets = ["geplant", "burger_token"]
[[journey.step]]
use = "aanmelden"
[[journey.step]]
id = "formulier"
path = "/loket/projecten/nieuw?bron={{ secret.geplant }}"
headers = { Authorization = "Bearer {{ secret.geplant | urlencode }}" }
expect.status = 200
capture.project-form = { hidden = "#project-form" }
[[journey.step]]
id = "bewaren"
method = "POST"
path = "/loket/projecten/nieuw"
form_from = "project-form"
form = { projectnaam = "MONITORING {{ secret.geplant }}", gemeente = "Oefendorp", adres = "A 1", procedure = "gewoon" }
expect.text = ["OMV_2099", "dit staat er niet"]
"""


def test_a_planted_secret_appears_nowhere(tmp_path: Path) -> None:
    """T47."""
    place = a_place(tmp_path, journeys=("startpagina",), more=JOURNEY)
    config = place.config.read_text(encoding="utf-8")
    place.config.write_text(config.replace("[secrets]", '[secrets]\ngeplant = { env = "GEPLANT" }'), encoding="utf-8")
    with running(place, "--practice", environment={"GEPLANT": SECRET}) as service:
        until(lambda: service.mails("STORING"), seconds=120, what="the outage is mailed")
        [incident] = service.client.get(service.pages + "/api/v1/incidents").json()["incidents"]
        page = service.page(f"/incident/{incident['id']}")
        assert "dit staat er niet" in page
        assert "MONITORING ***" in page
        kept = [service.page(link) for link in re.findall(r'href="(/evidence/[^"]+)"', page)]
        assert len(kept) >= 2
        assert all("curl --disable" in text or '"version": "1.2"' in text for text in kept)
        seen = [page, service.page(), service.page("/api/v1/incidents"), service.exposition(), shown_mails(service)]
        service.end()
        seen += [service.said(), *kept, *stored(place.database), *bundles(place.database)]
    for form in written():
        assert [text[max(0, text.find(form) - 200) :][:400] for text in seen if form in text] == []


#: The same in a browser: typed into a form, sent with it, shown again by the page that follows, and looked for in vain.
IN_A_BROWSER = """
[chromium]
trace = "pages"
[[browser]]
id = "lek"
title = { nl = "Lek", en = "Leak" }
interval = "60s"
deadline = "25s"
wait = "5s"
secrets = ["geplant", "burger_token"]
[[browser.step]]
id = "aanmelden"
goto = "/aanmelden"
fill = { "#token" = "{{ secret.burger_token }}" }
click = "#btn-aanmelden"
expect.visible = "#gebruiker-naam"
[[browser.step]]
id = "bewaren"
goto = "/loket/projecten/nieuw?bron={{ secret.geplant }}"
fill = { "#projectnaam" = "MONITORING {{ secret.geplant }}", "#adres" = "A 1" }
select = { "#gemeente" = "Oefendorp", "#procedure" = "gewoon" }
click = "#btn-aanmaken"
expect.text = ["OMV_2099", "dit staat er niet"]
"""


@pytest.mark.chromium
def test_a_planted_secret_appears_nowhere_in_what_a_browser_leaves(tmp_path: Path) -> None:
    """T47: in its archive, in the members of its trace, in what the store, the pages, the log and the mails say."""
    place = a_place(tmp_path, journeys=("startpagina",), more=IN_A_BROWSER)
    config = place.config.read_text(encoding="utf-8")
    place.config.write_text(config.replace("[secrets]", '[secrets]\ngeplant = { env = "GEPLANT" }'), encoding="utf-8")
    with running(place, "--practice", environment={"GEPLANT": SECRET}) as service:
        until(lambda: service.mails("STORING"), seconds=300, what="the outage is mailed")
        [incident] = service.client.get(service.pages + "/api/v1/incidents").json()["incidents"]
        page = service.page(f"/incident/{incident['id']}")
        assert "dit staat er niet" in page
        links = set(re.findall(r'href="(/evidence/[^"]+)"', page))
        assert {link.rpartition(".")[2] for link in links} == {"json", "har", "png", "zip"}
        kept = [service.page(link) for link in links if link.endswith(("json", "har"))]
        traces = [service.client.get(service.pages + link).content for link in links if link.endswith("zip")]
        seen = [page, service.page(), service.page("/api/v1/incidents"), service.exposition(), shown_mails(service)]
        service.end()
        seen += [service.said(), *kept, *stored(place.database), *bundles(place.database), *files(place.database)]
        seen += [text for trace in traces for text in unzipped(trace)]
    assert any('"fill"' in text and "MONITORING ***" in text for text in seen)
    for form in written():
        assert [text[max(0, text.find(form) - 200) :][:400] for text in seen if form in text] == []


def files(database: Path) -> list[str]:
    """What stands beside the bundles: the texts of traces, and all that a picture says of itself beside its dots."""
    with closing(sqlite3.connect(database)) as store:
        rows = store.execute("SELECT form, content FROM evidence_file").fetchall()
    assert {form for form, _ in rows} == {"png", "zip"}
    told = [text for form, content in rows if form == "zip" for text in unzipped(content)]
    return told + [content.decode("latin-1") for form, content in rows if form == "png"]


def unzipped(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [name + archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]


def shown_mails(service: Running) -> str:
    return json.dumps(service.mails(""), ensure_ascii=False)


def stored(database: Path) -> list[str]:
    """The bytes of the store, with what still waits in its journal."""
    return [path.read_bytes().decode("utf-8", "replace") for path in database.parent.glob(f"{database.name}*")]


def bundles(database: Path) -> list[str]:
    """What was kept of every failing run, which is compressed in the store."""
    with closing(sqlite3.connect(database)) as store:
        found = [zlib.decompress(row[0]).decode() for row in store.execute("SELECT content FROM evidence_bundle")]
    assert found
    return found


def written() -> set[str]:
    """The ways in which the secret could be written."""
    raw = SECRET.encode()
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(), raw.hex()}
    quoted = {quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), html.escape(SECRET)}
    return {SECRET, "Zéér-geheim", json.dumps(SECRET)[1:-1]} | encoded | quoted
