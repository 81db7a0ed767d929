"""Whatever bytes a server sends: no crash, no hang, a failure from the closed list, the same over both engines."""

from __future__ import annotations

import asyncio

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from probes.run import run
from probes.sample import OURS, FailureKind, Outcome, Sample
from tests.engines import ENGINES
from tests.scripted_server import LATE_US, Received, ScriptedServer, journey, setup, step

LINES = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 302 Found",
    b"HTTP/2 200",
    b"http/1.1 200 OK",
    b"Content-Length: 5",
    b"Content-Length: 5, 5",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Content-Encoding: gzip",
    b"Content-Encoding: br",
    b"Connection: close",
    b"Connection: upgrade",
    b"Upgrade: websocket",
    b"Location: /",
    b"Location: http://[::1",
    b"Set-Cookie: a=b; Max-Age=x; Expires=y",
    b"Content-Type: text/html; charset=\xff\xfe",
    b" folded",
    b"No colon",
    b": no name",
    b"X-\x00: y",
    b"X: \x01\x7f\xe9",
    b"5\r\nhello\r\n0\r\n",
    b"5;ext\r\nhello",
    b"fffffffffffffffff\r\n",
    b"hello",
    b"",
]
ENDS = [b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"]
ANSWERS = st.one_of(
    st.binary(max_size=300),
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS)), max_size=9).map(
        lambda pairs: b"".join(line + end for line, end in pairs)
    ),
    st.builds(
        lambda status, heads, body: b"\r\n".join([status, *heads, b"", body]),
        st.sampled_from(LINES[:6]),
        st.lists(st.sampled_from(LINES[8:25]), max_size=4),
        st.one_of(
            st.sampled_from([b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"helloHTTP/1.1 200 OK\r\n\r\n"]), st.binary()
        ),
    ),
)


def verdicts(sent: bytes, cut: int) -> list[tuple[Outcome, FailureKind | None]]:
    async def script(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(sent[:cut])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(sent[cut:])
        await writer.drain()
        writer.close()

    async def go() -> list[Sample]:
        async with ScriptedServer(script) as server:
            base = f"http://127.0.0.1:{server.port}"
            once = journey(step("/", follow_redirects=False, expect={"status": [200, 204, 302]}), deadline="20s")
            return [await run(once, slot_us=0, location="hier", setup=setup(base, engine=engine)) for engine in ENGINES]

    samples = asyncio.run(go())
    assert all(sample.duration_us < 20_000_000 + LATE_US for sample in samples)
    return [(sample.outcome, sample.failure.kind if sample.failure else None) for sample in samples]


@settings(max_examples=max(200, settings().max_examples))
@given(ANSWERS, st.integers(min_value=0, max_value=80))
@example(b"HTTP/1.0 001\n\n", 0)
@example(b"\rHTTP/1.0 200\n\n", 0)
@example(b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 2)
@example(b"HTTP/1.1 000 Nothing\r\nContent-Length: 2\r\n\r\nhi", 9)
def test_any_bytes_end_in_a_verdict_that_both_engines_share(sent: bytes, cut: int) -> None:
    own, stock = verdicts(sent, cut)
    event(f"{own[0].value} {own[1].value if own[1] else ''}")
    assert own == stock
    assert own[1] not in OURS
