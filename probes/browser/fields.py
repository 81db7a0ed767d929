"""Fields of a page whose values nobody is meant to read: passwords, what is hidden, tokens against forgery. Pure."""

from __future__ import annotations

import re

from probes.redaction import MASK

#: Sorts of `input`.
HIDDEN = frozenset({"password", "hidden"})

_FIELD = re.compile(r"<(?:input|meta)\b[^<>]{0,2000}>", re.IGNORECASE)
_VALUE = re.compile(r"""(\s(?:value|content)\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)
_IS_HIDDEN = re.compile(r"""\btype\s*=\s*["']?(?:hidden|password)\b""", re.IGNORECASE)
_IS_TOKEN = re.compile(r"""\bname\s*=\s*["']?[^"'\s>]*(?:csrf|xsrf|token)""", re.IGNORECASE)


def fields_masked(page: str) -> str:
    """A page's source without the values of such fields."""

    def masked(found: re.Match[str]) -> str:
        field = found[0]
        if _IS_HIDDEN.search(field) or _IS_TOKEN.search(field):
            return _VALUE.sub(rf'\1"{MASK}"', field)
        return field

    return _FIELD.sub(masked, page)
