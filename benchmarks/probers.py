"""What probes, in a process of its own: both engines, and those who make blackbox_exporter and curl do it."""

from __future__ import annotations

import asyncio
import itertools
import re
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import httpx
import uvloop

from monitor.clock import LIVE
from probes.checks import Journey, Portal
from probes.engine.names import Names
from probes.engine.own import OwnTransport
from probes.engine.settings import Signers, Way
from probes.run import run
from probes.sample import Outcome, Sample
from probes.setup import Setup
from probes.tls import TlsLibrary, trust

Engine = Literal["own", "httpx"]
DELAY_US = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much: `number` probes, `at_once` of them under way; a burst starts them all together."""

    number: int
    at_once: int


# --- CPU for each probe, in milliseconds ----------------------------------------------------------------------------


def engine_cost(url: str, ca_file: str, load: Load, tls: TlsLibrary = "openssl") -> float:
    """Only the house's engine: a request made beforehand, a name looked up, a new connection, a total deadline."""
    return uvloop.run(_engine_cost(url, ca_file, load, tls))


async def _engine_cost(url: str, ca_file: str, load: Load, tls: TlsLibrary) -> float:
    way = Way(
        context=partial(trust, ca_file, library=tls),
        names=Names(monotonic_us=LIVE.monotonic_us, family="4"),
        monotonic_us=LIVE.monotonic_us,
        signers=Signers() if tls == "rustls" else None,
    )
    request = httpx.Request("GET", url, headers={"User-Agent": "bench"})

    async def probe() -> None:
        transport = OwnTransport(way)
        try:
            async with asyncio.timeout(10):
                response = await transport.handle_async_request(request)
                length = 0
                assert isinstance(response.stream, httpx.AsyncByteStream)
                async for part in response.stream:
                    length += len(part)
                await response.aclose()
        finally:
            await transport.aclose()
        if response.status_code != 200 or length < 900:
            raise AssertionError(f"{response.status_code}, {length} bytes")

    return await _cost(probe, load)


def run_cost(
    engine: Engine, url: str, paths: tuple[str, ...], ca_file: str, load: Load, tls: TlsLibrary = "openssl"
) -> float:
    """Whole runs, as the service does them: a step for each path, with cookies, its status and a text in its page."""
    return uvloop.run(_run_cost(_setup(engine, url, ca_file, tls), paths, load))


async def _run_cost(setup: Setup, paths: tuple[str, ...], load: Load) -> float:
    journey = _journey(paths)

    async def probe() -> None:
        _up(await run(journey, slot_us=0, location="bench", setup=setup))

    return await _cost(probe, load)


def paced_cost(url: str, paths: tuple[str, ...], ca_file: str, each_second: int, seconds: int) -> float:
    """Whole runs over our own engine as of `run_cost`, but so many a second: one after the other, and then a rest."""
    return uvloop.run(_paced_cost(url, paths, ca_file, each_second, seconds))


async def _paced_cost(url: str, paths: tuple[str, ...], ca_file: str, each_second: int, seconds: int) -> float:
    setup = _setup("own", url, ca_file)
    journey = _journey(paths)
    loop = asyncio.get_running_loop()
    for number in range(-1, seconds):  # one second beforehand for contexts, caches and code
        if number == 0:
            began, before = loop.time(), time.process_time()
        for _ in range(each_second):
            _up(await run(journey, slot_us=0, location="bench", setup=setup))
        if number >= 0:
            await asyncio.sleep(max(0.0, began + number + 1 - loop.time()))
    return (time.process_time() - before) * 1000 / (each_second * seconds)


async def _cost(probe: Callable[[], Awaitable[None]], load: Load) -> float:
    await _many(probe, Load(number=load.at_once, at_once=load.at_once))  # contexts, caches, code
    before = time.process_time()
    await _many(probe, load)
    return (time.process_time() - before) * 1000 / load.number


def drive_blackbox(port: int, target: str, load: Load, every_us: int = 0) -> tuple[int, ...]:
    """Asks blackbox_exporter; gives the phase `processing` of each probe, in microseconds.

    Args:
        every_us: start one each so often; 0 starts them as the ones before end.
    """
    return uvloop.run(_drive_blackbox(port, target, load, every_us))


async def _drive_blackbox(port: int, target: str, load: Load, every_us: int) -> tuple[int, ...]:
    asked = f"GET /probe?module=page&target={target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    found: list[int] = []

    async def probe() -> None:
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked)
        head = await reader.readuntil(b"\r\n\r\n")
        if b"chunked" in head:
            answer = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                answer += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        else:
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            answer = await reader.readexactly(length)
        idle.append((reader, writer))
        if b"\nprobe_success 1" not in answer:
            raise AssertionError("blackbox_exporter did not reach the target")
        value = answer.partition(b'probe_http_duration_seconds{phase="processing"} ')[2].split(b"\n")[0]
        found.append(round(float(value) * 1_000_000))

    if every_us:
        async with asyncio.TaskGroup() as group:
            loop = asyncio.get_running_loop()
            start = loop.time()
            for number in range(load.number):
                await asyncio.sleep(max(0.0, start + number * every_us / 1_000_000 - loop.time()))
                group.create_task(probe())
    else:
        await _many(probe, load)
    for _, writer in idle:
        writer.close()
    return tuple(found)


# --- the first byte, in microseconds ---------------------------------------------------------------------------------


def first_bytes(engine: Engine, url: str, load: Load) -> tuple[int, ...]:
    """From the request's last byte to the answer's first, of each whole run."""
    return uvloop.run(_first_bytes(engine, url, load))


async def _first_bytes(engine: Engine, url: str, load: Load) -> tuple[int, ...]:
    setup = _setup(engine, url, None)
    journey = _journey(("/",), text="ok")
    found: list[int] = []

    async def probe() -> None:
        sample = _up(await run(journey, slot_us=0, location="bench", setup=setup))
        found.append(sample.steps[0].phases.processing_us)

    await probe()
    found.clear()
    await _many(probe, load)
    return tuple(found)


def curl_first_bytes(url: str, load: Load) -> tuple[int, ...]:
    """The same of curl: in one process, which keeps at most 300 under way."""
    parallel = ["--parallel", "--parallel-immediate", "--parallel-max", str(load.at_once)] if load.at_once > 1 else []
    wanted = [
        "--silent",
        "--max-time",
        "10",
        "--header",
        "Connection: close",
        "--write-out",
        "%{time_starttransfer} %{time_pretransfer};\n",
    ]
    targets = list(itertools.chain.from_iterable(("--output", "/dev/null", url) for _ in range(load.number)))
    done = subprocess.run(  # noqa: S603
        ["curl", *parallel, *wanted, *targets],  # noqa: S607
        capture_output=True,
        check=True,
        timeout=120,
    )
    rows = re.findall(rb"([0-9.]+) ([0-9.]+);", done.stdout)
    # In parallel curl 7.88 says nothing of a transfer now and then.
    if len(rows) < load.number * 0.98:
        raise AssertionError(f"curl did {len(rows)} of {load.number}")
    return tuple(round((float(first) - float(sent)) * 1_000_000) for first, sent in rows)


# --- common -----------------------------------------------------------------------------------------------------------


async def _many(probe: Callable[[], Awaitable[None]], load: Load) -> None:
    left = iter(range(load.number))

    async def worker() -> None:
        for _ in left:
            await probe()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(load.at_once, load.number)):
            group.create_task(worker())


def _setup(engine: Engine, url: str, ca_file: str | None, tls: TlsLibrary = "openssl") -> Setup:
    contact = "https://a.example"
    return Setup(
        portal=Portal(name="Proef", base_url=url, ca_file=ca_file, contact=contact, engine=engine, tls=tls, ip="4"),
        now_us=LIVE.now_us,
        monotonic_us=LIVE.monotonic_us,
        new_id=LIVE.new_id,
    )


def _journey(paths: tuple[str, ...], text: str = "Welkom aan het loket") -> Journey:
    steps = [
        {"id": f"stap-{number}", "path": path, "expect": {"status": 200, "text": text}}
        for number, path in enumerate(paths, start=1)
    ]
    written = {"id": "proef", "title": {"nl": "Proef", "en": "Proof"}, "interval": "60s", "deadline": "10s"}
    return Journey.model_validate({**written, "step": steps})


def _up(sample: Sample) -> Sample:
    if sample.outcome is not Outcome.UP:
        raise AssertionError(str(sample.failure))
    return sample
