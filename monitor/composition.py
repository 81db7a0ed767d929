"""Settings made into the parts of the service: what needs which values is decided here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from monitor.access import Gate
from monitor.acknowledge_web import path_of
from monitor.clock import Clock
from monitor.config import Loaded, LoadedContract
from monitor.delivery import Patience
from monitor.mail_message import Mailbox, MailMessage, SendMail, wire
from monitor.mail_settings import RelaySettings
from monitor.mail_signing import Signatures, signatures_at_hand
from monitor.mail_text import House, composer
from monitor.outward_settings import filled
from monitor.pages import Watched
from monitor.relays import by_relays
from monitor.reporting import ReportJob
from monitor.signed_links import Signer, signer_of
from monitor.signing import Signing
from monitor.smtp import smtp_sender
from monitor.store.leaving import ToSend
from monitor.webhooks import Telling, Webhook, webhook_composer
from probes.browser.running import Browsers
from probes.guest import Guest
from probes.setup import Setup, installed_version
from sla.ledger import Sealed

log = logging.getLogger(__name__)

#: Beyond the time that the mail servers may take: to write the mail, to say goodbye to each, and to write down what
#: became of it.
_LEASE_MARGIN_US = 15_000_000

#: So many mails are under way at once, each on a connection of its own: enough that one that hangs holds no other, and
#: few enough for servers that put off whoever comes with many.
MAILS_AT_ONCE = 3


def probe_setup(loaded: Loaded, clock: Clock) -> Setup:
    """What runs need: the portal with its files found, and the secrets."""
    portal = loaded.config.portal
    files = {
        "ca_file": portal.ca_file,
        "client_certificate": portal.client_certificate,
        "client_key": portal.client_key,
    }
    found = {key: str(loaded.path(name).resolve()) for key, name in files.items() if name is not None}
    portal = portal.model_copy(update=found)
    return Setup(
        portal=portal,
        secrets=loaded.secrets,
        now_us=clock.now_us,
        monotonic_us=clock.monotonic_us,
        new_id=clock.new_id,
        mailboxes={
            name: box.model_copy(update={"ca_file": str(loaded.path(box.ca_file).resolve())}) if box.ca_file else box
            for name, box in loaded.config.mailbox.items()
        },
        browsers=Browsers(loaded.config.chromium),
        guest=Guest(
            most_at_once=portal.max_concurrent,
            most_a_minute=portal.max_rate,
            longest_back_off_us=portal.max_retry_after,
        ),
        config_sha256=loaded.sha256,
    )


def watched(loaded: Loaded) -> Watched:
    """What is watched, in the words people use."""
    config = loaded.config
    return Watched(
        portal=config.portal.name,
        checks=config.checks,
        location=config.monitor.location,
        places=config.places,
        timezone=config.monitor.timezone,
        rule=config.incidents,
        gate=Gate(
            token=loaded.secrets[config.pages.token] if config.pages.token else None,
            proxy=config.pages.trusted_proxy,
            public=config.pages.public,
        ),
    )


def report_job(
    loaded: Loaded, contract: LoadedContract, period: str, *, now_us: int, automatic: bool = False
) -> ReportJob:
    """What a report of this contract and period is drawn up from."""
    config = loaded.config
    return ReportJob(
        database_url=loaded.database_url,
        contract=contract.contract,
        period=period,
        portal=config.portal.name,
        titles=config.titles,
        location=config.monitor.location,
        software=f"Loketwacht {installed_version()}",
        config_sha256=loaded.sha256,
        contact=config.mail.sender,
        directory=loaded.data_dir / "reports",
        now_us=now_us,
        automatic=automatic,
        signing=signing_of(loaded),
    )


def signing_of(loaded: Loaded) -> Signing | None:
    """How PDFs are signed; None where the configuration has no `[signature]`."""
    settings = loaded.config.signature
    if settings is None:
        return None
    return Signing(
        settings=settings,
        directory=loaded.directory,
        secret=loaded.secrets[settings.secret] if settings.secret else None,
        timestamp=loaded.config.timestamp,
    )


def mail_writer(loaded: Loaded) -> Callable[[ToSend, int, Sealed | None], MailMessage]:
    """What writes the mails of this configuration."""
    return composer(house(loaded))


def mail_sender(
    loaded: Loaded, clock: Clock, *, only: str | None = None, signs: Callable[[], Signatures] | None = None
) -> SendMail:
    """The way of a mail out of the house: signed as configured, to the first mail server that takes it.

    Args:
        only: name of the one server to ask, `host:port`; None asks each in turn.
        signs: what signs a mail that is sent now; None: what this configuration has.
    """
    mail = loaded.config.mail
    fixed = mail_signatures(loaded)
    found = signs or (lambda: fixed)

    def written(message: MailMessage) -> bytes:
        return found().signed(wire(message), clock.now_us())

    def sender(server: RelaySettings) -> SendMail:
        password = loaded.secrets[server.password] if server.password else None
        return smtp_sender(server, password=password, directory=loaded.directory, written=written)

    servers = [sender(server) for server in mail.servers if only in (None, server.called)]
    return by_relays(servers, monotonic_us=clock.monotonic_us)


def mail_signatures(loaded: Loaded) -> Signatures:
    """What signs the mails of this configuration; `config.require_mail_keys` refuses what this goes without."""
    return signatures_at_hand(loaded.config.mail, secrets=loaded.secrets, directory=loaded.directory)


def mail_patience(loaded: Loaded) -> Patience:
    """A lease that outlasts one attempt in which every mail server uses up its time, and that ends soon after: the next
    process waits for it where this one was killed in the middle of sending."""
    return Patience(lease_us=loaded.config.mail.longest_us + _LEASE_MARGIN_US)


def house(loaded: Loaded) -> House:
    """What all messages of this configuration say the same."""
    config = loaded.config
    return House(
        portal=config.portal.name,
        timezone=config.monitor.timezone,
        pages_url=config.pages.public_url,
        sender=Mailbox(address=config.mail.sender, name=config.mail.sender_name),
        id_host=config.mail.id_host,
        list_id=config.mail.list_id,
        reports_dir=loaded.data_dir / "reports",
        acknowledge=partial(path_of, signer) if (signer := link_signer(loaded)) else None,
    )


def link_signer(loaded: Loaded) -> Signer | None:
    """What signs the links by which incidents are acknowledged; its key is made where there is none.

    None where there can be none: a mail without that link is better than no mail.
    """
    try:
        return signer_of(loaded.data_dir / "acknowledge.key")
    except OSError as error:
        log.warning("mails carry no link to acknowledge an incident", extra={"error": str(error)})
        return None


def webhook_writer(loaded: Loaded) -> Callable[[ToSend, int, Sealed | None], Telling]:
    """What writes for the webhooks of this configuration."""
    return webhook_composer(house(loaded))


def webhooks(loaded: Loaded) -> dict[str, Webhook]:
    """Where each webhook is, with its secrets, by address in the outbox."""
    return {
        one.address: Webhook(
            url=filled(one.url, loaded.secrets),
            called=one.called,
            key=loaded.secrets[one.secret],
            timeout_us=one.timeout,
        )
        for one in loaded.config.webhook
    }
