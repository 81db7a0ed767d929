"""Texts with names in them."""

from __future__ import annotations

import re

import pytest

from probes.templates import Into, MissingNameError, TemplateError, names_used, rendered

VALUES = {"nr": "0012", "project_nummer": "OMV_2099000012", "secret": {"user_ww": "a b&c"}, "run": {"id": "r1"}}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("/x/{{ nr }}", "/x/0012"),
        ("{{nr}}{{ nr }}", "00120012"),
        ("{{ project-nummer }}", "OMV_2099000012"),
        ("{{ project_nummer }}", "OMV_2099000012"),
        ("{{ secret.user-ww | urlencode }}", "a%20b%26c"),
        ("{{ secret.user_ww }}", "a b&c"),
        ("zonder", "zonder"),
        ("{% if x %} {# y #} {", "{% if x %} {# y #} {"),
        ("eind\n{{ nr }}\n", "eind\n0012\n"),
    ],
)
def test_names_are_filled_in(template: str, text: str) -> None:
    assert rendered(template, VALUES) == text


@pytest.mark.parametrize(
    ("template", "name"),
    [("{{ geen }}", "geen"), ("{{ secret.geen }}", "secret.geen"), ("{{ nr }}{{ geen-een }}", "geen_een")],
)
def test_a_missing_value_is_named(template: str, name: str) -> None:
    with pytest.raises(MissingNameError) as missing:
        rendered(template, VALUES)
    assert missing.value.name == name


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ nr.__init__.__globals__ }}",
        "{{ run.update({'id': 'x'}) }}",
        "{{ nr",
        "{{ 1/0 }}",
    ],
)
def test_the_sandbox_lets_nothing_out(template: str) -> None:
    with pytest.raises(TemplateError):
        rendered(template, VALUES)


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{{ nr }} {{ project-nummer | upper }}", {"nr", "project_nummer"}),
        ("{{ secret.user-ww }}", {"secret.user_ww"}),
        ("{{ file['stuk'].sha256 }}", {"file.stuk.sha256"}),
        ("{{ nr ~ run.id }}", {"nr", "run.id"}),
        ("zonder", set()),
    ],
)
def test_the_names_a_template_needs_are_known(template: str, names: set[str]) -> None:
    assert names_used(template) == names


def test_a_value_inside_a_regular_expression_stands_for_itself() -> None:
    pattern = rendered("^{{ v }}$", {"v": "a.b(c"}, Into.REGEX)
    assert re.search(pattern, "a.b(c")
    assert not re.search(pattern, "axb(c")


def test_a_value_inside_a_selector_cannot_end_its_text() -> None:
    assert rendered('a[x="{{ v }}"]', {"v": 'p"] b'}, Into.CSS) == 'a[x="p\\"] b"]'
    assert rendered("[?x=='{{ v }}']", {"v": "p'q"}, Into.JMESPATH) == "[?x=='p\\'q']"
