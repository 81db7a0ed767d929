"""What the monitor tells of its own trouble beside measuring.

A configuration was refused, mails leave unsigned, a message stays behind.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from monitor.alerts import first_messages, following_messages, in_message_id
from monitor.mail_signing import Signatures
from monitor.news import ConfigNews, Kind, Mistake, UndeliveredNews
from monitor.recipients import Addressee
from monitor.store import outbox
from monitor.store.database import Transaction
from monitor.store.leaving import SetAside, ToSend
from monitor.store.outbox import ReaderState
from monitor.toml_file import ConfigError, Problem
from monitor.unsigned import signature_news

_DAY_US = 86_400_000_000
#: Mistakes that a mail names one by one.
_MOST = 8
#: From the first quotation mark to the last: a value may hold quotation marks of its own.
_QUOTED = (re.compile(r'".*"', re.DOTALL), re.compile(r"(?:^|(?<=[\s(=]))'.*'", re.DOTALL))


# -- the configuration ------------------------------------------------------------------------------------------------


def fingerprint(error: ConfigError, path: Path) -> str:
    """The same for the same mistakes in the same files: so that asking again tells nobody again."""
    digest = hashlib.sha256(str(error).encode())
    for name in sorted({str(path), *(problem.file for problem in error.problems)}):
        try:
            digest.update(b"\0" + Path(name).read_bytes())
        except OSError:  # that it cannot be read is the mistake itself
            digest.update(b"\0")
    return digest.hexdigest()


def tell_refused(
    tx: Transaction,
    error: ConfigError,
    fingerprint_: str,
    recipients: Sequence[Addressee],
    secrets: Iterable[str],
    *,
    now_us: int,
) -> tuple[str, ...]:
    """Queue that a configuration was refused now; once for each fingerprint. The ids of what was queued.

    Args:
        secrets: values that are nowhere to be shown, whatever a mistake quotes.
    """
    hidden = tuple(value for value in secrets if value)
    mistakes = tuple(_mistake(problem, hidden) for problem in error.problems[:_MOST])
    news = ConfigNews(at_us=now_us, mistakes=mistakes, count=len(error.problems))
    readers = [one for one in recipients if one.wants("monitor")]
    return outbox.add(
        tx, first_messages(f"configuration.{fingerprint_[:16]}", Kind.CONFIG_REFUSED, news, readers), now_us=now_us
    )


def tell_taken(tx: Transaction, *, now_us: int) -> tuple[str, ...]:
    """Queue that a configuration is in force again, to those who were told that the last one was refused; once."""
    refused = outbox.threads(tx, Kind.CONFIG_REFUSED)
    if not refused:
        return ()
    thread, _ = refused[-1]
    told = outbox.told(tx, thread)
    if told.recovered:
        return ()
    news = ConfigNews(at_us=now_us)
    return outbox.add(tx, following_messages(thread, Kind.CONFIG_TAKEN, news, told), now_us=now_us)


def _mistake(problem: Problem, hidden: tuple[str, ...]) -> Mistake:
    what = problem.what
    for pattern in _QUOTED:
        what = pattern.sub('"…"', what)
    return Mistake(
        file=Path(problem.file).name,
        line=problem.line,
        key=_without(problem.key, hidden),
        what=_without(what, hidden),
    )


def _without(text: str, hidden: tuple[str, ...]) -> str:
    for value in hidden:
        text = text.replace(value, "…")
    return text


# -- signatures -------------------------------------------------------------------------------------------------------


def tell_unsigned(
    tx: Transaction, signatures: Signatures, recipients: Sequence[Addressee], *, now_us: int
) -> tuple[str, ...]:
    """Queue that mails leave without a signature they should carry, or soon will; the ids of what was queued.

    Once for each certificate and threshold, and once a day (UTC) for a key that cannot sign.
    """
    readers = [one for one in recipients if one.wants("monitor")]
    queued: list[str] = []
    for thread, news in signature_news(signatures, now_us):
        queued += outbox.add(tx, first_messages(thread, Kind.SIGNATURE, news, readers), now_us=now_us)
    return tuple(queued)


# -- messages that do not leave ----------------------------------------------------------------------------------------


def tell_undelivered(
    tx: Transaction, message: ToSend, lost: ReaderState, recipients: Sequence[Addressee], *, now_us: int
) -> tuple[str, ...]:
    """Queue for the others who receive news about the monitor that one reader cannot be reached; once a day (UTC).

    Of such a message itself nothing is told further, nor of a test: whoever asks for one is answered at once.
    """
    if message.kind in (Kind.UNDELIVERED, Kind.TEST):
        return ()
    news = UndeliveredNews(
        reader=lost.address,
        about=message.kind,
        written_us=message.created_us,
        refused=not lost.given_up,
        answer=lost.answer,
    )
    thread = f"undelivered.{in_message_id(lost.address)}.{now_us // _DAY_US}"
    readers = [one for one in recipients if one.wants("monitor") and one.address != lost.address]
    return outbox.add(tx, first_messages(thread, Kind.UNDELIVERED, news, readers), now_us=now_us)


def tell_set_aside(
    tx: Transaction, aside: SetAside, recipients: Sequence[Addressee], *, now_us: int
) -> tuple[str, ...]:
    """Queue for all who receive news about the monitor that this version cannot read a message; once a day (UTC)."""
    news = UndeliveredNews(
        reader=", ".join(aside.readers),
        about=None,
        written_us=aside.created_us,
        refused=False,
        answer=f"{aside.kind}: {aside.why}",
    )
    readers = [one for one in recipients if one.wants("monitor")]
    thread = f"set-aside.{now_us // _DAY_US}"
    return outbox.add(tx, first_messages(thread, Kind.UNDELIVERED, news, readers), now_us=now_us)
