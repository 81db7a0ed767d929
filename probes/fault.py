"""How trouble travels inside this room; it never leaves it: `run` turns it into a value."""

from __future__ import annotations

from probes.sample import Failure, FailureKind


class Fault(Exception):  # noqa: N818 - a fault is the field's word
    """A step cannot go on. Texts are not redacted yet.

    Attributes:
        kind, subject, expected, found: as in `Failure`.
    """

    def __init__(self, kind: FailureKind, subject: str = "", *, expected: str | None = None, found: str | None = None):
        super().__init__(f"{kind.value}: {subject}")
        self.kind = kind
        self.subject = subject
        self.expected = expected
        self.found = found

    def with_found(self, found: str) -> Fault:
        """The same trouble, with more said of what was found."""
        return Fault(self.kind, self.subject, expected=self.expected, found=found)

    def bare(self) -> Fault:
        """Itself, without what led to it.

        A traceback holds every frame on the way with all that was read there; whoever keeps it in one of those frames
        would keep all of it in memory until garbage is collected.
        """
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)

    def failure(self, step: str | None) -> Failure:
        return Failure(kind=self.kind, step=step, subject=self.subject, expected=self.expected, found=self.found)
