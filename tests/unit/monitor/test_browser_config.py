"""Mistakes in browser journeys are told with their place, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import load
from monitor.toml_file import ConfigError

AROUND = """
[portal]
name = "Loket"
base_url = "https://loket.example"
contact = "https://bestuur.example/meting"
[mail]
host = "mail.example"
sender = "loketwacht@bestuur.example"
[[recipient]]
address = "ops@bestuur.example"
[[fragment]]
id = "begin"
[[fragment.step]]
id = "begin"
goto = "/"
expect.visible = "h1"
capture.nummer = { css = "#nummer" }
[[browser]]
id = "proef"
title = { nl = "Proef", en = "Trial" }
interval = "1m"
deadline = "20s"
[[browser.step]]
use = "begin"
[[browser.step]]
id = "verder"
"""


#: A step that makes something, named by what it captures itself, and the one that takes it away.
MAKES = '''click = "#maak"
capture.eigen = {{ css = "b" }}
creates = {{ what = "ding", id = "{{{{ {name} }}}}", undo = ["{undo}", "weg"] }}
[[browser.step]]
id = "weg"
goto = "/weg"
always = true
expect.visible = "h1"'''


def problems(path: Path, step: str) -> list[tuple[int, str]]:
    path.write_text(AROUND + step)
    with pytest.raises(ConfigError) as refused:
        load(path)
    return [(problem.line, str(problem)) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ('click = "#a["', "is not a CSS selector"),
        ('clik = "#a"', "clik"),
        ('fill = { "#{{ naam }}" = "x" }', 'uses "naam", which nothing before it gives'),
        ('fill = { "#a" = "{{ secret.token }}" }', 'uses "secret.token", which nothing before it gives'),
        ('goto = "/{{ nummer "', "is not a template"),
        ('goto = "/"\ndeadline = "30s"', "longer than the whole journey's deadline"),
        ('use = "elders"', "has nothing else"),
        (MAKES.format(name="elders", undo="begin"), 'uses "elders", which nothing before it gives'),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, step: str, told: str) -> None:
    found = problems(tmp_path / "config.toml", step)
    last = len((AROUND + step).splitlines())
    assert [line for line, message in found if told in message and last - 6 <= line <= last], found


def test_fragments_captures_and_files_of_earlier_steps_may_be_named(tmp_path: Path) -> None:
    step = (
        'goto = "/{{ nummer }}"\n'
        'upload = { "#b" = { name = "bijlage", file_name = "b.pdf", size = 5 } }\n'
        'expect.text = "{{ file.bijlage.sha256 }} {{ run.id }}"'
    )
    (tmp_path / "config.toml").write_text(AROUND + step)
    [journey] = load(tmp_path / "config.toml").config.browser
    assert [one.id for one in journey.step] == ["begin", "verder"]


def test_what_a_step_makes_is_named_by_what_it_captures_itself(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(AROUND + MAKES.format(name="eigen", undo="begin"))
    [journey] = load(tmp_path / "config.toml").config.browser
    assert journey.step[1].creates is not None


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (MAKES.format(name="eigen", undo="nergens"), 'with a step "nergens", which there is not'),
        (MAKES.format(name="eigen", undo="begin").replace("always = true\n", ""), "that step needs always = true"),
        (MAKES.format(name="eigen", undo="verder"), 'beginning with "verder", which opens no page'),
    ],
)
def test_what_is_made_is_taken_away_by_steps_that_can_do_it_on_their_own(tmp_path: Path, step: str, told: str) -> None:
    assert any(told in message for _, message in problems(tmp_path / "config.toml", step))
