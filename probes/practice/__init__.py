"""A small real portal on loopback to practise on: forms, logins, uploads, a web service, mail, and ways to break it.

`PracticePortal` is the application, for in-process use too; `serve` puts it on sockets with its mail server. Everything
in it is invented: people, places, dossiers and keys.
"""

from probes.practice.people import PRACTICE_SECRETS
from probes.practice.portal import PracticePortal
from probes.practice.serving import RunningPractice, serve
from probes.practice.settings import PracticeSettings

__all__ = ["PRACTICE_SECRETS", "PracticePortal", "PracticeSettings", "RunningPractice", "serve"]
