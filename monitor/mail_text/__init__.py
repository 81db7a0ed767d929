"""What mails say: news as a subject, a few sentences, a table of facts and one link, in the reader's language.

Text and HTML are written from the same `Page`, so neither says more than the other. Nothing of what a portal answered
is in a mail but the short, redacted `expected` and `found` of a failure, and those are escaped.
"""

from monitor.mail_text.composing import composer, page_of
from monitor.mail_text.page import House
from monitor.mail_text.undelivered import what_of

__all__ = ["House", "composer", "page_of", "what_of"]
