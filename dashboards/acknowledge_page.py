"""The page behind the button "I am on it" of a mail: it asks once more, so that no scanner of mails says so itself."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.incident_life import Remark
from dashboards.status_page import CONTENT_SECURITY_POLICY, Frame, rendered

#: As every page, but its own form may be sent back to where it came from.
FORM_SECURITY_POLICY = CONTENT_SECURITY_POLICY.replace("form-action 'none'", "form-action 'self'")


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgePage:
    """Asks for a name, or says who is on it already.

    Attributes:
        title: of the journey; empty where the link is not valid, for then nothing is told.
        acknowledged: who is on it already; then nothing is asked.
        name_missing: the form was sent without a name.
        href: of the incident.
    """

    frame: Frame
    title: str = ""
    since_us: int = 0
    until_us: int | None = None
    sentence: str = ""
    href: str = ""
    acknowledged: Remark | None = None
    name_missing: bool = False


def render_acknowledge(page: AcknowledgePage) -> str:
    """The page as a whole HTML document."""
    return rendered("acknowledge.html.j2", page.frame, page=page)
