"""A picture of what a visitor would have seen, with everything secret covered before it is taken."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterable

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator, Page

#: Larger pictures are left out, in bytes.
LIMIT = 2 * 1024 * 1024
_SECONDS = 3.0
#: Values of fields are covered by replacing them: a mask goes by selectors, and a value has none.
_COVER = """secrets => {
  for (const field of document.querySelectorAll('input, textarea')) {
    if (secrets.some(secret => field.value && field.value.includes(secret))) {
      if (field.type !== 'file') field.value = '***';
    }
  }
}"""
_REGISTER_NUMBER = re.compile(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}")


async def picture(page: Page, secrets: Iterable[str], fields: Iterable[str]) -> str | None:
    """The visible part of a page as PNG in base64; None where the browser gives none in time.

    Args:
        secrets: texts that must not be seen.
        fields: selectors of fields that were given one of them.
    """
    known = [secret for secret in secrets if secret]
    try:
        async with asyncio.timeout(_SECONDS):
            await page.evaluate(_COVER, known)
            covered: list[Locator] = [page.locator("input[type=password]"), page.get_by_text(_REGISTER_NUMBER)]
            covered += [page.locator(selector) for selector in fields]
            covered += [page.get_by_text(secret) for secret in known]
            taken = await page.screenshot(
                mask=covered, mask_color="#767676", animations="disabled", caret="hide", type="png"
            )
    except (PlaywrightError, TimeoutError):
        return None
    return base64.b64encode(taken).decode("ascii") if len(taken) <= LIMIT else None
