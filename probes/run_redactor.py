"""The redactor of one run: what came up on the way and grants access is taken out too."""

from __future__ import annotations

from collections.abc import Iterable

from probes.redaction import Redactor
from probes.values import Values


class RunRedactor:
    """Every secret we know is redacted, not only this journey's: a portal may echo what another one sent.

    It knows the run's values, and not the run: what knew each other would stay until the garbage is collected.
    """

    def __init__(self, secrets: Iterable[str], values: Values) -> None:
        self._secrets = tuple(secrets)
        self._values = values
        self._found: tuple[str, ...] = ()
        self._newest = Redactor(self._secrets)

    def __call__(self) -> Redactor:
        """The one for what is known by now."""
        found = self._values.found_secret
        if found != self._found:
            self._found, self._newest = found, Redactor((*self._secrets, *found))
        return self._newest
