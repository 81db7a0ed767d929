"""What proves a failing run is kept for ever, under its own name, and whoever alters it is found out."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace

import pytest
from sqlalchemy import text

from monitor import sealing
from monitor.store import evidence, ledger, samples, seals
from monitor.store.database import Database, StoreRefused
from probes.bundle import BundleDamagedError
from probes.sample import Sample
from tests.bundles import a_picture, proven, seen_in_a_browser
from tests.heart import DAY, a_sample, at

TEN = at("10:00")
AT = ("indienen", "lokaal", TEN)


def keep(database: Database, *kept: Sample) -> None:
    with database.begin() as tx:
        for sample in kept:
            samples.add(tx, sample)


def tampered(database: Database, statement: str, *, table: str = "evidence_bundle", **values: object) -> None:
    """What somebody with the store in his hands can do: take the guard off, and write."""
    with database.begin() as tx:
        if tx.dialect.name == "postgresql":
            tx.execute(text(f"DROP TRIGGER {table}_no_change ON {table}"))
        else:
            tx.execute(text(f"DROP TRIGGER {table}_no_update"))
            tx.execute(text(f"DROP TRIGGER {table}_no_delete"))
        tx.execute(text(statement), values)


def test_a_bundle_is_found_by_its_name_and_by_its_sample(database: Database) -> None:
    sample = proven(a_sample("x", TEN))
    keep(database, sample)
    with database.read() as tx:
        [kept] = evidence.bundles(tx, *AT, TEN + 1)
        assert evidence.bundle(tx, sample.bundles[0].sha256) == kept
        assert evidence.bundle(tx, "0" * 64) is None
        [listed] = evidence.listed(tx, check_id="indienen", limit=9)
        assert (listed.sha256, listed.outcome, listed.blip) == (kept.sha256, "down", False)
        assert evidence.read(tx, *AT) == sample.evidence
        assert tx.execute(text("SELECT count(*) FROM evidence")).scalar() == 0
    assert hashlib.sha256(kept.body).hexdigest() == kept.sha256
    assert kept.told["check"] == "indienen"


def test_the_bundles_of_a_blip_stay_with_its_sample(database: Database) -> None:
    first, second = proven(a_sample("x", TEN), body=b"een"), proven(a_sample("x", TEN), body=b"twee")
    keep(database, replace(second, bundles=first.bundles + second.bundles + first.bundles))
    with database.read() as tx:
        assert [piece.body for piece in evidence.read(tx, *AT)] == ["een", "twee"]


def test_a_bundle_cannot_be_changed_or_removed(database: Database) -> None:
    keep(database, proven(a_sample("x", TEN)))
    for statement in ("UPDATE evidence_bundle SET size = size + 1", "DELETE FROM evidence_bundle"):
        with pytest.raises(StoreRefused, match="append-only"), database.begin() as tx:
            tx.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence_bundle SET content = :other",
        "UPDATE evidence_bundle SET content = :rubbish",
        "UPDATE evidence_bundle SET slot_us = slot_us + 1",
        "DELETE FROM evidence_bundle",
    ],
    ids=["another", "rubbish", "moved", "gone"],
)
def test_a_bundle_that_is_altered_on_a_sealed_day_is_named(database: Database, statement: str) -> None:
    keep(database, a_sample(".", TEN - 60_000_000), proven(a_sample("x", TEN)))
    url, now_us = database.engine.url.render_as_string(hide_password=False), TEN + DAY
    digests = sealing.digests_due(url, now_us)
    with database.begin() as tx:
        sealing.record(tx, digests, now_us=now_us)
        assert sealing.first_difference(tx, tuple(ledger.read(tx))) is None
        assert evidence.first_damaged(tx) is None
    values = {"other": zlib.compress(b"{}"), "rubbish": b"weg"}
    tampered(database, statement, **{name: value for name, value in values.items() if f":{name}" in statement})
    with database.read() as tx:
        found = sealing.first_difference(tx, tuple(ledger.read(tx)))
    assert found is not None
    assert found.day == "2026-11-23"


def test_a_damaged_bundle_is_told_before_its_day_is_sealed_and_never_shown(database: Database) -> None:
    sample = proven(a_sample("x", TEN))
    keep(database, sample)
    tampered(database, "UPDATE evidence_bundle SET content = :other", other=zlib.compress(b"{}"))
    with database.read() as tx:
        assert evidence.first_damaged(tx) == sample.bundles[0].sha256
        with pytest.raises(BundleDamagedError):
            evidence.read(tx, *AT)


def test_the_rows_of_days_without_bundles_are_as_they_were(database: Database) -> None:
    """Digests of before there were bundles must hold."""
    keep(database, a_sample("x", TEN))
    with database.read() as tx:
        [row] = seals.rows(tx, "indienen", "lokaal", TEN, TEN + 1)
    assert b'"evidence":[]' in row
    assert b"bundles" not in row
    assert b"reached" not in row


def test_the_files_that_a_bundle_names_are_found_by_it_and_by_their_names(database: Database) -> None:
    sample = seen_in_a_browser(a_sample("x", TEN))
    keep(database, sample)
    with database.read() as tx:
        [kept] = evidence.bundles(tx, *AT, TEN + 1)
        found = {named.name: content for named, content in evidence.files(tx, kept)}
        assert found == {f"{file.sha256}.{file.form}": file.content for file in sample.bundles[0].files}
        assert {name.partition(".")[2] for name in found} == {"png", "zip"}
        picture = hashlib.sha256(a_picture()).hexdigest()
        assert evidence.file(tx, picture, "png") == a_picture()
        assert (evidence.file(tx, picture, "zip"), evidence.file(tx, "0" * 64, "png")) == (None, None)
        assert evidence.first_damaged_file(tx) is None


def test_a_picture_that_two_runs_took_alike_is_kept_once(database: Database) -> None:
    keep(database, seen_in_a_browser(a_sample("x", TEN)), seen_in_a_browser(a_sample("x", TEN + 60_000_000)))
    with database.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM evidence_bundle")).scalar() == 2
        assert tx.execute(text("SELECT count(*) FROM evidence_file")).scalar() == 2


def test_what_was_kept_since_an_instant_is_counted_each_file_once(database: Database) -> None:
    early, late = seen_in_a_browser(a_sample("x", TEN - DAY)), seen_in_a_browser(a_sample("x", TEN))
    keep(database, early, late)
    size = sum(len(file.content) for file in early.bundles[0].files)
    with database.read() as tx:
        assert evidence.kept_bytes(tx, TEN - DAY) == size
        assert evidence.kept_bytes(tx, TEN) == 0


@pytest.mark.parametrize(
    "statement",
    ["UPDATE evidence_file SET content = :other WHERE form = 'png'", "DELETE FROM evidence_file WHERE form = 'png'"],
    ids=["altered", "gone"],
)
def test_a_file_cannot_be_altered_or_removed_without_being_found_out(database: Database, statement: str) -> None:
    sample = seen_in_a_browser(a_sample("x", TEN))
    keep(database, sample)
    with pytest.raises(StoreRefused, match="append-only"), database.begin() as tx:
        tx.execute(text("DELETE FROM evidence_file"))
    values = {"other": b"weg"} if ":other" in statement else {}
    tampered(database, statement, table="evidence_file", **values)
    with database.read() as tx:
        assert evidence.first_damaged_file(tx) == f"{hashlib.sha256(a_picture()).hexdigest()}.png"
        [kept] = evidence.bundles(tx, *AT, TEN + 1)
        with pytest.raises(BundleDamagedError):
            list(evidence.files(tx, kept))
