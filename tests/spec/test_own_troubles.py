"""What the monitor tells of its own trouble beside measuring: a refused configuration, a message that stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from monitor import config, own_telling
from monitor.alerts import test_messages as messages_to_try
from monitor.clock import Clock
from monitor.delivery import Delivery
from monitor.mail_settings import MailSettings
from monitor.mail_signing import Signatures, signatures_at_hand
from monitor.recipients import Recipient
from monitor.smime import SmimeSigner
from monitor.store import outbox
from monitor.store.database import StoreUnavailable, directly
from monitor.store.tables import message
from monitor.toml_file import ConfigError
from monitor.troubles import Troubles
from tests.heart import DAY, HOUR, OPS, Office, at, run
from tests.new_store import new_store

SECOND_READER = Recipient(address="tweede@example.be", language="en")
GONE = Recipient(address="weg@example.be")
REPORTS = Recipient(address="contract@example.be", receives=("reports",))
WRONG = '[portal]\nname = "Loket"\n\n[mail]\nhost = "localhost"\npassword = "geheim-wachtwoord"\n'


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database, recipients=(OPS, SECOND_READER, REPORTS))
    database.close()


class Reloads:
    """A folder with a configuration, and a service that is asked to read it again."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.path = office, folder / "config.toml"
        self.down = False

    def read(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as refused:
            config.load(self.path)
        self.tell(refused.value)

    def tell(self, error: ConfigError | None) -> None:
        """Each time by a new process: nothing but the store remembers."""
        office = self.office
        with office.database.begin() as tx:
            if error is None:
                own_telling.tell_taken(tx, now_us=office.now_us)
            else:
                mark = own_telling.fingerprint(error, self.path)
                secrets = ("geheim-wachtwoord",)
                own_telling.tell_refused(tx, error, mark, office.recipients, secrets, now_us=office.now_us)
        office.deliver()
        office.now_us += HOUR


@pytest.fixture
def reloads(office: Office, tmp_path: Path) -> Reloads:
    return Reloads(office, tmp_path)


def test_a_refused_configuration_is_told_with_its_mistakes_and_their_places(office: Office, reloads: Reloads) -> None:
    """T44."""
    reloads.read(WRONG)
    dutch, english = office.sent
    assert dutch.subject == "[Voorbeeldloket] MONITOR: configuratie geweigerd"
    assert english.subject == "[Voorbeeldloket] MONITOR: configuration refused"
    assert "config.toml:1: portal.base_url" in dutch.text
    assert "config.toml:4: mail.sender" in dutch.text
    assert office.accepted == [("ops@example.be",), ("tweede@example.be",)]


def test_what_a_mistake_quotes_is_not_mailed(office: Office, reloads: Reloads) -> None:
    """T47: somebody wrote the password itself where the name of a secret belongs."""
    reloads.read(
        '[portal]\nname = "L"\nbase_url = "http://localhost"\ncontact = "a@b.be"\n[mail]\nhost = "localhost"\n'
        'sender = "a@b.be"\nsecurity = "none"\nusername = "u"\npassword = "zo\\"n ander \\"geheim"\n[[recipient]]\n'
        'address = "geen adres: hun tweede geheim"\n'
    )
    assert office.sent
    for mail in office.sent:
        assert "geheim" not in mail.text + mail.html
        assert "config.toml:" in mail.text


def test_the_same_refused_content_is_told_once(office: Office, reloads: Reloads) -> None:
    """T44: asking again tells nobody again; other content does."""
    for _ in range(3):
        reloads.read(WRONG)
    assert len(office.sent) == 2
    reloads.read(WRONG + "# nog eens geprobeerd\n")
    assert len(office.sent) == 4


def test_that_it_was_taken_over_is_told_once_to_those_who_heard_of_the_refusal(
    office: Office, reloads: Reloads
) -> None:
    """T44."""
    office.recipients = (OPS,)
    reloads.read(WRONG)
    office.recipients = (OPS, SECOND_READER)
    for _ in range(3):
        reloads.tell(None)
    assert [mail.subject.partition(": ")[2] for mail in office.sent] == [
        "configuratie geweigerd",
        "nieuwe configuratie van kracht",
    ]
    assert office.sent[1].in_reply_to == office.sent[0].message_id


def test_where_nothing_was_refused_a_reload_tells_nobody(office: Office, reloads: Reloads) -> None:
    reloads.tell(None)
    assert office.sent == []


def test_a_store_that_is_away_delays_the_mail_about_the_configuration_and_loses_none(
    office: Office, reloads: Reloads
) -> None:
    """T44: refused while the store is locked, mended before it came back: both are told, in order."""
    woken: list[None] = []
    away = True

    async def in_store(work):  # type: ignore[no-untyped-def]
        if away:
            raise StoreUnavailable("locked")
        return work()

    loaded = _Loaded(office)
    troubles = Troubles(
        loaded=lambda: loaded,  # type: ignore[arg-type, return-value]
        signs=Signatures,
        database=office.database,
        in_store=in_store,  # type: ignore[arg-type]
        clock=office.clock,
        wake=lambda: woken.append(None),
    )
    reloads.path.write_text(WRONG, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        config.load(reloads.path)
    troubles.refused(refused.value, reloads.path)
    troubles.taken()
    with pytest.raises(StoreUnavailable):
        run(troubles.look())
    away = False
    run(troubles.look())
    office.deliver()
    assert len(woken) == 2
    assert [mail.subject.partition(": ")[2] for mail in office.sent] == [
        "configuratie geweigerd",
        "configuration refused",
        "nieuwe configuratie van kracht",
        "new configuration in force",
    ]


class _Loaded:
    """As much of a configuration as is asked of it."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.secrets: dict[str, str] = {}

    @property
    def config(self) -> _Loaded:
        return self

    @property
    def addressees(self) -> tuple[Recipient, ...]:
        return self._office.recipients


# -- signatures -------------------------------------------------------------------------------------------------------


class Signing:
    """A service that signs its mails, looked at every six hours; each time a new process, if so asked."""

    def __init__(self, office: Office, signs: Signatures) -> None:
        self.office, self.signs = office, signs
        self.process = self._process()

    def _process(self) -> Troubles:
        loaded, office = _Loaded(self.office), self.office
        return Troubles(
            loaded=lambda: loaded,  # type: ignore[arg-type, return-value]
            signs=lambda: self.signs,
            database=office.database,
            in_store=directly,
            clock=Clock(now_us=lambda: office.now_us, monotonic_us=lambda: office.now_us, new_id=lambda: "0"),
            wake=lambda: None,
        )

    def live(self, days: int, *, restarts: bool = False) -> None:
        for _ in range(days * 4):
            self.process = self._process() if restarts else self.process
            run(self.process.look())
            self.office.deliver()
            self.office.now_us += 6 * HOUR


def certified(office: Office, *, days: int, since_days: int = -300) -> Signatures:
    """What signs by a certificate that ends so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Loketwacht")])
    builder = x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
    since, until = (datetime.fromtimestamp((office.now_us + n * DAY) // 1_000_000, UTC) for n in (since_days, days))
    made = builder.serial_number(7).not_valid_before(since).not_valid_after(until).sign(key, hashes.SHA256())
    return Signatures(smime=SmimeSigner(certificate=made, key=key, sender="loketwacht@example.be"))


@pytest.mark.parametrize("restarts", [False, True], ids=["one process", "a new process each time"])
def test_a_certificate_that_signs_mails_is_told_once_for_each_threshold_and_when_it_has_ended(
    office: Office, restarts: bool
) -> None:
    office.recipients = (OPS, REPORTS)
    signing = Signing(office, certified(office, days=15))
    signing.live(17, restarts=restarts)
    assert [mail.subject.partition(": ")[2] for mail in office.sent] == [
        "handtekening van mails nog 13 dagen",
        "handtekening van mails nog 2 dagen",
        "mails vertrekken zonder handtekening",
    ]
    assert office.accepted == [("ops@example.be",)] * 3
    assert "loketwacht@example.be" in office.sent[0].text
    assert "vervalt op 8 december 2026 om 11:00" in office.sent[0].text


def test_a_service_that_starts_with_an_ended_certificate_tells_that_and_no_threshold(office: Office) -> None:
    office.recipients = (OPS,)
    Signing(office, certified(office, days=-1)).live(2)
    assert [mail.subject.partition(": ")[2] for mail in office.sent] == ["mails vertrekken zonder handtekening"]
    assert "22 november 2026" in office.sent[0].text


def test_a_certificate_that_is_not_valid_yet_is_told_once_and_the_next_one_by_itself(office: Office) -> None:
    office.recipients = (SECOND_READER,)
    signing = Signing(office, certified(office, days=300, since_days=3))
    signing.live(4)
    assert [mail.subject.partition(": ")[2] for mail in office.sent] == ["mails leave unsigned"]
    assert "valid only from 26 November 2026" in office.sent[0].text
    signing.signs = certified(office, days=10)
    signing.live(1)
    assert [mail.subject.partition(": ")[2] for mail in office.sent][1:] == ["mails signed for 10 days more"]


def test_a_key_that_cannot_sign_is_told_once_a_day_and_never_shown(office: Office, tmp_path: Path) -> None:
    office.recipients = (OPS,)
    settings = MailSettings.model_validate(
        {
            "host": "127.0.0.1",
            "sender": "loketwacht@example.be",
            "dkim": {"domain": "example.be", "selector": "s", "key": "dkim"},
        }
    )
    signs = signatures_at_hand(settings, secrets={"dkim": "geheime rommel"}, directory=tmp_path)
    office.now_us = at("00:00")
    Signing(office, signs).live(2, restarts=True)
    assert [mail.subject.partition(": ")[2] for mail in office.sent] == ["mails vertrekken zonder handtekening"] * 2
    assert "mail.dkim.key: is no private key" in office.sent[0].text
    assert "rommel" not in office.sent[0].text + office.sent[0].html


def test_without_signatures_or_with_right_ones_nothing_is_told(office: Office) -> None:
    Signing(office, Signatures()).live(1)
    Signing(office, certified(office, days=300)).live(1)
    assert office.sent == []


# -- messages that were given up --------------------------------------------------------------------------------------


def delivery(office: Office) -> Delivery:
    """As the service's: what is given up is told."""

    def lost(tx, message, state, now_us):  # type: ignore[no-untyped-def]
        own_telling.tell_undelivered(tx, message, state, office.recipients, now_us=now_us)

    return replace(office.delivery, lost=lost)


def live(office: Office, picture: str) -> None:
    for mark in picture:
        office.live(mark, mail=False)
        run(delivery(office).deliver_due())


def test_a_mail_that_is_refused_for_one_reader_is_told_to_the_others(office: Office) -> None:
    """T7, T8: the others hear of the outage, and that one does not."""
    office.recipients, office.codes = (OPS, GONE, REPORTS), {GONE.address: 550}
    live(office, "xx")
    assert office.subjects == [
        "[Voorbeeldloket] STORING: Aanvraag indienen - indienen-20261123T100000Z",
        "[Voorbeeldloket] MONITOR: weg@example.be is niet te bereiken",
    ]
    assert office.accepted[1] == ("ops@example.be",)
    assert "550 said so" in office.sent[1].text


def test_one_reader_who_cannot_be_reached_is_told_once_a_day(office: Office) -> None:
    office.recipients, office.codes = (OPS, GONE), {GONE.address: 550}
    live(office, "xx..xx..xx..")
    assert sum("niet te bereiken" in subject for subject in office.subjects) == 1
    office.now_us += DAY
    live(office, "xx")
    assert sum("niet te bereiken" in subject for subject in office.subjects) == 2


def test_what_was_tried_for_days_in_vain_is_told_too(office: Office) -> None:
    """T4: given up after three days, and not in silence."""
    office.recipients, office.codes = (OPS, GONE), {GONE.address: 450}
    live(office, "xx")
    for _ in range(20):
        office.now_us += 4 * HOUR
        run(delivery(office).deliver_due())
    assert office.words()[-1] == "MONITOR"
    assert "dagenlang niet bezorgd" in office.sent[-1].text


def test_that_somebody_cannot_be_reached_is_not_told_in_circles(office: Office) -> None:
    """Nobody at all can be reached: each message about that is given up in silence."""
    office.recipients, office.codes = (OPS, GONE), {GONE.address: 550, OPS.address: 550}
    live(office, "xx")
    for _ in range(5):
        run(delivery(office).deliver_due())
    with office.database.read() as tx:
        kinds = [one.kind.value for one in outbox.read(tx)]
    assert sorted(kinds) == ["opened", "undelivered", "undelivered"]


def test_a_message_that_this_version_cannot_read_is_told_once_a_day(office: Office) -> None:
    """Rolled back after a newer version queued something: it is set aside, and somebody knows."""
    office.recipients = (OPS, REPORTS)

    def unreadable(tx, aside, now_us):  # type: ignore[no-untyped-def]
        own_telling.tell_set_aside(tx, aside, office.recipients, now_us=now_us)

    with office.database.begin() as tx:
        for number in range(3):
            outbox.add(tx, messages_to_try(office.recipients, asked_us=number), now_us=office.now_us)
        tx.execute(sa.update(message).where(message.c.id != "test.2").values(kind="of-tomorrow"))
    run(replace(office.delivery, unreadable=unreadable).deliver_due())
    assert office.words() == ["TEST", "MONITOR"]
    assert office.sent[1].recipients == ("ops@example.be",)
    assert "of-tomorrow: 'of-tomorrow' is not a valid Kind" in office.sent[1].text
