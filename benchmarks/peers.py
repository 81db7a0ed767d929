"""The other side: targets, and probers of others, each in a process of its own that ends by itself.

`.ci/setup bench` puts them in `.venv/peers`, unpacked and not installed: no service starts on its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_PEERS = Path(__file__).parents[1] / ".venv" / "peers"
NGINX = _PEERS / "usr/sbin/nginx"
BLACKBOX = _PEERS / "usr/bin/prometheus-blackbox-exporter"
LATE = _PEERS / "late"
ZABBIX = _PEERS / "usr/sbin/zabbix_proxy"
ZABBIX_SCHEMA = _PEERS / "usr/share/zabbix-proxy-sqlite3/schema.sql.gz"
#: Of what was unpacked beside them; searched before the system's own.
LIBRARIES = tuple(sorted((_PEERS / "usr/lib").glob("*-linux-gnu*")))

#: No process of a benchmark lives longer.
LONGEST_S = 900
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")

#: 1 kB, as small pages are.
PAGE = "<!doctype html><html lang=nl><title>Loket</title><h1>Loket</h1>" + "<p>Welkom aan het loket.</p>\n" * 34


def missing() -> tuple[str, ...]:
    """What `.ci/setup bench` could not get."""
    absent = [path.name for path in (NGINX, BLACKBOX, LATE) if not path.exists()]
    return (*absent, *(name for name in ("curl", "timeout", "taskset") if shutil.which(name) is None))


def cores() -> tuple[int, int]:
    """Where targets and drivers run, and where probers do; the same on a machine with one core."""
    found = sorted(os.sched_getaffinity(0))
    return found[0], found[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A program under way. `first`: the first line it printed; empty where nobody asked for one."""

    pid: int
    first: str

    @property
    def cpu_s(self) -> float:
        """User and system time so far, of all its threads."""
        return cpu_of(self.pid)

    @property
    def whole_cpu_s(self) -> float:
        """The same with the processes it started, those that ended included."""
        return sum(cpu_of(pid, ended=True) for pid in family(self.pid))

    @property
    def resident_mb(self) -> float:
        return _resident_mb(self.pid)

    @property
    def whole_resident_mb(self) -> float:
        """The same with the processes it started; what they share counts for each."""
        return sum(map(_resident_mb, family(self.pid)))


def cpu_of(pid: int, *, ended: bool = False) -> float:
    """User and system time of one process so far; with `ended` that of its children that ended too."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15] if ended else fields[11:13])) * _TICK_S


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def family(pid: int) -> Iterator[int]:
    """The process and all that it and its children started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            yield from family(int(child))


@contextmanager
def running(command: list[str], *, core: int, log: Path, says: bool = False) -> Iterator[Running]:
    """A program on one core; ended with the block, and by itself should nobody end it."""
    bounded = ["timeout", "--signal=KILL", str(LONGEST_S), "taskset", "-c", str(core), *command]
    with log.open("ab") as file:
        out = subprocess.PIPE if says else file
        process = subprocess.Popen(bounded, stdout=out, stderr=file, text=True)  # noqa: S603 - our own words
    try:
        first = process.stdout.readline().strip() if process.stdout is not None else ""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 10
        while not (found := children.read_text(encoding="ascii").split()):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-500:]}")
            time.sleep(0.01)
        yield Running(pid=int(found[0]), first=first)
    finally:
        _end(process)
        if process.stdout is not None:
            process.stdout.close()


def _end(process: subprocess.Popen[str]) -> None:
    pids = tuple(family(process.pid))
    process.send_signal(signal.SIGTERM)  # timeout passes it on
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        for pid in reversed(pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(timeout=30)


@contextmanager
def nginx(folder: Path, *, core: int) -> Iterator[tuple[int, int]]:
    """A page over http and https (P-256, TLS 1.3, full handshakes); gives both ports. `ca.pem` stays in the folder.

    `/standing` counts what was asked; who adds `?asked=NAME` to an address stands in `asked.log`, with the number of
    the connection, the path and the cookies.
    """
    http, https = free_ports(2)
    _certificates(folder)
    page = folder / "www"
    page.mkdir()
    for number in range(6):
        (page / ("index.html" if number == 0 else f"stap{number}.html")).write_text(PAGE, encoding="utf-8")
    temporary = "\n".join(
        f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"""daemon off; master_process off; pid {folder / "pid"}; error_log {folder / "error.log"} crit;
events {{ worker_connections 4096; }}
http {{ log_format asked '$arg_asked $connection $uri $http_cookie'; map $arg_asked $noted {{ default 1; "" 0; }}
 access_log {folder / "asked.log"} asked if=$noted; {temporary} default_type text/html; types {{ text/html html; }}
 server {{ listen 127.0.0.1:{http} backlog=4096; listen 127.0.0.1:{https} ssl backlog=4096; root {page};
  ssl_certificate {folder / "leaf.pem"}; ssl_certificate_key {folder / "leaf.key"};
  ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off;
  location = /standing {{ stub_status; }}
  location = /stap1.html {{ add_header Set-Cookie "sessie=0123456789abcdef; Path=/; HttpOnly"; }} }} }}
""",
        encoding="utf-8",
    )
    command = [str(NGINX), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with running(command, core=core, log=folder / "nginx.log"):
        until_listening(http)
        yield http, https


@contextmanager
def blackbox(folder: Path, *, core: int) -> Iterator[tuple[Running, int]]:
    """blackbox_exporter with the module `page`, a deadline of 10 s and the folder's authority; gives its port."""
    (port,) = free_ports(1)
    (folder / "blackbox.yml").write_text(
        "modules:\n  page:\n    prober: http\n    timeout: 10s\n    http:\n      preferred_ip_protocol: ip4\n"
        f"      tls_config: {{ca_file: {folder / 'ca.pem'}}}\n",
        encoding="utf-8",
    )
    command = [
        str(BLACKBOX),
        f"--config.file={folder / 'blackbox.yml'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with running(command, core=core, log=folder / "blackbox.log") as process:
        until_listening(port)
        yield process, port


@contextmanager
def late(folder: Path, *, core: int) -> Iterator[int]:
    """The server that answers after 50.0 ms; gives its port."""
    with running([str(LATE), str(LONGEST_S)], core=core, log=folder / "late.log", says=True) as process:
        yield int(process.first)


def free_ports(number: int) -> tuple[int, ...]:
    """Ports that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = tuple(held.getsockname()[1] for held in sockets)
    for held in sockets:
        held.close()
    return ports


def until_listening(port: int) -> None:
    """Returns as soon as somebody listens there; an OSError after ten seconds."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _certificates(folder: Path) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - a certificate is valid now, whatever is measured
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in ("Proef-CA", "localhost")]
    made = []
    for number in range(2):
        builder = (
            x509.CertificateBuilder(issuer_name=names[0], subject_name=names[number])
            .public_key(keys[number].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
        )
        if number:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "ca.pem").write_bytes(made[0])
    (folder / "leaf.pem").write_bytes(made[1])
    key = keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "leaf.key").write_bytes(key)
