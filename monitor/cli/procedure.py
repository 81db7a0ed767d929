"""`loketwacht outage` and `findings`: the dossier on one outage, and the steps from findings to decision."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from monitor import config, dossier, issuing, procedure
from monitor.cli.contract import chosen
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, people, say
from monitor.clock import LIVE
from monitor.composition import report_job
from monitor.config import Loaded
from monitor.exchange import ExchangeRefusedError, add_entry
from monitor.issuing import Files
from monitor.store import ledger as store_ledger
from monitor.store.database import Database
from sla.deadlines import COUNTING, Procedure, Stage, calendar_of, day_text
from sla.ledger import Entry, Sealed
from sla.period import civil_us, instant_text, local_date, parse_period

findings = App(
    name="findings",
    help="From findings to decision: draft, put on record what was sent and answered, watch the terms. "
    "Nothing is ever sent by this program.",
)

ContractName = Annotated[str | None, Parameter(help="Which contract; needed only where several are configured.")]
By = Annotated[str, Parameter(help="Who records this.")]
On = Annotated[str, Parameter(help="The day, such as 2026-12-01.")]
Number = Annotated[int, Parameter(help="The number that `findings list` shows.")]


def outage(
    outage_id: str,
    *,
    period: Annotated[str | None, Parameter(help="Period to assess; the outage's month where it is left out.")] = None,
    contract: ContractName = None,
    by: By = "loketwacht outage",
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Everything about one contractual outage on paper: its dossier with samples, evidence and answer.

    Parameters
    ----------
    outage_id
        As reports name it, such as indienen-20270304T1012Z.
    """
    loaded = config.load(config_path)
    agreed = chosen(loaded, contract)
    month = period or dossier.month_of(outage_id, agreed.contract.timezone)
    _check_period(month, agreed.contract.timezone)
    database = Database.open(loaded.database_url)
    try:
        written = dossier.write(report_job(loaded, agreed, month, now_us=LIVE.now_us()), outage_id)
        with database.begin() as tx:
            if not issuing.record(tx, written.issued, by=by):
                raise CommandError("Another dossier on this outage was drawn up at the same moment; run it again.")
    finally:
        database.close()
    return _files_told(written.dossier.report.number, written.files, json_=json_)


@findings.command
def draft(
    *,
    period: str,
    clause: Annotated[tuple[str, ...], Parameter(help="Only these clauses.", negative="")] = (),
    outage: Annotated[tuple[str, ...], Parameter(help="Speak only of these outages.", negative="")] = (),
    best_efforts_too: Annotated[bool, Parameter(negative=())] = False,
    contract: ContractName = None,
    by: By = "loketwacht findings draft",
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Draw up a draft of findings (proces-verbaal van vaststelling) for a person to read, complete, sign and send.

    Parameters
    ----------
    period
        A period that is over: `2026-11`, `2026-Q4` or `2026`.
    best_efforts_too
        Let clauses of best efforts in, with the words that fault must be proven.
    """
    loaded = config.load(config_path)
    agreed = chosen(loaded, contract)
    _check_period(period, agreed.contract.timezone)
    database = Database.open(loaded.database_url)
    try:
        drafted = procedure.draft(
            report_job(loaded, agreed, period, now_us=LIVE.now_us()),
            clauses=clause,
            outages=outage,
            best_efforts_too=best_efforts_too,
        )
        with database.begin() as tx:
            sealed = procedure.put_on_record(tx, drafted, by=by)
            if sealed is None:
                raise CommandError("Another draft of this period was drawn up at the same moment; run it again.")
    finally:
        database.close()
    say(f"Draft {sealed.seq} is on record. It is not sent: a person reads, signs and sends it.")
    return _files_told(drafted.findings.report.number, drafted.files, json_=json_, entry=sealed.seq)


@findings.command
def sent(
    number: Number,
    *,
    on: On,
    to_whom: Annotated[str, Parameter(help="Whom it was sent to.")],
    means: Annotated[str, Parameter(help="How, such as a registered letter with its number.")],
    by: By,
    reason: Annotated[str, Parameter(help="Why, in a sentence.")] = "vaststelling verzonden",
    contract: ContractName = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Put on record that a person sent findings; the term of the defence runs from that day."""
    loaded = config.load(config_path)
    one = _one(loaded, contract, number)
    if one.sent is not None:
        raise CommandError(
            f"Findings {number} were sent already, on {_day_of(loaded, contract, one.sent)}; correct a wrong day with "
            f"`ledger add findings-sent --supersedes {one.sent.seq}`."
        )
    at_us = _day_us(loaded, contract, "--on", on)
    data = {"findings": str(number), "to_whom": to_whom, "means": means}
    sealed = _append(loaded, Entry(kind="findings-sent", recorded_us=LIVE.now_us(), by=by, reason=reason,
                                   from_us=at_us, data=data))  # fmt: skip
    after = _one(loaded, contract, number)
    if after.due is not None:
        say(f"The defence is in time up to and including {after.due.day}. {COUNTING.en}")
    return _told(sealed, json_=json_)


@findings.command
def defence(
    number: Number,
    *,
    on: On,
    position: Annotated[str, Parameter(help="accepted or contested: what it says of the facts.")],
    by: By,
    document: Annotated[str, Parameter(help="Where the paper lies: a reference, an address.")] = "",
    reason: Annotated[str, Parameter(help="Why, in a sentence.")] = "verweer ontvangen",
    contract: ContractName = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Put the supplier's defence on record, by the day it was posted where that is known, else the day it came."""
    loaded = config.load(config_path)
    one = _one(loaded, contract, number)
    if one.sent is None:
        raise CommandError(f"Findings {number} were not sent yet; a defence answers findings that were.")
    at_us = _day_us(loaded, contract, "--on", on)
    if one.sent.entry.from_us is not None and at_us < one.sent.entry.from_us:
        raise CommandError(
            f"--on {on} lies before the day of dispatch, {_day_of(loaded, contract, one.sent)}.", Exit.USAGE
        )
    data = {"findings": str(one.sent.seq), "position": position} | ({"document": document} if document else {})
    sealed = _append(loaded, Entry(kind="defence", recorded_us=LIVE.now_us(), by=by, reason=reason, from_us=at_us,
                                   data=data))  # fmt: skip
    say(_one(loaded, contract, number).told.en)
    return _told(sealed, json_=json_)


@findings.command
def decide(
    number: Number,
    *,
    outcome: Annotated[str, Parameter(help="What was decided, in a few words.")],
    reason: Annotated[str, Parameter(help="Why, in a sentence.")],
    by: By,
    amount_eur: Annotated[str | None, Parameter(help="The amount decided, such as 1234.50.")] = None,
    document: Annotated[str, Parameter(help="Where the paper lies.")] = "",
    contract: ContractName = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Put a person's decision on record. The program computes proposals; it never decides."""
    loaded = config.load(config_path)
    one = _one(loaded, contract, number)
    if one.decision is not None:
        raise CommandError(
            f"Findings {number} were decided already, by entry {one.decision.seq}; change that with "
            f"`ledger add decision --supersedes {one.decision.seq}`."
        )
    if amount_eur is not None and (one.sent is None or one.stage is Stage.AWAITING):
        raise CommandError(
            f"Findings {number}: {one.told.en} No amount can be decided before the supplier was heard or its term is "
            "over."
        )
    data = {"findings": str(one.number if one.sent is None else one.sent.seq), "period": one.period, "outcome": outcome}
    data |= {key: ", ".join(names) for key, names in (("clause", one.clauses), ("outage", one.outages)) if names}
    data |= {"document": document} if document else {}
    data |= {} if one.defence is None else {"defence": str(one.defence.seq)}
    data |= {} if amount_eur is None else {"amount_eur": amount_eur}
    drafted = one.drafted.entry
    sealed = _append(loaded, Entry(kind="decision", recorded_us=LIVE.now_us(), by=by, reason=reason,
                                   from_us=drafted.from_us, until_us=drafted.until_us, data=data))  # fmt: skip
    return _told(sealed, json_=json_)


@findings.command(name="list")
def list_(*, contract: ContractName = None, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """Every procedure with where it stands. Exit code 1 where a term passed without a defence and nobody decided."""
    return _shown(config.load(config_path), contract, (), json_=json_)


@findings.command
def deadlines(*, contract: ContractName = None, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """The procedures in which a term runs or somebody must decide. Exit code 1 where one is overdue."""
    return _shown(config.load(config_path), contract, (Stage.DRAFTED, Stage.DECIDED), json_=json_)


# --- what they share -----------------------------------------------------------------------------------------------


def _check_period(period: str, timezone: str) -> None:
    # FROM/TO is a period for an assessment, but no name for a document and its folder.
    if not period.replace("-", "").replace("Q", "").isalnum():
        raise CommandError(f'"{period}" is no period for a document; write 2026-11, 2026-Q4 or 2026.', Exit.USAGE)
    try:
        parse_period(period, timezone)
    except ValueError as error:
        raise CommandError(f"the period {error}", Exit.USAGE) from error


def _all(loaded: Loaded, contract: str | None) -> tuple[Procedure, ...]:
    agreed = chosen(loaded, contract).contract
    database = Database.open(loaded.database_url)
    try:
        with database.read() as tx:
            entries = tuple(store_ledger.read(tx))
    finally:
        database.close()
    return procedure.of_contract(entries, agreed.contract, calendar_of(agreed), LIVE.now_us())


def _one(loaded: Loaded, contract: str | None, number: int) -> Procedure:
    found = {one.number: one for one in _all(loaded, contract)}
    if number not in found:
        known = ", ".join(str(n) for n in found) or "none"
        raise CommandError(f"There are no findings {number}; `loketwacht findings list` shows them: {known}.")
    return found[number]


def _day_us(loaded: Loaded, contract: str | None, option: str, text: str) -> int:
    timezone = chosen(loaded, contract).contract.timezone
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f'{option} "{text}" is no day; write 2026-12-01.', Exit.USAGE) from error
    at_us = civil_us(day, 0, timezone)
    if at_us > LIVE.now_us():
        raise CommandError(f"{option} {text} is still to come; put on record what has happened.", Exit.USAGE)
    return at_us


def _day_of(loaded: Loaded, contract: str | None, sealed: Sealed) -> str:
    at_us = sealed.entry.from_us
    return "?" if at_us is None else day_text(local_date(at_us, chosen(loaded, contract).contract.timezone))


def _append(loaded: Loaded, entry: Entry) -> Sealed:
    database = Database.open(loaded.database_url)
    try:
        with database.begin() as tx:
            return add_entry(tx, entry, journeys={check.id for check in loaded.config.checks})
    except ExchangeRefusedError as error:
        raise CommandError(str(error), Exit.USAGE) from error
    finally:
        database.close()


def _told(sealed: Sealed, *, json_: bool) -> int:
    if json_:
        answer({"seq": sealed.seq, "kind": sealed.entry.kind, "hash": sealed.hash})
    else:
        say(f"Entry {sealed.seq} is in the ledger: {sealed.entry.kind}, hash {sealed.hash[:16]}…")
    return Exit.FINE


def _files_told(number: str, files: Files, *, json_: bool, entry: int | None = None) -> int:
    if files.without_pdf:
        say(files.without_pdf)
    if json_:
        told: dict[str, Any] = {"number": number, "sha256": files.sha256, "files": dict(files.files)}
        answer(told if entry is None else {**told, "entry": entry})
    else:
        for path in files.files.values():
            say(path)
    return Exit.FINE


def _shown(loaded: Loaded, contract: str | None, without: tuple[Stage, ...], *, json_: bool) -> int:
    found = [one for one in _all(loaded, contract) if one.stage not in without]
    if json_:
        answer([_as_json(one, chosen(loaded, contract).contract.timezone) for one in found])
    elif not found:
        say("No procedure." if not without else "No term is running.")
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("nr", "document", "period", "clauses", "stage", "due", "days", "where it stands"):
            table.add_column(name)
        for one in found:
            table.add_row(
                str(one.number),
                one.document,
                one.period,
                ", ".join(one.clauses),
                one.stage.value,
                "" if one.due is None else one.due.day.isoformat(),
                "" if one.days_left is None else str(one.days_left),
                one.told.en,
            )
        people().print(table)
        if any(one.due is not None and one.due.was_moved for one in found):
            say(COUNTING.en)
    return Exit.BAD_NEWS if any(one.is_overdue for one in found) else Exit.FINE


def _as_json(one: Procedure, timezone: str) -> dict[str, Any]:
    def step(sealed: Sealed | None) -> dict[str, Any] | None:
        if sealed is None:
            return None
        at_us = sealed.entry.from_us
        return {"entry": sealed.seq, "by": sealed.entry.by, "reason": sealed.entry.reason,
                "day": None if at_us is None else local_date(at_us, timezone).isoformat(),
                "recorded_at": instant_text(sealed.entry.recorded_us, timezone)}  # fmt: skip

    return {
        "number": one.number,
        "document": one.document,
        "period": one.period,
        "clauses": list(one.clauses),
        "outages": list(one.outages),
        "stage": one.stage.value,
        "position": one.position or None,
        "due": None if one.due is None else one.due.day.isoformat(),
        "fifteenth_day": None if one.due is None else one.due.fifteenth.isoformat(),
        "days_left": one.days_left,
        "overdue": one.is_overdue,
        "told": one.told.nl,
        "sent": step(one.sent),
        "defence": step(one.defence),
        "decision": step(one.decision),
    }
