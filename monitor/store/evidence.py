"""What proves a failing sample: bounded and redacted before it came here; kept as text, never to be rendered live.

A run that failed has one bundle, kept compressed under the SHA-256 of its bytes; its pieces of evidence are read from
there. A browser's bundle names files, kept beside it under the SHA-256 of theirs. Samples of before there were bundles,
and samples without one, have their pieces in a table of their own.
Nothing here is ever removed.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

from sqlalchemy import and_, func, insert, select

from monitor.store.database import Transaction
from monitor.store.rows import storable, text_of
from monitor.store.tables import evidence, evidence_bundle, evidence_file, sample_detail
from monitor.store.tables import sample as narrow
from probes.bundle import BundleDamagedError, FileNamed, evidence_of, files_named, files_named_in, unpacked
from probes.sample import Evidence, ProofFile, Sample


class Kept(NamedTuple):
    """A stored bundle; `body` are its canonical bytes, whose SHA-256 is its name."""

    sha256: str
    check_id: str
    location: str
    slot_us: int
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """What it tells; see docs/evidence.md."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def add(tx: Transaction, sample: Sample) -> None:
    """Store the evidence a sample carries. `samples.add` does this; nobody else needs to."""
    key = {"check_id": sample.check_id, "location": sample.location, "slot_us": sample.slot_us}
    # Two runs of simulated time may be alike to the byte; they are then one.
    bundles = {bundle.sha256: bundle for bundle in sample.bundles}
    for position, bundle in enumerate(bundles.values()):
        row = {"sha256": bundle.sha256, "position": position, "size": bundle.size, "content": bundle.packed}
        tx.execute(insert(evidence_bundle), key | row)
        for file in bundle.files:
            _keep(tx, file, sample.started_us + sample.duration_us)
    if bundles:
        return
    rows = [
        key
        | {
            "position": position,
            "step": kept.step,
            "request": storable(kept.request),
            "response_head": storable(kept.response_head),
            "body": storable(kept.body),
            "body_truncated": kept.body_truncated,
            "body_sha256": kept.body_sha256,
            "addresses": text_of(list(kept.addresses)),
        }
        for position, kept in enumerate(sample.evidence)
    ]
    if rows:
        tx.execute(insert(evidence), rows)


def kept_bytes(tx: Transaction, from_us: int) -> int:
    """How many bytes of pictures and traces were kept since an instant."""
    query = select(func.coalesce(func.sum(evidence_file.c.size), 0)).where(evidence_file.c.kept_us >= from_us)
    return int(tx.execute(query).scalar_one())


def _keep(tx: Transaction, file: ProofFile, kept_us: int) -> None:
    # Two runs may have seen the same to the byte; what they share is kept once.
    there = select(evidence_file.c.sha256).where(evidence_file.c.sha256 == file.sha256)
    if tx.execute(there).first() is None:
        row = {
            "sha256": file.sha256,
            "form": file.form,
            "size": len(file.content),
            "content": file.content,
            "kept_us": kept_us,
        }
        tx.execute(insert(evidence_file), row)


def read(tx: Transaction, check_id: str, location: str, slot_us: int) -> tuple[Evidence, ...]:
    """The pieces of evidence of one sample, in the order they were captured; empty where there are none.

    Raises:
        BundleDamagedError: what was kept is damaged.
    """
    query = (
        select(evidence)
        .where(evidence.c.check_id == check_id, evidence.c.location == location, evidence.c.slot_us == slot_us)
        .order_by(evidence.c.position)
    )
    rows = tuple(
        Evidence(
            step=row.step,
            request=row.request,
            response_head=row.response_head,
            body=row.body,
            body_truncated=row.body_truncated,
            body_sha256=row.body_sha256,
            addresses=tuple(json.loads(row.addresses)),
        )
        for row in tx.execute(query)
    )
    return rows + tuple(
        piece for kept in bundles(tx, check_id, location, slot_us, slot_us + 1) for piece in evidence_of(kept.told)
    )


def bundles(tx: Transaction, check_id: str, location: str, start_us: int, end_us: int) -> Iterator[Kept]:
    """The bundles of the samples of a check due in [start, end), oldest first.

    Raises:
        BundleDamagedError: one of them is damaged.
    """
    table = evidence_bundle
    query = (
        select(table)
        .where(
            table.c.check_id == check_id,
            table.c.location == location,
            table.c.slot_us >= start_us,
            table.c.slot_us < end_us,
        )
        .order_by(table.c.slot_us, table.c.position)
        .execution_options(yield_per=100)
    )
    with closing(tx.execute(query)) as rows:
        for row in rows:
            yield Kept(row.sha256, row.check_id, row.location, row.slot_us, _body(row.sha256, row.content))


def bundle(tx: Transaction, sha256: str) -> Kept | None:
    """The bundle of that name; None where there is none.

    Raises:
        BundleDamagedError: it is damaged.
    """
    row = tx.execute(select(evidence_bundle).where(evidence_bundle.c.sha256 == sha256)).first()
    if row is None:
        return None
    return Kept(row.sha256, row.check_id, row.location, row.slot_us, _body(row.sha256, row.content))


def file(tx: Transaction, sha256: str, form: str) -> bytes | None:
    """The file of that name and form; None where there is none.

    Raises:
        BundleDamagedError: it is damaged.
    """
    row = tx.execute(
        select(evidence_file.c.content).where(evidence_file.c.sha256 == sha256, evidence_file.c.form == form)
    ).first()
    if row is None:
        return None
    content = bytes(row.content)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BundleDamagedError(f"file {sha256}.{form} is not what was kept")
    return content


def files(tx: Transaction, kept: Kept) -> Iterator[tuple[FileNamed, bytes]]:
    """The files that a bundle names, in its order.

    Raises:
        BundleDamagedError: one of them is damaged, or gone.
    """
    for named in files_named(kept.told):
        content = file(tx, named.sha256, named.form)
        if content is None:
            raise BundleDamagedError(f"file {named.name} is gone, and a bundle names it")
        yield named, content


class Listed(NamedTuple):
    """A bundle without its content; `size` in bytes before it was compressed."""

    sha256: str
    check_id: str
    location: str
    slot_us: int
    size: int
    outcome: str
    blip: bool


def listed(tx: Transaction, *, check_id: str | None = None, limit: int) -> tuple[Listed, ...]:
    """The newest bundles with what became of their samples, newest first; of one check where it is named."""
    table = evidence_bundle
    same = [table.c[name] == narrow.c[name] for name in ("check_id", "location", "slot_us")]
    beside = [table.c[name] == sample_detail.c[name] for name in ("check_id", "location", "slot_us")]
    query = (
        select(
            table.c.sha256, table.c.check_id, table.c.location, table.c.slot_us, table.c.size,
            narrow.c.outcome, sample_detail.c.blip.is_not(None),
        )
        .join(narrow, and_(*same))
        .join(sample_detail, and_(*beside))
        .order_by(table.c.slot_us.desc(), table.c.sha256)
        .limit(limit)
    )  # fmt: skip
    if check_id is not None:
        query = query.where(table.c.check_id == check_id)
    return tuple(Listed._make(row) for row in tx.execute(query))


def names(tx: Transaction, check_id: str, location: str, start_us: int, end_us: int) -> dict[int, list[str]]:
    """The names of the bundles of the samples due in [start, end), by slot, each made anew from its bytes.

    A damaged one is named by what is there, which is not its name.
    """
    table = evidence_bundle
    query = (
        select(table.c.slot_us, table.c.sha256, table.c.content)
        .where(
            table.c.check_id == check_id,
            table.c.location == location,
            table.c.slot_us >= start_us,
            table.c.slot_us < end_us,
        )
        .order_by(table.c.slot_us, table.c.position)
        .execution_options(yield_per=100)
    )
    found: defaultdict[int, list[str]] = defaultdict(list)
    for row in tx.execute(query):
        found[row.slot_us].append(_name(row.content))
    return dict(found)


def first_damaged(tx: Transaction) -> str | None:
    """The name of the first bundle whose bytes are not those it is named by, also on days that are not sealed yet."""
    query = (
        select(evidence_bundle.c.sha256, evidence_bundle.c.content)
        .order_by(evidence_bundle.c.slot_us, evidence_bundle.c.sha256)
        .execution_options(yield_per=100)
    )
    with closing(tx.execute(query)) as rows:
        return next((str(row.sha256) for row in rows if _name(row.content) != row.sha256), None)


def first_damaged_file(tx: Transaction) -> str | None:
    """The name of the first file whose bytes are not those it is named by, or that a bundle names and is not there."""
    query = select(evidence_file).order_by(evidence_file.c.sha256).execution_options(yield_per=20)
    there: set[str] = set()
    with closing(tx.execute(query)) as rows:
        for row in rows:
            name = f"{row.sha256}.{row.form}"
            if hashlib.sha256(row.content).hexdigest() != row.sha256:
                return name
            there.add(name)
    whole = select(evidence_bundle.c.content).order_by(evidence_bundle.c.slot_us).execution_options(yield_per=100)
    with closing(tx.execute(whole)) as rows:
        for row in rows:
            for named in files_named_in(unpacked(row.content)):
                if named.name not in there:
                    return named.name
    return None


def _name(content: bytes) -> str:
    try:
        return hashlib.sha256(unpacked(content)).hexdigest()
    except BundleDamagedError:
        return "damaged " + hashlib.sha256(content).hexdigest()


def _body(sha256: str, content: bytes) -> bytes:
    body = unpacked(content)
    if hashlib.sha256(body).hexdigest() != sha256:
        raise BundleDamagedError(f"bundle {sha256} is not what was kept")
    return body
