"""What the documents about journeys, contracts and the configuration say is what the program reads and computes."""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from monitor import config
from monitor.cli import main
from monitor.clock import monotonic_us, new_id, wall_us
from monitor.config import Config
from monitor.courtesy import DigestRule
from monitor.hours import HoursSettings
from monitor.incidents import IncidentRule
from monitor.mail_settings import DkimSettings, MailSettings, RelaySettings, SmimeSettings
from monitor.outward_settings import AlertmanagerSettings, DrillSettings, HeartbeatSettings, WebhookSettings
from monitor.recipients import Recipient
from monitor.toml_file import ConfigError
from probes import checks
from probes.assertions import seconds
from probes.browser.definition import BrowserExpect, BrowserJourney, BrowserStep, ChromiumSettings, Request
from probes.checks import Journey, Portal, duration_us
from probes.created import Creates
from probes.evidence import BODY_LIMIT
from probes.mailboxes import Mailbox
from probes.practice import PRACTICE_SECRETS
from probes.practice.identity import SERVICE_CLIENT
from probes.practice.settings import PracticeSettings
from probes.regexes import PATIENCE_SECONDS, SEARCHED
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from probes.setup import Setup
from probes.steps import CLEAN_UP_US, EveryStep, MailStep
from sla import contract, contract_text, sanction_rules
from sla.contract import parse_contract
from sla.published import SCHEMAS
from tests.practice_site import practice_site

ROOT = Path(__file__).parents[2]
DOCS = {
    name: (ROOT / "docs" / f"{name}.md").read_text()
    for name in ("journeys", "contracts", "configuration", "browser", "names-and-ports")
}

ENVIRON = {
    "BURGER_TOKEN": PRACTICE_SECRETS["burger_token"],
    "DIENSTGEHEIM": SERVICE_CLIENT[1],
    "INLOGSLEUTEL": "JBSW Y3DP EHPK 3PXP",
}
#: What a journey of the document needs around it.
AROUND = """
[portal]
name = "Loket"
base_url = "https://loket.example"
contact = "https://bestuur.example/meting"
[secrets]
burger_token = { env = "BURGER_TOKEN" }
dienstgeheim = { env = "DIENSTGEHEIM" }
webdienst_sleutel = { practice = "webdienst_sleutel" }
inlogsleutel = { env = "INLOGSLEUTEL" }
mail_password = { practice = "mail_password" }
[mailbox.postvak]
host = "127.0.0.1"
user = "loketwacht"
password = "mail_password"
[mail]
host = "mail.example"
sender = "loketwacht@bestuur.example"
[[recipient]]
address = "ops@bestuur.example"
"""
ANY_JOURNEY = """
[[journey]]
id = "een"
title = { nl = "Een", en = "One" }
interval = "1m"
deadline = "20s"
[[journey.step]]
id = "openen"
path = "/"
expect.status = 200
"""

#: Per table of the documents the model whose keys it tells, by the heading above it.
IN_JOURNEYS: dict[str, type[BaseModel]] = {
    "## `[[journey]]`": checks.Journey,
    "## `[[journey.step]]`": checks.Step,
    "## `expect`": checks.Expect,
    "### `expect.css`": checks.CssExpectation,
    "### `expect.json`": checks.JsonExpectation,
    "### `expect.header`": checks.HeaderExpectation,
    "## `capture`": checks.Capture,
    "## Uploads": checks.Part,
    "### What must not be left behind": Creates,
}
IN_CONTRACTS: dict[str, type[BaseModel]] = {
    "### The whole": contract.Contract,
    "### `[[version]]`": contract.Version,
    "### `[version.windows.<name>]`": contract.Window,
    "### `[version.maintenance]`": contract.Maintenance,
    "#### What each may say": sanction_rules.Terms,
    "#### `[version.points]`": sanction_rules.PointsTable,
    "#### `cap`": sanction_rules.Cap,
}
IN_CONFIGURATION: dict[str, type[BaseModel]] = {
    "## `[monitor]`": config.MonitorSettings,
    "## `[portal]`": checks.Portal,
    "## `[references]`": config.References,
    "## `[secrets]`": config.SecretSource,
    "## `[incidents]`": IncidentRule,
    "## `[mailbox]`": Mailbox,
    "## `[mail]`": MailSettings,
    "### `[[mail.relay]]`": RelaySettings,
    "### `[mail.dkim]`": DkimSettings,
    "### `[mail.smime]`": SmimeSettings,
    "## `[[recipient]]`": Recipient,
    "## `[hours]`": HoursSettings,
    "## `[digest]`": DigestRule,
    "## `[pages]`": config.Pages,
    "## `[metrics]`": config.MetricsListener,
    "## `[heartbeat]`": HeartbeatSettings,
    "## `[[webhook]]`": WebhookSettings,
    "## `[alertmanager]`": AlertmanagerSettings,
    "## `[drill]`": DrillSettings,
    "## `[[contract]]`": config.ContractSource,
    "## `[[certificate]]`": checks.CertificateCheck,
    "## `[[name]]`": checks.NameCheck,
    "## `[[tcp]]`": checks.PortCheck,
    "## `[[smtp]]`": checks.MailServerCheck,
    "## `[chromium]`": ChromiumSettings,
    "## `[practice]`": PracticeSettings,
}
TABLES = [
    pytest.param(document, heading, model, id=f"{document}-{model.__name__}")
    for document, tables in (
        ("journeys", IN_JOURNEYS),
        ("contracts", IN_CONTRACTS),
        ("configuration", IN_CONFIGURATION),
    )
    for heading, model in tables.items()
]


def blocks(document: str) -> Iterator[tuple[str, str]]:
    """What follows the opening fence, and the text, of every fenced block."""
    for found in re.finditer(r"^```(\S[^\n]*)\n(.*?)^```$", DOCS[document], re.MULTILINE | re.DOTALL):
        yield found[1], found[2]


def rows(document: str, heading: str) -> dict[str, str]:
    """Key to default, of the first table with keys and defaults under a heading."""
    section = re.split(rf"^{re.escape(heading)}$", DOCS[document], flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, flags=re.MULTILINE)[0]
    table = section.partition("| key | default |")[2]
    table = table.partition("\n\n")[0]
    found = re.findall(r"^\| `([^`]+)` \| (.+?) \|", table, re.MULTILINE)
    return dict(found)


def written(model: type[BaseModel]) -> dict[str, Any]:
    """The model's keys as a file writes them, with their defaults; `...` where one is required."""
    return {
        field.alias or name: ... if field.is_required() else field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
    }


def plain(value: object) -> object:
    """A default as the same plain value, whether a model holds it or a document writes it."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(exclude_defaults=True))
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Path | contract_text.Recurrence):
        return str(value)
    if isinstance(value, str) and re.fullmatch(r"\d+(ms|s|m|h|d)", value):
        return duration_us(value)
    return value


def told(cell: str) -> object:
    """What a cell of a column `default` says."""
    return {"required": ..., "none": None}[cell] if "`" not in cell else plain(tomllib.loads(f"x = {cell[1:-1]}")["x"])


def differences(part: object, whole: object, where: str = "") -> list[str]:
    """Where a part of an answer differs from the whole; lists are compared item by item."""
    if isinstance(part, Mapping) and isinstance(whole, Mapping):
        return [p for key in part for p in differences(part[key], whole.get(key), f"{where}.{key}")]
    if isinstance(part, list) and isinstance(whole, list) and len(part) == len(whole):
        return [p for i, (a, b) in enumerate(zip(part, whole, strict=True)) for p in differences(a, b, f"{where}[{i}]")]
    return [] if part == whole else [f"{where}: the document says {part}, the answer {whole}"]


def write_files() -> None:
    """The files of the worked example, where the test is."""
    for info, text in blocks("contracts"):
        if "file=" in info:
            Path(info.partition("file=")[2]).write_text(text)


TOML_OF_JOURNEYS = [text for info, text in blocks("journeys") if info == "toml"]


@pytest.mark.parametrize("text", TOML_OF_JOURNEYS, ids=lambda text: text.splitlines()[1].replace(" ", ""))
def test_what_the_document_shows_of_journeys_is_a_right_configuration(text: str, tmp_path: Path) -> None:
    beside = "" if "[[journey]]" in text else ANY_JOURNEY
    (tmp_path / "config.toml").write_text(AROUND + text + beside)
    loaded = config.load(tmp_path / "config.toml", environ=ENVIRON)
    assert len(loaded.config.journey) == (text + beside).count("[[journey]]")


def test_what_the_document_shows_of_a_browser_is_a_right_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(AROUND + "".join(text for info, text in blocks("browser") if info == "toml"))
    loaded = config.load(tmp_path / "config.toml", environ=ENVIRON)
    assert [journey.id for journey in loaded.config.browser] == ["zoeken-in-browser", "project-in-browser"]
    assert loaded.config.chromium == ChromiumSettings()


def test_what_the_document_shows_of_names_and_ports_is_a_right_configuration(tmp_path: Path) -> None:
    shown = "".join(text for info, text in blocks("names-and-ports") if info == "toml")
    (tmp_path / "config.toml").write_text(AROUND + shown)
    loaded = config.load(tmp_path / "config.toml", environ=ENVIRON).config
    assert (len(loaded.name), len(loaded.tcp), len(loaded.smtp)) == (3, 2, 1)


@pytest.mark.parametrize("model", [BrowserJourney, BrowserStep, BrowserExpect, Request])
def test_every_key_of_a_browser_journey_is_documented(model: type[BaseModel]) -> None:
    told_of_all_journeys = written(checks.Journey).keys() | written(checks.Expect).keys()
    own = written(model).keys() - (told_of_all_journeys if model is not Request else set())
    assert {key for key in own if not re.search(rf"`{key}\b", DOCS["browser"])} <= {"kind"}


def test_the_document_shows_journeys_a_certificate_and_references() -> None:
    tables = {table for text in TOML_OF_JOURNEYS for table in re.findall(r"^\[+\w+\]+$", text, re.MULTILINE)}
    assert tables == {"[[journey]]", "[[fragment]]", "[[certificate]]", "[references]"}


def test_the_contract_in_the_document_is_one() -> None:
    [text] = [text for info, text in blocks("contracts") if info == "toml file=contract.toml"]
    assert parse_contract(tomllib.loads(text, parse_float=Decimal)).contract == "VOORBEELD-W"


@pytest.mark.parametrize(
    ("period", "measurements", "ledger", "code"),
    [
        pytest.param("2026-11", "measurements.jsonl", ["--ledger", "ledger.jsonl"], 1, id="month"),
        pytest.param("2026-11-03T10:00:00+01:00/2026-11-03T11:00:00+01:00", "samples.csv", [], 0, id="hour"),
    ],
)
def test_the_worked_example_comes_to_what_the_document_says(
    period: str,
    measurements: str,
    ledger: list[str],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files()
    asked = ["sla", "assess", "--contract", "contract.toml", "--measurements", measurements, *ledger]
    ended = main([*asked, "--period", period, "--json"])
    [said] = [json.loads(text) for info, text in blocks("contracts") if info == f"json answer={period}"]
    assert differences(said, json.loads(capsys.readouterr().out)) == []
    assert ended == code


def test_each_scale_of_sanctions_comes_to_what_the_document_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files()
    asked = ["sla", "assess", "--contract", "law.toml", "--measurements", "law.csv", "--period", "2026-11", "--json"]
    assert main(asked) == 1
    [said] = [json.loads(text) for info, text in blocks("contracts") if info == "json answer=law"]
    assert differences(said, json.loads(capsys.readouterr().out)) == []


@pytest.mark.parametrize(("document", "heading", "model"), TABLES)
def test_every_key_is_documented_with_its_default_and_no_other(
    document: str, heading: str, model: type[BaseModel]
) -> None:
    documented = {key: told(cell) for key, cell in rows(document, heading).items()}
    assert documented == {key: plain(default) for key, default in written(model).items()}


def test_every_key_of_a_step_that_waits_for_a_mail_is_documented() -> None:
    own = {key: default for key, default in written(MailStep).items() if key not in written(EveryStep)} | {
        "kind": "request"
    }
    documented = {key: told(cell) for key, cell in rows("journeys", "## Waiting for a mail").items()}
    assert documented == {key: plain(default) for key, default in own.items()}


def test_every_table_of_the_configuration_has_its_section() -> None:
    sections = set(re.findall(r"^## `\[+(\w+)\]+`$", DOCS["configuration"], re.MULTILINE))
    assert sections == set(Config.model_fields) - {"journey", "browser"}


@pytest.mark.parametrize(
    "model",
    [
        contract.AvailabilityClause,
        contract.OutageDurationClause,
        contract.OutageCountClause,
        contract.ResponseTimeClause,
        contract.CoverageClause,
    ],
    ids=lambda model: model.__name__,
)
def test_every_kind_of_clause_is_documented_with_its_own_keys(model: type[contract.Commitment]) -> None:
    shared = rows("contracts", "### `[[version.clause]]`")
    assert written(contract.Commitment).keys() | {"kind"} == set(shared)
    [kind] = get_args(model.model_fields["kind"].annotation)
    [row] = re.findall(rf"^\| `{kind}` \|.*$", DOCS["contracts"], re.MULTILINE)
    inherited = contract.CountsTime if issubclass(model, contract.CountsTime) else contract.Commitment
    own = written(model).keys() - written(inherited).keys() - {"kind"}
    assert {key for key in own if f"`{key}" not in row} == set()


def test_how_samples_become_outages_is_documented_key_by_key() -> None:
    table = DOCS["contracts"].partition("say how samples become outages (")[2].partition("\n### ")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", table, re.MULTILINE))
    own = written(contract.CountsTime).keys() - written(contract.Commitment).keys()
    assert {key: told(cell) for key, cell in documented.items()} == {
        key: plain(written(contract.CountsTime)[key]) for key in own
    }


@pytest.mark.parametrize(
    "model",
    [
        sanction_rules.PerUnit,
        sanction_rules.Bands,
        sanction_rules.Band,
        sanction_rules.Fixed,
        sanction_rules.Daily,
        sanction_rules.Points,
        sanction_rules.PointBand,
        sanction_rules.Threshold,
    ],
    ids=lambda model: model.__name__,
)
def test_every_key_of_a_sanction_is_documented(model: type[BaseModel]) -> None:
    section = DOCS["contracts"].partition("### Sanctions and caps")[2].partition("\n## ")[0]
    assert [key for key in written(model) if not re.search(rf"\b{key}\b", section)] == []


def test_every_kind_of_failure_is_explained() -> None:
    section = DOCS["journeys"].partition("### What each failure means")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == [kind.value for kind in FailureKind]


def test_what_the_documents_link_to_is_there() -> None:
    links = {(name, link) for name, text in DOCS.items() for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)}
    local = {(name, link) for name, link in links if not link.startswith("https://")}
    assert {link for _, link in local if not (ROOT / "docs" / link).exists()} == set()


@pytest.mark.parametrize(
    ("step", "because"),
    [
        pytest.param('path = "/"\nbody = "x"', "sends none", id="a GET with a body"),
        pytest.param('path = "/"\nmethod = "POST"\nbody = "x"\njson = 1', "more than one body", id="two bodies"),
        pytest.param('path = "/{{ nobody }}"', "no earlier step captures", id="a name that nobody captures"),
        pytest.param('path = "/{{ secret.burger_token }}"', 'Add "burger_token"', id="a secret that is not listed"),
        pytest.param('path = "https://elders.example/"', "allow_hosts", id="a host that is not allowed"),
        pytest.param('path = "/"\ncapture.run = { css = "p" }', "already use", id="a capture called run"),
        pytest.param('path = "/"\ncapture.x = { css = "p", url = "p" }', "exactly one", id="two sources"),
        pytest.param('path = "/"\ndeadline = "30s"', "journey's deadline", id="a step longer than its journey"),
        pytest.param('path = "/"\nexpect.soft = "3"', "length of time", id="a length without a unit"),
    ],
)
def test_what_the_document_says_is_refused_is_refused(step: str, because: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'{AROUND}{ANY_JOURNEY}[[journey.step]]\nid = "fout"\n{step}\n')
    with pytest.raises(ConfigError, match=re.escape(because)):
        config.load(tmp_path / "config.toml", environ=ENVIRON)


WORKED = ["--contract", "contract.toml", "--measurements", "measurements.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param([*WORKED, "--period", "2026-11-03T10:30:00+01:00/2026-11-03T11:00:00+01:00"], 0, id="none missed"),
        pytest.param([*WORKED, "--period", "2026-11"], 1, id="one missed"),
        pytest.param([*WORKED, "--period", "2026-13"], 2, id="no period"),
        pytest.param([*WORKED, "--period", "2026-11", "--as-of", "gisteren"], 2, id="no instant"),
        pytest.param([*WORKED, "--period", "2025-11"], 3, id="no version governs it"),
        pytest.param(["--contract", "naive.jsonl", *WORKED[2:], "--period", "2026-11"], 3, id="no contract"),
        pytest.param([*WORKED[:3], "naive.jsonl", "--period", "2026-11"], 3, id="instants without offset"),
    ],
)
def test_sla_assess_ends_with_the_exit_code_in_the_document(
    arguments: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files()
    Path("naive.jsonl").write_text(Path("measurements.jsonl").read_text().replace("+01:00", ""))
    assert main(["sla", "assess", *arguments]) == code
    section = DOCS["contracts"].partition("## Exit codes of `sla assess`")[2]
    assert f"| {code} |" in section


def test_every_key_of_a_sample_is_documented() -> None:
    table = DOCS["contracts"].partition("**Samples**, one line a run:")[2].partition("**Spans**")[0]
    [_, sample] = SCHEMAS["measurement"]()["oneOf"]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(sample["properties"])


def test_every_published_schema_is_named() -> None:
    assert {name for name in SCHEMAS if f"`{name}.schema.json`" not in DOCS["contracts"]} == set()


def test_the_bounds_in_the_document_are_those_of_the_program() -> None:
    section = DOCS["journeys"].partition("## Deadlines and caps")[2].partition("\n## ")[0]
    portal = written(checks.Portal)
    assert f"| {seconds(CLEAN_UP_US)}, at most the journey's deadline |" in section
    assert f"`portal.max_body` ({portal['max_body'] // 1024**2} MiB)" in section
    assert f"`portal.max_redirects` ({portal['max_redirects']})" in section
    assert f"| {PATIENCE_SECONDS} s, over the first {SEARCHED // 1024**2} MiB characters" in section
    assert f"up to {BODY_LIMIT // 1024} KiB of the body" in DOCS["journeys"]


async def walked_at_the_practice_portal(
    journey: Journey, secrets: Mapping[str, str], boxes: Mapping[str, Mailbox], state_dir: Path
) -> Sample:
    async with practice_site(state_dir, imap_port=0) as site:
        where = {"port": site.imap_port, "ca_file": str(site.ca_file)}
        boxes = {name: box.model_copy(update=where) for name, box in boxes.items()}
        portal = Portal(name="Oefenloket", base_url=site.base_url, contact="test@example.org")
        setup = Setup(
            portal=portal,
            secrets=secrets,
            now_us=wall_us,
            monotonic_us=monotonic_us,
            new_id=new_id,
            mailboxes=boxes,
        )
        return await run(journey, slot_us=wall_us(), location="hier", setup=setup)


#: What the practice portal serves; the other examples speak of what others have.
WALKED = (
    "startpagina",
    "aanmelden",
    "aanmelden-met-formulier",
    "startpagina-met-melding",
    "zoekindex",
    "gemeenten",
    "webservice",
    "dienst",
    "aanmelden-met-saml",
    "adviesvraag",
)


@pytest.mark.parametrize("name", WALKED)
def test_what_the_document_shows_walks_at_the_practice_portal(name: str, tmp_path: Path) -> None:
    text = next(text for text in TOML_OF_JOURNEYS if f'[[journey]]\nid = "{name}"' in text)
    (tmp_path / "config.toml").write_text(AROUND + text)
    loaded = config.load(tmp_path / "config.toml", environ=ENVIRON)
    journey = next(journey for journey in loaded.config.journey if journey.id == name)
    sample = asyncio.run(walked_at_the_practice_portal(journey, loaded.secrets, loaded.config.mailbox, tmp_path))
    assert (sample.outcome, sample.failure) == (Outcome.UP, None)
