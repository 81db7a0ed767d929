"""A form's fields as browsers collect them. The expected list is what Chromium's FormData gave for this page."""

from __future__ import annotations

import pytest

from probes.fault import Fault
from probes.forms import changed, form_in, self_posting
from probes.response import Response

FORM = """<input name=buiten value=1 form=f>
<form id=f action="weg?oud=1#deel">
<input name=tekst value="a b"><input value=naamloos><input name=uit value=x disabled>
<input type=hidden name=h value="r1
r2"><input type=hidden name=_charset_>
<input type=checkbox name=v1 checked><input type=checkbox name=v2><input type=checkbox name=v3 value=ja checked>
<input type=radio name=r value=1 checked><input type=radio name=r value=2 checked><input type=radio name=r value=3>
<select name=s1><option value=a>A<option value=b selected>B<option value=c selected>C</select>
<select name=s2><option disabled>nee<option>  wel   zo </select>
<select name=s3 multiple><option selected>x<option>y<option selected>z<option selected disabled>w</select>
<select name=s4 size=3><option>een<option>twee</select>
<select name=s5><optgroup disabled><option value=dicht>d</optgroup><option value=open>o</select>
<textarea name=t>
 eerste
tweede</textarea><textarea name=leeg></textarea>
<fieldset disabled><legend><input name=legende value=1></legend><input name=binnen value=1></fieldset>
<input type=submit name=knop value=k1><button name=knop value=k2 id=b>K2</button><button type=button name=los>x</button>
<input type=image name=beeld><input type=file name=bestand><input type=reset name=her value=1>
<input type=number name=n value=5><input name=elders value=1 form=g>
</form><form id=g></form>"""


def page(body: str, url: str = "https://loket.example/map/blad") -> Response:
    headers = (("content-type", "text/html; charset=utf-8"),)
    return Response(status=200, headers=headers, url=url, body=f"<!doctype html><body>{body}".encode())


def test_a_form_has_the_fields_a_browser_would_send() -> None:
    form = form_in(page(FORM), "#f", "#b")
    assert form.fields == (
        ("buiten", "1"),
        ("tekst", "a b"),
        ("h", "r1\r\nr2"),
        ("_charset_", "UTF-8"),
        ("v1", "on"),
        ("v3", "ja"),
        ("r", "2"),
        ("s1", "c"),
        ("s2", "wel zo"),
        ("s3", "x"),
        ("s3", "z"),
        ("s5", "open"),
        ("t", " eerste\r\ntweede"),
        ("leeg", ""),
        ("legende", "1"),
        ("knop", "k2"),
        ("n", "5"),
    )
    assert (form.action, form.method, form.files) == ("https://loket.example/map/weg?oud=1", "GET", ("bestand",))


@pytest.mark.parametrize(
    ("form", "action", "method"),
    [
        ("<form id=f>", "https://loket.example/map/blad", "GET"),
        ("<form id=f method=POST action=/x>", "https://loket.example/x", "POST"),
        ("<base href=/b/><form id=f action=x>", "https://loket.example/b/x", "GET"),
        ("<form id=f action=/x><button id=k formaction=/y formmethod=post>", "https://loket.example/y", "POST"),
    ],
)
def test_a_form_tells_its_own_address_and_method(form: str, action: str, method: str) -> None:
    found = form_in(page(form), "#f", "#k" if "id=k" in form else None)
    assert (found.action, found.method) == (action, method)


def test_a_field_that_is_filled_in_keeps_its_place() -> None:
    form = form_in(page("<form id=f><input name=a value=1><input name=b value=2><input name=a value=3>"), "#f")
    assert changed(form, {"a": "x", "nieuw": "y"}) == (("a", "x"), ("b", "2"), ("nieuw", "y"))


def test_a_selector_inside_a_form_finds_the_form() -> None:
    assert form_in(page("<form action=/x><p id=p>"), "#p").action == "https://loket.example/x"


@pytest.mark.parametrize("body", ["", "<p id=f>", "<form id=f method=dialog>"])
def test_what_is_no_form_is_a_fault(body: str) -> None:
    with pytest.raises(Fault):
        form_in(page(body), "#f")


HIDDEN = "<input type=hidden name={}>"


@pytest.mark.parametrize(
    ("body", "follows"),
    [
        ("<form method=post>" + HIDDEN.format("SAMLResponse"), True),
        ("<form method=post>" + HIDDEN.format("code") + HIDDEN.format("state"), True),
        ("<form method=post>" + HIDDEN.format("code"), False),
        ("<form method=post>" + HIDDEN.format("x") + "</form><script>document.forms[0].submit()</script>", True),
        ("<form method=post>" + HIDDEN.format("_csrf") + "</form>", False),
        ("<form method=post><input name=naam>" + HIDDEN.format("SAMLResponse"), False),
        ("<form method=get>" + HIDDEN.format("SAMLResponse"), False),
        ("<p>geen formulier", False),
    ],
)
def test_a_page_sends_itself_only_where_nobody_is_asked_anything(body: str, *, follows: bool) -> None:
    assert (self_posting(page(body)) is not None) is follows
