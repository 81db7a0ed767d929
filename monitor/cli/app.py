"""All commands in one place, and what becomes of their errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from monitor.cli import (
    alert,
    check,
    clean_up,
    configuration,
    contract,
    documents,
    exchange,
    incident,
    journey,
    look,
    pausing,
    procedure,
    proof,
    reasons,
    restated,
    retained,
    running,
    written,
)
from monitor.cli.output import CommandError, Exit, plugin_line, say
from monitor.reporting import ReportRefusedError
from monitor.store.database import StoreError
from monitor.toml_file import ConfigError
from probes.setup import installed_version

app = App(
    name="loketwacht",
    help="Watches a public portal the way its visitors use it, tells people when it breaks, and proves what the "
    "contract says about it.",
    version=installed_version(),
    help_format="plaintext",
)
app.command(running.run)
app.command(running.outpost)
app.command(running.practice)
app.command(running.demo)
app.command(check.check)
app.command(configuration.app)
app.command(journey.app)
app.command(look.status)
app.command(pausing.pause)
app.command(pausing.resume)
app.command(look.incidents_, name="incidents")
app.command(incident.app)
app.command(written.maintenance)
app.command(written.ledger)
contract.sla.command(reasons.explain)
contract.sla.command(reasons.what_if)
contract.sla.command(reasons.budget)
app.command(contract.sla)
app.command(contract.report)
app.command(documents.document)
app.command(restated.report_difference)
app.command(clean_up.cleanup)
app.command(procedure.outage)
app.command(procedure.findings)
app.command(proof.verify)
app.command(exchange.import_)
app.command(exchange.export)
app.command(alert.alert)
app.command(retained.db)
app.command(look.dashboards_app)
app.register_install_completion_command(help="Install completion for this shell.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the exit code."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    # Plugin hosts read code 2 as CRITICAL; whatever goes wrong before a verdict is UNKNOWN to them.
    nagios = tokens[:1] == ["check"] and "--nagios" in tokens
    try:
        code = app(tokens, exit_on_error=False, print_error=True, result_action="return_value")
        return int(code or 0)
    except CycloptsError:
        code, problem = Exit.USAGE, ""
    except ConfigError as error:
        code, problem = Exit.CONFIG, str(error)
    except CommandError as error:
        code, problem = error.code, str(error)
    except (StoreError, ReportRefusedError) as error:
        code, problem = Exit.FAILED, str(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    if nagios:
        print(f"LOKETWACHT UNKNOWN - {plugin_line((problem or 'wrong usage').splitlines()[0])}")
        return 3
    if problem:
        say(problem)
    return code
