"""Reference targets: asked after a failure, fresh each time, to learn whether our own network is to blame (T2)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from probes.http import Ask, Visitor, host_of
from probes.setup import Setup
from probes.trail import Trail


async def references_up(references: Sequence[str], *, deadline_us: int, setup: Setup) -> tuple[bool, ...]:
    """Which of the references answer now, in their order. Any HTTP answer will do: it proves that the way is open.

    Asked at the same moment, on fresh connections; nothing of an earlier answer is used again.

    Args:
        references: absolute http or https URLs.
        deadline_us: total for each of them.
    """
    return tuple(await asyncio.gather(*(_answers(url, deadline_us, setup) for url in references)))


async def _answers(url: str, deadline_us: int, setup: Setup) -> bool:
    try:
        visitor = Visitor(
            transport=setup.way_out(),
            headers=(("User-Agent", setup.user_agent), ("Accept", "*/*"), ("Accept-Encoding", "identity")),
            allowed=frozenset({host_of(url)}),
            max_body=setup.portal.max_body,
            max_redirects=0,
            now_us=setup.now_us,
            monotonic_us=setup.monotonic_us,
        )
        try:
            async with asyncio.timeout(deadline_us / 1_000_000):
                await visitor.ask(Ask(method="GET", url=url, follow_redirects=False), Trail(), since_us=0)
        finally:
            await visitor.aclose()
    except Exception:
        return False
    return True


def ours_to_blame(answers: Sequence[bool]) -> bool:
    """Whether our own network is the likely cause: most references failed as well.

    Without references nothing speaks for us. Half is not most: one reference that answers beside one that does not
    shows that the way out is open.
    """
    return 2 * sum(not up for up in answers) > len(answers)
