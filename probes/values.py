"""The values a run's templates speak of, and the texts of a step with them filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from probes.expectations import Expect
from probes.extraction import Fields
from probes.fault import Fault
from probes.regexes import Search
from probes.sample import FailureKind
from probes.steps import RESERVED, When
from probes.templates import Into, MissingNameError, TemplateError, is_template, key, rendered
from probes.totp import challenge, derived


class Values:
    """What one run knows: secrets, its own id and time, what was captured, the files it made. Not redacted."""

    def __init__(
        self,
        *,
        run_id: str,
        run_time: str,
        secrets: Mapping[str, str],
        base_url: str = "",
        passwords: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """
        Args:
            base_url: where paths begin, told without a slash at its end.
            passwords: the one-time passwords of this moment, by name.
        """
        self.run_id = run_id
        self._passwords = passwords
        self._given: Mapping[str, str] = {}
        self._found_secret: list[str] = []
        self.run_time = run_time
        self._base_url = base_url.rstrip("/")
        self._secrets = dict(secrets)
        self._captured: dict[str, str | Fields] = {}
        self._files: dict[str, Mapping[str, str]] = {}

    @property
    def private(self) -> tuple[str, ...]:
        """Texts that must not travel to another origin."""
        return (*self._secrets.values(), *self._found_secret)

    @property
    def found_secret(self) -> tuple[str, ...]:
        """Values that came up during the run and grant access: one-time passwords, captures that are `secret`."""
        return tuple(self._found_secret)

    def keep(self, name: str, value: str | Fields | None, *, secret: bool = False) -> None:
        """A captured value, for later steps; None where it is not there, nor an earlier one of that name any more."""
        if value is None:
            self._captured.pop(name, None)
            return
        self._captured[name] = value
        if secret:
            self._hide(*([value] if isinstance(value, str) else [text for _, text in value]))

    def give(self, given: Mapping[str, str]) -> None:
        """The values of the step that is about to be taken, in the place of the last one's."""
        self._given = given

    def _hide(self, *texts: str) -> None:
        self._found_secret += [text for text in texts if text and text not in self._found_secret]

    def keep_files(self, facts: Mapping[str, Mapping[str, str]]) -> None:
        """What is known of the files a step sends, by part name."""
        self._files.update(facts)

    def fields(self, name: str) -> Fields:
        """A capture of hidden fields.

        Raises:
            Fault: of kind monitor, where there is none of that name.
        """
        value = self._captured.get(name)
        if not isinstance(value, tuple):
            raise Fault(FailureKind.MONITOR, "form_from", expected=f"a value for {name}", found="nothing")
        return value

    def fill(self, text: str, into: Into = Into.TEXT) -> str:
        """A text with its templates filled in, each value protected for what the text becomes.

        Raises:
            Fault: of kind monitor, where a value is not there or the template is none.
        """
        if not is_template(text):
            return text
        try:
            return rendered(text, self._by_name(text), into)
        except MissingNameError as error:
            raise Fault(
                FailureKind.MONITOR, "template", expected=f"a value for {error.name}", found="nothing"
            ) from error
        except TemplateError as error:
            raise Fault(FailureKind.MONITOR, "template", expected="a template", found=str(error)) from error

    def fill_css(self, select: str) -> str:
        """A CSS selector with its templates filled in."""
        return self.fill(select, Into.CSS)

    def holds(self, when: When, search: Search) -> bool:
        """Whether a step is to be taken.

        Raises:
            Fault: of kind monitor, where a value is missing that is no capture, such as a secret.
        """
        value = self._known(when.value)
        if value is None or when.absent:
            return when.absent and value is None
        return (
            (when.equals is None or value == self.fill(when.equals))
            and (when.not_equals is None or value != self.fill(when.not_equals))
            and (when.contains is None or self.fill(when.contains) in value)
            and (when.matches is None or search(self.fill(when.matches, Into.REGEX), value) is not None)
        )

    def _known(self, template: str) -> str | None:
        """The text with its values filled in; None where a captured value is not there."""
        try:
            return rendered(template, self._by_name(template))
        except MissingNameError as error:
            if error.name.partition(".")[0] in RESERVED:
                self.fill(template)
            return None
        except TemplateError as error:
            raise Fault(FailureKind.MONITOR, "template", expected="a template", found=str(error)) from error

    def _by_name(self, template: str) -> dict[str, Any]:
        values: dict[str, Any] = {
            key(name): value if isinstance(value, str) else {key(field): text for field, text in value}
            for name, value in self._captured.items()
        }
        values |= {key(name): value for name, value in self._given.items()}
        passwords = self._passwords()
        self._hide(*passwords.values())
        values["totp"] = {key(name): value for name, value in passwords.items()}
        verifier = derived("pkce verifier", self.run_id)
        if "pkce" in template:
            # Only now does it leave us. One more secret costs the redactor more than all the rest of a run.
            self._hide(verifier)
        values["pkce"] = {"verifier": verifier, "challenge": challenge(verifier)}
        values["oidc"] = {name: derived(name, self.run_id) for name in ("state", "nonce")}
        values["secret"] = {key(name): value for name, value in self._secrets.items()}
        values["run"] = {"id": self.run_id, "time": self.run_time, "base_url": self._base_url}
        values["file"] = {key(name): facts for name, facts in self._files.items()}
        return values


def filled(expect: Expect, fill: Callable[[str, Into], str]) -> Expect:
    """The same expectations with every template filled in."""
    if not expect.templated:
        return expect

    def text(value: str | None) -> str | None:
        return None if value is None else fill(value, Into.TEXT)

    def regex(value: str | None) -> str | None:
        return None if value is None else fill(value, Into.REGEX)

    def texts(values: tuple[str, ...], into: Into = Into.TEXT) -> tuple[str, ...]:
        return tuple(fill(value, into) for value in values)

    return expect.model_copy(
        update={
            "text": texts(expect.text),
            "not_text": texts(expect.not_text),
            "regex": texts(expect.regex, Into.REGEX),
            "css": tuple(
                css.model_copy(
                    update={
                        "select": fill(css.select, Into.CSS),
                        "text": text(css.text),
                        "contains": text(css.contains),
                        "matches": regex(css.matches),
                    }
                )
                for css in expect.css
            ),
            "json_": tuple(
                item.model_copy(
                    update={
                        "path": fill(item.path, Into.JMESPATH),
                        "contains": text(item.contains),
                        "matches": regex(item.matches),
                    }
                    | ({"equals": fill(item.equals, Into.TEXT)} if isinstance(item.equals, str) else {})
                )
                for item in expect.json_
            ),
            "xpath": tuple(
                item.model_copy(
                    update={
                        "select": fill(item.select, Into.XPATH),
                        "equals": text(item.equals),
                        "contains": text(item.contains),
                        "matches": regex(item.matches),
                    }
                )
                for item in expect.xpath
            ),
            "header": tuple(
                header.model_copy(
                    update={
                        "equals": text(header.equals),
                        "contains": text(header.contains),
                        "matches": regex(header.matches),
                    }
                )
                for header in expect.header
            ),
            "url": regex(expect.url),
            "sha256": text(expect.sha256),
        }
    )
