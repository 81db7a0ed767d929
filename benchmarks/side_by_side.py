"""Twenty targets, probed by blackbox_exporter and by Loketwacht: what each says, and why where they differ.

    python -m benchmarks.side_by_side [--write]

Prints the table, and with `--write` keeps it in docs/side-by-side.md. Ends with 1 where they differ without a reason
given here, and where a reason is given for what does not differ.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import ssl
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme

from benchmarks import peers
from monitor.clock import LIVE
from probes.checks import CertificateCheck, Journey, Portal
from probes.run import run
from probes.sample import Outcome
from probes.setup import Setup
from tests.certificates import LONG_AGO, PAST, Authority, authority
from tests.scripted_server import Received, ScriptedServer, answer

DOCUMENT = Path(__file__).parents[1] / "docs" / "side-by-side.md"
_FROM, _UNTIL = "<!-- table -->\n", "<!-- end of table -->\n"
_DEADLINE_S = 2
_CAP = 8 * 1024 * 1024
_WORD = "Welkom"
_FIELDS = ("verdict", "status", "phases", "certificate")
#: Shorter phases say more about the machine than about the target.
_NOTABLE_S = 0.1

#: Why their figures of a certificate vanish where ours stay.
_SHAKEN_TWICE = (
    "certificate",
    "blackbox_exporter tells nothing of a handshake that failed, so an alert on the expiry falls silent when it is "
    "due; Loketwacht reads the certificate in a second handshake without verification, which decides nothing else",
)

Answers = Callable[[asyncio.StreamWriter], Awaitable[None]]
Contexts = Callable[[Authority, Authority], ssl.SSLContext]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is probed.

    Attributes:
        path: with what the server does at `/`; None where nobody listens.
        tls: the certificate it shows; None speaks plain HTTP.
        why: per field, the reason for a difference that is expected.
    """

    name: str
    answers: Answers | None
    tls: Contexts | None = None
    host: str = "localhost"
    module: str = "page"
    why: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a prober says of a target: each field as the table shows it; empty where it says nothing."""

    verdict: str
    status: str
    phases: str
    certificate: str


def _plain(body: bytes = f"<h1>{_WORD}</h1>".encode(), *, status: int = 200, head: str = "") -> Answers:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(body, status=status, head=head))

    return write


async def _slow(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.5)
    await _plain()(writer)


async def _silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01\x02 this is no HTTP\r\n\r\n")


async def _early_close(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _cut_short(writer: asyncio.StreamWriter) -> None:
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{_WORD}".encode())
    await writer.drain()
    writer.close()


TARGETS = (
    Target(name="good", answers=_plain()),
    Target(name="good, TLS", answers=_plain(), tls=lambda ours, _: ours.server("localhost")),
    Target(
        name="gzip", answers=_plain(gzip.compress(_WORD.encode()), head="Content-Encoding: gzip\r\n"), module="gzip"
    ),
    Target(name="slow, half a second", answers=_slow),
    Target(name="404", answers=_plain(status=404)),
    Target(name="500", answers=_plain(status=500)),
    Target(name="redirect", answers=_plain(status=302, head="Location: /there\r\n")),
    Target(name="redirect loop", answers=_plain(status=302, head="Location: /\r\n")),
    Target(name="other text than expected", answers=_plain(b"<h1>Storing</h1>")),
    Target(name="IPv6 only", answers=_plain(), host="::1"),
    Target(
        name="expired",
        answers=_plain(),
        tls=lambda ours, _: ours.server("localhost", since=LONG_AGO, until=PAST),
        why=(_SHAKEN_TWICE,),
    ),
    Target(
        name="for another host",
        answers=_plain(),
        tls=lambda ours, _: ours.server("elders.example"),
        why=(_SHAKEN_TWICE,),
    ),
    Target(
        name="of a stranger",
        answers=_plain(),
        tls=lambda _, strangers: strangers.server("localhost"),
        why=(_SHAKEN_TWICE,),
    ),
    Target(name="self-signed", answers=_plain(), tls=lambda _ours, _strangers: _self_signed(), why=(_SHAKEN_TWICE,)),
    Target(name="dripping body", answers=_dripping),
    Target(name="16 MB body", answers=_plain(_WORD.encode() + bytes(2 * _CAP))),
    Target(
        name="gzip bomb, 64 MB",
        answers=_plain(gzip.compress(_WORD.encode() + bytes(8 * _CAP)), head="Content-Encoding: gzip\r\n"),
        module="gzip",
    ),
    Target(name="refused", answers=None),
    Target(
        name="silent",
        answers=_silent,
        why=(
            (
                "phases",
                "blackbox_exporter closes a phase only when the next one begins, so two seconds of waiting are in "
                "none; Loketwacht counts what was waited for until the deadline",
            ),
        ),
    ),
    Target(name="closes before it answers", answers=_early_close),
    Target(name="ends in the middle of the body", answers=_cut_short),
    Target(name="no HTTP", answers=_garbage),
)


def _self_signed() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "self.pem"
        ca = trustme.CA()
        ca.private_key_pem.write_to_path(str(both))
        ca.cert_pem.write_to_path(str(both), append=True)
        context.load_cert_chain(both)
    return context


@contextmanager
def _exporter(folder: Path, ca_file: str) -> Iterator[int]:
    """blackbox_exporter with the modules `page` and `gzip`, bounded as Loketwacht is; gives its port."""
    (port,) = peers.free_ports(1)
    module = (
        f"    prober: http\n    timeout: {_DEADLINE_S}s\n    http:\n      preferred_ip_protocol: ip4\n"
        f"      fail_if_body_not_matches_regexp: [{_WORD}]\n      body_size_limit: {_CAP}B\n"
        f"      tls_config: {{ca_file: {ca_file}}}\n"
    )
    coded = "      compression: gzip\n      headers: {Accept-Encoding: gzip}\n"
    (folder / "blackbox.yml").write_text(f"modules:\n  page:\n{module}  gzip:\n{module}{coded}", encoding="utf-8")
    command = [str(peers.BLACKBOX), f"--config.file={folder / 'blackbox.yml'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with peers.running(command, core=peers.cores()[1], log=folder / "blackbox.log"):
        peers.until_listening(port)
        yield port


def _theirs(port: int, url: str, module: str) -> Said:
    query = urllib.parse.urlencode({"target": url, "module": module})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/probe?{query}", timeout=30) as response:
        text = response.read().decode()

    def value(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found is not None else 0.0

    phases = {
        phase: value(f'probe_http_duration_seconds{{phase="{phase}"}}')
        for phase in ("resolve", "connect", "tls", "processing", "transfer")
    }
    expiry = value("probe_ssl_earliest_cert_expiry")
    return Said(
        verdict="up" if value("probe_success") else "down",
        status=_status(int(value("probe_http_status_code"))),
        phases=_notable(phases),
        certificate=_day(expiry) if expiry > 0 else "",
    )


async def _ours(url: str, ca_file: str, *, tls: bool, host: str, port: int) -> tuple[Said, str]:
    """What we say, and the kind of failure, which is ours alone to tell."""
    setup = Setup(
        portal=Portal(name="Doel", base_url=url, contact="https://loket.example", ca_file=ca_file, max_body=_CAP),
        secrets={},
        now_us=LIVE.now_us,
        monotonic_us=LIVE.monotonic_us,
        new_id=LIVE.new_id,
    )
    about = {"id": "doel", "title": {"nl": "Doel", "en": "Target"}, "interval": "1m", "deadline": f"{_DEADLINE_S}s"}
    step = {"id": "open", "path": "/", "expect": {"status": 200, "text": _WORD}}
    sample = await run(Journey.model_validate({**about, "step": [step]}), slot_us=0, location="hier", setup=setup)
    certificate = ""
    if tls:
        check = CertificateCheck.model_validate({**about, "host": host, "port": port})
        shown = (await run(check, slot_us=0, location="hier", setup=setup)).certificate
        certificate = _day(shown.earliest_not_after_us / 1_000_000) if shown is not None else ""
    [result] = sample.steps
    phases = {
        "resolve": result.phases.resolve_us,
        "connect": result.phases.connect_us,
        "tls": result.phases.tls_us,
        "processing": result.phases.processing_us,
        "transfer": result.phases.transfer_us,
    }
    said = Said(
        verdict=sample.outcome.value if sample.outcome is not Outcome.DEGRADED else "up",
        status=_status(result.status),
        phases=_notable({phase: us / 1_000_000 for phase, us in phases.items()}),
        certificate=certificate,
    )
    return said, sample.failure.kind.value if sample.failure is not None else ""


def _status(status: int) -> str:
    return str(status) if status else ""


def _notable(phases: dict[str, float]) -> str:
    return ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in phases.items() if seconds >= _NOTABLE_S)


def _day(seconds: float) -> str:
    """The day; a certificate made for this run ends on a day that the table does not depend on."""
    instant = datetime.fromtimestamp(seconds, UTC)
    return instant.date().isoformat() if instant == PAST else "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    target: Target
    theirs: Said
    ours: Said
    kind: str

    @property
    def differing(self) -> tuple[str, ...]:
        return tuple(field for field in _FIELDS if getattr(self.theirs, field) != getattr(self.ours, field))

    @property
    def unexplained(self) -> tuple[str, ...]:
        """Fields that differ without a reason, and reasons for what does not differ."""
        return tuple(sorted(set(self.differing) ^ {field for field, _ in self.target.why}))


async def rows() -> list[Row]:
    """Every target probed by both, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, strangers = authority(folder), authority(folder, "strangers.pem")
        with _exporter(folder, ours.file) as exporter:
            return [await _both(target, exporter, ours, strangers) for target in TARGETS]


async def _both(target: Target, exporter: int, ours: Authority, strangers: Authority) -> Row:
    async with AsyncExitStack() as stack:
        (port,) = peers.free_ports(1)
        if (answers := target.answers) is not None:

            async def script(received: Received, writer: asyncio.StreamWriter) -> None:
                await (answers if received.target == "/" else _plain())(writer)

            context = target.tls(ours, strangers) if target.tls is not None else None
            host = "::1" if target.host == "::1" else "127.0.0.1"
            server = await stack.enter_async_context(ScriptedServer(script, context, host))
            port = server.port
        shown = f"[{target.host}]" if ":" in target.host else target.host
        url = f"{'https' if target.tls else 'http'}://{shown}:{port}"
        theirs = await asyncio.to_thread(_theirs, exporter, url + "/", target.module)
        said, kind = await _ours(url, ours.file, tls=target.tls is not None, host=target.host, port=port)
    return Row(target=target, theirs=theirs, ours=said, kind=kind)


def table(found: list[Row]) -> str:
    """The rows as a table in Markdown, the reasons below it."""
    lines = ["| target | blackbox_exporter | Loketwacht | failure |", "|---|---|---|---|"]
    for row in found:
        cells = (row.target.name, *(_cell(said) for said in (row.theirs, row.ours)), row.kind or "none")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *reasons(row.target for row in found), ""])


def reasons(targets: Iterable[Target]) -> list[str]:
    """Every reason once, with the targets it holds for."""
    named: dict[tuple[str, str], list[str]] = {}
    for target in targets:
        for reason in target.why:
            named.setdefault(reason, []).append(target.name)
    return [f"- {field} of **{', '.join(names)}**: {why}." for (field, why), names in named.items()]


def _cell(said: Said) -> str:
    status = said.status or "no status"
    certificate = f"certificate {said.certificate}" if said.certificate else ""
    return "; ".join(part for part in (said.verdict, status, said.phases, certificate) if part)


def main() -> int:
    if not peers.BLACKBOX.exists():
        print("blackbox_exporter is missing; `.ci/setup bench` gets it", file=sys.stderr)
        return 4
    found = asyncio.run(asyncio.wait_for(rows(), timeout=120))
    print(table(found))
    wrong = [(row, field) for row in found for field in row.unexplained]
    for row, field in wrong:
        what = "no reason is given" if field in row.differing else "a reason is given, and they say the same"
        mine, other = getattr(row.ours, field), getattr(row.theirs, field)
        print(f"{row.target.name}, {field}: {what}: blackbox {other!r}, Loketwacht {mine!r}", file=sys.stderr)
    if "--write" in sys.argv[1:] and not wrong:
        before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_FROM)
        DOCUMENT.write_text(before + _FROM + table(found) + _UNTIL + rest.partition(_UNTIL)[2], encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
