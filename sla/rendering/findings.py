"""A draft of findings in all its forms but the PDF: pages, JSON, CSV. Same findings, same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sla.assessment import WindowDecision
from sla.deadlines import COUNTING, SOURCE, calendar_of, defence_due
from sla.findings import Findings
from sla.interchange import assessment_json, seconds
from sla.period import instant_text, local_date, zone
from sla.rendering.cells import csv_bytes
from sla.rendering.numbers import Language, Numbers
from sla.rendering.page import Cover, page
from sla.rendering.phrases import Phrases
from sla.rendering.words import Words

SECTIONS = ("parties", "norms", "outages", "not_held", "method", "defence", "attachments", "sign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A document that was issued and that the findings lean on.

    Attributes:
        outage: whose dossier it is; empty for the period's report.
        sha256: of its JSON, the form that decides.
    """

    number: str
    sha256: str
    outage: str = ""


def outages_name(findings: Findings) -> str:
    return f"{findings.report.number}.storingen.csv"


def render(findings: Findings, language: Language = "nl", *, references: Sequence[Reference] = ()) -> str:
    """The page: the draft itself in Dutch, or a reading copy in English that says it is one.

    Args:
        references: the period's report and the dossiers that were issued, if any.
    """
    report = findings.report
    contract = report.assessment.contract
    words, numbers = Words(language), Numbers(language=language, zone=zone(report.timezone))
    phrases = Phrases(assessment=report.assessment, titles=report.titles, words=words, numbers=numbers)
    period = numbers.period(report.period.start_us, report.period.end_us)
    drawn_up = local_date(report.issued_us, report.timezone)
    coverage = report.assessment.coverage
    values = {
        "cover": Cover.of(
            report,
            kind=words("findings.kind"),
            subject=period,
            description=words("findings.description", period=period),
        ),
        "sections": tuple((name, words(f"findings.{name}")) for name in SECTIONS)
        + tuple((name, words(f"{name}.title")) for name in ("integrity", "contact")),
        "findings": findings,
        "assessment": report.assessment,
        "contract": contract,
        "say": phrases,
        "period": period,
        "coverage": "–" if coverage is None else numbers.percent(coverage, report.minimum_coverage),
        "source": SOURCE,
        "counting": COUNTING,
        "drawn_up": drawn_up,
        "due": defence_due(drawn_up, calendar_of(contract)),
        "dossiers": {one.outage: one for one in references if one.outage},
        "reports": tuple(one for one in references if not one.outage),
        "outages_name": outages_name(findings),
        "length_of": _length_us,
    }
    return page("findings.html.j2", language, timezone=report.timezone, values=values)


def _length_us(decision: WindowDecision, granted: str) -> int:
    return sum(span.length_us for span in (decision.granted if granted == "granted" else decision.refused))


def outages_csv(findings: Findings) -> bytes:
    """The outages with their edges and what counts of them in which clause; exact seconds."""
    timezone = findings.report.timezone
    header = ("norm", "versie", "storing", "reis", "laatste_goede", "eerste_mislukte", "laatste_mislukte",
              "eerste_goede", "telt_mee_seconden", "uitgesloten_seconden", "fouten")  # fmt: skip

    def at(us: int | None) -> str | None:
        return None if us is None else instant_text(us, timezone)

    return csv_bytes(
        header,
        (
            (
                one.result.clause.id, one.result.version.number, o.id, o.journey, at(o.last_good_us),
                at(o.first_bad_us), at(o.last_bad_us), at(o.first_good_us), seconds(o.counted[one.result.clause.id]),
                seconds(o.excluded_us), "; ".join(o.failures),
            )
            for one in findings.clauses
            for o in one.outages
        ),
    )  # fmt: skip


def render_json(findings: Findings, *, references: Sequence[Reference] = ()) -> str:
    """UTF-8 text that ends in a line break; sentences in Dutch, times with offset."""
    return json.dumps(document(findings, references=references), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def document(findings: Findings, *, references: Sequence[Reference] = ()) -> dict[str, Any]:
    """The draft for programs. `clauses` and `outages` are as in an assessment, without their amounts: facts only."""
    report = findings.report
    found = assessment_json(report.assessment, "nl")
    places = {id(result): place for place, result in enumerate(report.assessment.clauses)}
    about = {o.id for o in findings.outages}

    def bare(record: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in record.items() if key not in ("sanction", "amount_eur")}

    return {
        "document": "findings-draft",
        "number": report.number,
        "replaces": report.replaces,
        "draft": True,
        "issued_at": instant_text(report.issued_us, report.timezone),
        "data_until": instant_text(report.data_until_us, report.timezone),
        "portal": report.portal_name,
        "contract": report.assessment.contract.contract,
        "authority": report.assessment.contract.authority,
        "supplier": report.assessment.contract.supplier,
        "period": found["period"],
        "coverage": found["coverage"],
        "software": report.software,
        "config_sha256": report.config_sha256,
        "ledger_head": found["ledger_head"],
        "clauses": [
            bare(found["clauses"][places[id(one.result)]])
            | {
                "text": one.result.clause.text,
                "article": one.result.clause.article,
                "fault_to_be_proven": not one.on_its_own,
                "outages": [o.id for o in one.outages],
            }
            for one in findings.clauses
        ],
        "outages": [bare(one) for one in found["outages"] if one["id"] in about],
        "not_held": [
            {"outage": o.id, "excluded_seconds": seconds(o.excluded_us), "reasons": [r.nl for r in o.reasons]}
            for o in findings.kept_out
        ],
        "defence": {"days": 15, "source": SOURCE.nl, "counting": COUNTING.nl},
        "documents": [
            {"number": one.number, "sha256": one.sha256} | ({"outage": one.outage} if one.outage else {})
            for one in references
        ],
    }
