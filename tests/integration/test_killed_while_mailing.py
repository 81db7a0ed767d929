"""A monitor killed anywhere between a failure and the mail about it, with a real store and a real mail server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from pathlib import Path

import trustme

from tests.running_service import HERE
from tests.smtp_server import Mailroom, serving


def test_killed_at_any_point_the_mail_arrives_and_a_second_one_is_the_same(tmp_path: Path) -> None:
    """T5: before and after every statement, every commit and the sending itself."""
    room = Mailroom()

    async def scene() -> bytes:
        async with serving(room, trustme.CA(), tls="none") as port:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.killed", str(tmp_path), str(port), cwd=HERE, stdout=asyncio.subprocess.PIPE
            )
            said, _ = await asyncio.wait_for(process.communicate(), 300)
            assert process.returncode == 0
            return said

    lives = [json.loads(line) for line in asyncio.run(scene()).splitlines()]
    arrived: dict[str, list[str]] = defaultdict(list)
    for mail, recipients in zip(room.mails, room.recipients, strict=True):
        for address in recipients:
            arrived[address].append(f"{mail['Message-ID']} {mail['Subject']}")
    assert len(lives) > 30
    assert [life for life in lives if len(life["incidents"]) != 1] == []
    assert [life["address"] for life in lives if not arrived[life["address"]]] == []
    assert [mails for mails in arrived.values() if len(set(mails)) != 1 or len(mails) > 2] == []
    assert any(len(mails) == 2 for mails in arrived.values())  # killed between sending and marking
    assert len(arrived[lives[-1]["address"]]) == 1  # the life that was not killed
