"""What a mail server's refusal is about: the recipient, the text, or us who ask.

What is said of us (nobody may relay here, this address is on a block list, log in first, this looks like spam) settles
nothing: another server need not say it, and somebody can mend it. RFC 5321 (4.2.1) would have nobody repeat what was
refused with 5yz unless somebody changed something meanwhile; a monitor cannot know whether somebody did.
"""

from __future__ import annotations

import re

#: RFC 5321 and 4954: commands in the wrong order or unknown, and authentication that is missing or wrong.
_CODES = {500, 501, 502, 503, 504, 530, 534, 535, 538, 555}

#: RFC 3463 and its registry: the sender's address (1.7, 1.8), the server as a whole (3), the dialogue (5) and the
#: server's policy or security (7).
_STATUS = re.compile(r"5\.(1\.[78]|[357]\.\d{1,3})\b")
_ANY_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")

#: After the text: an address (1, but for the sender's), a mailbox (2), the way to it (4).
_OF_A_READER = re.compile(r"5\.(1\.(?![78]\b)|[24]\.)\d{1,3}\b")
#: After the text: its form (6). The same bytes would be refused for ever.
_OF_THE_TEXT = re.compile(r"5\.6\.\d{1,3}\b")

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


def settles_text(text: str, readers: int) -> bool:
    """Whether a permanent refusal of a text is the last word of that server for all whom the text was for.

    The server had accepted each of them before, and can say only one thing now for all (RFC 5321, 4.2.5); so without a
    status that blames a reader or the form of the text, it is about us: policy, authentication, a filter, the system.

    Args:
        text: of the answer after DATA, 500 to 599; an enhanced status code at its beginning decides.
        readers: how many the text was for. What is said of one of several settles none: nobody knows of which.
    """
    return _OF_THE_TEXT.match(text) is not None or (readers == 1 and _OF_A_READER.match(text) is not None)
