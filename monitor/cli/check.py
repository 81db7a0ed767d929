"""`loketwacht check`: run checks once, now, and show every step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from monitor import config
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, people, plugin_line
from monitor.clock import AHEAD_US, LIVE
from monitor.composition import probe_setup
from monitor.store import samples
from monitor.store.database import Database
from probes.checks import BrowserJourney, Check, Journey, duration_us
from probes.run import run
from probes.sample import Hop, Outcome, Reached, Sample, StepOutcome, StepResult
from probes.sentences import sentence

_NAGIOS = {
    Outcome.UP: (0, "OK"),
    Outcome.DEGRADED: (1, "WARNING"),
    Outcome.DOWN: (2, "CRITICAL"),
    Outcome.UNKNOWN: (3, "UNKNOWN"),
}
_COLOUR = {"up": "green", "degraded": "yellow", "down": "red", "unknown": "magenta"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ran:
    check: Check
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    check: Check
    why: str


def check(
    *names: str,
    config_path: ConfigPath = DEFAULT_CONFIG,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    json_: Json = False,
    explain: Annotated[bool, Parameter(name="--explain", negative="")] = False,
    nagios: Annotated[bool, Parameter(name="--nagios", negative="")] = False,
    stored: Annotated[bool, Parameter(name="--stored", negative="")] = False,
    max_age: str = "5m",
) -> int:
    """Run checks once, now, beside the schedule: nothing is stored, nobody is mailed.

    Parameters
    ----------
    names
        Ids of journeys and other checks.
    every
        Run all of them.
    explain
        Also show what a failing step asked and what came back, redacted.
    nagios
        One line and an exit code of 0 to 3, for plugin hosts.
    stored
        With --nagios: run nothing, tell the newest result that the service stored.
    max_age
        With --stored: a result that began longer ago is unknown.
    """
    if stored and not nagios:
        raise CommandError("--stored tells a plugin host what the service measured: say --nagios too.", Exit.USAGE)
    oldest = _length(max_age)
    loaded = config.load(config_path)
    config.require_files(loaded, config_path)
    known = {one.id: one for one in loaded.config.checks}
    unknown = [name for name in names if name not in known]
    if unknown or not (names or every):
        what = f"There is no check {', '.join(unknown)}." if unknown else "Name a check, or say --all."
        raise CommandError(f"{what} Known: {', '.join(known)}.", Exit.USAGE)
    chosen = list(known.values()) if every else [known[name] for name in names]
    if stored:
        return _nagios(_stored(loaded, chosen, oldest))
    setup = probe_setup(loaded, LIVE)

    async def go() -> list[_Ran]:
        ran = []
        for one in chosen:
            sample = await run(one, slot_us=LIVE.now_us(), location=loaded.config.monitor.location, setup=setup)
            ran.append(_Ran(check=one, sample=sample))
        return ran

    ran = asyncio.run(go())
    if nagios:
        return _nagios(ran)
    if json_:
        answer([_as_json(one) for one in ran])
    else:
        for one in ran:
            _show(one, explain=explain)
    bad = any(one.sample.outcome in (Outcome.DOWN, Outcome.UNKNOWN) for one in ran)
    return Exit.BAD_NEWS if bad else Exit.FINE


def _length(text: str) -> int:
    try:
        length = duration_us(text)
    except ValueError as error:
        raise CommandError(f"--max-age {error}.", Exit.USAGE) from None
    return int(str(length))


def _stored(loaded: config.Loaded, chosen: Sequence[Check], oldest_us: int) -> list[_Ran | _Missing]:
    """The newest stored result of each check, or why there is none that still says anything."""
    database = Database.open(loaded.database_url, migrate=False)
    try:
        with database.read() as tx:
            ids, until_us = [one.id for one in chosen], LIVE.now_us() + AHEAD_US
            last = samples.last(tx, ids, loaded.config.monitor.location, before_us=until_us)
    finally:
        database.close()
    told: list[_Ran | _Missing] = []
    for one in chosen:
        sample = last.get(one.id)
        if sample is None:
            told.append(_Missing(check=one, why="has no stored result"))
        elif (age_us := LIVE.now_us() - sample.started_us) > oldest_us:
            told.append(_Missing(check=one, why=f"was last run {age_us // 1_000_000} seconds ago"))
        else:
            told.append(_Ran(check=one, sample=sample))
    return told


def _nagios(told: Sequence[_Ran | _Missing]) -> int:
    """One line as the plugin interface wants it; a missing result is unknown and has no figures."""
    states = [_NAGIOS[one.sample.outcome if isinstance(one, _Ran) else Outcome.UNKNOWN] for one in told]
    worst = max(states, key=lambda pair: (0, 1, 3, 2)[pair[0]])
    said = "; ".join(_said(one) for one in told)
    figures = " ".join(figure for one in told if isinstance(one, _Ran) for figure in _figures(one))
    line = f"LOKETWACHT {worst[1]} - {plugin_line(said)}"
    print(f"{line} | {figures}" if figures else line)
    return worst[0]


def _said(one: _Ran | _Missing) -> str:
    if isinstance(one, _Missing):
        return f"{one.check.id} {one.why}"
    failure = one.sample.failure
    return f"{one.check.id}: {sentence(failure, 'en')}" if failure else f"{one.check.id} is up"


def _figures(ran: _Ran) -> Iterator[str]:
    """`'label'=value;warning;critical;minimum`: the run against its deadline, each step against its limits."""
    yield f"'{ran.check.id}'={ran.sample.duration_us / 1e6:.3f}s;;{ran.check.deadline / 1e6:g};0"
    steps = ran.check.step if isinstance(ran.check, BrowserJourney | Journey) else ()
    limits = {step.id: step.expect for step in steps}
    for step in ran.sample.steps:
        if step.outcome is StepOutcome.SKIPPED:
            continue
        expect = limits.get(step.step)
        both = (expect.soft, expect.hard) if expect else (None, None)
        soft, hard = ("" if limit is None else f"{limit / 1e6:g}" for limit in both)
        yield f"'{ran.check.id}/{step.step}'={step.duration_us / 1e6:.3f}s;{soft};{hard};0"


def _show(ran: _Ran, *, explain: bool) -> None:
    console = people()
    sample = ran.sample
    outcome = sample.outcome.value
    console.print(
        f"[bold]{ran.check.title.nl}[/] ({ran.check.id}): [{_COLOUR[outcome]}]{outcome}[/] "
        f"in {sample.duration_us / 1000:.0f} ms"
    )
    if sample.failure is not None:
        step = _title(ran.check, sample.failure.step)
        console.print(f"  {sentence(sample.failure, 'nl', step)}", markup=False)
    if sample.steps:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        for name in ("step", "result"):
            table.add_column(name, no_wrap=True, overflow="ignore")
        # Of the phases: `wait` is processing (asked until the first byte), `read` is transfer.
        for name in ("status", "ms", "resolve", "connect", "tls", "wait", "read", "checks"):
            table.add_column(name, justify="right", no_wrap=True)
        for step_result in sample.steps:
            table.add_row(*_row(step_result))
        console.print(table)
        for step_result in sample.steps:
            if explain or step_result.outcome is StepOutcome.FAILED:
                hops = step_result.hops or (None,) * len(step_result.urls)
                for url, hop in zip(step_result.urls, hops, strict=True):
                    console.print(f"  {step_result.step}: {url}{_went(hop)}", markup=False)
                if page := _page(step_result):
                    console.print(f"  {step_result.step}: {page}", markup=False)
    if sample.certificate is not None:
        end = datetime.fromtimestamp(sample.certificate.not_after_us / 1e6, UTC)
        console.print(f"  valid until {end:%Y-%m-%d %H:%M} UTC, {sample.certificate.subject}", markup=False)
    if sample.reached is not None:
        console.print(f"  {_reached(sample.reached)}", markup=False)
    failure = sample.failure
    if failure is not None and failure.expected is not None:
        console.print(f"  expected: {failure.expected}", markup=False)
    if failure is not None and failure.found is not None:
        console.print(f"  found:    {failure.found}", markup=False)
    if explain:
        for kept in sample.evidence:
            for part in (kept.request, kept.response_head, kept.body):
                console.print("\n".join(f"    {line}" for line in part.splitlines()), markup=False)
                console.print()


def _page(step: StepResult) -> str:
    """What a browser tells of the page a step opened: `page: first paint 116, …, loaded 108 ms; console errors 1`."""
    times = {
        "first paint": step.first_paint_us,
        "largest paint": step.lcp_us,
        "document read": step.content_loaded_us,
        "loaded": step.loaded_us,
    }
    counts = {
        "console errors": step.console_errors,
        "failed requests": step.failed_requests,
        "kept out": step.blocked_requests,
    }
    told = ", ".join(f"{name} {spent_us / 1000:.0f}" for name, spent_us in times.items() if spent_us is not None)
    went_wrong = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return "; ".join(filter(None, (f"page: {told} ms" if told else "", went_wrong)))


def _went(hop: Hop | None) -> str:
    """What became of one request of a step: `  302, resolve 0.1, connect 0.3, wait 12.0 ms, ::1 connection refused`."""
    if hop is None:
        return ""
    times = {
        "resolve": hop.phases.resolve_us,
        "connect": hop.phases.connect_us,
        "tls": hop.phases.tls_us,
        "wait": hop.phases.processing_us,
        "read": hop.phases.transfer_us,
    }
    spent = ", ".join(f"{name} {us / 1000:.1f}" for name, us in times.items() if us)
    tried = "".join(f", {one.address} {one.refusal}" for one in hop.attempts if one.refusal is not None)
    return f"  {hop.status or 'no answer'}{f', {spent} ms' if spent else ''}{tried}"


def _reached(reached: Reached) -> str:
    """`127.0.0.1, resolve 0.1, connect 0.3, said 1.2 ms; NOERROR: 192.0.2.10, time to live 300 s`."""
    phases = reached.phases
    spent = {"resolve": phases.resolve_us, "connect": phases.connect_us, "tls": phases.tls_us}
    times = [f"{name} {us / 1000:.1f}" for name, us in (*spent.items(), ("said", phases.processing_us)) if us]
    told = ", ".join(filter(None, [reached.address, *times])) + (" ms" if times else "")
    answered = reached.answered
    if answered is None:
        return told or "not reached"
    told += f"; {answered.code}: {', '.join(answered.records) or 'nothing'}"
    if answered.ttl_us is not None:
        told += f", time to live {answered.ttl_us // 1_000_000} s"
    if answered.serial is not None:
        told += f", serial {answered.serial}"
    return told + (", checked with DNSSEC" if answered.authenticated else "")


def _row(step: StepResult) -> tuple[str, ...]:
    if step.outcome is StepOutcome.SKIPPED:
        return (step.step, "skipped", *[""] * 8)
    phases = step.phases
    times = (phases.resolve_us, phases.connect_us, phases.tls_us, phases.processing_us, phases.transfer_us)
    return (
        step.step,
        step.outcome.value,
        str(step.status or "-"),
        f"{step.duration_us / 1000:.1f}",
        *(f"{us / 1000:.1f}" for us in times),
        str(step.assertions),
    )


def _title(check: Check, step: str | None) -> str | None:
    if isinstance(check, BrowserJourney | Journey):
        for one in check.step:
            if one.id == step and one.title is not None:
                return one.title.nl
    return None


def _as_json(ran: _Ran) -> dict[str, Any]:
    sample = ran.sample
    failure = sample.failure
    return {
        "check": sample.check_id,
        "outcome": sample.outcome.value,
        "started_us": sample.started_us,
        "duration_us": sample.duration_us,
        "run_id": sample.run_id,
        "failure": None
        if failure is None
        else {
            "kind": failure.kind.value,
            "step": failure.step,
            "subject": failure.subject,
            "expected": failure.expected,
            "found": failure.found,
            "sentence": {"nl": sentence(failure, "nl"), "en": sentence(failure, "en")},
        },
        "steps": [
            {
                "step": step.step,
                "outcome": step.outcome.value,
                "status": step.status,
                "duration_us": step.duration_us,
                "phases_us": {
                    "resolve": step.phases.resolve_us,
                    "connect": step.phases.connect_us,
                    "tls": step.phases.tls_us,
                    "processing": step.phases.processing_us,
                    "transfer": step.phases.transfer_us,
                },
                "urls": list(step.urls),
                "assertions": step.assertions,
            }
            for step in sample.steps
        ],
    }
