"""The bundles of a month go with its dossier and its archive: the same bytes, checked, and without a secret."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from monitor import archive, dossier, sealing
from monitor.config import LoadedContract, read_contract
from monitor.issuing import record
from monitor.reporting import write
from monitor.store import ledger, samples
from monitor.store.reports import Issued
from probes.run import run
from probes.sample import Sample
from tests.agreements import at
from tests.bundles import a_picture, seen_in_a_browser
from tests.heart import a_sample
from tests.new_store import new_store
from tests.scripted_server import Received, ScriptedServer, answer, journey, setup, step
from tests.stored_month import IN_NOVEMBER, OCTOBER, fill, job, loaded_contract
from tests.zipped import members, rewritten

SECRET = "Zéér-geheim/42+&<x>=?"  # every way of writing it differs
TEN = at("2026-10-05 10:00")
TIME = f"{datetime.fromtimestamp(TEN // 1_000_000, UTC):%Y%m%dT%H%M%SZ}"
CONTRACT = """\
contract = "PROEF"
authority = "Voorbeeldbestuur"
supplier = "Voorbeeld NV"
timezone = "Europe/Brussels"

[[version]]
number = 1
valid_from = 2026-01-01
valid_until = 2027-12-31
monthly_fee = "100000.00"

[version.windows.dienst]
weekly = ["mon-sun 00:00-24:00"]
holidays = "open"

[[version.clause]]
id = "B1"
kind = "availability"
scope = ["indienen"]
window = "dienst"
target = "0.999"
obligation = "result"
"""


def failed_run() -> Sample:
    """Secrets in an address, a header, a form and a part; the portal shows all of it again, in every way of writing."""

    async def echo(received: Received, writer: asyncio.StreamWriter) -> None:
        forms = "\n".join(sorted(written()))
        shown = f"{received.target}\n{received.headers}\n{received.body!r}\n{forms}"
        writer.write(answer(shown, status=500, head="Set-Cookie: sessie=geheime-sessie; Path=/\r\n"))

    async def go() -> Sample:
        async with ScriptedServer(echo) as server:
            way = setup(f"http://127.0.0.1:{server.port}", secrets={"geplant": SECRET})
            hidden = {"Authorization": "Bearer {{ secret.geplant | urlencode }}"}
            sent = {"naam": "{{ secret.geplant }}", "_csrf": "eenmalig-teken"}
            failing = step("/loket?bron={{ secret.geplant }}", method="POST", headers=hidden, form=sent)
            what = journey(failing, id="indienen", secrets=["geplant"])
            return await run(what, slot_us=TEN, location="lokaal", setup=way)

    return replace(asyncio.run(go()), started_us=TEN)


def written() -> set[str]:
    raw = SECRET.encode()
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    quoted = {quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), html.escape(SECRET)}
    return {SECRET, json.dumps(SECRET)[1:-1]} | encoded | quoted


def failed_in_a_browser() -> Sample:
    """The run that followed, in a browser, with a picture and a trace; its console says what was planted."""
    return seen_in_a_browser(replace(a_sample("x", TEN + 60_000_000), check_id="indienen"), console=["stuk"])


@dataclass(frozen=True, kw_only=True)
class House:
    """A month with one failing run that left a bundle; sealed, reported, and its outage written up."""

    sample: Sample
    browsed: Sample
    dossier: dict[str, str]
    archive: Path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    (folder / "contract.toml").write_text(CONTRACT)
    agreed, _ = read_contract(folder / "contract.toml")
    database = new_store(folder / "loketwacht.db")
    sample, browsed = failed_run(), failed_in_a_browser()
    with database.begin() as tx:
        samples.add(tx, sample)
        samples.add(tx, browsed)
    fill(database, marks={f"2026-10-05 {hour}:00": "X" for hour in (11, 12)})
    digests = sealing.digests_due(str(database.engine.url), IN_NOVEMBER)
    with database.begin() as tx:
        sealing.record(tx, digests, now_us=IN_NOVEMBER - 1)
    work = job(database, folder / "reports", agreed=agreed)
    with database.read() as tx:
        [outage] = dossier.work_out(tx, agreed, OCTOBER, IN_NOVEMBER).assessment.outages
    written_up = dossier.write(work, outage.id)
    issued: Issued = write(work).issued
    with database.begin() as tx:
        record(tx, issued, by="An")
        assert list(ledger.read(tx))
    loaded: LoadedContract = replace(loaded_contract(agreed), path=folder / "contract.toml")
    with database.read() as tx:
        archive.write(tx, issued, loaded, folder / "out.zip")
    yield House(sample=sample, browsed=browsed, dossier=dict(written_up.files.files), archive=folder / "out.zip")
    database.close()


def bundle_name(house: House) -> str:
    [bundle] = house.sample.bundles
    return f"bundles/{bundle.sha256}.json"


def file_names(house: House) -> list[str]:
    return [f"bundles/{file.sha256}.{file.form}" for file in house.browsed.bundles[0].files]


def test_the_archive_holds_each_bundle_and_each_file_under_its_name_and_holds(house: House) -> None:
    there = members(house.archive)
    assert {bundle_name(house), *file_names(house)} <= set(there)
    assert [there[name] for name in file_names(house)] == [file.content for file in house.browsed.bundles[0].files]
    assert archive.examine(house.archive)[1] is None


def test_the_dossier_holds_the_bundle_its_http_archive_and_the_line_to_ask_again(house: House) -> None:
    stated: dict[str, Any] = json.loads(Path(house.dossier["json"]).read_bytes())
    names = {Path(one["file"]).suffix: one for one in stated["evidence"] if f"{TIME}-" in one["file"]}
    assert set(names) == {".txt", ".json", ".har"}
    assert names[".json"]["sha256"] == house.sample.bundles[0].sha256
    with zipfile.ZipFile(io.BytesIO(Path(house.dossier["evidence"]).read_bytes())) as opened:
        for one in stated["evidence"]:
            assert hashlib.sha256(opened.read(one["file"])).hexdigest() == one["sha256"]
        assert b"--- replay ---\ncurl --disable" in opened.read(names[".txt"]["file"])
        assert json.loads(opened.read(names[".har"]["file"]))["log"]["version"] == "1.2"


def test_the_dossier_holds_the_picture_and_the_trace_and_tells_what_only_a_browser_sees(house: House) -> None:
    stated: dict[str, Any] = json.loads(Path(house.dossier["json"]).read_bytes())
    later = {Path(one["file"]).suffix: one for one in stated["evidence"] if f"{TIME}-" not in one["file"]}
    assert set(later) == {".txt", ".json", ".har", ".png", ".zip"}
    assert {later[f".{file.form}"]["sha256"] for file in house.browsed.bundles[0].files} == {
        file.sha256 for file in house.browsed.bundles[0].files
    }
    with zipfile.ZipFile(io.BytesIO(Path(house.dossier["evidence"]).read_bytes())) as opened:
        assert opened.read(later[".png"]["file"]) == a_picture()
        told = opened.read(later[".txt"]["file"]).decode()
    assert "--- page ---\nfirst paint: 120 ms\nlargest paint: 310 ms" in told
    assert "--- console errors ---\nstuk" in told


def test_no_secret_is_in_the_bundle_the_dossier_or_the_archive(house: House) -> None:
    """T47."""
    seen = dict(members(house.archive))
    for form, path in house.dossier.items():
        body = Path(path).read_bytes()
        seen |= members(Path(path)) if body.startswith(b"PK") else {form: body}
    assert {name.rpartition(".")[2] for name in seen} >= {"json", "har", "txt", "jsonl"}
    for form in written() | {"geheime-sessie", "eenmalig-teken", "Zéér-geheim"}:
        assert [name for name, body in seen.items() if form.encode() in body] == []
    assert b'"name":"naam","value":"***"' in seen[bundle_name(house)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content, name: content | {name: a_picture(shade=10)}, "it was altered"),
        (lambda content, name: {n: b for n, b in content.items() if n != name}, "is not there, and a bundle names it"),
        (lambda content, name: content | {"bundles/" + "0" * 64 + ".png": b"x"}, "belongs to no sample"),
    ],
    ids=["altered", "left out", "added"],
)
def test_a_careful_forger_of_pictures_is_found_out(house: House, tmp_path: Path, change: Any, said: str) -> None:
    content = change(members(house.archive), next(name for name in file_names(house) if name.endswith(".png")))
    wrong = archive.examine(rewritten(content, tmp_path / "forged.zip"))[1]
    assert wrong is not None
    assert wrong.startswith("bundles/")
    assert said in wrong


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content, name: content | {name: content[name].replace(b'"500"', b'"200"')}, "it was altered"),
        (lambda content, name: {n: b for n, b in content.items() if n != name}, "is not there, and a sample names it"),
        (lambda content, name: content | {"bundles/" + "0" * 64 + ".json": b"{}"}, "belongs to no sample"),
    ],
    ids=["altered", "left out", "added"],
)
def test_a_careful_forger_of_bundles_is_found_out(house: House, tmp_path: Path, change: Any, said: str) -> None:
    content = change(members(house.archive), bundle_name(house))
    wrong = archive.examine(rewritten(content, tmp_path / "forged.zip"))[1]
    assert wrong is not None
    assert wrong.startswith("bundles/")
    assert said in wrong
