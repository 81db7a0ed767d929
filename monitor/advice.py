"""What a configuration may say and had better not: told by `config check`, never refused."""

from __future__ import annotations

from monitor.access import on_this_machine
from monitor.config import Config
from probes.references import references_up
from probes.setup import Setup


def advice(config: Config) -> tuple[str, ...]:
    """One sentence for each thing that is allowed and unwise."""
    found: list[str] = []
    if not config.references.urls:
        found.append(
            "[references] has no urls: every failure counts as the portal's, also where our own network is broken. "
            "Name three or more addresses of different owners."
        )
    if not config.references.names:
        found.append(
            "[references] has no names: a resolver of ours that fails is not noticed before a journey fails for it."
        )
    if not on_this_machine(config.metrics.host):
        found.append(
            f"[metrics] listens on {config.metrics.host}, without a token: whoever reaches it reads every figure. They "
            "hold no secrets; let a firewall leave only Prometheus to it."
        )
    return tuple(found)


async def silent_references(config: Config, setup: Setup) -> tuple[str, ...]:
    """The references that give no answer now though others do; none where all are silent, for that is our own way out.

    One that never answers is no vote for us: once most of them are like that, every outage is called our own.
    """
    urls = config.references.urls
    answers = await references_up(urls, deadline_us=config.references.deadline, setup=setup)
    if not any(answers):
        return ()
    return tuple(url for url, up in zip(urls, answers, strict=True) if not up)
