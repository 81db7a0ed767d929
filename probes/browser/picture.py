"""A picture of what a visitor would have seen, with everything secret covered before it is taken.

What is covered is what the redactor would take out of a text: the page is asked for its texts, and the elements whose
text would not stay as it is are covered, fields and frames among them. Nothing of the page is changed but a mark on
those elements, which is taken off again: a visit goes on after its picture.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, JSHandle, Locator, Page

from probes.redaction import MASK, Redactor

#: Larger pictures are left out, in bytes.
LIMIT = 2 * 1024 * 1024
_SECONDS = 4.0
_MARK = "data-loketwacht-covered"
_TRIES = 2
#: Elements with the texts they show themselves, and small ones with the text of all that is in them: a secret may be
#: written across several. Of fields: what they hold, and whether nobody is meant to read it.
_COLLECT = """() => {
  const found = {elements: [], whole: [], texts: [], hidden: []};
  const note = (element, text, hidden, whole = false) => {
    text = text.replace(/\\s+/g, ' ').trim().slice(0, 20000);
    if (!text && !hidden) return;
    found.elements.push(element); found.texts.push(text); found.hidden.push(hidden); found.whole.push(whole);
  };
  const go = root => {
    for (const element of root.querySelectorAll('*')) {
      if (['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD'].includes(element.tagName)) continue;
      if (element.shadowRoot) go(element.shadowRoot);
      if (['INPUT', 'TEXTAREA', 'SELECT'].includes(element.tagName)) {
        const shown = element.tagName === 'SELECT'
          ? [...element.selectedOptions].map(option => option.textContent).join(' ')
          : [element.value, element.placeholder].join(' ');
        const named = [element.name || element.id, element.value].join('=');
        note(element, element.tagName === 'SELECT' ? shown : shown + ' ' + named, element.type === 'password');
        continue;
      }
      const own = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data);
      const whole = element.children.length && element.textContent.length <= 2000 ? element.innerText || '' : '';
      if (own.join('').trim()) note(element, own.join(' '), false);
      if (whole.length <= 300) note(element, whole, false, true);
      if (element.alt) note(element, element.alt, false);
    }
  };
  go(document);
  return found;
}"""
#: Letters reach beyond the box that is covered; in open shadows and in frames too.
_UNREADABLE = f"""[{_MARK}], [{_MARK}] *, input[type=password] {{
  color: transparent !important; -webkit-text-fill-color: transparent !important; text-shadow: none !important;
}}"""
_TEXTS = "found => ({texts: found.texts, hidden: found.hidden})"
#: The innermost first: an element whose parts are covered already needs no cover of its own.
_COVER = """(found, [mark, places]) => {
  for (const place of places.reverse()) {
    const element = found.elements[place];
    if (!found.whole[place] || !element.querySelector(`[${mark}]`)) element.setAttribute(mark, '');
  }
}"""
_COVERED = """(found, [mark, places]) => places.every(place => {
  const element = found.elements[place];
  return element.closest(`[${mark}]`) || (found.whole[place] && element.querySelector(`[${mark}]`));
})"""
_UNCOVER = """mark => {
  const go = root => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) go(element.shadowRoot);
      element.removeAttribute(mark);
    }
  };
  go(document);
}"""


@dataclass(frozen=True, slots=True)
class _Secrets:
    """What must be covered of one frame, at one moment."""

    found: JSHandle
    places: list[int]


async def picture(page: Page, redact: Redactor, fields: Iterable[str]) -> str | None:
    """The visible part of a page as PNG in base64; None where the browser gives none in time, or where what is secret
    would not stay covered.

    Args:
        fields: selectors of fields that were given a secret.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            for _ in range(_TRIES):
                taken = await _taken(page, redact, tuple(fields))
                if taken is not None:
                    return base64.b64encode(taken).decode("ascii") if len(taken) <= LIMIT else None
    except (PlaywrightError, TimeoutError):
        pass
    return None


async def _taken(page: Page, redact: Redactor, fields: tuple[str, ...]) -> bytes | None:
    """A picture; None where something secret came into view while it was taken."""
    covers: list[Locator] = []
    frames = tuple(page.frames)
    for frame in frames:
        secrets = await _secrets(frame, redact)
        await secrets.found.evaluate(_COVER, [_MARK, secrets.places])
        covers += [frame.locator(f"[{_MARK}]"), frame.locator("input[type=password]")]
    covers += [page.locator(selector) for selector in fields]
    taken = await page.screenshot(
        mask=covers, mask_color="#767676", style=_UNREADABLE, animations="disabled", caret="hide", type="png"
    )
    stayed = frames == tuple(page.frames)
    for frame in frames:
        secrets = await _secrets(frame, redact)
        stayed = stayed and bool(await secrets.found.evaluate(_COVERED, [_MARK, secrets.places]))
        await frame.evaluate(_UNCOVER, _MARK)
    return taken if stayed else None


async def _secrets(frame: Frame, redact: Redactor) -> _Secrets:
    found = await frame.evaluate_handle(_COLLECT)
    told: dict[str, Any] = await found.evaluate(_TEXTS)
    hidden: list[bool] = told["hidden"]
    return _Secrets(
        found,
        [place for place, text in enumerate(told["texts"]) if hidden[place] or _is_secret(text, redact)],
    )


def _is_secret(text: str, redact: Redactor) -> bool:
    return redact(text).count(MASK) > text.count(MASK)
