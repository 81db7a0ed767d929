"""A period's evidence as one archive, and the examination that needs nothing else: no database, no configuration."""

from __future__ import annotations

import hashlib
import json
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from monitor.assessing import stored_samples
from monitor.config import LoadedContract
from monitor.exchange import ledger_lines
from monitor.sealing import DAY_US, compared, digest_of, sealed_days
from monitor.store import evidence, ledger, reports, seals
from monitor.store.database import Transaction
from monitor.store.reports import Issued
from monitor.timestamping import Roots, count, first_bad
from probes.bundle import BundleDamagedError, files_named
from sla.assess import journeys_needed
from sla.contract import Contract, parse_contract
from sla.history import State
from sla.interchange import Measurements, read_ledger, read_measurements, sample_json
from sla.ledger import Sealed
from sla.period import parse_instant, parse_period
from sla.plan import data_span
from sla.recompute import first_difference, redrawn

SUMS, REPORT, PREVIOUS, LEDGER, SAMPLES, ROWS, CONTRACT, MANIFEST, GUIDE = (
    "SHA256SUMS", "report.json", "previous.json", "ledger.jsonl", "samples.jsonl", "rows.jsonl", "contract.toml",
    "manifest.json", "README.txt",
)  # fmt: skip
EARLIER, BUNDLES = "history/", "bundles/"
_GUIDE = """\
Bewijs bij een SLA-rapport / Evidence of an SLA report

NL  Controleer dit archief met `loketwacht verify ARCHIEF.zip`; daar is geen databank voor nodig. Het rekent het rapport
    na uit de metingen, het register en het contract, en noemt de eerste waarde die afwijkt.
EN  Check this archive with `loketwacht verify ARCHIVE.zip`; it needs no database. It computes the report again from the
    samples, the ledger and the contract, and names the first figure that differs.

report.json    het rapport / the report
previous.json  het rapport dat het vervangt, waar er een is / the report it replaces, where there is one
history/       de rapporten van de maanden ervoor die het aanhaalt / the reports it cites of the months before
contract.toml  het contract, met zijn kalender / the contract, with its calendar
ledger.jsonl   het register, met zijn keten / the ledger, with its chain
samples.jsonl  de metingen waarop het rapport berust / the samples the report rests on
rows.jsonl     dezelfde metingen zoals ze per dag verzegeld werden / the same samples as they were sealed day by day
bundles/       het bewijs bij de mislukte metingen, naar SHA-256 / the evidence of failing runs, by SHA-256
               .png, .zip: schermbeeld en spoor van een browser / picture and trace of a browser
manifest.json  wat bij elkaar hoort / what belongs together
SHA256SUMS     controlegetallen: sha256sum -c SHA256SUMS / checksums
"""


class ArchiveRefusedError(Exception):
    """There is no archive to write, or what was given is none; the message says why and how to mend it."""


# -- writing -----------------------------------------------------------------------------------------------------------


def write(tx: Transaction, issued: Issued, loaded: LoadedContract, path: Path) -> None:
    """Write the evidence of an issued report. The same store and the same report give the same bytes.

    Raises:
        ArchiveRefusedError: the report's file is gone or no longer the one that was issued.
        OSError: the archive cannot be written.
    """
    report = _issued_bytes(issued)
    stated = json.loads(report)
    before = _previous_bytes(tx, issued, stated)
    contract, entries = loaded.contract, tuple(ledger.read(tx))
    period = parse_period(issued.period, contract.timezone)
    until_us = parse_instant(stated["report"]["data_until"])
    known = _up_to(entries, issued.ledger_head) or ()
    days, checks = _reach(contract, issued.period, stated["report"]["data_until"], known)
    manifest = {
        "format": 1,
        "contract": issued.contract,
        "contract_sha256": loaded.sha256,
        "period": issued.period,
        "report": stated["report"]["number"],
        "report_sha256": issued.sha256,
        "config_sha256": stated["report"]["config_sha256"],
        "software": stated["report"]["software"],
        "ledger_head": entries[-1].hash if entries else "",
        "ledger_entries": len(entries),
        "timestamps": count(entries),
    }
    measured = (sample_json(s) for s in stored_samples(tx, contract, period, known, until_us=until_us))
    beside = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as into:
            sums = {
                **{name: _member(into, name, [body]) for name, body in _contract_files(loaded)},
                **{name: _member(into, name, [body]) for name, body in _earlier_files(tx, issued, stated)},
                LEDGER: _member(into, LEDGER, _json_lines(ledger_lines(entries))),
                MANIFEST: _member(into, MANIFEST, [(json.dumps(manifest, indent=1) + "\n").encode()]),
                GUIDE: _member(into, GUIDE, [_GUIDE.encode()]),
                REPORT: _member(into, REPORT, [report]),
                **({} if before is None else {PREVIOUS: _member(into, PREVIOUS, [before])}),
                SAMPLES: _member(into, SAMPLES, _json_lines(measured)),
                ROWS: _member(into, ROWS, _rows(tx, checks, days)),
                **{name: _member(into, name, [body]) for name, body in _bundle_files(tx, checks, days)},
            }
            _member(into, SUMS, ["".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()])
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _issued_bytes(issued: Issued) -> bytes:
    try:
        body = Path(issued.files["json"]).read_bytes()
    except OSError as error:
        raise ArchiveRefusedError(f"{issued.files['json']} cannot be read: {error.strerror}; restore it.") from error
    if hashlib.sha256(body).hexdigest() != issued.sha256:
        raise ArchiveRefusedError(f"{issued.files['json']} is no longer the report that was issued; restore it.")
    return body


def _previous_bytes(tx: Transaction, issued: Issued, stated: dict[str, Any]) -> bytes | None:
    """The report that this one restates, which its changes are computed from; None where they were without it."""
    changes = stated["report"]["changes"]
    if changes is None or changes["previous"]["recomputed"]:
        return None
    several = reports.read(tx, contract=issued.contract, period=issued.period)
    return _issued_bytes(next(one for one in several if one.number == issued.number - 1))


def _earlier_files(tx: Transaction, issued: Issued, stated: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The reports that its history takes figures from."""
    told = (month for clause in stated["report"].get("history", ()) for month in clause["months"])
    cited = {m["sha256"]: m["report"] for m in told if m["sha256"] is not None and m["state"] != State.UNAVAILABLE}
    if not cited:
        return
    known = {one.sha256: one for one in reports.read(tx, contract=issued.contract)}
    for sha256, number in sorted(cited.items(), key=lambda item: item[1]):
        if sha256 not in known:
            raise ArchiveRefusedError(f"the store has no report {number} any more, which the report cites; restore it.")
        yield f"{EARLIER}{number}.json", _issued_bytes(known[sha256])


def _contract_files(loaded: LoadedContract) -> Iterator[tuple[str, bytes]]:
    """The contract and the calendars it names, under their own names beside it."""
    body = loaded.path.read_bytes()
    yield CONTRACT, body
    versions = tomllib.loads(body.decode(), parse_float=Decimal).get("version", [])
    for name in sorted({str(one["holidays_file"]) for one in versions if "holidays_file" in one}):
        yield f"calendars/{PurePosixPath(name).name}", (loaded.path.parent / name).read_bytes()


def _json_lines(records: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    return ((json.dumps(record, ensure_ascii=False) + "\n").encode() for record in records)


def _reach(contract: Contract, period: str, data_until: str, known: Sequence[Sealed]) -> tuple[range, frozenset[str]]:
    """The starts of the days of UTC, and the checks, that a report on the period rests on."""
    needed = data_span(contract, parse_period(period, contract.timezone))
    end_us = min(needed.end_us, parse_instant(data_until))
    days = range(needed.start_us - needed.start_us % DAY_US, end_us + -end_us % DAY_US, DAY_US)
    return days, frozenset(journeys_needed(contract, known))


def _rows(tx: Transaction, checks: frozenset[str], days: range) -> Iterator[bytes]:
    """Whole days of UTC, as they are sealed."""
    for check, location in seals.sets(tx):
        if check in checks:
            yield from (row + b"\n" for row in seals.rows(tx, check, location, days.start, days.stop))


def _bundle_files(tx: Transaction, checks: frozenset[str], days: range) -> Iterator[tuple[str, bytes]]:
    """What proves the failing runs of these days, under the names that the rows give them, and the files they name."""
    written: set[str] = set()  # what several runs share is there once
    try:
        for check, location in seals.sets(tx):
            if check in checks:
                for kept in evidence.bundles(tx, check, location, days.start, days.stop):
                    yield f"{BUNDLES}{kept.sha256}.json", kept.body
                    for named, content in evidence.files(tx, kept):
                        if named.name not in written:
                            written.add(named.name)
                            yield f"{BUNDLES}{named.name}", content
    except BundleDamagedError as error:
        raise ArchiveRefusedError(f"{error}; see what `loketwacht verify` says, and restore a copy.") from error


def _member(into: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> str:
    """Write one file of the archive piece by piece, and give its SHA-256. Its date says nothing, and is always one."""
    about = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    about.compress_type, about.create_system, about.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
    digest = hashlib.sha256()
    with into.open(about, "w", force_zip64=True) as file:
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


# -- examining ---------------------------------------------------------------------------------------------------------


def examine(path: Path, *, roots: Roots | None = None) -> tuple[dict[str, Any], str | None]:
    """Check an archive: its checksums, the ledger's chain, the seals, and every figure of the report.

    Args:
        roots: of the timestamp authority; None checks of timestamps only what they stamp.

    Returns:
        Its manifest, and what first differs, in a sentence; None where everything is as it should be.

    Raises:
        ArchiveRefusedError: this is no archive of ours at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            return manifest, _first_wrong(archive, manifest, roots)
    except OSError as error:
        raise ArchiveRefusedError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise ArchiveRefusedError(
            f"{path} is no archive of evidence ({error}); write one with `loketwacht export evidence`."
        ) from error


def _first_wrong(archive: zipfile.ZipFile, manifest: dict[str, Any], roots: Roots | None) -> str | None:
    if (wrong := _wrong_sum(archive)) is not None:
        return wrong
    read = read_ledger(_text_lines(archive, LEDGER), LEDGER)
    if read.problems:
        return str(read.problems[0])
    if (read.entries[-1].hash if read.entries else "") != manifest["ledger_head"]:
        return f"{LEDGER}: entries are missing at its end, or the manifest was altered"
    if (bad := first_bad(read.entries, roots)) is not None:
        return f"{LEDGER}: {bad}"
    body = archive.read(REPORT)
    stated = json.loads(body)
    if not _issued_by(read.entries, stated, hashlib.sha256(body).hexdigest()):
        return f"{REPORT}: the ledger knows no issued report {stated['report']['number']} with this content"
    known = _up_to(read.entries, stated["ledger_head"] or "")
    if known is None:
        return f"{LEDGER}: has no entry with the head that the report names, {stated['ledger_head']}"
    try:
        contract = _contract(archive)
    except (ValidationError, tomllib.TOMLDecodeError, KeyError) as error:
        return f"{CONTRACT}: is no contract any more ({error})"
    if contract.contract != stated["contract"]:
        return f"{CONTRACT}: is contract {contract.contract}, the report is on {stated['contract']}"
    measured = read_measurements(_text_lines(archive, SAMPLES), SAMPLES)
    if measured.problems:
        return str(measured.problems[0])
    days, checks = _reach(contract, manifest["period"], stated["report"]["data_until"], known)
    if (wrong := _wrong_seal(archive, read.entries, measured, days=days, checks=checks)) is not None:
        return wrong
    if (wrong := _wrong_bundle(archive)) is not None:
        return wrong
    before, wrong = _before(archive, stated, read.entries)
    if wrong is not None:
        return wrong
    try:
        found = first_difference(
            stated, redrawn(stated, contract, measured.samples, known, before=before, earlier=_earlier(archive))
        )
    except ValueError as error:
        return f"{REPORT}: cannot be computed again ({error})"
    return None if found is None else str(found)


def _before(
    archive: zipfile.ZipFile, stated: dict[str, Any], entries: Iterable[Sealed]
) -> tuple[dict[str, Any] | None, str | None]:
    """The report that this one restates, where its changes rest on it, and what is wrong with it."""
    changes = stated["report"]["changes"]
    if changes is None or changes["previous"]["recomputed"]:
        return None, None
    if PREVIOUS not in archive.namelist():
        return None, f"{PREVIOUS}: is not there, and the report's changes are computed from it"
    body = archive.read(PREVIOUS)
    before = json.loads(body)
    sha256 = hashlib.sha256(body).hexdigest()
    if sha256 != changes["previous"]["sha256"] or not _issued_by(entries, before, sha256):
        return None, f"{PREVIOUS}: is not the report {changes['previous']['number']} that was issued"
    return before, None


def _earlier(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """The reports of the months before by their SHA-256: which of them count, the ledger alone says."""
    bodies = (archive.read(name) for name in archive.namelist() if name.startswith(EARLIER))
    return {hashlib.sha256(body).hexdigest(): json.loads(body) for body in bodies}


def _wrong_sum(archive: zipfile.ZipFile) -> str | None:
    split = (line.partition("  ") for line in archive.read(SUMS).decode().splitlines())
    listed = {name: digest for digest, _, name in split}
    there = archive.namelist()
    if sorted(there) != sorted({*listed, SUMS}):
        odd = sorted({*listed, SUMS} ^ set(there)) or ["a file twice"]
        return f"{SUMS}: the archive and the list of its files differ in {odd[0]}"
    for name, digest in sorted(listed.items()):
        found = hashlib.sha256()
        with archive.open(name) as file:
            while piece := file.read(1 << 20):
                found.update(piece)
        if found.hexdigest() != digest:
            return f"{name}: its SHA-256 is not the one in {SUMS}; it was altered"
    return None


def _issued_by(entries: Iterable[Sealed], stated: dict[str, Any], sha256: str) -> bool:
    return any(
        one.entry.kind == "report"
        and one.entry.data.get("sha256") == sha256
        and one.entry.data.get("contract") == stated["contract"]
        for one in entries
    )


def _up_to(entries: tuple[Sealed, ...], head: str) -> tuple[Sealed, ...] | None:
    """The entries up to that head; none for an empty one, None where the head is not there."""
    if not head:
        return ()
    return next((entries[: place + 1] for place, one in enumerate(entries) if one.hash == head), None)


def _contract(archive: zipfile.ZipFile) -> Contract:
    def holidays(name: str) -> list[date]:
        body = archive.read(f"calendars/{PurePosixPath(name).name}").decode()
        found: list[date] = tomllib.loads(body)["holidays"]
        return found

    return parse_contract(tomllib.loads(archive.read(CONTRACT).decode(), parse_float=Decimal), read_holidays=holidays)


def _wrong_seal(
    archive: zipfile.ZipFile,
    entries: Iterable[Sealed],
    measured: Measurements,
    *,
    days: range,
    checks: frozenset[str],
) -> str | None:
    """Where the rows are not those that were sealed, or the samples not those of the rows."""
    by_day: defaultdict[int, defaultdict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    facts: dict[tuple[str, str, int], tuple[object, ...]] = {}
    with archive.open(ROWS) as file:
        for line in file:
            row = json.loads(line)
            slot_us = int(row["slot_us"])
            name = f"{row['check_id']} {row['location']}"
            by_day[slot_us - slot_us % DAY_US][name].append(line.rstrip(b"\n"))
            if "outcome" in row:
                key = (row["check_id"], row["location"], slot_us)
                facts[key] = (row["outcome"], row["duration_us"], row["attempts"], row["failure_kind"] or "")
    sealed = sealed_days(entries)
    for start_us in days:
        if (seal := sealed.get(start_us)) is None:
            continue
        if (differs := compared(seal, digest_of(start_us, by_day[start_us]), checks=checks)) is not None:
            return f"{ROWS}: {differs}"
    for sample, line_number in zip(measured.samples, measured.sample_lines, strict=True):
        row_facts = facts.get((sample.journey, sample.location, sample.due_us))
        if row_facts != (sample.outcome, sample.duration_us, sample.attempts, sample.failure):
            return f"{SAMPLES}:{line_number}: is not the sample that was stored, {row_facts or 'there was none'}"
    return None


def _wrong_bundle(archive: zipfile.ZipFile) -> str | None:
    """Where a bundle is not the one that a row names, or one is missing or too many."""
    named: dict[str, dict[str, Any]] = {}
    with archive.open(ROWS) as file:
        for line in file:
            row = json.loads(line)
            named |= {f"{BUNDLES}{sha256}.json": row for sha256 in row.get("bundles", ())}
    there = {name for name in archive.namelist() if name.startswith(BUNDLES)}
    for name in sorted(named.keys() - there):
        return f"{name}: is not there, and a sample names it"
    files: set[str] = set()
    for name, row in sorted(named.items()):
        body = archive.read(name)
        if not _is_named_so(name, body):
            return f"{name}: its content is not what its name says; it was altered"
        told = json.loads(body)
        files |= {f"{BUNDLES}{one.name}" for one in files_named(told)}
        about = (told["check"], told["location"], parse_instant(told["due"]))
        if about != (row["check_id"], row["location"], row["slot_us"]):
            return f"{name}: is the evidence of another sample"
    for name in sorted(files - there):
        return f"{name}: is not there, and a bundle names it"
    for name in sorted(files):
        if not _is_named_so(name, archive.read(name)):
            return f"{name}: its content is not what its name says; it was altered"
    for name in sorted(there - named.keys() - files):
        return f"{name}: belongs to no sample"
    return None


def _is_named_so(name: str, content: bytes) -> bool:
    return PurePosixPath(name).stem == hashlib.sha256(content).hexdigest()


def _text_lines(archive: zipfile.ZipFile, name: str) -> list[str]:
    return archive.read(name).decode().splitlines()
