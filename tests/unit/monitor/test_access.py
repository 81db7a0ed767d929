"""Who sees the pages: a token, a trusted proxy, or the status page alone."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx
import pytest

from monitor.access import Gate, TrustedProxy
from monitor.config import load
from monitor.pages import Days, Watched
from monitor.store.database import Database
from monitor.toml_file import ConfigError
from monitor.web import Shown, pages_app
from tests.heart import INDIENEN, OPS, Office, run
from tests.new_store import new_store
from tests.running_service import a_place

TOKEN = "een-lang-en-willekeurig-token"
PROXY = TrustedProxy(header="X-Forwarded-User", addresses=("127.0.0.1",))
PATHS = [
    "/",
    "/incident/x",
    "/sla",
    "/api/v1/status",
    "/api/v1/incidents",
    "/api/v1/sla",
    "/evidence/x.har",
    "/evidence/x.png",
    "/evidence/x.zip",
    "/reports/a/b/c",
]


def ask(
    folder: Path, gate: Gate, path: str, headers: dict[str, str] | None = None, client: str = "192.0.2.9"
) -> httpx.Response:
    file = folder / "loketwacht.db"
    database = Database.open(f"sqlite:///{file}", durable=False) if file.exists() else new_store(file)
    office = Office(database=database)
    watched = Watched(portal="Loket", checks=(INDIENEN,), location="lokaal", timezone="Europe/Brussels", gate=gate)
    app = pages_app(
        lambda: Shown(database=database, watched=watched, clock=office.clock, days=Days(), months={}, version="1")
    )

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(client, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://monitor") as visitor:
            return await visitor.get(path, headers=headers)

    try:
        return run(asked())
    finally:
        database.close()


def basic(password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"wie:{password}".encode()).decode()}


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_shown(tmp_path: Path, path: str) -> None:
    answer = ask(tmp_path, Gate(token=TOKEN), path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": f"Bearer {TOKEN}"}, 200),
        (basic(TOKEN), 200),
        (basic(TOKEN[:-1]), 401),
        (basic(""), 401),
        ({"authorization": "Basic !!"}, 401),
        ({"authorization": TOKEN}, 401),
    ],
)
def test_the_token_is_a_bearer_token_or_a_password(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    answer = ask(tmp_path, Gate(token=TOKEN), "/", headers)
    assert answer.status_code == status
    assert status == 401 or answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("client", "user", "status"), [("127.0.0.1", "an", 200), ("127.0.0.1", "", 401), ("192.0.2.9", "an", 401)]
)
def test_the_header_counts_from_the_proxy_alone(tmp_path: Path, client: str, user: str, status: int) -> None:
    assert ask(tmp_path, Gate(proxy=PROXY), "/", {"x-forwarded-user": user}, client).status_code == status


def test_the_public_status_page_tells_no_details(tmp_path: Path) -> None:
    database = new_store(tmp_path / "loketwacht.db")
    office = Office(database=database)
    office.codes = {OPS.address: 550}
    office.live("XXX")
    database.close()
    gate = Gate(token=TOKEN, public=True)
    whole, bare = (ask(tmp_path, gate, "/", headers).text for headers in (basic(TOKEN), {}))
    assert "/incident/" in whole
    assert "o…@example.be" in whole
    assert "o…@example.be" not in bare
    assert "Niet bezorgde berichten" not in bare
    assert INDIENEN.title.nl in bare
    assert "/incident/" not in bare
    assert ask(tmp_path, gate, "/api/v1/status").status_code == 401


@pytest.mark.parametrize(
    ("line", "said"),
    [('token = "geheim"', 'there is no secret "geheim"'), ("public = true", "all pages are open already")],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, line: str, said: str) -> None:
    place = a_place(tmp_path)
    place.config.write_text(place.config.read_text().replace("[pages]", f"[pages]\n{line}", 1))
    with pytest.raises(ConfigError, match=said):
        load(place.config)
