"""Portals that others wrote, on a free port of 127.0.0.1, in a process of their own: `python -m tests.foreign_portal`.

The first line on standard output is the port. The process ends with its standard input.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

PASSWORD = "niet-te-raden-7"
urlpatterns: list[Any] = []


@contextmanager
def foreign_portal(name: str) -> Iterator[str]:
    """The address of a running portal: `django` (its admin) or `httpbin`."""
    command = [sys.executable, "-m", "tests.foreign_portal", name]
    with Popen(command, cwd=Path(__file__).parents[1], stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def _django() -> Any:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    apps = ("admin", "auth", "contenttypes", "sessions", "messages")
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(tempfile.mkdtemp()) / "django.db")}
        },
        INSTALLED_APPS=[f"django.contrib.{app}" for app in apps],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for this test",
        STATIC_URL="static/",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib import admin
    from django.contrib.auth.models import Permission, User
    from django.urls import path

    urlpatterns.append(path("admin/", admin.site.urls))
    account = User.objects.create_user("monitor", password=PASSWORD, is_staff=True)
    account.user_permissions.set(
        Permission.objects.filter(content_type__model="group", codename__in=("view_group", "add_group", "delete_group"))
    )
    return get_wsgi_application()


def _httpbin() -> Any:
    from httpbin import app

    return app


def _serve(application: Any) -> None:
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_: Any) -> None:
            """Nothing; the test looks at what the visitor sees."""

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    makers: dict[str, Callable[[], Any]] = {"django": _django, "httpbin": _httpbin}
    _serve(makers[sys.argv[1]]())
