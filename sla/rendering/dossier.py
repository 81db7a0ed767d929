"""The dossier on one outage in all its forms but the PDF: pages, JSON, CSV. Same dossier, same bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sla.assessment import WindowDecision
from sla.contract_text import Boundary
from sla.dossier import ClauseShare, Counted, Dossier, Proof, Run, Stretch
from sla.interchange import assessment_json, ledger_json, sample_json, seconds
from sla.measurements import SampleIn
from sla.period import instant_text, zone
from sla.rendering.cells import csv_bytes
from sla.rendering.dossier_figure import drawn, edges
from sla.rendering.numbers import Language, Numbers
from sla.rendering.page import Cover, page
from sla.rendering.phrases import Phrases
from sla.rendering.words import Words

#: Rows printed around each edge of the outage; the rest stands in the attachment.
SAMPLES_SHOWN = 12
STRETCHES_SHOWN = 24
PROOFS_SHOWN = 12
CLASSES: tuple[Counted, ...] = ("down", "unmeasured", "excluded", "degraded", "up", "outside")
SECTIONS = (
    "answer", "edges", "figure", "counting", "decisions", "samples", "amount", "people", "ledger", "proof", "check",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A sample in the table, or, without one, how many are left out there."""

    run: Run | None
    left_out: int = 0


def samples_name(dossier: Dossier) -> str:
    return f"{dossier.report.number}.metingen.csv"


def counting_name(dossier: Dossier) -> str:
    return f"{dossier.report.number}.telling.csv"


def evidence_name(dossier: Dossier) -> str:
    return f"{dossier.report.number}.bewijs.zip"


def render(dossier: Dossier, language: Language = "nl") -> str:
    """The page in Dutch or English."""
    report, outage = dossier.report, dossier.outage
    words, numbers = Words(language), Numbers(language=language, zone=zone(dossier.report.timezone))
    phrases = Phrases(assessment=report.assessment, titles=report.titles, words=words, numbers=numbers)
    most = max(outage.counted.items(), key=lambda item: item[1], default=None)
    values = {
        "cover": _cover(dossier, words, numbers, phrases),
        "sections": tuple((name, words(f"dossier.{name}")) for name in SECTIONS)
        + tuple((name, words(f"{name}.title")) for name in ("integrity", "contact")),
        "dossier": dossier,
        "outage": outage,
        "assessment": report.assessment,
        "say": phrases,
        "most": most,
        "readings": _readings(dossier),
        "drawn": drawn(dossier, words, numbers),
        "edge_marks": edges(dossier),
        "classes": CLASSES,
        "why": Why(words=words),
        "stretches_shown": STRETCHES_SHOWN,
        "proofs": dossier.proofs[:PROOFS_SHOWN],
        "more_proofs": max(0, len(dossier.proofs) - PROOFS_SHOWN),
        "rows": {location: tuple(rows(_at(dossier, location))) for location in dossier.locations},
        "locations": tuple(_locations(dossier)),
        "failures": _failures(dossier),
        "answers": tuple(_answered(decision) for decision in dossier.decisions),
        "samples_name": samples_name(dossier),
        "counting_name": counting_name(dossier),
        "evidence_name": evidence_name(dossier),
        "at_text": instant_text(outage.first_bad_us, report.timezone),
    }
    return page("dossier.html.j2", language, timezone=report.timezone, values=values)


def _cover(dossier: Dossier, words: Words, numbers: Numbers, phrases: Phrases) -> Cover:
    report, outage = dossier.report, dossier.outage
    answer = "sanctionable" if outage.sanctionable else "not_sanctionable"
    journey = phrases.journey(outage.journey)
    return Cover.of(
        report,
        kind=words("dossier.kind"),
        subject=f"{journey}, {numbers.plain_day(numbers.local(outage.first_bad_us).date())}",
        description=words(
            "dossier.description",
            journey=journey,
            when=numbers.span(outage.first_bad_us, dossier.ends_us),
            answer=words(f"outages.{answer}"),
        ),
    )


def _readings(dossier: Dossier) -> tuple[tuple[Boundary, int | None, int | None], ...]:
    """From when to when by each boundary; None where that edge is not known."""
    outage = dossier.outage
    return (
        ("observed", outage.first_bad_us, outage.first_good_us),
        ("certain", outage.first_bad_us, outage.last_bad_us),
        ("widest", outage.last_good_us, outage.first_good_us),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why a stretch counts as it does, in one sentence."""

    words: Words

    def __call__(self, stretch: Stretch, share: ClauseShare) -> str:
        edges_used = self.words(f"working.boundary_{share.boundary}")
        told = self.words(f"counted_why.{stretch.counted}", boundary=edges_used)
        if stretch.granted:
            told += f": {self.words('dossier.by_entry', list=_listed(stretch.granted))}"
        if stretch.refused:
            told += f"; {self.words('dossier.refused_entry', list=_listed(stretch.refused))}"
        return told


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)


def _at(dossier: Dossier, location: str) -> tuple[Run, ...]:
    return tuple(run for run in dossier.runs if run.location == location)


def rows(runs: Sequence[Run]) -> Iterator[Row]:
    """The samples to print of one location: those around every change, the stretches between them left out."""
    changes = [i for i in range(1, len(runs)) if runs[i].outcome != runs[i - 1].outcome]
    half = SAMPLES_SHOWN // 2
    kept = {i for c in (0, *changes, len(runs)) for i in range(c - half, c + half)}
    if len(changes) > SAMPLES_SHOWN:
        # Up and down all the time: the beginning and the end tell the story, the attachment the rest.
        kept = {*range(3 * SAMPLES_SHOWN), *range(len(runs) - SAMPLES_SHOWN, len(runs))}
    left_out = 0
    for index, run in enumerate(runs):
        if index not in kept:
            left_out += 1
            continue
        if left_out:
            yield Row(run=None, left_out=left_out)
            left_out = 0
        yield Row(run=run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """What one vantage point saw."""

    name: str
    samples: int
    failed: int
    attempts: int
    first_us: int | None
    last_us: int | None


def _locations(dossier: Dossier) -> Iterator[Location]:
    for name in dossier.locations:
        here = _at(dossier, name)
        failed = [run for run in here if run.outcome == "down"]
        yield Location(
            name=name,
            samples=len(here),
            failed=len(failed),
            attempts=sum(run.attempts for run in failed),
            first_us=failed[0].due_us if failed else None,
            last_us=failed[-1].due_us if failed else None,
        )


def _failures(dossier: Dossier) -> tuple[tuple[str, int], ...]:
    """Kinds and steps with how often they were seen, most frequent first; by name where as often."""
    found = Counter(run.failure for run in dossier.failing if run.failure)
    return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _answered(decision: WindowDecision) -> str:
    if decision.granted:
        return "partly" if decision.refused else "granted"
    return "refused" if decision.refused else "idle"


# --- attachments ---------------------------------------------------------------------------------------------------


def samples_csv(dossier: Dossier) -> bytes:
    """The samples in the columns that `loketwacht sla assess --measurements` reads."""
    header = ("journey", "due", "interval_s", "outcome", "duration_ms", "location", "failure", "attempts")
    found = (sample_json(_sample(dossier, run)) for run in dossier.runs)
    return csv_bytes(header, ([one.get(name) for name in header] for one in found))


def _sample(dossier: Dossier, run: Run) -> SampleIn:
    return SampleIn(
        journey=dossier.outage.journey,
        due_us=run.due_us,
        interval_us=run.interval_us,
        outcome=run.outcome,
        duration_us=run.duration_us,
        location=run.location,
        failure=run.failure,
        attempts=run.attempts,
    )


def counting_csv(dossier: Dossier) -> bytes:
    """How every second counts in every clause, stretch by stretch, in Dutch; exact seconds."""
    why, timezone = Why(words=Words("nl")), dossier.report.timezone
    header = ("norm", "versie", "van", "tot", "seconden", "klasse", "waarom")
    return csv_bytes(
        header,
        (
            (
                share.result.clause.id,
                share.result.version.number,
                instant_text(stretch.span.start_us, timezone),
                instant_text(stretch.span.end_us, timezone),
                seconds(stretch.span.length_us),
                Words("nl").of("counted", stretch.counted),
                why(stretch, share),
            )
            for share in dossier.shares
            for stretch in share.stretches
        ),
    )


def render_json(dossier: Dossier) -> str:
    """UTF-8 text that ends in a line break; sentences in Dutch, times with offset."""
    return json.dumps(document(dossier), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def document(dossier: Dossier) -> dict[str, Any]:
    """The dossier for programs. `outage` and `clauses` are as in an assessment, whose schema is published."""
    report = dossier.report
    timezone = report.timezone
    found = assessment_json(report.assessment, "nl")
    places = {id(result): place for place, result in enumerate(report.assessment.clauses)}

    def at(us: int | None) -> str | None:
        return None if us is None else instant_text(us, timezone)

    return {
        "document": "outage-dossier",
        "number": report.number,
        "replaces": report.replaces,
        "issued_at": at(report.issued_us),
        "data_until": at(report.data_until_us),
        "provisional": report.is_provisional,
        "portal": report.portal_name,
        "contract": report.assessment.contract.contract,
        "authority": report.assessment.contract.authority,
        "supplier": report.assessment.contract.supplier,
        "period": found["period"],
        "software": report.software,
        "config_sha256": report.config_sha256,
        "ledger_head": found["ledger_head"],
        "ledger_entries": dossier.ledger_entries,
        "outage": next(one for one in found["outages"] if one["id"] == dossier.outage.id),
        "clauses": [
            {
                "result": found["clauses"][places[id(share.result)]],
                "text": share.result.clause.text,
                "article": share.result.clause.article,
                "boundary": share.boundary,
                "counted_seconds": seconds(share.counted_us),
                "sanction_boundary": share.sanction_boundary,
                "sanction_seconds": seconds(share.sanctioned_us),
                "stretches": [
                    {
                        "from": at(stretch.span.start_us),
                        "to": at(stretch.span.end_us),
                        "seconds": seconds(stretch.span.length_us),
                        "counted": stretch.counted,
                        "excluded_by": list(stretch.granted),
                        "refused": list(stretch.refused),
                    }
                    for stretch in share.stretches
                ],
            }
            for share in dossier.shares
        ],
        "samples": [
            sample_json(_sample(dossier, run)) | ({"told": run.told.nl} if run.told else {}) for run in dossier.runs
        ],
        "incidents": [
            {
                "id": alarm.id,
                "since": at(alarm.since_us),
                "confirmed": at(alarm.confirmed_us),
                "until": at(alarm.until_us),
                "mails": [
                    {"kind": m.kind, "at": at(m.created_us), "readers": m.readers, "arrived": m.arrived}
                    for m in alarm.mails
                ],
            }
            for alarm in dossier.alarms
        ],
        "ledger": [ledger_json(sealed) for sealed in dossier.entries],
        "seals": [ledger_json(sealed) for sealed in dossier.digests],
        "evidence": [_proof(proof) for proof in dossier.proofs],
    }


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "file": proof.name,
        "location": proof.location,
        "due": instant_text(proof.due_us),
        "step": proof.step,
        "sha256": proof.sha256,
        "body_sha256": proof.body_sha256 or None,
        "shortened": proof.is_cut,
    }
