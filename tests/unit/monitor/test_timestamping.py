"""Timestamps of the ledger's head: asked for after a seal, checked before they are kept, and held against the chain."""

from __future__ import annotations

import asyncio
import base64
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor import outbound, sealing, timestamping
from monitor.store import ledger
from sla.ledger import Entry, Sealed, seal
from tests.new_store import new_store
from tests.timestamp_authority import Authority, authority, certificates

SEALED = Entry(kind=sealing.KIND, recorded_us=1, by="loketwacht", reason="metingen van een dag")
REMARK = Entry(kind="maintenance", recorded_us=2, by="An", reason="werken", from_us=5, until_us=6)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa")) as found:
        yield found


def stamped(tsa: Authority, *entries: Entry) -> tuple[Sealed, ...]:
    """These entries, and a timestamp of the last one behind them."""
    before = seal(entries)
    stamp = asyncio.run(
        timestamping.ask(before[-1], url=tsa.url, roots=timestamping.read_roots(tsa.ca), timeout_us=60_000_000)
    )
    return (*before, *seal([stamp.to_record(9)], after=before[-1]))


def forged(entries: tuple[Sealed, ...], **data: str) -> tuple[Sealed, ...]:
    """The same with other data in the timestamp, and a chain that holds all the same."""
    last = entries[-1].entry
    return (*entries[:-1], *seal([replace(last, data={**last.data, **data})], after=entries[-2]))


def test_a_timestamp_of_the_head_holds(tsa: Authority) -> None:
    assert timestamping.first_bad(stamped(tsa, SEALED, REMARK), timestamping.read_roots(tsa.ca)) is None


def test_openssl_alone_can_check_it(tsa: Authority, tmp_path: Path) -> None:
    data = stamped(tsa, SEALED)[-1].entry.data
    (tmp_path / "head.txt").write_text(data["head"])
    (tmp_path / "token.tsr").write_bytes(base64.b64decode(data["token"]))
    command = ["openssl", "ts", "-verify", "-data", "head.txt", "-in", "token.tsr", "-CAfile", str(tsa.ca)]
    assert (
        "Verification: OK" in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    )


def test_only_a_digest_leaves_the_machine(tsa: Authority) -> None:
    tsa.asked.clear()
    stamped(tsa, SEALED, REMARK)
    assert len(tsa.asked) == 1
    assert len(tsa.asked[0]) < 90


def test_a_token_moved_to_another_entry_is_named(tsa: Authority) -> None:
    found = stamped(tsa, SEALED, REMARK)
    moved = forged(found, entry="1", head=found[0].hash)
    bad = timestamping.first_bad(moved, None)
    assert bad is not None
    assert (bad.seq, "is not of the head" in bad.text) == (3, True)


def test_a_head_that_the_entry_does_not_have_is_named(tsa: Authority) -> None:
    bad = timestamping.first_bad(forged(stamped(tsa, SEALED, REMARK), entry="1"), None)
    assert str(bad).startswith("The timestamp in entry 3 does not hold: entry 1 of the ledger does not have the head")


def test_a_stated_time_that_is_not_the_tokens_is_named(tsa: Authority) -> None:
    bad = timestamping.first_bad(forged(stamped(tsa, SEALED), time="2020-01-01T00:00:00Z"), None)
    assert bad is not None
    assert bad.text.startswith("it says 2020-01-01T00:00:00Z")


def test_one_flipped_byte_of_the_signature_is_found(tsa: Authority) -> None:
    found = stamped(tsa, SEALED)
    token = bytearray(base64.b64decode(found[-1].entry.data["token"]))
    token[-5] ^= 1
    broken = forged(found, token=base64.b64encode(bytes(token)).decode())
    assert timestamping.first_bad(broken, timestamping.read_roots(tsa.ca)) is not None


def test_another_authority_is_not_trusted(tsa: Authority, tmp_path: Path) -> None:
    bad = timestamping.first_bad(stamped(tsa, SEALED), timestamping.read_roots(certificates(tmp_path)))
    assert bad is not None
    assert "not of the trusted authority" in bad.text


def test_an_authority_that_is_down_is_told(tsa: Authority) -> None:
    tsa.down = True
    try:
        with pytest.raises(timestamping.TimestampError, match="status 503"):
            stamped(tsa, SEALED)
    finally:
        tsa.down = False


def test_nobody_listening_is_told() -> None:
    with pytest.raises(outbound.OutboundError, match="cannot be reached"):
        asyncio.run(outbound.post("http://127.0.0.1:1/", b"", headers={}, timeout_us=5_000_000))


def test_too_large_an_answer_is_not_read(tsa: Authority) -> None:
    with pytest.raises(outbound.OutboundError, match="more than 10 bytes"):
        asyncio.run(outbound.post(tsa.url, b"x", headers={}, timeout_us=60_000_000, most_bytes=10))


def test_a_head_is_due_once_after_each_seal(tsa: Authority, tmp_path: Path) -> None:
    database = new_store(tmp_path / "ledger.db")
    with database.begin() as tx:
        ledger.append(tx, REMARK)
        assert timestamping.head_due(tx) is None
        ledger.append(tx, SEALED)
        due = timestamping.head_due(tx)
        assert due is not None
        stamp = asyncio.run(
            timestamping.ask(due, url=tsa.url, roots=timestamping.read_roots(tsa.ca), timeout_us=60_000_000)
        )
        assert timestamping.record(tx, stamp, now_us=9) is not None
        assert timestamping.head_due(tx) is None
        assert timestamping.record(tx, stamp, now_us=9) is None
        ledger.append(tx, SEALED)
        assert timestamping.head_due(tx) is not None
    database.close()
