"""One plain sentence for a failure, in Dutch or English: for mails, pages, reports and the command line. Pure."""

from __future__ import annotations

import re
from typing import Literal

from probes.sample import Failure, FailureKind

Language = Literal["nl", "en"]

#: The closed language in which `expected` and `found` are written, and how Dutch says it. Longest first.
PHRASES: tuple[tuple[str, str], ...] = (
    ("no run for three of its intervals", "geen meting gedurende drie intervallen"),
    ("no sign of life for", "geen teken van leven gedurende"),
    ("none for any watched name", "geen voor een van de gevolgde namen"),
    ("ms late", "ms te laat"),
    ("ms waiting", "ms wachttijd"),
    (
        "none of our name servers has an address that ip allows",
        "geen van onze naamservers heeft een adres dat ip toelaat",
    ),
    ("the connection closed in the middle of the answer", "de verbinding werd midden in het antwoord verbroken"),
    ("our name server answers, but not about", "onze naamserver antwoordt, maar niet over"),
    ("still waiting for an answer of the name server", "nog aan het wachten op een antwoord van de naamserver"),
    ("still waiting for the request to be taken", "de aanvraag was nog niet aangenomen"),
    ("still waiting for the rest of the answer", "nog aan het wachten op de rest van het antwoord"),
    ("the name server has no authority over it", "de naamserver heeft er geen gezag over"),
    ("the connection closed before an answer", "de verbinding werd verbroken voor er een antwoord kwam"),
    ("still waiting for the TLS handshake", "nog aan het wachten op de beveiligde verbinding"),
    ("a robot check in the page's place", "een robotcontrole in plaats van de pagina"),
    ("still waiting for a connection to", "nog aan het wachten op een verbinding met"),
    ("the DNSSEC signatures do not hold", "de DNSSEC-handtekeningen kloppen niet"),
    ("still waiting for an SMTP answer", "nog aan het wachten op een SMTP-antwoord"),
    ("still waiting for the address of", "nog aan het wachten op het adres van"),
    ("does not check DNSSEC signatures", "controleert geen DNSSEC-handtekeningen"),
    ("an answer that was not checked", "een antwoord dat niet gecontroleerd is"),
    ("an answer checked with DNSSEC", "een antwoord dat met DNSSEC gecontroleerd is"),
    ("an answer that cannot be read", "een antwoord dat niet te lezen is"),
    ("an answer to another question", "een antwoord op een andere vraag"),
    ("still waiting for the banner", "nog aan het wachten op de begroeting"),
    ("still waiting for the answer", "nog aan het wachten op het antwoord"),
    ("a form that closes a dialog", "een formulier dat een venster sluit"),
    ("an element outside of forms", "een element buiten elk formulier"),
    ("an address with http or https", "een adres met http of https"),
    ("gzip, deflate or br, as asked for", "gzip, deflate of br, zoals gevraagd"),
    ("still waiting for our mailbox", "nog aan het wachten op onze mailbox"),
    ("still waiting for an answer", "nog aan het wachten op antwoord"),
    ("the other side spoke no TLS", "de andere kant sprak geen TLS"),
    ("from an unknown authority", "van een onbekende uitgever"),
    ("not JSON that can be read", "geen leesbare JSON"),
    ("more after decompression", "meer na het uitpakken"),
    ("no TLS version in common", "geen gemeenschappelijke TLS-versie"),
    ("an answer of our mailbox", "een antwoord van onze mailbox"),
    ("still waiting for a mail", "nog aan het wachten op een mail"),
    ("no name server answered", "geen enkele naamserver antwoordde"),
    ("the name does not exist", "de naam bestaat niet"),
    ("the name has no address", "de naam heeft geen adres"),
    ("a complete HTTP answer", "een volledig HTTP-antwoord"),
    ("an address with a host", "een adres met een host"),
    ("no network in this run", "geen netwerk in deze uitvoering"),
    ("no way to the network", "geen weg naar het netwerk"),
    ("the connection broke", "de verbinding viel weg"),
    ("no STARTTLS offered", "geen STARTTLS aangeboden"),
    ("a page before this step", "een pagina voor deze stap"),
    ("which ends the wait", "waarmee het wachten ophoudt"),
    ("a form that is sent", "een formulier dat verstuurd wordt"),
    ("a valid certificate", "een geldig certificaat"),
    ("for another address", "voor een ander adres"),
    ("no cipher in common", "geen gemeenschappelijke versleuteling"),
    ("connection refused", "verbinding geweigerd"),
    ("no way to the host", "geen weg naar de host"),
    ("an answer in time", "een antwoord op tijd"),
    ("connection broken", "verbinding verbroken"),
    ("no answer in time", "geen antwoord op tijd"),
    ("connection closed", "verbinding verbroken"),
    ("no record of type", "geen record van het type"),
    ("a TLS connection", "een beveiligde verbinding"),
    ("connection reset", "verbinding verbroken"),
    ("days of validity", "dagen geldigheid"),
    ("does not contain", "bevat niet"),
    ("for another name", "voor een andere naam"),
    ("more on the wire", "meer over de lijn"),
    ("bytes announced", "bytes aangekondigd"),
    ("valid only from", "pas geldig vanaf"),
    ("received within", "ontvangen binnen"),
    ("no login within", "niet aangemeld binnen"),
    ("the name server answers", "de naamserver antwoordt"),
    ("our name server", "onze naamserver"),
    ("an SMTP answer", "een SMTP-antwoord"),
    ("a loop back to", "een kring, terug naar"),
    ("a longer line", "een langere regel"),
    ("a certificate", "een certificaat"),
    ("an empty body", "een leeg antwoord"),
    ("not valid yet", "nog niet geldig"),
    ("a connection", "een verbinding"),
    ("an early end", "een voortijdig einde"),
    ("damaged data", "beschadigde gegevens"),
    ("one more, to", "nog een, naar"),
    ("no such mail", "geen zulke mail"),
    ("a value for", "een waarde voor"),
    ("done within", "klaar binnen"),
    ("on the page", "op de pagina"),
    ("self-signed", "zelf ondertekend"),
    ("valid until", "geldig tot"),
    ("a template", "een sjabloon"),
    ("an address", "een adres"),
    ("an element", "een element"),
    ("expired on", "vervallen op"),
    ("no element", "geen element"),
    ("1 element", "1 element"),
    ("attribute", "attribuut"),
    ("no answer", "geen antwoord"),
    ("a mailbox", "een mailbox"),
    ("an answer", "een antwoord"),
    ("at least", "minstens"),
    ("complete", "volledige"),
    ("contains", "bevat"),
    ("elements", "elementen"),
    ("answers", "antwoordt"),
    ("attempts in", "pogingen in"),
    ("attempt in", "poging in"),
    ("not JSON", "geen JSON"),
    ("not done", "niet klaar"),
    ("a value", "een waarde"),
    ("at most", "hoogstens"),
    ("expired", "vervallen"),
    ("matches", "past bij"),
    ("not XML", "geen XML"),
    ("no HTTP", "geen HTTP"),
    ("nothing", "niets"),
    ("no SMTP", "geen SMTP"),
    ("visible", "zichtbaar"),
    ("present", "aanwezig"),
    ("hidden", "niet zichtbaar"),
    ("a body", "een antwoord"),
    ("a page", "een pagina"),
    ("absent", "afwezig"),
    ("an end", "een einde"),
    ("one of", "een van"),
    ("a form", "een formulier"),
    ("after", "na"),
    ("below", "lager dan"),
    ("empty", "leeg"),
    ("data", "gegevens"),
    ("none", "geen"),
    ("only", "alleen"),
    ("and", "en"),
    ("or", "of"),
)
_DUTCH = dict(PHRASES)
_PHRASE = re.compile(r"(?<![\w-])(?:" + "|".join(re.escape(english) for english, _ in PHRASES) + r")(?![\w-])")
_SECONDS = re.compile(r"(\d+)\.(\d+)(?= s\b)")
_QUOTED = re.compile(r"(“.*?”(?!\w))", re.DOTALL)

_SUBJECTS_NL = {
    "status": "de status",
    "duration": "de duur",
    "text": "de tekst van de pagina",
    "url": "het adres van de laatste pagina",
    "content type": "het inhoudstype",
    "body size": "de grootte van het antwoord",
    "SHA-256": "de SHA-256 van het antwoord",
    "body": "het antwoord",
    "redirects": "de doorverwijzingen",
    "redirect": "de doorverwijzing",
    "host": "de host",
    "mail": "de mail",
    "banner": "de begroeting",
    "answer": "het antwoord",
    "EHLO": "het aanbod van de mailserver",
    "event loop": "de stiptheid van de monitor",
    "processor": "de rekentijd van de monitor",
    "resolver": "de naamserver van de monitor",
    "store": "het wachten op de opslag van de monitor",
    "measuring": "het meten zelf",
}
_SUBJECTS_EN = {
    "status": "the status",
    "duration": "the duration",
    "text": "the text of the page",
    "url": "the address of the last page",
    "content type": "the content type",
    "body size": "the size of the answer",
    "SHA-256": "the SHA-256 of the answer",
    "body": "the answer",
    "redirects": "the redirects",
    "redirect": "the redirect",
    "host": "the host",
    "mail": "the mail",
    "banner": "the greeting",
    "answer": "the answer",
    "EHLO": "the offer of the mail server",
    "event loop": "the punctuality of the monitor",
    "processor": "the computing time of the monitor",
    "resolver": "the name server of the monitor",
    "store": "waiting for the store of the monitor",
    "measuring": "the measuring itself",
}
_SOURCES_NL = {
    "css": "element",
    "xpath": "XPath",
    "json": "JSON-waarde",
    "header": "header",
    "record": "het DNS-record",
}
_SOURCES_EN = {"css": "element", "xpath": "XPath", "json": "JSON value", "header": "header", "record": "the DNS record"}


def sentence(failure: Failure, language: Language, step_title: str | None = None) -> str:
    """What went wrong, as one sentence that begins with the step, if one is to blame.

    Args:
        step_title: the step's name in that language; None takes its id.
    """
    dutch = language == "nl"
    text = _nl(failure) if dutch else _en(failure)
    where = step_title or failure.step
    if where is None:
        return text[0].upper() + text[1:] + "."
    return f"{'Stap' if dutch else 'Step'} “{where}”: {text}."


def phrase(text: str | None, language: Language) -> str:
    """`expected` or `found` in a language; quoted texts stay as they are. None says that nothing came."""
    if text is None:
        return "niets" if language == "nl" else "nothing"
    if language == "en":
        return text
    pieces = _QUOTED.split(text)
    pieces[::2] = [_SECONDS.sub(r"\1,\2", _PHRASE.sub(lambda m: _DUTCH[m[0]], piece)) for piece in pieces[::2]]
    return "".join(pieces)


def subject(failure: Failure, language: Language) -> str:
    """What was looked at, in a language."""
    fixed = (_SUBJECTS_NL if language == "nl" else _SUBJECTS_EN).get(failure.subject)
    if fixed is not None:
        return fixed
    source, _, rest = failure.subject.partition(" ")
    word = (_SOURCES_NL if language == "nl" else _SOURCES_EN).get(source)
    return f"{word} “{rest}”" if word and rest else failure.subject


def _bare(text: str) -> str:
    """`at most 3 s` and `done within 3 s` as `3 s`."""
    return text.removeprefix("at most ").removeprefix("done within ")


def _of_no_web(f: Failure) -> bool:
    """Whether a mail server or a name server is what said something else than it should."""
    return f.expected is not None and f.expected.startswith(("SMTP ", "STARTTLS", "an SMTP answer", "an answer"))


def _nl(f: Failure) -> str:
    expected, found, what = phrase(f.expected, "nl"), phrase(f.found, "nl"), subject(f, "nl")
    match f.kind:
        case FailureKind.DNS:
            return f"de naam {f.subject} kon niet worden opgezocht ({found})"
        case FailureKind.CONNECT:
            return f"er kwam geen verbinding met {f.subject} ({found})"
        case FailureKind.TLS:
            return f"er kwam geen beveiligde verbinding met {f.subject} ({found})"
        case FailureKind.CERTIFICATE:
            return f"het certificaat van {f.subject} is niet in orde: {found}"
        case FailureKind.TIMEOUT if f.subject == "duration":
            return f"het duurde {found}; toegelaten is hoogstens {phrase(_bare(f.expected or ''), 'nl')}"
        case FailureKind.TIMEOUT if f.expected is not None:
            of_all = "alle stappen samen waren" if "journey" in f.subject else "dit was"
            return f"{of_all} niet klaar binnen {phrase(_bare(f.expected), 'nl')} ({found})"
        case FailureKind.TIMEOUT:
            return f"{f.subject or 'het portaal'} antwoordde niet op tijd ({found})"
        case FailureKind.PROTOCOL if _of_no_web(f):
            return f"bij {f.subject} werd verwacht: {expected}; gevonden: {found}"
        case FailureKind.PROTOCOL:
            return f"het portaal gaf geen volledig antwoord: {found}"
        case FailureKind.HTTP_STATUS:
            return f"het portaal antwoordde met status {found}; verwacht werd {expected}"
        case FailureKind.REDIRECT:
            return f"de doorverwijzing ging fout: verwacht werd {expected}, gevonden {found}"
        case FailureKind.TOO_LARGE:
            return f"het antwoord is te groot: {expected} toegelaten, gekregen {found}"
        case FailureKind.BODY:
            return f"het antwoord was niet leesbaar: verwacht werd {expected}, gekregen {found}"
        case FailureKind.ASSERTION if _is_missing(f):
            return f"{what} ontbreekt{phrase(_elsewhere(f), 'nl')}"
        case FailureKind.ASSERTION if _is_only("matches", f):
            return f"{what} past niet bij {expected.removeprefix('past bij ')}; gevonden: {found}"
        case FailureKind.ASSERTION if _is_only("contains", f):
            return f"{what} bevat niet {expected.removeprefix('bevat ')}; gevonden: {found}"
        case FailureKind.ASSERTION:
            return f"voor {what} werd verwacht: {expected}; gevonden: {found}"
        case FailureKind.CAPTURE if f.subject == "submit":
            return f"er was geen formulier om te versturen: verwacht werd {expected}, gevonden {found}"
        case FailureKind.CAPTURE:
            more = "" if f.found in (None, "nothing") else f"; gevonden: {found}"
            return f"de waarde “{f.subject}” stond niet in het antwoord (gezocht met {expected}{more})"
        case FailureKind.SLOW:
            return f"het duurde {found}, langer dan de streefwaarde van {phrase(_bare(f.expected or ''), 'nl')}"
        case FailureKind.BOT_CHECK:
            return "een robotcontrole antwoordde in plaats van het portaal, dus is er niets over het portaal gemeten"
        case FailureKind.RATE_LIMITED:
            return (
                "het portaal weerde de monitor omdat die te veel zou vragen, dus is er niets over het portaal gemeten"
            )
        case FailureKind.REFERENCE:
            return "ook de referentiedoelen antwoordden niet, dus ligt het wellicht aan het netwerk van de monitor"
        case FailureKind.MONITOR:
            return f"de monitor kon zelf niet meten ({_own(f, expected, found, what, 'verwacht')})"


def _en(f: Failure) -> str:
    expected, found, what = phrase(f.expected, "en"), phrase(f.found, "en"), subject(f, "en")
    match f.kind:
        case FailureKind.DNS:
            return f"the name {f.subject} could not be looked up ({found})"
        case FailureKind.CONNECT:
            return f"there was no connection to {f.subject} ({found})"
        case FailureKind.TLS:
            return f"there was no secure connection to {f.subject} ({found})"
        case FailureKind.CERTIFICATE:
            return f"the certificate of {f.subject} is not in order: {found}"
        case FailureKind.TIMEOUT if f.subject == "duration":
            return f"it took {found}; at most {_bare(f.expected or '')} is allowed"
        case FailureKind.TIMEOUT if f.expected is not None:
            of_all = "all steps together were" if "journey" in f.subject else "this was"
            return f"{of_all} not done within {_bare(f.expected)} ({found})"
        case FailureKind.TIMEOUT:
            return f"{f.subject or 'the portal'} did not answer in time ({found})"
        case FailureKind.PROTOCOL if _of_no_web(f):
            return f"expected of {f.subject}: {expected}; found: {found}"
        case FailureKind.PROTOCOL:
            return f"the portal gave no complete answer: {found}"
        case FailureKind.HTTP_STATUS:
            return f"the portal answered with status {found}; expected: {expected}"
        case FailureKind.REDIRECT:
            return f"the redirect went wrong: expected {expected}, found {found}"
        case FailureKind.TOO_LARGE:
            return f"the answer is too large: {expected} allowed, received {found}"
        case FailureKind.BODY:
            return f"the answer could not be read: expected {expected}, received {found}"
        case FailureKind.ASSERTION if _is_missing(f):
            return f"{what} is missing{_elsewhere(f)}"
        case FailureKind.ASSERTION if _is_only("matches", f):
            return f"{what} does not match {expected.removeprefix('matches ')}; found: {found}"
        case FailureKind.ASSERTION if _is_only("contains", f):
            return f"{what} does not contain {expected.removeprefix('contains ')}; found: {found}"
        case FailureKind.ASSERTION:
            return f"expected of {what}: {expected}; found: {found}"
        case FailureKind.CAPTURE if f.subject == "submit":
            return f"there was no form to submit: expected {expected}, found {found}"
        case FailureKind.CAPTURE:
            more = "" if f.found in (None, "nothing") else f"; found: {found}"
            return f"the value “{f.subject}” was not in the answer (looked for with {expected}{more})"
        case FailureKind.SLOW:
            return f"it took {found}, longer than the target of {_bare(f.expected or '')}"
        case FailureKind.BOT_CHECK:
            return "a robot check answered in the portal's place, so nothing was measured about the portal"
        case FailureKind.RATE_LIMITED:
            return "the portal turned the monitor away for asking too much, so nothing about the portal was measured"
        case FailureKind.REFERENCE:
            return "the reference targets did not answer either, so the monitor's own network is likely to blame"
        case FailureKind.MONITOR:
            return f"the monitor itself could not measure ({_own(f, expected, found, what, 'expected')})"


def _own(f: Failure, expected: str, found: str, what: str, word: str) -> str:
    return f"{what}: {found}; {word}: {expected}" if f.expected is not None else found


def _is_only(verb: str, f: Failure) -> bool:
    """Whether all that was expected is one such phrase; of several a sentence cannot say which did not hold."""
    pieces = _QUOTED.split(f.expected or "")
    return len(pieces) == 3 and pieces[0] == f"{verb} " and not pieces[2]


def _is_missing(f: Failure) -> bool:
    """Whether an element that had to be on the page was not there."""
    return f.expected == "an element" and f.found is not None and f.found.startswith("no element")


def _elsewhere(f: Failure) -> str:
    """Where it was missing: ` on the page “Sorry”`, as `found` tells it; empty where it tells no page."""
    rest = (f.found or "").removeprefix("no element").lstrip(", ")
    return f" {rest}" if rest else ""
