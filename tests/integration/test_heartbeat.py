"""The sign of life that goes out: only a schedule that moves on gives it, and nothing of its address is shown."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from monitor.clock import Clock
from monitor.config import load
from monitor.heartbeat import Heartbeat
from monitor.measuring import Measuring
from monitor.metrics import Metrics
from monitor.outward_settings import HeartbeatSettings
from monitor.schedule import Schedule
from monitor.service import Service
from monitor.store.database import Database, directly
from monitor.toml_file import ConfigError
from tests.heart import MINUTE, SECOND, at, run
from tests.receiver import Receiver, receiving
from tests.running_service import a_place

SECRET = "0e7a1f56-geheim"


@dataclass
class Beating:
    """A heartbeat with a clock, and problems, that tests set."""

    url: str
    monotonic_us: int = 0
    problems: tuple[str, ...] = ()
    metrics: Metrics = field(default_factory=lambda: Metrics(version="1", started_us=0))

    def __post_init__(self) -> None:
        clock = Clock(now_us=lambda: at("10:00"), monotonic_us=lambda: self.monotonic_us, new_id=lambda: "0")
        self.heartbeat = Heartbeat(problems=lambda: self.problems, clock=clock, metrics=self.metrics)

    def beat(self, **settings: object) -> None:
        chosen = HeartbeatSettings.model_validate({"url": self.url + "/ping/{{ secret.life }}"} | settings)
        run(self.heartbeat.beat(chosen, {"life": SECRET}))

    def counted(self) -> dict[str, float]:
        lines = self.metrics.exposition("")[0].decode().splitlines()
        return {
            line.partition("{")[2].partition("}")[0]: float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith("monitor_heartbeats_total{") and not line.endswith(" 0.0")
        }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_all_is_well_once_a_minute_and_no_oftener(receiver: Receiver) -> None:
    """T31."""
    beating = Beating(receiver.url)
    for second in (0, 1, 59, 60, 61):
        beating.monotonic_us = second * SECOND
        beating.beat()
    assert [(one.method, one.path) for one in receiver.taken] == [("POST", f"/ping/{SECRET}")] * 2
    assert beating.counted() == {'result="ok",signal="alive"': 2}


def test_a_schedule_that_stands_still_is_told_as_failing(receiver: Receiver, tmp_path: Path) -> None:
    """T31: after a minute without a move the service elsewhere hears so, and hears no good news any more."""
    table = f'[heartbeat]\nurl = "{receiver.url}/hond"'
    loaded = load(a_place(tmp_path, journeys=("startpagina",), more=table).config)
    now = [0]
    clock = Clock(now_us=lambda: at("10:00"), monotonic_us=lambda: now[0], new_id=lambda: "0")
    service = Service(loaded, path=tmp_path / "config.toml", clock=clock)
    service._measuring = Measuring(
        "lokaal", database=Database.open("sqlite://"), in_store=directly, clock=clock, metrics=service._metrics
    )
    service._measuring._schedule = Schedule((), clock=clock, start=None, on_missed=print, on_jump=print)  # type: ignore[arg-type]
    for now[0] in (0, MINUTE, 2 * MINUTE):
        run(service._beat())
    assert [(one.path, one.body) for one in receiver.taken] == [
        ("/hond", b""),
        ("/hond", b""),
        ("/hond/fail", b"the schedule has not moved for 120 s"),
    ]
    service._all_taken_us, now[0] = 0, 6 * MINUTE
    assert any("the store has not taken everything" in problem for problem in service._problems())


def test_where_failure_may_not_be_told_there_is_silence(receiver: Receiver) -> None:
    """T31: for a service that knows nothing but the sign of life itself."""
    beating = Beating(receiver.url, problems=("the schedule has not moved for 120 s",))
    beating.beat(tell_failure=False)
    assert receiver.taken == []


@pytest.mark.parametrize("status", [0, 404, 500])
def test_a_service_that_fails_is_counted_and_hinders_nobody(
    receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = lambda _: status
    beating = Beating(receiver.url)
    with caplog.at_level(logging.DEBUG, logger="monitor"):
        beating.beat(method="GET")
    assert receiver.taken[0].method == "GET"
    assert beating.counted() == {'result="failed",signal="alive"': 1}
    assert [record.getMessage() for record in caplog.records] == ["the sign of life did not arrive"]
    assert SECRET not in str([vars(record) for record in caplog.records])


def test_nothing_listens_and_the_address_is_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    beating = Beating("http://127.0.0.1:1")
    with caplog.at_level(logging.DEBUG, logger="monitor"):
        beating.beat()
        beating.monotonic_us = MINUTE
        beating.beat(url="{{ secret.life }}")
    said = str([vars(record) for record in caplog.records])
    assert "http://127.0.0.1:1 cannot be reached" in said
    assert SECRET not in said
    assert beating.counted() == {'result="failed",signal="alive"': 2}


@pytest.mark.parametrize(
    ("keys", "because"),
    [
        ('url = "https://wacht.example/{{ secret.onbekend }}"', 'there is no secret "onbekend"'),
        ('url = "{{ secret.burger_token }}"', "is not an address"),
        ('url = "https://{{ wacht }}/x"', "is not an address"),
        ('url = "ftp://wacht.example/x"', "pattern"),
        ('url = "https://wacht.example/x"\ntimeout = "1m"', "timeout is not shorter"),
        ('url = "https://wacht.example/x"\nevery = "1s"', "every is less"),
    ],
)
def test_nonsense_is_refused(keys: str, because: str, tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), more=f"[heartbeat]\n{keys}")
    with pytest.raises(ConfigError) as refused:
        load(place.config)
    assert because in str(refused.value)
