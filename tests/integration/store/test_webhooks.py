"""Programs that are told by webhook: signed, at least once, from the same outbox as the mails. On both engines."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import trustme

from monitor import composition
from monitor.alerts import left_behind_messages, report_messages
from monitor.alerts import test_messages as messages_to_try
from monitor.config import load
from monitor.delivery import Delivery
from monitor.mail_message import Receipt
from monitor.news import Kind, ReportNews
from monitor.outward_settings import WebhookSettings
from monitor.store import events, outbox
from monitor.store.database import directly
from monitor.toml_file import ConfigError
from monitor.webhooks import Telling, Webhook, body_of, signature, webhook_composer, webhook_sender
from tests.every_news import NEWS, to_send
from tests.heart import HOUSE, MINUTE, OPS, SECOND, Office, at, run
from tests.receiver import Receiver, Taken, receiving
from tests.running_service import a_place, loketwacht

HERE = Path(__file__).parents[3]
SCHEMA = json.loads((HERE / "docs" / "webhook-v1.schema.json").read_text(encoding="utf-8"))
KEY = "een-sleutel-van-meer-dan-zestien-tekens"
ALL = ("incidents", "certificates", "monitor", "reports", "agreements", "maintenance")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def hook(name: str = "dienst", **more: object) -> WebhookSettings:
    keys = {"id": name, "url": "https://x.example", "secret": "s", "receives": ALL} | more
    return WebhookSettings.model_validate(keys)


def delivery(
    office: Office, receiver: Receiver, *, names: tuple[str, ...] = ("dienst",), timeout_us: int = 5 * SECOND
) -> Delivery[Telling]:
    known = {
        f"webhook:{name}": Webhook(url=f"{receiver.url}/{name}", called="http://x", key=KEY, timeout_us=timeout_us)
        for name in names
    }
    return Delivery(
        database=office.database,
        in_store=directly,
        send=webhook_sender(lambda: known, office.clock),
        compose=webhook_composer(HOUSE),
        clock=office.clock,
        observer=office.told,
        owner="programs",
        chance=lambda: 0.5,
        channel="webhook",
        apart=True,
    )


def types(receiver: Receiver, path: str = "/dienst") -> list[str]:
    return [json.loads(one.body)["type"] for one in receiver.taken if one.path == path]


def right(taken: Taken, key: bytes) -> bool:
    """As a receiver checks it, by the description and not by our code."""
    signed = b".".join((taken.headers["webhook-id"].encode(), taken.headers["webhook-timestamp"].encode(), taken.body))
    mine = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(mine, taken.headers["webhook-signature"])


def test_an_outage_is_told_from_its_opening_to_its_end(office: Office, receiver: Receiver) -> None:
    office.recipients = (OPS, hook())  # type: ignore[assignment]
    way = delivery(office, receiver)
    for picture in ("xx", ".."):
        office.live(picture)
        run(way.deliver_due())
    assert types(receiver) == ["opened", "recovered"]
    first, last = (json.loads(one.body) for one in receiver.taken)
    assert first["data"]["journey"] == "indienen"
    assert first["data"]["until"] is None
    assert last["data"]["until"] == "2026-11-23T10:02:00Z"
    assert last["thread"] == first["id"] == receiver.taken[0].headers["webhook-id"]
    assert first["text"]["en"]["headline"] == "Submit an application is not working"
    assert office.words() == ["STORING", "HERSTELD"]


def test_what_is_told_fits_the_published_schema(office: Office, receiver: Receiver) -> None:
    office.recipients = (hook(),)  # type: ignore[assignment]
    office.live("xx" + "x" * 60 + "..")
    office.live("?" * 6 + "..")
    office.certificate("ab" * 32, 10)
    news = ReportNews(contract="loket", period="2026-10", number=1)
    with office.database.begin() as tx:
        for queued in (
            report_messages(news, office.recipients),
            left_behind_messages(
                [("OMV_1", office.alerting.titles["indienen"])], office.recipients, now_us=office.now_us
            ),
            messages_to_try(office.recipients, asked_us=office.now_us),
        ):
            outbox.add(tx, queued, now_us=office.now_us)
    for _ in range(3):
        run(delivery(office, receiver).deliver_due())
        office.now_us += MINUTE
    assert set(types(receiver)) >= {"opened", "recovered", "monitor", "measuring", "certificate", "report", "test"}
    for one in receiver.taken:
        jsonschema.validate(json.loads(one.body), SCHEMA)


@pytest.mark.parametrize("name", [name for name in NEWS if name != "digest"])
def test_every_kind_of_news_fits_the_published_schema(name: str) -> None:
    """Also the kinds that a short life of an office does not come to."""
    message = to_send(name)
    body = body_of(message, HOUSE, now_us=message.created_us, head=None)
    jsonschema.validate(json.loads(json.dumps(body)), SCHEMA)
    told = set(body["data"])
    assert told <= set(SCHEMA["properties"]["data"]["properties"])
    assert told or body["type"] in ("left-behind", "test")


def test_the_effect_on_a_contract_is_told_in_plain_data() -> None:
    message = to_send("opened-contract")
    [effect] = body_of(message, HOUSE, now_us=message.created_us, head=None)["data"]["effects"]
    assert effect == {
        "contract": "VOORBEELD-2027-01",
        "clause": "A1",
        "best_efforts": False,
        "enough_measured": True,
        "missed_before": False,
        "sanctionable": "2026-11-23T13:32:00Z",
        "next_step": None,
        "left_seconds": 660,
        "left_is_weighted": False,
        "period": "month",
        "longest_seconds": None,
        "reached": None,
        "outages_allowed": None,
        "outage_number": None,
        "counts": None,
    }


def test_of_an_outage_that_nobody_sees_programs_are_told_when_it_was_last_seen_and_who_paused_it() -> None:
    seen, unseen, paused = (
        body_of(to_send(name), HOUSE, now_us=at("14:01"), head=None)["data"]
        for name in ("reminder", "reminder-unseen", "reminder-paused")
    )
    assert (seen["last_seen"], seen["paused"]) == (None, None)
    assert (unseen["last_seen"], unseen["paused"]) == ("2026-11-23T10:20:00Z", None)
    assert paused["paused"] == {
        "since": "2026-11-23T10:21:00Z",
        "until": "2026-11-23T17:00:00Z",
        "by": "An Maes",
        "why": "De belastingproef van de leverancier loopt.",
    }


def test_every_type_stands_in_the_document() -> None:
    page = (HERE / "docs" / "webhooks.md").read_text(encoding="utf-8")
    table = "".join(re.findall(r"^\| `.*", page, flags=re.MULTILINE))
    # What is many mails to a person is each message by itself to a program.
    assert [kind.value for kind in Kind if f"`{kind.value}`" not in table] == [Kind.DIGEST.value]


def test_whoever_knows_the_key_can_check_who_sent_it_and_when(office: Office, receiver: Receiver) -> None:
    office.recipients = (hook(),)  # type: ignore[assignment]
    office.live("xx")
    run(delivery(office, receiver).deliver_due())
    [taken] = receiver.taken
    assert right(taken, KEY.encode())
    assert not right(taken, b"een andere sleutel")
    assert int(taken.headers["webhook-timestamp"]) == office.now_us // SECOND


def test_a_secret_as_others_write_it_is_the_key_behind_its_prefix() -> None:
    """The example of the Standard Webhooks libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_fails_is_tried_again_with_the_same_id_and_a_fresh_timestamp(office: Office, receiver: Receiver) -> None:
    receiver.status = lambda _: (500, 302, 0, 204)[min(3, len(receiver.taken) - 1)]
    office.recipients = (hook(),)  # type: ignore[assignment]
    office.live("xx")
    for _ in range(6):
        run(delivery(office, receiver).deliver_due())
        office.now_us += MINUTE
    assert len(receiver.taken) == 4
    assert len({one.headers["webhook-id"] for one in receiver.taken}) == 1
    assert len({one.headers["webhook-timestamp"] for one in receiver.taken}) == 4
    assert len({one.body for one in receiver.taken}) == 1
    [queued] = office.queue()
    assert (queued.readers[0].state.value, queued.attempts) == ("sent", 4)


def test_one_webhook_that_is_down_delays_no_mail_and_no_other_webhook(office: Office, receiver: Receiver) -> None:
    """T7: each has a state of its own beside the recipients."""
    receiver.status = lambda taken: 503 if taken.path == "/kapot" else 200
    office.recipients = (OPS, hook(), hook("kapot"))  # type: ignore[assignment]
    office.live("xx..")
    way = delivery(office, receiver, names=("dienst", "kapot"))
    for _ in range(2):
        run(way.deliver_due())
    assert office.words() == ["STORING", "HERSTELD"]
    assert types(receiver) == ["opened", "recovered"]
    assert set(types(receiver, "/kapot")) == {"opened"}
    states = {who.address: who.state.value for one in office.queue() for who in one.readers if one.kind is Kind.OPENED}
    assert states == {"ops@example.be": "sent", "webhook:dienst": "sent", "webhook:kapot": "pending"}


def test_a_webhook_that_hangs_delays_no_other(office: Office, receiver: Receiver) -> None:
    """T7: twenty messages wait for it, and each would take up its whole time limit; the other hears all of its own."""
    free = threading.Event()

    def status(taken: Taken) -> int:
        if taken.path == "/hangt":
            free.wait(50)
        return 200

    receiver.status = status
    office.recipients = (hook("hangt"), hook())  # type: ignore[assignment]
    for _ in range(20):
        with office.database.begin() as tx:
            outbox.add(tx, messages_to_try(office.recipients, asked_us=office.now_us), now_us=office.now_us)
        office.now_us += SECOND

    async def scene() -> None:
        wake, answered = asyncio.Event(), asyncio.Event()
        programs = delivery(office, receiver, names=("hangt", "dienst"), timeout_us=60 * SECOND)

        async def send(telling: Telling) -> Receipt:
            receipt = await programs.send(telling)
            answered.set()
            return receipt

        async def heard(path: str, messages: int) -> None:
            while len(types(receiver, path)) < messages:
                answered.clear()
                await answered.wait()

        way = asyncio.create_task(replace(programs, send=send).run(wake))
        await heard("/dienst", 20)
        # What comes while it hangs need not wait for it either.
        with office.database.begin() as tx:
            outbox.add(tx, messages_to_try(office.recipients, asked_us=office.now_us), now_us=office.now_us)
        wake.set()
        await heard("/dienst", 21)
        assert len(types(receiver, "/hangt")) == 1  # one at a time, the oldest first
        free.set()
        await heard("/hangt", 21)
        way.cancel()
        await asyncio.gather(way, return_exceptions=True)

    run(asyncio.wait_for(scene(), 60))
    ids = [one.headers["webhook-id"] for one in receiver.taken if one.path == "/hangt"]
    assert ids == sorted(set(ids))


def test_after_three_days_it_is_given_up_and_everybody_can_know(office: Office, receiver: Receiver) -> None:
    receiver.status = lambda _: 503
    office.recipients = (hook(),)  # type: ignore[assignment]
    office.live("xx")
    for _ in range(20):
        run(delivery(office, receiver).deliver_due())
        office.now_us += 4 * 60 * MINUTE
    with office.database.read() as tx:
        kept = events.last(tx, "webhook-given-up")
    assert kept is not None
    assert kept.data["answer"] == "0 http://x answered with status 503"
    assert office.told.deliveries == ["retry"] * 19 + ["given-up"]


def test_a_webhook_that_was_taken_out_of_the_configuration_is_told_nothing_more(
    office: Office, receiver: Receiver
) -> None:
    office.recipients = (hook(),)  # type: ignore[assignment]
    office.live("xx")
    run(delivery(office, receiver, names=()).deliver_due())
    assert receiver.taken == []
    assert office.told.deliveries == ["refused"]


def test_a_webhook_hears_only_of_what_it_wants() -> None:
    one = hook(receives=("incidents",), checks=("inzage",))
    assert one.wants("incidents", "inzage")
    assert not one.wants("incidents", "indienen")
    assert not one.wants("reports")


def test_the_command_tries_the_configured_webhooks_too(tmp_path: Path, receiver: Receiver) -> None:
    secrets = 'sleutel = { file = "sleutel" }\npad = { file = "pad" }'
    place = a_place(tmp_path, journeys=("startpagina",), more=_table(f"{receiver.url}/{{{{ secret.pad }}}}"))
    text = place.config.read_text(encoding="utf-8").replace("[secrets]", f"[secrets]\n{secrets}")
    place.config.write_text(text, encoding="utf-8")
    (tmp_path / "sleutel").write_text(KEY)
    (tmp_path / "pad").write_text("geheime-weg")
    loaded = load(place.config)
    authority = loaded.path(str(loaded.config.mail.ca_file))
    authority.parent.mkdir(parents=True)
    trustme.CA().cert_pem.write_to_path(str(authority))
    assert composition.webhooks(loaded)["webhook:dienst"].called == receiver.url
    said = loketwacht(place, "alert", "test", "--json")
    assert said.stdout, said.stderr
    answers = {one["to"]: one["result"] for one in json.loads(said.stdout)}
    assert answers.pop("webhook:dienst") == "sent"
    assert "sent" not in answers.values()  # no mail server is there, and that keeps nobody else waiting
    assert "geheime-weg" not in said.stdout + said.stderr
    [taken] = receiver.taken
    assert (taken.path, right(taken, KEY.encode())) == ("/geheime-weg", True)


def _table(url: str = "https://x.example", **more: str) -> str:
    keys = {"id": "dienst", "url": url, "secret": "sleutel"} | more
    return "[[webhook]]\n" + "\n".join(f'{key} = "{value}"' for key, value in keys.items())


@pytest.mark.parametrize(
    ("keys", "because"),
    [
        ({"secret": "onbekend"}, 'there is no secret "onbekend"'),
        ({"secret": "kort"}, "is no key to sign with"),
        ({"url": "https://x.example/{{ secret.onbekend }}"}, 'there is no secret "onbekend"'),
    ],
)
def test_a_webhook_that_cannot_be_right_is_refused(keys: dict[str, str], because: str, tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), more=_table(**keys))
    text = place.config.read_text(encoding="utf-8")
    place.config.write_text(text.replace("[secrets]", '[secrets]\nkort = { file = "kort" }'), encoding="utf-8")
    (tmp_path / "kort").write_text("whsec_AAAA")
    with pytest.raises(ConfigError) as refused:
        load(place.config)
    assert because in str(refused.value)


def test_nothing_of_the_key_or_the_address_is_logged(
    office: Office, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = lambda _: 500
    office.recipients = (hook(),)  # type: ignore[assignment]
    office.live("xx")
    with caplog.at_level(logging.DEBUG, logger="monitor"):
        run(delivery(office, receiver).deliver_due())
    said = str([vars(record) for record in caplog.records])
    assert "webhook not delivered yet" in said
    assert KEY not in said
    assert "/dienst" not in said
