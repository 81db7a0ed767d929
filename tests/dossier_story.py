"""Documents on the month of `tests.report_story`: the dossier on an outage of it, and a draft of findings."""

from __future__ import annotations

import dataclasses
from functools import cache

from sla.assess import Worked, worked_out
from sla.assessment import Text
from sla.dossier import Alarm, Dossier, Mail, Proof, Run, draw_up, outage_in, span_around
from sla.findings import Findings
from sla.findings import draw_up as find
from tests import report_story as story

SANCTIONABLE, EXCLUDED = "indienen-20261012T0830Z", "inzage-20261014T1800Z"


@cache
def worked() -> Worked:
    period = story.report().period
    return worked_out(
        story.report().assessment.contract,
        period=period,
        samples=(s for journey in story.TITLES for s in story.samples_of(journey, period)),
        ledger=story.ledger(),
    )


@cache
def dossier(outage_id: str = SANCTIONABLE) -> Dossier:
    """With the samples of one location, a piece of evidence and an incident that is still open."""
    found = outage_in(worked(), outage_id)
    around = span_around(worked(), found, story.STEP)
    seen = [
        s for s in story.samples_of(found.journey, story.report().period) if around.start_us <= s.due_us < around.end_us
    ]
    runs = [
        Run(
            location="Brussel", due_us=s.due_us, started_us=s.due_us, interval_us=s.interval_us,
            duration_us=s.duration_us or 30_000_000, outcome=s.outcome, attempts=s.attempts, failure=s.failure,
            told=Text(nl="De server gaf foutcode 503.", en="The server answered 503.") if s.failure else None,
        )
        for s in seen
    ]  # fmt: skip
    proof = Proof(
        name="Brussel/20261012T083000Z-1-ondertekenen.txt", location="Brussel", due_us=found.first_bad_us,
        step="ondertekenen", sha256="ab" * 32, body_sha256="cd" * 32, is_cut=True,
    )  # fmt: skip
    alarm = Alarm(
        id="1a2b", since_us=found.first_bad_us, confirmed_us=found.first_bad_us, until_us=None,
        mails=(Mail(kind="opened", created_us=found.first_bad_us, readers=3, arrived=2),),
    )  # fmt: skip
    report = dataclasses.replace(story.report(), number=f"D-{outage_id}-v1")
    return draw_up(worked(), report, found, around=around, runs=runs, proofs=(proof,), alarms=(alarm,))


@cache
def findings() -> Findings:
    return find(dataclasses.replace(story.report(), number="PV-2026-10-v1"))
