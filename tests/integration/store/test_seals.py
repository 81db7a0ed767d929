"""Both engines keep the same canonical rows, so a digest sealed on one holds on a copy in the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monitor import sealing
from monitor.store import ledger, samples
from monitor.store.database import Database
from probes.sample import Evidence
from tests.heart import DAY, a_sample, at
from tests.new_store import new_store

PROOF = Evidence(
    step="verzenden", request="GET /", response_head="HTTP/1.1 500", body="stuk €", body_truncated=True,
    body_sha256=None, addresses=("127.0.0.1",),
)  # fmt: skip


def measured(database: Database) -> None:
    with database.begin() as tx:
        for minute, mark in enumerate("..X?~"):
            sample = replace(a_sample(mark, at("10:00") + minute * 60_000_000), run_id=str(minute))
            samples.add(tx, replace(sample, evidence=(PROOF,)) if mark == "X" else sample)


def test_a_digest_is_the_same_on_every_engine(database: Database, tmp_path: Path) -> None:
    other = new_store(tmp_path / "other.db")
    for one in (database, other):
        measured(one)
    now_us = at("10:00") + DAY
    [here], [there] = (sealing.digests_due(one.engine.url.render_as_string(False), now_us) for one in (database, other))
    assert here.count == 5
    assert here == there
    with database.begin() as tx:
        sealing.record(tx, [here], now_us=now_us)
        assert sealing.record(tx, [there], now_us=now_us) == ()
        assert sealing.first_difference(tx, tuple(ledger.read(tx))) is None
    other.close()
