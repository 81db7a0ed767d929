"""What a mail server's refusal of a recipient is about: that recipient, or us who ask.

Only the first is settled by it. What is said of us (nobody may relay here, this address is on a block list, log in
first) another server need not say, and somebody can mend it.
"""

from __future__ import annotations

import re

#: RFC 5321 and 4954: commands in the wrong order or unknown, and authentication that is missing or wrong.
_CODES = {500, 501, 502, 503, 504, 530, 534, 535, 538, 555}

#: RFC 3463 and its registry: the sender's address (1.7, 1.8), the server as a whole (3), the dialogue (5) and the
#: server's policy or security (7).
_STATUS = re.compile(r"5\.(1\.[78]|[357]\.\d{1,3})\b")
_ANY_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")

#: Of servers that give no such status: OpenSMTPD, Exim and qmail among others.
_WORDS = re.compile(r"relay|authenticat|sender|block(ed|list)|black ?list", re.IGNORECASE)


def about_us(code: int, text: str) -> bool:
    """Whether a permanent refusal of a recipient is about us.

    Args:
        code: of the answer to RCPT TO, 500 to 599.
        text: of the same; it may begin with an enhanced status code, which then decides.
    """
    if code in _CODES:
        return True
    if _ANY_STATUS.match(text):
        return _STATUS.match(text) is not None
    return _WORDS.search(text) is not None
