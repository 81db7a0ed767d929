"""What is wrong with the settings of mail that no single key can tell, each told at its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from monitor.mail_settings import MailSettings
from monitor.toml_file import Loc, Origins, Problem


def mail_problems(mail: MailSettings, *, secrets: Collection[str], origins: Origins) -> Iterator[Problem]:
    """Servers that are there twice, a signature that nobody would take for the sender's, secrets that are not there.

    Args:
        secrets: the names of those that are configured.
    """
    seen = {mail.called}
    for index, relay in enumerate(mail.relay):
        if relay.called in seen:
            mend = "A relay is another server than the ones before it; drop it, or correct host and port."
            yield origins.problem(("mail", "relay", index, "host"), f"{relay.called} is asked before already", mend)
        seen.add(relay.called)
    if mail.dkim is not None and not f".{mail.sender_domain}".lower().endswith(f".{mail.dkim.domain}".lower()):
        what = f'"{mail.dkim.domain}" is neither the domain of {mail.sender} nor above it'
        mend = "Receivers would not take the signature for the sender's: change this or mail.sender."
        yield origins.problem(("mail", "dkim", "domain"), what, mend)
    for loc, secret in _secrets(mail):
        if secret not in secrets:
            yield origins.problem(loc, f'there is no secret "{secret}"', "Add it to [secrets].")


def _secrets(mail: MailSettings) -> Iterator[tuple[Loc, str]]:
    """The secrets that mail needs, each with its place."""
    if mail.password is not None:
        yield ("mail", "password"), mail.password
    for index, relay in enumerate(mail.relay):
        if relay.password is not None:
            yield ("mail", "relay", index, "password"), relay.password
    if mail.dkim is not None:
        yield ("mail", "dkim", "key"), mail.dkim.key
    if mail.smime is not None:
        yield ("mail", "smime", "key"), mail.smime.key
