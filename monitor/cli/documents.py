"""`loketwacht document`: the documents over a period beside the monthly report."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from cyclopts import App, Parameter

from monitor import config, issuing, periodic
from monitor.cli.contract import chosen
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, say
from monitor.clock import LIVE
from monitor.composition import report_job
from monitor.periodic import Written
from monitor.reporting import ReportJob
from monitor.store.database import Database
from sla.period import local_date

document = App(name="document", help="Draw up a document over a period: two-weekly update, quarter, year.")

ContractName = Annotated[str | None, Parameter(help="Which contract; needed only where several are configured.")]
By = Annotated[str, Parameter(help="Who draws it up; recorded in the ledger.")]


@document.command(name="two-weekly")
def two_weekly(
    *,
    until: Annotated[date | None, Parameter(help="Last of the fourteen days; yesterday where it is left out.")] = None,
    contract: ContractName = None,
    by: By = "loketwacht document two-weekly",
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """The update on fourteen days: standing and budget per clause, outages, maintenance, what is still open."""
    job = _job(config_path, contract, "")
    yesterday = local_date(job.now_us, job.contract.timezone) - timedelta(days=1)
    return _recorded(job, periodic.write_update(job, until or yesterday), by=by, json_=json_)


@document.command
def quarter(
    period: str,
    *,
    contract: ContractName = None,
    by: By = "loketwacht document quarter",
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """The overview of a quarter, month by month.

    Parameters
    ----------
    period
        Such as `2026-Q4`.
    """
    if "Q" not in period:
        raise CommandError(f'"{period}" is no quarter; write it as 2026-Q4.', Exit.USAGE)
    return _overview(period, contract, by, config_path, json_=json_)


@document.command
def year(
    period: str,
    *,
    contract: ContractName = None,
    by: By = "loketwacht document year",
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """The overview of a year, month by month.

    Parameters
    ----------
    period
        Such as `2026`.
    """
    if not period.isdecimal():
        raise CommandError(f'"{period}" is no year; write it as 2026.', Exit.USAGE)
    return _overview(period, contract, by, config_path, json_=json_)


def _overview(period: str, contract: str | None, by: str, config_path: ConfigPath, *, json_: bool) -> int:
    job = _job(config_path, contract, period)
    return _recorded(job, periodic.write_overview(job), by=by, json_=json_)


def _job(config_path: ConfigPath, contract: str | None, period: str) -> ReportJob:
    loaded = config.load(config_path)
    job = report_job(loaded, chosen(loaded, contract), period, now_us=LIVE.now_us())
    # A store that is older is brought up to date before it is read.
    Database.open(job.database_url).close()
    return job


def _recorded(job: ReportJob, written: Written, *, by: str, json_: bool) -> int:
    database = Database.open(job.database_url)
    try:
        with database.begin() as tx:
            if not issuing.record(tx, written.issued, by=by):
                raise CommandError("The same document was drawn up at the same moment; run it again.")
    finally:
        database.close()
    if written.files.without_pdf:
        say(written.files.without_pdf)
    if json_:
        answer(
            {
                "number": written.report.number,
                "sha256": written.files.sha256,
                "files": dict(written.files.files),
            }
        )
    else:
        for path in written.files.files.values():
            say(path)
    return Exit.FINE
