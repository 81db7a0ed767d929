"""config.toml and the files it includes, as checked values; every problem at once, each with its place.

Nobody passes `Config` on: a function gets the settings it uses. Secrets are never in a file that is committed; the
configuration only tells where each one comes from.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from monitor import toml_file
from monitor.access import TrustedProxy, on_this_machine
from monitor.browser_config import browser_problems
from monitor.courtesy import Courtesy, DigestRule
from monitor.fragments import known_fragments, put_steps
from monitor.hours import HoursSettings, hours_problems, named_hours
from monitor.incident_settings import severity_problems
from monitor.incidents import DRILL, MONITOR, IncidentRule
from monitor.journey_checks import journey_problems
from monitor.mail_problems import mail_problems
from monitor.mail_settings import MailSettings
from monitor.mail_signing import MailKeyError, Signatures, require_now, signatures
from monitor.outpost_settings import OutpostSettings, outpost_problems, places
from monitor.outward_settings import (
    AlertmanagerSettings,
    DrillSettings,
    HeartbeatSettings,
    WebhookSettings,
    outward_problems,
    webhook_problems,
)
from monitor.recipients import Addressee, Recipient, TimeZone
from monitor.retention_settings import RetentionSettings
from monitor.seal_settings import SignatureSettings, TimestampSettings
from monitor.store.files import url_of
from monitor.toml_file import ConfigError, Document, Loc, Origins, Problem
from monitor.votes import Places
from probes.browser.definition import BrowserJourney, ChromiumSettings
from probes.checks import (
    CertificateCheck,
    Check,
    Definition,
    Duration,
    Id,
    Journey,
    MailServerCheck,
    NameCheck,
    Portal,
    PortCheck,
)
from probes.http import host_of
from probes.mailboxes import Mailbox
from probes.practice.mail_server import SMTP_PASSWORD
from probes.practice.people import PRACTICE_SECRETS
from probes.practice.settings import PracticeSettings
from sla.contract import Contract, parse_contract

_SECOND_US = 1_000_000

#: Public values of the practice portal, by the names `{ practice = "…" }` may use.
_PRACTICE = PRACTICE_SECRETS | {"mail_password": SMTP_PASSWORD}

SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class MonitorSettings(Definition):
    """The service itself.

    Attributes:
        location: the vantage point's name; part of every sample's key.
        data_dir: where the database, reports and the practice portal's state live; relative to the config file.
        database: SQLAlchemy URL; None takes `loketwacht.db` in `data_dir`.
        timezone: of pages, mails and months.
        stop_file: while this file is there no run begins; relative to the config file. None: there is none.
        max_lag: a sample measured while the event loop was later than this is `unknown`.
    """

    location: Id = "lokaal"
    data_dir: str = "var"
    database: str | None = None
    timezone: TimeZone = "Europe/Brussels"
    max_lag: Duration = 2 * _SECOND_US
    stop_file: str | None = None
    log_format: Literal["text", "json"] = "text"


class References(Definition):
    """Targets asked fresh after a failure: if most of them fail too, our own network is to blame.

    Attributes:
        urls: at least three, of different owners; empty asks nobody, so every failure counts.
        names: asked of our own resolver every half minute; a run that fails for want of a name while none of them is
            answered is `unknown`.
        deadline: total for one of them.
    """

    urls: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    deadline: Duration = 3 * _SECOND_US

    @field_validator("urls")
    @classmethod
    def _three_or_none(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if 0 < len(set(urls)) < 3:
            raise ValueError(
                "needs three or more different targets, or none: of two, one that is gone leaves the other to decide "
                "whose fault it is"
            )
        return urls


class Listener(Definition):
    """Where a part of the service listens. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)


class Pages(Listener):
    """Status page, incident pages and JSON API.

    Attributes:
        public_url: how readers reach the pages; links in mails begin with it.
        token: name of a secret that visitors must show. None and no trusted proxy: whoever reaches the pages sees them.
        write_token: name of a secret with which programs acknowledge incidents by the API. None: it only reads.
        trusted_proxy: a proxy that lets in only whom it knows; who comes through it needs no token.
        public: the status page, without details, is for everybody all the same.
    """

    port: int = Field(default=8780, ge=0, le=65535)
    public_url: str = "http://127.0.0.1:8780"
    token: str | None = None
    write_token: str | None = None
    trusted_proxy: TrustedProxy | None = None
    public: bool = False

    @model_validator(mode="after")
    def _public_beside_closed(self) -> Self:
        if self.public and self.token is None and self.trusted_proxy is None:
            raise ValueError("has public = true without token or trusted_proxy: all pages are open already")
        return self


class MetricsListener(Listener):
    """`/metrics`, `/healthz`, `/readyz`."""

    port: int = Field(default=8790, ge=0, le=65535)


class SecretSource(Definition):
    """Where a secret comes from; exactly one.

    Attributes:
        env: name of an environment variable.
        file: path, relative to the config file; the first line counts, of a key as PEM all of them.
        credential: name of a systemd credential; it is read as a file is.
        practice: name of one of the practice portal's public test tokens.
    """

    env: str | None = None
    file: str | None = None
    credential: str | None = None
    practice: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(x is not None for x in (self.env, self.file, self.credential, self.practice)) != 1:
            raise ValueError("needs exactly one of env, file, credential, practice")
        return self


class ContractSource(Definition):
    """A contract to assess, and who receives its monthly report.

    Attributes:
        file: the contract; relative to the main configuration file.
        automatic_reports: at the start of a month, write the past month's report and mail it to every recipient who
            receives reports.
        budget_warnings: percent of the downtime that a clause allows in its period; each, once spent, is told to
            every recipient who receives agreements. Empty: never.
    """

    file: str
    automatic_reports: bool = True
    budget_warnings: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = (50, 75, 100)


class Config(Definition):
    """The whole of config.toml after includes and fragments."""

    monitor: MonitorSettings = MonitorSettings()
    portal: Portal
    references: References = References()
    secrets: dict[SecretName, SecretSource] = Field(default_factory=dict)
    outpost: tuple[OutpostSettings, ...] = ()
    incidents: IncidentRule = IncidentRule()
    mailbox: dict[Id, Mailbox] = Field(default_factory=dict)
    mail: MailSettings
    recipient: tuple[Recipient, ...] = ()
    hours: dict[Id, HoursSettings] = Field(default_factory=dict)
    digest: DigestRule = DigestRule()
    webhook: tuple[WebhookSettings, ...] = ()
    alertmanager: AlertmanagerSettings | None = None
    drill: DrillSettings | None = None
    pages: Pages = Pages()
    metrics: MetricsListener = MetricsListener()
    retention: RetentionSettings = RetentionSettings()
    heartbeat: HeartbeatSettings | None = None
    timestamp: TimestampSettings | None = None
    signature: SignatureSettings | None = None
    practice: PracticeSettings | None = None
    contract: tuple[ContractSource, ...] = ()
    journey: tuple[Journey, ...] = ()
    certificate: tuple[CertificateCheck, ...] = ()
    name: tuple[NameCheck, ...] = ()
    tcp: tuple[PortCheck, ...] = ()
    smtp: tuple[MailServerCheck, ...] = ()
    browser: tuple[BrowserJourney, ...] = ()
    chromium: ChromiumSettings = ChromiumSettings()

    @property
    def checks(self) -> tuple[Check, ...]:
        return (*self.journey, *self.certificate, *self.name, *self.tcp, *self.smtp, *self.browser)

    def checks_at(self, location: str) -> tuple[Check, ...]:
        """What is measured at a location; nothing at one that is not configured."""
        return tuple(check for check in self.checks if location in self.places[check.id])

    @property
    def places(self) -> Places:
        """Per check the locations that measure it, the monitor's own first."""
        return places(self.checks, self.monitor.location, self.outpost)

    @property
    def addressees(self) -> tuple[Addressee, ...]:
        """Everybody who may be told, by mail and by webhook."""
        return (*self.recipient, *self.webhook)

    @property
    def courtesy(self) -> Courtesy:
        """When mails to people wait, or are gathered."""
        return Courtesy(
            rule=self.digest,
            people={who.address: who for who in self.recipient},
            hours=named_hours(self.hours, self.monitor.timezone),
        )

    @property
    def outward(self) -> Iterator[tuple[Loc, str]]:
        """Every address that news is sent to, with its place."""
        if self.heartbeat is not None:
            yield ("heartbeat", "url"), self.heartbeat.url
        for index, webhook in enumerate(self.webhook):
            yield ("webhook", index, "url"), webhook.url
        for index, url in enumerate(self.alertmanager.urls if self.alertmanager else ()):
            yield ("alertmanager", "urls", index), url

    @property
    def titles(self) -> dict[str, tuple[str, str]]:
        """Per check id its Dutch and its English title."""
        return {check.id: (check.title.nl, check.title.en) for check in self.checks}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedContract:
    contract: Contract
    source: ContractSource
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A configuration that passed every check, with what it refers to.

    Attributes:
        directory: of config.toml; relative paths begin here.
        secrets: values by name; never shown, logged or stored.
        sha256: over every file that was read, so that a sample's configuration can be told apart.
    """

    config: Config
    contracts: tuple[LoadedContract, ...]
    secrets: Mapping[str, str]
    directory: Path
    sha256: str

    @property
    def data_dir(self) -> Path:
        return (self.directory / self.config.monitor.data_dir).resolve()

    @property
    def database_url(self) -> str:
        return self.config.monitor.database or url_of(self.data_dir / "loketwacht.db")

    def path(self, name: str) -> Path:
        return self.directory / name


_PEM = "-----BEGIN "
_FROM_HERE = "Paths begin at the folder of the main configuration file."
_LISTS = ("journey", "certificate", "name", "tcp", "smtp", "browser", "recipient", "webhook", "contract", "fragment")


def load(path: Path, *, environ: Mapping[str, str] = os.environ) -> Loaded:
    """Read and check a configuration with all it includes.

    Raises:
        ConfigError: with every problem found, each with file, line and column.
    """
    root = toml_file.read(path, name=str(path))
    tree, origins, documents = _merge(root)
    config = toml_file.check(Config, tree, origins)
    problems: list[Problem] = []
    contracts = tuple(_contracts(config, path.parent, origins, problems, documents))
    secrets = _secrets(config, path.parent, environ, origins, problems)
    problems += _cross_checks(config, origins, secrets)
    problems += _contract_checks(config, contracts)
    if problems:
        # A fragment is checked wherever it is used; what is wrong with it is told once.
        raise ConfigError(tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.column))))
    digest = hashlib.sha256()
    for document in documents:
        digest.update(hashlib.sha256(document.path.read_bytes()).digest())
    return Loaded(config=config, contracts=contracts, secrets=secrets, directory=path.parent, sha256=digest.hexdigest())


def _merge(root: Document) -> tuple[dict[str, Any], Origins, list[Document]]:
    """The tree of all files, with lists joined and fragments put in place of their `use`."""
    origins = Origins(root=root)
    documents = [root]
    tree: dict[str, Any] = {k: v for k, v in root.data.items() if k not in ("include", "fragment")}
    lists: dict[str, list[Any]] = {name: [] for name in _LISTS}
    problems: list[Problem] = []
    include = root.data.get("include", [])
    if not isinstance(include, list) or not all(isinstance(name, str) for name in include):
        problems.append(root.problem(("include",), "is not a list of file names", 'Write include = ["journeys.toml"].'))
        include = []
    for index, name in enumerate(include):
        if not (root.path.parent / name).is_file():
            problems.append(root.problem(("include", index), f'there is no file "{name}"', _FROM_HERE))
            continue
        try:
            documents.append(toml_file.read(root.path.parent / name))
        except ConfigError as error:
            problems += error.problems
            problems.append(root.problem(("include", index), "this file has problems of its own, told beside this one"))
    for document in documents:
        for name, value in document.data.items():
            if name in lists and isinstance(value, list):
                for index, item in enumerate(value):
                    origins.moved[(name, len(lists[name]))] = (document, (name, index))
                    lists[name].append(item)
            elif document is not root:
                mend = f"An included file holds only these lists: {', '.join(_LISTS)}. Move it to {root.name}."
                problems.append(document.problem((name,), "may not be in an included file", mend))
    fragments = known_fragments(lists.pop("fragment"), origins, problems)
    for kind in ("journey", "browser"):
        put_steps(kind, lists[kind], fragments, origins, problems)
    if problems:
        raise ConfigError(tuple(problems))
    tree |= {name: items for name, items in lists.items() if items}
    return tree, origins, documents


def read_contract(path: Path) -> tuple[Contract, Document]:
    """One contract file, with the holidays file it may name.

    Raises:
        ConfigError: with every problem in it.
    """
    document = toml_file.read(path)
    try:
        return parse_contract(document.data, read_holidays=lambda name: _holidays(path.parent / name)), document
    except ValidationError as error:
        raise ConfigError(toml_file.problems(error, Contract, document.problem)) from error


def _holidays(path: Path) -> list[date]:
    """The dates in a file that holds `holidays = [2027-01-01, …]`."""
    document = toml_file.read(path)
    found = document.data.get("holidays")
    if not isinstance(found, list) or not all(isinstance(day, date) and not isinstance(day, datetime) for day in found):
        mend = "Write holidays = [2027-01-01, 2027-03-29]."
        raise ConfigError((document.problem(("holidays",), "is not a list of local dates", mend),))
    return found


def _contracts(
    config: Config, directory: Path, origins: Origins, problems: list[Problem], documents: list[Document]
) -> Iterator[LoadedContract]:
    names: set[str] = set()
    for index, source in enumerate(config.contract):
        path = directory / source.file
        if not path.is_file():
            problems.append(
                origins.problem(("contract", index, "file"), f'there is no file "{source.file}"', _FROM_HERE)
            )
            continue
        try:
            contract, document = read_contract(path)
        except ConfigError as error:
            problems += error.problems
            continue
        documents.append(document)
        if contract.contract in names:
            mend = "Each contract is assessed once; drop one of the two."
            problems.append(
                origins.problem(("contract", index, "file"), f'contract "{contract.contract}" is there twice', mend)
            )
        names.add(contract.contract)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        yield LoadedContract(contract=contract, source=source, path=path, sha256=sha256)


def _secrets(
    config: Config, directory: Path, environ: Mapping[str, str], origins: Origins, problems: list[Problem]
) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, source in config.secrets.items():
        loc: Loc = ("secrets", name)
        if source.env is not None:
            value = environ.get(source.env)
            if not value:
                problems.append(
                    origins.problem(
                        loc, f"the environment variable {source.env} is not set", f"Set {source.env} and start again."
                    )
                )
                continue
        elif source.practice is not None:
            value = _PRACTICE.get(source.practice)
            if value is None:
                problems.append(origins.problem(loc, f'the practice portal has no token "{source.practice}"'))
                continue
        else:
            base = (
                directory
                if source.file is not None
                else Path(environ.get("CREDENTIALS_DIRECTORY", "/run/credentials/loketwacht"))
            )
            path = base / str(source.file or source.credential)
            try:
                text = path.read_text(encoding="utf-8")
            except OSError as error:
                problems.append(
                    origins.problem(
                        loc, f"{path} cannot be read: {error.strerror}", "The monitor's user must be able to read it."
                    )
                )
                continue
            except UnicodeDecodeError:
                problems.append(origins.problem(loc, f"{path} is not text in UTF-8", "Write the secret as text."))
                continue
            # A key as PEM has many lines; of everything else the first one counts.
            value = text if text.startswith(_PEM) else text.partition("\n")[0]
            if not value:
                problems.append(origins.problem(loc, f"the first line of {path} is empty", "Write the secret there."))
                continue
        values[name] = value
    return values


def _cross_checks(config: Config, origins: Origins, values: Mapping[str, str]) -> Iterator[Problem]:
    seen: set[str] = set()
    ids = {check.id for check in config.checks}
    if not config.checks:
        yield origins.problem(
            (),
            "there is nothing to measure",
            "Add a [[journey]] or a [[certificate]], or include a file that has them.",
        )
    listed: dict[str, tuple[Check, ...]] = {
        "journey": config.journey,
        "certificate": config.certificate,
        "name": config.name,
        "tcp": config.tcp,
        "smtp": config.smtp,
        "browser": config.browser,
    }
    for kind, checks in listed.items():
        for index, check in enumerate(checks):
            loc: Loc = (kind, index)
            if check.id in seen:
                yield origins.problem(
                    (*loc, "id"), f'"{check.id}" is the id of another check too', "Give each its own id."
                )
            if check.id in (MONITOR, DRILL):
                yield origins.problem(
                    (*loc, "id"), f'"{check.id}" is how the monitor calls itself', "Choose another id."
                )
            seen.add(check.id)
            for other in check.depends_on:
                if other not in ids or other == check.id:
                    yield origins.problem(
                        (*loc, "depends_on"), f'there is no other check "{other}"', f"Known: {', '.join(sorted(ids))}."
                    )
    # A secret that cannot be read is told where it is configured; here it is known all the same.
    secrets = {name: values.get(name) for name in config.secrets}
    for index, journey in enumerate(config.journey):
        allowed = (host_of(journey.base_url or config.portal.base_url), *config.portal.allow_hosts)
        yield from journey_problems(
            journey, ("journey", index), secrets=secrets, hosts=allowed, mailboxes=config.mailbox, origins=origins
        )
    yield from outward_problems(config.outward, secrets=secrets, origins=origins)
    yield from webhook_problems(config.webhook, secrets=secrets, origins=origins)
    yield from browser_problems(config.browser, portal=config.portal, secrets=config.secrets, origins=origins)
    if not config.recipient:
        yield origins.problem(("mail",), "nobody would be told of an outage", "Add a [[recipient]].")
    for key in ("proxy_credentials", "client_key_password"):
        secret = getattr(config.portal, key)
        if secret is not None and secret not in config.secrets:
            yield origins.problem(("portal", key), f'there is no secret "{secret}"', "Add it to [secrets].")
    for name, box in config.mailbox.items():
        if box.password not in config.secrets:
            yield origins.problem(
                ("mailbox", name, "password"), f'there is no secret "{box.password}"', "Add it to [secrets]."
            )
    yield from mail_problems(config.mail, secrets=config.secrets, origins=origins)
    for key in ("token", "write_token"):
        secret = getattr(config.pages, key)
        if secret is not None and secret not in config.secrets:
            yield origins.problem(("pages", key), f'there is no secret "{secret}"', "Add it to [secrets].")
    yield from outpost_problems(
        config.checks,
        config.monitor.location,
        config.outpost,
        quorum=config.incidents.quorum,
        database=config.monitor.database,
        origins=origins,
    )
    if not on_this_machine(config.pages.host) and config.pages.token is None and config.pages.trusted_proxy is None:
        yield origins.problem(
            ("pages", "host"),
            f'"{config.pages.host}" lets other machines reach every page, and nobody is asked who they are',
            'Add token = "…" (the name of a secret) or trusted_proxy; with public = true the status page stays open to '
            "everybody. Or listen on 127.0.0.1, behind a proxy on this machine.",
        )
    yield from severity_problems(config.incidents, config.checks, origins)
    yield from hours_problems(config.hours, config.recipient, origins)
    if config.signature is not None and config.signature.secret not in (None, *config.secrets):
        yield origins.problem(
            ("signature", "secret"), f'there is no secret "{config.signature.secret}"', "Add it to [secrets]."
        )


def _contract_checks(config: Config, contracts: tuple[LoadedContract, ...]) -> Iterator[Problem]:
    known = {check.id for check in config.checks}
    shadow = {check.id for check in config.checks if check.shadow}
    for loaded in contracts:
        document = toml_file.read(loaded.path)
        for v, version in enumerate(loaded.contract.version):
            for c, clause in enumerate(version.clause):
                for name in clause.scope:
                    if name not in known:
                        mend = f"Known journeys: {', '.join(sorted(known))}."
                        yield document.problem(
                            ("version", v, "clause", c, "scope"), f'there is no journey "{name}"', mend
                        )
                    if name in shadow:
                        yield document.problem(
                            ("version", v, "clause", c, "scope"),
                            f'journey "{name}" is in shadow, and what is measured in shadow counts for no contract',
                            "Remove shadow = true from the journey to release it, or take it out of the scope.",
                        )


def require_files(loaded: Loaded, path: Path) -> None:
    """Refuse a configuration whose certificates are not there yet.

    `load` does not: the practice portal makes its own at its first start, and a configuration is right before that.

    Raises:
        ConfigError: naming each file that is missing.
    """
    document = toml_file.read(path)
    mend = "Put it there. The practice portal makes its own when it starts: loketwacht run --practice."
    stamping, signature = loaded.config.timestamp, loaded.config.signature
    named = (
        ("portal", "ca_file", loaded.config.portal.ca_file),
        ("portal", "client_certificate", loaded.config.portal.client_certificate),
        ("portal", "client_key", loaded.config.portal.client_key),
        ("mail", "ca_file", loaded.config.mail.ca_file),
        ("timestamp", "ca", stamping.ca if stamping else None),
        ("signature", "key_file", signature.key_file if signature else None),
    )
    relays = tuple((("mail", "relay", i, "ca_file"), one.ca_file) for i, one in enumerate(loaded.config.mail.relay))
    boxes = tuple((("mailbox", name, "ca_file"), box.ca_file) for name, box in loaded.config.mailbox.items())
    problems = tuple(
        document.problem(place, f'there is no file "{name}"', mend)
        for place, name in (*(((table, key), name) for table, key, name in named), *relays, *boxes)
        if name is not None and not loaded.path(name).is_file()
    )
    if problems:
        raise ConfigError(problems)


def require_mail_keys(loaded: Loaded, path: Path, *, now_us: int | None = None) -> Signatures:
    """What mails are signed with.

    Args:
        now_us: a certificate must be valid then too; None: what is out of date is taken all the same.

    Raises:
        ConfigError: a key or certificate of `[mail]` is missing or wrong.
    """
    try:
        found = signatures(loaded.config.mail, secrets=loaded.secrets, directory=loaded.directory)
        if now_us is not None:
            require_now(found, now_us)
    except MailKeyError as wrong:
        problem = toml_file.read(path).problem(("mail", *wrong.loc), wrong.what, wrong.mend)
        raise ConfigError((problem,)) from None
    return found
