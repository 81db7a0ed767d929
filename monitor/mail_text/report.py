"""The mail that carries a report."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from babel.dates import format_date

from monitor.mail_message import File
from monitor.mail_text.page import Draft, House, in_
from monitor.news import ReportNews
from monitor.recipients import Language
from monitor.store.leaving import ToSend


def report(message: ToSend, news: ReportNews, house: House, missing: tuple[str, ...]) -> Draft:
    nl = message.language == "nl"
    period = _period(news.period, message.language)
    names = tuple(file.file_name for file in news.attachments if file.file_name not in missing)
    sentences = [
        f"Het SLA-rapport over {period} van contract {news.contract} is klaar."
        if nl
        else f"The SLA report on {period} of contract {news.contract} is ready."
    ]
    if names:
        sentences.append(f"In bijlage: {', '.join(names)}." if nl else f"Attached: {', '.join(names)}.")
    if missing:
        sentences.append(
            f"Niet meer gevonden en dus niet bijgevoegd: {', '.join(missing)}."
            if nl
            else f"No longer found and so not attached: {', '.join(missing)}."
        )
    sentences.append(
        "Bedragen in het rapport zijn een berekend voorstel; een mens beslist."
        if nl
        else "Amounts in the report are a computed proposal; a person decides."
    )
    verdicts = tuple(in_(line, message.language) for line in news.lines)
    facts = tuple((label, value) for label, _, value in (line.partition(": ") for line in verdicts))
    again = "" if news.number == 1 else f" ({news.number})"
    link = ("Bekijk het rapport" if nl else "View the report", news.link) if news.link is not None else None
    return Draft(
        word="SLA-RAPPORT" if nl else "SLA REPORT",
        subject=f"{'SLA-rapport' if nl else 'SLA report'} {news.period}{again} - {news.contract}",
        headline=f"SLA-rapport {period}{again}" if nl else f"SLA report {period}{again}",
        tone="plain",
        sentences=tuple(sentences),
        facts=facts,
        link=link,
    )


def files(message: ToSend, house: House) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """The attachments that are still there, and the names of those that are not."""
    if not isinstance(message.news, ReportNews):
        return (), ()
    files, missing = [], []
    for attachment in message.news.attachments:
        path = Path(attachment.path)
        inside = house.reports_dir is None or path.resolve().is_relative_to(house.reports_dir.resolve())
        try:
            content = path.read_bytes() if inside else None
        except OSError:
            content = None
        if content is None:
            missing.append(attachment.file_name)
        else:
            files.append(File(file_name=attachment.file_name, media_type=attachment.media_type, content=content))
    return tuple(files), tuple(missing)


def _period(period: str, language: Language) -> str:
    """`2026-10` as `oktober 2026`; other periods as they are written."""
    match = re.fullmatch(r"(\d{4})-(\d{2})", period)
    if match is None:
        return period
    return format_date(date(int(match[1]), int(match[2]), 1), "LLLL y", locale=language)
