"""A recording as a journey in config.toml's words: forms sent as forms, values captured where they came from, secrets
by their names and never by their values. Pure.

What a person should look at is told: the journey is a beginning, and whoever reads it knows the portal.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from probes.fault import Fault
from probes.forms import Form, form_in
from probes.http import host_of
from probes.recorded import Recording, Visit
from probes.response import Response, UnreadableError
from probes.steps import RESERVED

_SECRET = re.compile(r"pass|wacht|pwd|secret|geheim|(?:^|[_-])pin(?:$|[_-])|otp|api[_-]?key", re.IGNORECASE)
_TOKEN = re.compile(
    r"token|csrf|xsrf|session|sessie|ticket|jwt|nonce|viewstate|signature|assertion|saml", re.IGNORECASE
)
_PERSON = re.compile(r"user|gebruik|login|mail|account|rijksregister|insz", re.IGNORECASE)
_MADE = re.compile(r"^(?=.*\d)[\w.~:+/=@-]{6,}$|^\S{20,}$")
_DAY = re.compile(r"^\d{4}-\d\d-\d\d$|^\d{1,2}[/.-]\d{1,2}[/.-]\d{4}$")
_BODY_END = r"([^\"'<>&\s]+)"
_CONTEXT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A journey as text, and what to know of it.

    Attributes:
        secrets: names it uses; their values stood in the recording and are nowhere in the text.
        hosts: further hosts that the portal's `allow_hosts` must name.
        notes: what somebody should look at, a sentence each.
    """

    text: str
    secrets: tuple[str, ...]
    hosts: tuple[str, ...]
    notes: tuple[str, ...]


def written(recorded: Recording, *, journey: str, title: str) -> Written:
    """Write a recording as a journey.

    Args:
        journey: its id.
        title: for people, in both languages until somebody translates it.
    """
    return _Writer(recorded).journey(journey, title)


@dataclass
class _Writer:
    recorded: Recording
    secrets: dict[str, str] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=lambda: set(RESERVED))
    captured: dict[str, str] = field(default_factory=dict)
    logins: set[str] = field(default_factory=set)

    def journey(self, name: str, title: str) -> Written:
        hidden_on_screen = {
            field.attrib.get("name", "")
            for visit in self.recorded.visits
            if visit.answer.is_html and visit.answer.body.strip()
            for field in visit.answer.document.css("input[type=password i]")
        }
        for visit in self.recorded.visits:
            self._find_secrets(visit, hidden_on_screen)
        for number, visit in enumerate(self.recorded.visits):
            self.steps.append(self._step(number, visit))
        seconds = sum(visit.duration_us for visit in self.recorded.visits) / 1_000_000
        deadline = max(20, 5 * round(seconds))
        head = {
            "id": name,
            "title": {"nl": title, "en": title},
            "interval": f"{max(300, 2 * deadline)}s",
            "deadline": f"{deadline}s",
        }
        if self.secrets:
            head["secrets"] = list(self.secrets)
        if not any(step.get("expect") for step in self.steps):
            self.steps[-1]["expect"] = {"status": self.recorded.visits[-1].answer.status}
        text = "".join(f"# {line}\n" for line in self._remarks())
        text += "[[journey]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in head.items())
        for step in self.steps:
            text += "\n[[journey.step]]\n" + "".join(_lines(step))
        return Written(
            text=self._masked(text), secrets=tuple(self.secrets), hosts=self.recorded.hosts, notes=tuple(self.notes)
        )

    def _remarks(self) -> Iterator[str]:
        yield "Made from a browser's recording. Read it before it runs: does each expect prove what visitors come for?"
        yield "Does it leave anything behind at the portal? Then add creates and an always step that takes it away."
        for why, number in sorted(self.recorded.left_out.items()):
            yield f"Left out: {number} requests {why}."
        if self.recorded.hosts:
            yield f"Put into allow_hosts of [portal]: {', '.join(self.recorded.hosts)}."
        for note in self.notes:
            yield f"Look at this: {note}"

    # -- secrets -----------------------------------------------------------------------------------------------------

    def _find_secrets(self, visit: Visit, hidden_on_screen: set[str]) -> None:
        fields = [*(visit.fields or ()), *((part.name, part.text) for part in visit.parts if part.file_name is None)]
        if visit.body:
            fields += [(key, value) for key, value in _leaves(_json_of(visit.body))]
        secret = {name for name, _ in fields if name in hidden_on_screen or _SECRET.search(name)}
        for name, value in fields:
            if value and (name in secret or (secret and _PERSON.search(name))):
                self._secret(name, value)
                self.logins.add(visit.url)
        scheme, _, value = visit.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            user, _, password = _decoded(value).partition(":")
            self._secret("user", user)
            self._secret("password", password)

    def _secret(self, name: str, value: str) -> str:
        for known, same in self.secrets.items():
            if same == value:
                return known
        name = _free(_word(name, "_") or "secret", self.secrets, "_")
        self.secrets[name] = value
        return name

    # -- steps -------------------------------------------------------------------------------------------------------

    def _step(self, number: int, visit: Visit) -> dict[str, Any]:
        parts = urlsplit(visit.url)
        last_word = next((w for w in reversed(parts.path.split("/")) if re.search("[A-Za-z]{3}", w)), "")
        kind = "" if visit.method == "GET" else f"{visit.method.lower()}-"
        name = _free(
            _word(f"{kind}{unquote(last_word).partition('.')[0]}") or f"stap-{number + 1}",
            {s["id"] for s in self.steps},
        )
        step: dict[str, Any] = {"id": name}
        form = self._form(number, visit)
        if form is not None:
            step |= form
        else:
            if visit.method != "GET":
                step["method"] = visit.method
            step["path"] = self._path(number, visit)
            step |= self._body(number, visit)
        if headers := self._headers(number, visit):
            step["headers"] = headers
        if visit.headers.get("authorization", "").lower().startswith("basic ") and "user" in self.secrets:
            step["basic_auth"] = {"user": "{{ secret.user }}", "password": "{{ secret.password }}"}
        if visit.by_itself:
            step["auto_post"] = True
        if visit.url in self.logins:
            step["login"] = True
        if expect := self._expect(visit):
            step["expect"] = expect
        return step

    def _path(self, number: int, visit: Visit) -> str:
        parts = urlsplit(visit.url)
        near = host_of(visit.url) == host_of(self.recorded.base_url)
        path = "/".join(self._value(number, segment, "id") for segment in parts.path.split("/")) or "/"
        pairs = []
        for key, value in parse_qsl(parts.query, keep_blank_values=True):
            told = self._value(number, value, key)
            pairs.append(f"{urlencode({key: ''})}{told}" if told != value else urlencode({key: value}))
        query = f"?{'&'.join(pairs)}" if parts.query else ""
        return ("" if near else f"{parts.scheme}://{parts.netloc}") + path + query

    def _body(self, number: int, visit: Visit) -> dict[str, Any]:
        if visit.fields is not None:
            return {"form": {key: self._value(number, value, key) for key, value in visit.fields}}
        if visit.parts:
            return {"multipart": [self._part(number, part) for part in visit.parts]}
        if not visit.body:
            return {}
        tree = _json_of(visit.body)
        if isinstance(tree, dict | list) and not _has_null(tree):
            return {"json": self._filled(number, tree, "value")}
        return {"body": self._masked(visit.body)}

    def _part(self, number: int, part: Any) -> dict[str, Any]:
        if part.file_name is None:
            return {"name": part.name, "text": self._value(number, part.text, part.name)}
        return {
            "name": part.name,
            "file_name": part.file_name,
            "content_type": part.content_type,
            "size": part.size,
        }

    def _filled(self, number: int, tree: Any, name: str) -> Any:
        match tree:
            case dict():
                return {key: self._filled(number, value, key) for key, value in tree.items()}
            case list():
                return [self._filled(number, value, name) for value in tree]
            case str():
                return self._value(number, tree, name)
            case _:
                return tree

    def _headers(self, number: int, visit: Visit) -> dict[str, str]:
        """Those that say something the engine does not say by itself; cookies are the jar's own."""
        told: dict[str, str] = {}
        for name, value in visit.headers.items():
            if name == "authorization" and not value.lower().startswith("basic "):
                scheme, _, token = value.partition(" ")
                told["Authorization"] = f"{scheme} {self._value(number, token, 'token', always=True)}"
            elif name.startswith("x-") and (_SECRET.search(name) or _TOKEN.search(name)):
                told[name.title()] = self._value(number, value, name.removeprefix("x-"), always=True)
            elif name == "x-requested-with" or name == "soapaction":
                told[name.title()] = value
            elif name == "accept" and "json" in value:
                told["Accept"] = value.partition(",")[0]
            elif name == "content-type" and visit.body and "json" not in value:
                told["Content-Type"] = value
        return told

    def _expect(self, visit: Visit) -> dict[str, Any]:
        answer = visit.answer
        expect: dict[str, Any] = {"status": answer.status}
        if answer.is_html and answer.body.strip():
            for select in ("title", "h1"):
                found = answer.document.css(select)
                text = " ".join("".join(found[0].root.itertext()).split()) if found else ""
                if text and not re.search(r"\d{3}", text):
                    expect["css"] = [{"select": select, "text": self._masked(text)}]
                    break
        elif answer.media_type.endswith("json"):
            expect["content_type"] = answer.media_type
            tree = _json_of(answer.text)
            if isinstance(tree, dict):
                keys = [key for key, value in tree.items() if value is not None][:3]
                expect["json"] = [{"path": _key(key)} for key in keys]
        return expect

    # -- forms -------------------------------------------------------------------------------------------------------

    def _form(self, number: int, visit: Visit) -> dict[str, Any] | None:
        """The step as a form of the page before it; None where that page has no such form."""
        if number == 0 or (visit.fields is None and not visit.parts):
            return None
        page = self.recorded.visits[number - 1].answer
        if not page.is_html or not page.body.strip():
            return None
        for select in _form_selectors(page):
            for button in (None, *_buttons(page, select)):
                try:
                    form = form_in(page, select, button)
                except Fault:
                    continue
                if form.action == visit.url and form.method == visit.method and _explains(form, visit):
                    return self._submitted(number, visit, form, select, button)
        return None

    def _submitted(self, number: int, visit: Visit, form: Form, select: str, button: str | None) -> dict[str, Any]:
        step: dict[str, Any] = {"submit": select}
        if button is not None:
            step["button"] = button
        if visit.parts:
            given = dict(form.fields)
            changed = [p for p in visit.parts if p.file_name is not None or given.get(p.name) != p.text]
            if changed:
                step["multipart"] = [self._part(number, part) for part in changed]
            return step
        sent = visit.fields or ()
        left = list(form.fields)
        own: dict[str, str] = {}
        for pair in sent:
            if pair in left:
                left.remove(pair)
            else:
                own[pair[0]] = self._value(number, pair[1], pair[0])
        if own:
            step["form"] = own
        return step

    # -- values ------------------------------------------------------------------------------------------------------

    def _value(self, number: int, value: str, name: str, *, always: bool = False) -> str:
        """A value as the journey writes it: a secret's name, a capture's, or the value itself.

        Args:
            always: it grants access, so it is a secret where no answer gave it.
        """
        for known, same in self.secrets.items():
            if same == value:
                return f"{{{{ secret.{known} }}}}"
        bare = unquote(value)
        made = bool(_MADE.match(bare)) and not _DAY.match(bare)
        if made or always or (_TOKEN.search(name) and value):
            for before in range(number - 1, -1, -1):
                if (captured := self._captured(before, bare, name)) is not None:
                    return f"{{{{ {captured} }}}}"
            if always or _TOKEN.search(name):
                return f"{{{{ secret.{self._secret(name, value)} }}}}"
        if made and re.search(r"\d{6}|[0-9a-f]{12}", bare):
            self.notes.append(
                f'"{_word(name)}" in step {number + 1} is as it was recorded, and no earlier answer held it.'
            )
        return self._masked(value)

    def _captured(self, before: int, value: str, name: str) -> str | None:
        if value in self.captured:
            return self.captured[value]
        source = _source(self.recorded.visits[before], value)
        if source is None:
            return None
        told = _free(_word(name) or "waarde", self.names)
        self.names.add(told)
        self.captured[value] = told
        if _TOKEN.search(name):
            source["secret"] = True
        self.steps[before].setdefault("capture", {})[told] = source
        return told

    def _masked(self, text: str) -> str:
        """A text without the value of any secret."""
        for name, value in sorted(self.secrets.items(), key=lambda item: -len(item[1])):
            for form in {value, json.dumps(value, ensure_ascii=False)[1:-1], urlencode({"": value})[1:]}:
                if len(form) > 3:
                    text = text.replace(form, f"{{{{ secret.{name} }}}}")
        return text


# -- where a value came from -------------------------------------------------------------------------------------------


def _source(visit: Visit, value: str) -> dict[str, Any] | None:
    """How a step captures this value from its answer; None where it was not in it, or cannot be found for sure."""
    answer = visit.answer
    if answer.media_type.endswith("json"):
        path = next((where for where, leaf in _places(_json_of(answer.text)) if leaf == value), None)
        return {"json": path} if path else None
    pattern = _around(answer.url, value, r"([^/?&#]+)")
    if pattern is not None:
        return {"url": pattern}
    if answer.is_html and answer.body.strip():
        for select, attribute in _elements(answer, value):
            found = answer.document.css(select)
            got = found[0].attrib.get(attribute) if attribute else " ".join("".join(found[0].root.itertext()).split())
            if got == value:
                return {"css": select, "attribute": attribute} if attribute else {"css": select}
    try:
        pattern = _around(answer.text, value, _BODY_END)
    except UnreadableError:
        return None
    return {"regex": pattern} if pattern is not None else None


def _elements(answer: Response, value: str) -> Iterator[tuple[str, str | None]]:
    for element in answer.document.xpath("//input[@name and @value=$v] | //meta[@name and @content=$v]", v=value):
        attribute = "content" if element.root.tag == "meta" else "value"
        yield f'{element.root.tag}[name="{element.attrib["name"]}"]', attribute
    for element in answer.document.xpath("//*[@id and normalize-space(.)=$v]", v=value):
        yield f'[id="{element.attrib["id"]}"]', None


def _around(text: str, value: str, group: str) -> str | None:
    """An expression that finds this value first by what stands before it."""
    at = text.find(value)
    while at >= 0:
        for length in (8, 16, _CONTEXT):
            before = text[max(0, at - length) : at].rpartition("\n")[2]
            if not before.strip():
                continue
            pattern = re.escape(before) + group
            found = re.search(pattern, text)
            if found is not None and found.group(1) == value:
                return pattern
        at = text.find(value, at + 1)
    return None


def _places(tree: Any, where: str = "") -> Iterator[tuple[str, str]]:
    match tree:
        case dict():
            for key, value in tree.items():
                yield from _places(value, f"{where}.{_key(key)}" if where else _key(key))
        case list():
            for number, value in enumerate(tree):
                yield from _places(value, f"{where}[{number}]")
        case bool() | None:
            return
        case _:
            yield where, str(tree)


def _leaves(tree: Any) -> Iterator[tuple[str, str]]:
    for where, value in _places(tree):
        yield where.rpartition(".")[2].strip('"'), value


def _json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _has_null(tree: Any) -> bool:
    match tree:
        case dict():
            return any(map(_has_null, tree.values()))
        case list():
            return any(map(_has_null, tree))
        case _:
            return tree is None


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value.strip()).decode()
    except (binascii.Error, ValueError):
        return value


# -- forms of a page ---------------------------------------------------------------------------------------------------


def _form_selectors(page: Response) -> Iterator[str]:
    forms = page.document.css("form")
    for form in forms:
        if name := form.attrib.get("id"):
            yield f'form[id="{name}"]'
        elif (action := form.attrib.get("action")) and len(
            page.document.css(f"form[action={json.dumps(action)}]")
        ) == 1:
            yield f"form[action={json.dumps(action)}]"
        elif len(forms) == 1:
            yield "form"


def _buttons(page: Response, select: str) -> Iterator[str]:
    for button in page.document.css(f"{select} button, {select} input[type=submit]"):
        if name := button.attrib.get("id"):
            yield f'[id="{name}"]'
        elif name := button.attrib.get("name"):
            value = button.attrib.get("value")
            yield f'[name="{name}"]' + (f"[value={json.dumps(value)}]" if value is not None else "")


def _explains(form: Form, visit: Visit) -> bool:
    """Whether a form can have sent this: all that it always sends is there, and it names every file."""
    sent = {name for name, _ in visit.fields or ()} | {part.name for part in visit.parts}
    return all(name in sent for name, _ in form.fields) and bool(visit.parts) == form.multipart


# -- words and TOML ----------------------------------------------------------------------------------------------------


def _word(text: str, joint: str = "-") -> str:
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower())
    word = joint.join(words)[:40].strip(joint)
    return word if word[:1].isalpha() else ""


def _free(word: str, taken: Mapping[str, Any] | set[str], joint: str = "-") -> str:
    found, number = word, 2
    while found in taken:
        found, number = f"{word}{joint}{number}", number + 1
    return found


def _lines(step: Mapping[str, Any]) -> Iterator[str]:
    for key, value in step.items():
        if key in ("expect", "capture"):
            yield from (f"{key}.{_name(name)} = {_toml(part)}\n" for name, part in value.items())
        else:
            yield f"{key} = {_toml(value)}\n"


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case Mapping():
            return (
                "{ " + ", ".join(f"{_name(key)} = {_toml(one)}" for key, one in value.items()) + " }" if value else "{}"
            )
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            # JSON's escapes are TOML's, but for the one character that JSON leaves as it is.
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _name(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
