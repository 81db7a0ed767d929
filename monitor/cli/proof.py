"""`loketwacht verify` and `export evidence`: proof that nobody altered what was recorded, measured and reported."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor import archive, config, timestamping
from monitor.cli.contract import chosen
from monitor.cli.exchange import export, opened
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, say
from monitor.sealing import first_difference, sealed_days, thinned
from monitor.store import evidence, ledger, reports
from monitor.store.database import Database
from monitor.store.days import first_difference as first_misfolded
from sla.ledger import first_broken
from sla.period import instant_text

_DAY = ("check", "location", "day_us")


@export.command(name="evidence")
def export_evidence(
    period: str,
    *,
    contract: str | None = None,
    number: int | None = None,
    output: Annotated[Path | None, Parameter(help="The archive; without it, EVIDENCE-….zip here.")] = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Write what an issued report rests on as one archive: samples, ledger, contract, report, checksums.

    Parameters
    ----------
    period
        Of the report: 2026-10.
    contract
        Which contract; needed only where the configuration names several.
    number
        Which version of the report; the last one without it.
    """
    loaded = config.load(config_path)
    agreed = chosen(loaded, contract)
    with opened(loaded) as database, database.read() as tx:
        issued = reports.read(tx, contract=agreed.contract.contract, period=period)
        wanted = [one for one in issued if number in (None, one.number)]
        if not wanted:
            raise CommandError(
                f"No such report of {period} was issued; draw it up with `loketwacht report {period}`."
                if not issued
                else f"There is no version {number}; there are {', '.join(str(one.number) for one in issued)}."
            )
        path = output or Path(f"EVIDENCE-{period}-v{wanted[-1].number}.zip")
        try:
            archive.write(tx, wanted[-1], agreed, path)
        except archive.ArchiveRefusedError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    if json_:
        answer({"file": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    else:
        say(f"{path}: check it anywhere with `loketwacht verify {path}`.")
    return Exit.FINE


def verify(
    archive_file: Annotated[Path | None, Parameter(name="ARCHIVE")] = None,
    /,
    *,
    config_path: ConfigPath = DEFAULT_CONFIG,
    database: str | None = None,
    tsa_ca: Annotated[Path | None, Parameter(name="--tsa-ca")] = None,
    json_: Json = False,
) -> int:
    """Walk the ledger and the samples it seals, and name the first that was altered, dropped or moved.

    Parameters
    ----------
    archive_file
        An archive of `export evidence`: needs no database, and computes every figure of its report again.
    database
        Check this copy (an SQLAlchemy URL) in place of the configured one.
    tsa_ca
        PEM file of the timestamp authority's certificates; without it, the `ca` of `[timestamp]` where the
        configuration is read. Without either, what is stamped is checked, and not who stamped it.
    """
    if archive_file is not None:
        return _verify_archive(archive_file, _roots(tsa_ca), json_=json_)
    loaded = None if database else config.load(config_path)
    stamping = None if loaded is None else loaded.config.timestamp
    roots = _roots(tsa_ca or (loaded.path(stamping.ca) if loaded and stamping else None))
    url = loaded.database_url if loaded else str(database)
    store = Database.open(url, migrate=False)
    try:
        with store.read() as tx:
            entries = tuple(ledger.read(tx))
            broken = first_broken(entries)
            gone = thinned(entries)
            # Beyond a broken entry the seals prove nothing.
            differs = first_difference(tx, entries) if broken is None else None
            damaged = evidence.first_damaged(tx) if broken is None and differs is None else None
            bad_file = evidence.first_damaged_file(tx) if broken is None and differs is None and not damaged else None
            misfolded = first_misfolded(tx, but=gone) if broken is None and differs is None else None
    finally:
        store.close()
    bad_stamp = timestamping.first_bad(entries, roots) if broken is None else None
    head = entries[-1].hash if entries else ""
    days = len(sealed_days(entries))
    if json_:
        first = None if differs is None else {"entry": differs.seq, "day": differs.day, "samples": differs.samples}
        answer(
            {
                "entries": len(entries),
                "head": head,
                "timestamps": timestamping.count(entries),
                "timestamps_trusted": roots is not None,
                "first_bad_timestamp": bad_stamp.seq if bad_stamp else None,
                "first_broken": broken.seq if broken else None,
                "sealed_days": days,
                "samples_removed": sum(gone.values()),
                "days_with_samples_removed": len(gone),
                "first_difference": first,
                "first_damaged_bundle": damaged,
                "first_damaged_file": bad_file,
                "first_misfolded": None if misfolded is None else dict(zip(_DAY, misfolded, strict=True)),
            }
        )
    if broken is not None:
        say(
            f"The ledger does not hold from entry {broken.seq} ({broken.entry.kind}): "
            "it was altered or moved, or one before it was dropped."
        )
        return Exit.BAD_NEWS
    if bad_stamp is not None:
        say(str(bad_stamp))
        return Exit.BAD_NEWS
    if differs is not None:
        say(str(differs))
        return Exit.BAD_NEWS
    if damaged is not None:
        say(f"Bundle {damaged} is no longer what was kept of a failing run: its bytes are not those of its name.")
        return Exit.BAD_NEWS
    if bad_file is not None:
        say(f"File {bad_file} is gone or no longer what was kept of a failing run, and a bundle names it.")
        return Exit.BAD_NEWS
    if misfolded is not None:
        check, location, day_us = misfolded
        say(
            f"The folded day {instant_text(day_us)[:10]} (UTC) of {check} {location} is not what its samples say. "
            "The samples hold; fold the days anew with `loketwacht db rebuild-days`."
        )
        return Exit.BAD_NEWS
    say(f"The ledger holds: {len(entries)} entries, head {head or 'none yet'}; the samples of {days} sealed days too.")
    if gone:
        say(
            f"Of {len(gone)} of these days {sum(gone.values())} good "
            f"samples were removed after their term, as the ledger tells."
        )
    _say_stamps(timestamping.count(entries), roots)
    return Exit.FINE


def _roots(path: Path | None) -> timestamping.Roots | None:
    try:
        return None if path is None else timestamping.read_roots(path)
    except timestamping.TimestampError as error:
        raise CommandError(f"{error}.", Exit.CONFIG) from error


def _say_stamps(count: int, roots: timestamping.Roots | None) -> None:
    if count and roots is not None:
        say(f"{count} timestamps hold, and the trusted authority signed them.")
    elif count:
        say(f"{count} timestamps are of the right heads; who signed them was not checked: give --tsa-ca.")


def _verify_archive(path: Path, roots: timestamping.Roots | None, *, json_: bool) -> int:
    try:
        manifest, wrong = archive.examine(path, roots=roots)
    except archive.ArchiveRefusedError as error:
        raise CommandError(str(error), Exit.CONFIG) from error
    if json_:
        answer({"manifest": manifest, "first_difference": wrong})
    if wrong is not None:
        say(f"{path} does not hold. {wrong}")
        return Exit.BAD_NEWS
    say(
        f"{path} holds: every figure of report {manifest['report']} on {manifest['contract']} comes out again; "
        f"ledger head {manifest['ledger_head']}."
    )
    _say_stamps(int(manifest.get("timestamps", 0)), roots)
    return Exit.FINE
