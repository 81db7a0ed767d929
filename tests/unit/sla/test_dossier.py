"""The dossier on one outage: no second of it without a class, and every class with the entry that made it so."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sla.dossier import DossierRefused, began_us, entries_about
from sla.ledger import Entry, seal
from sla.rendering import dossier as form
from sla.rendering.cells import csv_bytes
from tests.agreements import at
from tests.dossier_story import EXCLUDED, SANCTIONABLE, dossier, findings

HOUR = 3_600_000_000


@pytest.mark.parametrize("outage", [SANCTIONABLE, EXCLUDED])
def test_the_stretches_of_a_clause_cover_the_outage_without_gap_or_overlap(outage: str) -> None:
    found = dossier(outage)
    for share in found.shares:
        assert share.stretches[0].span.start_us == found.widest.start_us
        assert share.stretches[-1].span.end_us == found.widest.end_us
        assert all(a.span.end_us == b.span.start_us for a, b in pairwise(share.stretches))


@pytest.mark.parametrize("outage", [SANCTIONABLE, EXCLUDED])
def test_what_a_clause_counts_is_what_the_assessment_says(outage: str) -> None:
    found = dossier(outage)
    assert {s.result.clause.id: s.counted_us for s in found.shares if s.counted_us} == found.outage.counted


def test_the_sanction_takes_the_certain_length() -> None:
    """From 10:30, the first failed sample, to 12:40, the last one; observed it lasted to 12:45."""
    [share] = [s for s in dossier().shares if s.result.clause.id == "B1"]
    assert (share.counted_us, share.sanctioned_us) == (HOUR * 9 // 4, HOUR * 13 // 6)


def test_excluded_time_names_the_entry_that_excludes_it() -> None:
    [share] = dossier(EXCLUDED).shares
    assert [(s.counted, s.granted) for s in share.stretches] == [("up", ()), ("excluded", (1,))]


def test_the_ledger_of_a_dossier_holds_what_is_about_it_and_what_answers_that() -> None:
    found = dossier()
    about = {"outage": SANCTIONABLE}
    told = [
        ("acknowledged", about, None), ("acknowledged", {"incident": "1a2b"}, None),
        ("acknowledged", {"outage": "andere"}, None), ("findings-drafted", {"period": "2026-10", **about}, None),
        ("findings-sent", {"findings": "4"}, at("2026-11-10 00:00")),
        ("release", {"version": "2"}, at("2026-10-11 09:00")), ("release", {"version": "1"}, at("2026-10-01 09:00")),
        ("user-report", {}, at("2026-10-12 11:00")),
    ]  # fmt: skip
    ledger = seal(
        Entry(kind=kind, recorded_us=1, by="An", reason="proef", from_us=start, data=data) for kind, data, start in told
    )
    kept = entries_about(ledger, found.outage, found.widest, frozenset({"1a2b"}))
    assert [s.seq for s in kept] == [1, 2, 4, 5, 6, 8]


@pytest.mark.parametrize("text", ["indienen", "indienen-20261312T0830Z", "indienen-20261012T0830"])
def test_what_is_no_id_of_an_outage_is_refused(text: str) -> None:
    with pytest.raises(DossierRefused, match="no id of an outage"):
        began_us(text)


def test_the_id_tells_when_the_outage_began() -> None:
    assert began_us("een-reis-20261012T083005Z-2") == at("2026-10-12 10:30") + 5_000_000


def test_the_table_of_samples_shows_the_changes_and_says_what_it_leaves_out() -> None:
    shown = list(form.rows(dossier().runs))
    assert [row.left_out for row in shown if row.run is None] == [15]
    assert len([row for row in shown if row.run]) + 15 == len(dossier().runs)


def test_the_same_dossier_gives_the_same_bytes() -> None:
    assert form.render(dossier()) == form.render(dossier())
    assert form.render_json(dossier()) == form.render_json(dossier())


def test_a_cell_is_never_calculated() -> None:
    assert csv_bytes(("a", "b"), [("=1+1", -1), ("@x", None)]) == b"a,b\n'=1+1,-1\n'@x,\n"


def test_findings_name_what_is_not_held_against_the_supplier() -> None:
    """One outage outside the service window, and one that was mostly a third party's."""
    assert findings().clause_ids == ("B1",)
    assert [o.id for o in findings().kept_out] == ["indienen-20261017T2000Z", "indienen-20261020T0940Z"]
