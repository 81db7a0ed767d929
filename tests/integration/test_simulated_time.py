"""Hours of the practice portal, lived by the real parts in simulated time."""

import email
import email.policy
import hashlib
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from monitor.demo import instant_us, live, prepare
from monitor.demo_story import STORY, Happening
from monitor.store import events, samples
from monitor.store.database import Database

MORNING = datetime.fromisoformat("2026-10-08T06:00")  # civil time, as all times of the story
HOUR_US = 3_600_000_000


def lived(folder, *, story=(), begins=MORNING, hours=3, seed=1):
    begins_us = instant_us(begins)
    return live(prepare(folder), begins_us=begins_us, ends_us=begins_us + hours * HOUR_US, story=story, seed=seed)


def stored(result, check_id="indienen"):
    database = Database.open(f"sqlite:///{result.database}")
    with database.read() as tx:
        found = list(samples.between(tx, check_id, "lokaal", 0, 1 << 60))
        happened = list(events.read(tx, 0, 1 << 60))
    database.close()
    return found, happened


def subjects(result):
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in result.mails]
    return [str(mail["Subject"]) for mail in mails]


def digest(result):
    found, _ = stored(result)
    return hashlib.sha256(repr(found).encode()).hexdigest()


def test_the_same_seed_gives_the_same_samples_and_another_seed_others(tmp_path):
    first, same, other = (lived(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert digest(first) == digest(same)
    assert digest(first) != digest(other)


def test_a_quiet_morning_is_up_on_every_slot_and_mails_nobody(tmp_path):
    result = lived(tmp_path)
    found, _ = stored(result)
    assert Counter(sample.outcome.value for sample in found) == {"up": 9}
    assert {b.slot_us - a.slot_us for a, b in pairwise(found)} == {HOUR_US // 3}
    assert result.mails == ()


def test_an_outage_is_mailed_once_when_it_begins_and_once_when_it_ends(tmp_path):
    outage = Happening(
        at=MORNING + timedelta(minutes=61),
        text="three quarters of an hour",
        faults=({"fault": "status-500", "path": "/loket/projecten/nieuw", "seconds": 2700},),
    )
    result = lived(tmp_path, story=(outage,))
    about = [subject for subject in subjects(result) if "Ondertekenen en indienen" in subject]
    assert [next(word for word in subject.split() if word.isupper()) for subject in about] == ["STORING:", "HERSTELD:"]
    found, _ = stored(result)
    assert Counter(sample.outcome.value for sample in found) == {"up": 7, "down": 2}


def test_while_the_monitor_is_off_nothing_is_measured_and_its_restart_says_so(tmp_path):
    off = Happening(at=MORNING + timedelta(minutes=61), text="off", off_seconds=3600)
    found, happened = stored(lived(tmp_path, story=(off,)))
    missed = [event.data for event in happened if event.kind == "missed-slots" and event.check_id == "indienen"]
    assert [(event["count"], event["cause"]) for event in missed] == [(3, "off")]
    assert len(found) == 6


def test_our_own_line_failing_is_unknown_and_never_an_outage(tmp_path):
    [line] = [happening for happening in STORY if "Our own line" in happening.text]
    result = lived(tmp_path, story=(line,), begins=line.at - timedelta(minutes=30), hours=2)
    found, _ = stored(result)
    assert "down" not in Counter(sample.outcome.value for sample in found)
    assert "unknown" in Counter(sample.outcome.value for sample in found)
    assert not any("STORING" in subject for subject in subjects(result))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("refuse", "connect"), ("reset", "protocol"), ("hang", "timeout"), ("idp-down", "http-status")],
)
def test_what_breaks_the_way_to_the_portal_has_its_kind_in_simulated_time_too(tmp_path, fault, kind):
    broken = Happening(at=MORNING, text=fault, faults=({"fault": fault, "seconds": 3600},))
    found, _ = stored(lived(tmp_path, story=(broken,), hours=1))
    assert {sample.failure.kind.value for sample in found} == {kind}
