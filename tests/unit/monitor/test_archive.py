"""A month's evidence as one archive: it computes the report again anywhere, and whoever alters a byte is found out."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from monitor import archive, sealing
from monitor.config import LoadedContract, read_contract
from monitor.issuing import record
from monitor.reporting import write
from monitor.store import ledger
from monitor.store.database import Database
from monitor.store.reports import Issued
from sla.interchange import ledger_json, read_ledger
from sla.ledger import Entry, seal
from sla.recompute import first_difference
from tests.agreements import at
from tests.new_store import new_store
from tests.stored_month import IN_NOVEMBER, fill, job, loaded_contract, missed

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
holidays_file = "feestdagen.toml"

[version.windows.dienst]
weekly = ["mon-fri 07:30-19:00"]
holidays = "closed"

[[version.clause]]
id = "B1"
kind = "availability"
scope = ["indienen"]
window = "dienst"
target = "0.999"
obligation = "result"
sanction = { scale = "per-unit", unit = "0.001", amount = "1% of monthly-fee", maximum = "10% of monthly-fee" }

[[version.clause]]
id = "P1"
kind = "response-time"
scope = ["indienen"]
percentile = "95"
limit = "10s"

[[version.clause]]
id = "I1"
kind = "restore-time"
scope = ["indienen"]
priority = "P1"
from = "confirmation"
limit = "30m"

[[version.clause]]
id = "U1"
kind = "delivery"
document = "stand van zaken"
due = "monthly, 5th working day"
"""


@dataclass(frozen=True, kw_only=True)
class House:
    database: Database
    issued: Issued
    agreed: LoadedContract

    def export(self, path: Path) -> Path:
        with self.database.read() as tx:
            archive.write(tx, self.issued, self.agreed, path)
        return path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two hours down, one of them excluded, and a gap; sealed and reported. Once for all: a report takes seconds."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "contract.toml").write_text(CONTRACT)
    (folder / "feestdagen.toml").write_text("holidays = [2026-10-14]\n")
    agreed, _ = read_contract(folder / "contract.toml")
    loaded = replace(loaded_contract(agreed), path=folder / "contract.toml")
    database = new_store(folder / "loketwacht.db")
    marks = {"2026-10-05 10:00": "X", "2026-10-05 11:00": "X", "2026-10-06 09:00": "?"}
    fill(database, marks=marks, without=[("2026-10-08 10:00", "2026-10-08 12:00")])
    missed(database, "2026-10-08 10:00", "2026-10-08 12:00")
    excluded = Entry(
        kind="exclusion", recorded_us=at("2026-10-07 09:00"), by="An", reason="storm", data={"ground": "force-majeure"},
        from_us=at("2026-10-05 11:00"), until_us=at("2026-10-05 12:00"),
    )  # fmt: skip
    delivered = Entry(
        kind="document-delivered", recorded_us=at("2026-10-12 09:00"), by="An", reason="twee werkdagen te laat",
        from_us=at("2026-10-09 17:00"), data={"document": "stand van zaken"},
    )  # fmt: skip
    digests = sealing.digests_due(str(database.engine.url), IN_NOVEMBER)
    with database.begin() as tx:
        ledger.append(tx, excluded)
        ledger.append(tx, delivered)
        sealing.record(tx, digests, now_us=IN_NOVEMBER - 1)
    issued = write(job(database, folder / "reports", agreed=agreed)).issued
    with database.begin() as tx:
        record(tx, issued, by="An")
    yield House(database=database, issued=issued, agreed=loaded)
    database.close()


@pytest.fixture
def month(house: House, tmp_path: Path) -> Path:
    return house.export(tmp_path / "out.zip")


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def forged(path: Path, *, sums: bool = True, **changed: Callable[[bytes], bytes]) -> Path:
    """The archive with members changed (`report_json=…`); `sums` renews the checksums, as a careful forger does."""
    content = members(path)
    for key, change in changed.items():
        name = key.replace("_", ".")
        before = content[name]
        content[name] = change(before)
        assert content[name] != before
    if sums:
        lines = [f"{hashlib.sha256(b).hexdigest()}  {n}\n" for n, b in sorted(content.items()) if n != "SHA256SUMS"]
        content["SHA256SUMS"] = "".join(lines).encode()
    out = path.with_name("forged.zip")
    with zipfile.ZipFile(out, "w") as into:
        for name, body in content.items():
            into.writestr(name, body)
    return out


def swap(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda body: body.replace(old.encode(), new.encode(), 1)


def rechained(change: Callable[[Entry], Entry]) -> Callable[[bytes], bytes]:
    """A ledger with changed entries, chained anew from the first."""

    def renew(body: bytes) -> bytes:
        read = read_ledger(body.decode().splitlines(), "l")
        return "".join(json.dumps(ledger_json(s)) + "\n" for s in seal(change(s.entry) for s in read.entries)).encode()

    return renew


def test_every_figure_of_the_report_comes_out_again(month: Path) -> None:
    manifest, wrong = archive.examine(month)
    assert wrong is None
    assert (manifest["report"], manifest["period"]) == ("R-2026-10-v1", "2026-10")


def test_what_people_promised_is_in_it_and_comes_out_again(month: Path) -> None:
    clauses = {c["id"]: c for c in json.loads(members(month)["report.json"])["clauses"]}
    assert (clauses["I1"]["verdict"], clauses["U1"]["verdict"]) == ("missed", "missed")
    assert [case["late_days"] for case in clauses["U1"]["cases"]] == [2]


def test_the_same_store_gives_the_same_bytes(house: House, month: Path, tmp_path: Path) -> None:
    assert house.export(tmp_path / "again.zip").read_bytes() == month.read_bytes()


def test_the_archive_has_no_surprises_in_it(month: Path) -> None:
    assert set(members(month)) == {
        "README.txt", "SHA256SUMS", "calendars/feestdagen.toml", "contract.toml", "ledger.jsonl", "manifest.json",
        "report.json", "rows.jsonl", "samples.jsonl",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["report.json", "contract.toml", "samples.jsonl", "rows.jsonl", "ledger.jsonl"])
def test_a_byte_changed_in_any_file_shows_in_the_checksums(month: Path, name: str) -> None:
    path = forged(month, sums=False, **{name.replace(".", "_"): lambda body: body[:-3] + b" " + body[-2:]})
    assert archive.examine(path)[1] == f"{name}: its SHA-256 is not the one in SHA256SUMS; it was altered"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"report_json": swap('"down": 3600', '"down": 3601')}, "report.json: the ledger knows no issued report"),
        ({"ledger_jsonl": swap("storm", "sturm")}, "ledger.jsonl:1: breaks the chain at entry 1"),
        ({"samples_jsonl": swap('"outcome": "down"', '"outcome": "degraded"')}, "is not the sample that was stored"),
        ({"rows_jsonl": swap('"attempts":1', '"attempts":2')}, "rows.jsonl: The samples of indienen"),
        ({"rows_jsonl": lambda body: body.split(b"\n", 30)[30]}, "rows.jsonl: The samples of indienen"),
        ({"contract_toml": swap('"0.999"', '"0.9"')}, "clauses[B1].verdict: the report states 'missed'"),
        ({"calendars/feestdagen_toml": swap("10-14", "10-05")}, "clauses[B1]"),
        ({"samples_jsonl": lambda body: body.split(b"\n", 300)[300]}, "the report states"),
    ],
    ids=["a figure", "an entry", "a sample", "a row", "rows left out", "the norm", "the calendar", "samples left out"],
)
def test_a_careful_forger_is_found_out_all_the_same(month: Path, changed: dict[str, Any], said: str) -> None:
    wrong = archive.examine(forged(month, **changed))[1]
    assert wrong is not None
    assert said in wrong


def test_a_ledger_chained_anew_no_longer_has_the_head_that_the_manifest_names(month: Path) -> None:
    path = forged(month, ledger_jsonl=rechained(lambda entry: replace(entry, by="Iemand")))
    assert "the manifest was altered" in (archive.examine(path)[1] or "")


def test_a_report_file_that_was_altered_is_not_exported(house: House, tmp_path: Path) -> None:
    altered = tmp_path / "report.json"
    altered.write_bytes(Path(house.issued.files["json"]).read_bytes() + b" ")
    elsewhere = replace(house, issued=replace(house.issued, files={"json": str(altered)}))
    with pytest.raises(archive.ArchiveRefusedError, match="no longer the report that was issued"):
        elsewhere.export(tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


@pytest.fixture(scope="module")
def november(house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the next month's report, which cites October's."""
    folder = tmp_path_factory.mktemp("november")
    ordered = job(house.database, folder / "reports", agreed=house.agreed.contract, period="2026-11")
    issued = write(replace(ordered, now_us=at("2026-12-02 06:00"))).issued
    with house.database.begin() as tx:
        record(tx, issued, by="An")
    return replace(house, issued=issued).export(folder / "out.zip")


def test_the_months_before_are_cited_with_the_reports_they_stand_in(house: House, november: Path) -> None:
    files = members(november)
    assert files["history/R-2026-10-v1.json"] == Path(house.issued.files["json"]).read_bytes()
    (history,) = json.loads(files["report.json"])["report"]["history"]
    october = json.loads(files["history/R-2026-10-v1.json"])["clauses"][0]
    assert Fraction(history["months"][11]["point"]) == Fraction(october["availability"]["point"])
    assert (history["months"][11]["sha256"], history["months"][12]["state"]) == (house.issued.sha256, "not-measured")
    assert archive.examine(november)[1] is None


@pytest.mark.parametrize("change", [swap('"point": "0.', '"point": "1.'), lambda body: body + b" "])
def test_a_cited_report_that_was_altered_is_found_out(november: Path, change: Callable[[bytes], bytes]) -> None:
    wrong = archive.examine(forged(november, **{"history/R-2026-10-v1_json": change}))[1]
    assert wrong is not None
    assert wrong.startswith("report.history[B1].months[11].state: the report states 'reported'")


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04", b"not an archive"])
def test_what_is_no_archive_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(body)
    with pytest.raises(archive.ArchiveRefusedError):
        archive.examine(tmp_path / "x.zip")


def test_the_first_differing_figure_is_named_by_its_place() -> None:
    stated = {"clauses": [{"id": "B1", "seconds": {"up": 10, "down": 2}}]}
    found = {"clauses": [{"id": "B1", "seconds": {"up": 10, "down": 3}}]}
    assert str(first_difference(stated, found)) == (
        "clauses[B1].seconds.down: the report states 2, computing it again gives 3"
    )
    assert first_difference(stated, stated) is None
