"""A configuration that cannot be is refused with every problem, its place, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import config
from monitor.toml_file import ConfigError
from probes.checks import Journey

GOLDEN = Path(__file__).parents[2] / "golden" / "bad_config"
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.toml")), ids=lambda path: path.stem)
def test_a_mistake_is_told_with_its_place_and_how_to_mend_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConfigError) as refused:
        config.load(Path(path.name), environ={})
    expected = path.with_suffix(".txt")
    said = f"{refused.value}\n"
    if request.config.getoption("--update-golden"):
        expected.write_text(said)
    assert said == expected.read_text()


def test_the_configuration_at_the_top_is_right() -> None:
    loaded = config.load(ROOT / "config.toml", environ={})
    settings = loaded.config
    kinds = (settings.journey, settings.certificate, settings.name, settings.smtp, loaded.contracts)
    assert tuple(map(len, kinds)) == (12, 1, 1, 1, 1)


def test_nothing_in_the_configuration_at_the_top_leaves_this_machine() -> None:
    settings = config.load(ROOT / "config.toml", environ={}).config
    hosts = {settings.portal.base_url, settings.mail.host, *settings.references.urls, settings.pages.host}
    hosts |= {step.path for journey in settings.journey for step in journey.step if "://" in step.path}
    hosts |= set(settings.portal.allow_hosts) | {check.host for check in settings.certificate}
    hosts |= {check.host for check in (*settings.tcp, *settings.smtp)} | {str(check.server) for check in settings.name}
    assert [
        host for host in hosts if not host.removeprefix("http://").removeprefix("https://").startswith("127.0.0.1")
    ] == []


def test_a_fragment_stands_in_every_journey_that_uses_it(tmp_path: Path) -> None:
    text = (GOLDEN / "unknown_fragment.toml").read_text()
    (tmp_path / "config.toml").write_text(
        text + '\n[[fragment]]\nid = "aanmelden"\nstep = [{ id = "naam", path = "/aanmelden" }]\n'
    )
    [journey] = config.load(tmp_path / "config.toml", environ={}).config.journey
    assert [step.id for step in journey.step] == ["naam", "home"]


FRAGMENT = """
[[fragment]]
id = "aanmelden"
[[fragment.step]]
id = "zoeken"
path = "/{{ gemeente }}/{{ taal }}"
[[fragment.step]]
id = "openen"
path = "/%s"
"""


def test_a_fragment_is_taken_whole_for_each_value(tmp_path: Path) -> None:
    use = 'use = "aanmelden"\nwith = { taal = "nl" }\neach = { name = "gemeente", of = ["Gent", "Ieper"] }'
    text = (GOLDEN / "unknown_fragment.toml").read_text().replace('use = "aanmelden"', use)
    (tmp_path / "config.toml").write_text(text + FRAGMENT % "")
    [journey] = config.load(tmp_path / "config.toml", environ={}).config.journey
    taken = [(step.id, step.given.get("gemeente")) for step in journey.step[:4]]
    expected = [("zoeken-gent", "Gent"), ("openen-gent", "Gent"), ("zoeken-ieper", "Ieper"), ("openen-ieper", "Ieper")]
    assert taken == expected


def test_a_mistake_in_a_fragment_is_told_once_where_it_is_written(tmp_path: Path) -> None:
    use = 'use = "aanmelden"\nwith = { taal = "nl" }\neach = { name = "gemeente", of = ["Gent", "Ieper"] }'
    text = (GOLDEN / "unknown_fragment.toml").read_text().replace('use = "aanmelden"', use)
    (tmp_path / "config.toml").write_text(text + FRAGMENT % "{{ nooit }}")
    with pytest.raises(ConfigError) as refused:
        config.load(tmp_path / "config.toml", environ={})
    line = (text + FRAGMENT).splitlines().index('path = "/%s"') + 1
    told = [(p.line, p.column, p.what) for p in refused.value.problems]
    assert told == [(line, 1, 'uses "nooit", which no earlier step captures')]


def test_an_included_file_brings_journeys_and_its_problems_keep_their_place(tmp_path: Path) -> None:
    text = (GOLDEN / "include_not_there.toml").read_text()
    (tmp_path / "config.toml").write_text(text)
    (tmp_path / "nowhere.toml").write_text('\n[[journey]]\nid = "twee"\nintervl = "30s"\n')
    with pytest.raises(ConfigError) as refused:
        config.load(tmp_path / "config.toml", environ={})
    first = next(p for p in refused.value.problems if "intervl" in p.key)
    assert (Path(first.file).name, first.line, first.column) == ("nowhere.toml", 4, 1)
    assert first.mend.startswith('Did you mean "interval"?')


def test_secrets_come_from_the_environment_a_file_or_systemd(tmp_path: Path) -> None:
    text = (GOLDEN / "secret_not_set.toml").read_text().partition("[secrets]")[0]
    (tmp_path / "key").write_text("from a file\n")
    (tmp_path / "cred").write_text("from systemd")
    text += '[secrets]\na = { env = "A" }\nb = { file = "key" }\nc = { credential = "cred" }\n'
    (tmp_path / "config.toml").write_text(text)
    environ = {"A": "from the environment", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    loaded = config.load(tmp_path / "config.toml", environ=environ)
    assert loaded.secrets == {"a": "from the environment", "b": "from a file", "c": "from systemd"}
    assert "from a file" not in loaded.config.model_dump_json()


def test_the_hash_of_a_configuration_covers_what_it_includes(tmp_path: Path) -> None:
    text = (GOLDEN / "include_not_there.toml").read_text()
    (tmp_path / "config.toml").write_text(text)
    hashes = []
    for deadline in ("5s", "6s"):
        (tmp_path / "nowhere.toml").write_text(
            f'[[journey]]\nid = "b"\ntitle = {{ nl = "b", en = "b" }}\ninterval = "30s"\ndeadline = "{deadline}"\n'
            'step = [{ id = "s", path = "/", expect = { status = 200 } }]\n'
        )
        hashes.append(config.load(tmp_path / "config.toml", environ={}).sha256)
    assert hashes[0] != hashes[1]


def test_titles_are_told_in_both_languages() -> None:
    loaded = config.load(ROOT / "config.toml", environ={})
    assert loaded.config.titles["aanmelden"] == ("Aanmelden", "Logging in")
    assert all(isinstance(journey, Journey) for journey in loaded.config.journey)


def test_certificates_that_are_not_there_are_refused_when_they_are_needed(tmp_path: Path) -> None:
    text = (GOLDEN / "asserts_nothing.toml").read_text().replace('expect.soft = "1s"', "expect.status = 200")
    path = tmp_path / "config.toml"
    path.write_text(text.replace("[portal]", '[portal]\nca_file = "ca.pem"'))
    loaded = config.load(path, environ={})
    with pytest.raises(ConfigError) as refused:
        config.require_files(loaded, path)
    [problem] = refused.value.problems
    assert (problem.line, problem.key, problem.what) == (2, "portal.ca_file", 'there is no file "ca.pem"')
    (tmp_path / "ca.pem").touch()
    config.require_files(loaded, path)
