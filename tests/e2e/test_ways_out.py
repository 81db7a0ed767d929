"""The real service tells an outage by every way out at once, and shows nothing of what is secret about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.receiver import Receiver, receiving
from tests.running_service import a_place, running, until

PATH, KEY = "pad-dat-niemand-mag-zien", "sleutel-die-niemand-mag-zien"
TABLES = """
[heartbeat]
url = "{url}/leven/{{{{ secret.pad }}}}"
every = "10s"
timeout = "5s"

[alertmanager]
urls = ["{url}/am/{{{{ secret.pad }}}}"]

[[webhook]]
id = "dienst"
url = "{url}/haak/{{{{ secret.pad }}}}"
secret = "sleutel"
"""


def test_an_outage_leaves_by_webhook_and_alertmanager_and_the_monitor_says_that_it_lives(tmp_path: Path) -> None:
    """T31, T47."""
    with receiving() as receiver:
        place = a_place(
            tmp_path, journeys=("startpagina",), every="6s", deadline="5s", more=TABLES.format(url=receiver.url)
        )
        sources = '[secrets]\npad = { env = "PAD" }\nsleutel = { env = "SLEUTEL" }'
        text = place.config.read_text(encoding="utf-8").replace("[secrets]", sources)
        place.config.write_text(text, encoding="utf-8")
        with running(place, "--practice", environment={"PAD": PATH, "SLEUTEL": KEY}) as service:
            until(lambda: "startpagina" in service.up(), seconds=120, what="all is well")
            until(lambda: taken(receiver, "/leven/"), seconds=120, what="a sign of life goes out")
            service.break_it(fault="status-500", path="/", seconds=120)
            opened = until(lambda: taken(receiver, "/haak/"), seconds=120, what="the webhook is told")[0]
            assert (opened["type"], opened["data"]["journey"]) == ("opened", "startpagina")
            [alert] = until(lambda: taken(receiver, "/am/"), seconds=120, what="the Alertmanager is told")[0]
            assert (alert["labels"]["alertname"], alert["labels"]["journey"]) == ("JourneyDown", "startpagina")
            service.mend()
            ended = until(lambda: taken(receiver, "/haak/")[1:], seconds=120, what="the webhook is told of the end")
            assert ended[0]["type"] == "recovered"
            seen = [service.exposition(), service.page(), service.page("/api/v1/incidents")]
            service.end()
            seen += [
                service.said(),
                *(path.read_bytes().decode("utf-8", "replace") for path in databases(place.database)),
            ]
    assert [secret for secret in (PATH, KEY) for text in seen if secret in text] == []


def taken(receiver: Receiver, under: str) -> list[Any]:
    """The bodies that came in below a path; what is not JSON as it stands."""
    came = [one.body for one in receiver.taken if one.path.startswith(under) and PATH in one.path]
    return [json.loads(body) if body.startswith((b"{", b"[")) else body or b"-" for body in came]


def databases(database: Path) -> list[Path]:
    return list(database.parent.glob(f"{database.name}*"))
