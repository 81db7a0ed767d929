"""What the pages say, in both languages. Words follow the glossary; every sentence stands here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

#: key -> (Dutch, English). Names in braces are filled in by the templates.
WORDING: Mapping[str, tuple[str, str]] = {
    # Every page.
    "skip": ("Naar de inhoud", "Skip to content"),
    "language_other": ("English", "Nederlands"),
    "nav_label": ("Hoofdmenu", "Main menu"),
    "nav_status": ("Status", "Status"),
    "nav_sla": ("SLA deze maand", "SLA this month"),
    "accessibility": ("Toegankelijkheid", "Accessibility"),
    "as_json": ("Als JSON", "As JSON"),
    "made_by": ("Gemeten met Loketwacht {version}", "Measured with Loketwacht {version}"),
    "times_in": ("Alle tijden gelden in de tijdzone {timezone}.", "All times are in the time zone {timezone}."),
    "generated": ("Bijgewerkt op {moment}", "Updated on {moment}"),
    "reload": ("Vernieuwen", "Refresh"),
    "pause": ("Automatisch vernieuwen pauzeren", "Pause automatic refresh"),
    "resume": ("Automatisch vernieuwen hervatten", "Resume automatic refresh"),
    "refresh_failed": (
        "Vernieuwen lukt niet. Wat u ziet, kan verouderd zijn.",
        "Refreshing fails. What you see may be out of date.",
    ),
    "none_yet": ("Nog geen.", "None yet."),
    "not_known": ("niet bekend", "not known"),
    # Overall sentence.
    "all_up": ("Alles werkt", "All is well"),
    "one_degraded": ("{title}: trager dan normaal", "{title}: slower than usual"),
    "some_degraded": (
        "{count} van de {total} onderdelen zijn trager dan normaal",
        "{count} of {total} parts are slower than usual",
    ),
    "one_down": ("Storing: {title}", "Outage: {title}"),
    "some_down": ("Storing bij {count} van de {total} onderdelen", "Outage in {count} of {total} parts"),
    "all_down": ("Storing: niets werkt", "Outage: nothing works"),
    "one_unknown": ("{title}: op dit ogenblik niet te meten", "{title}: cannot be measured right now"),
    "some_unknown": (
        "{count} van de {total} onderdelen zijn op dit ogenblik niet te meten",
        "{count} of {total} parts cannot be measured right now",
    ),
    "all_unknown": ("We kunnen op dit ogenblik niets meten", "We cannot measure anything right now"),
    "some_maintenance": ("Gepland onderhoud aan de gang", "Planned maintenance under way"),
    "no_journeys": ("Er wordt nog niets gemeten", "Nothing is measured yet"),
    "overall_up": (
        "Alle onderdelen deden bij de laatste meting wat een bezoeker ervan verwacht.",
        "In the latest measurement every part did what a visitor expects of it.",
    ),
    "overall_degraded": (
        "Alles is bruikbaar, maar u moet langer wachten dan normaal.",
        "Everything is usable, but you wait longer than usual.",
    ),
    "overall_down": (
        "Wat er niet werkt en sinds wanneer, leest u hieronder.",
        "Below you read what does not work, and since when.",
    ),
    "overall_unknown": (
        "De fout kan bij onze eigen meting liggen. Dit zegt niets over het portaal.",
        "The fault may lie in our own measuring. This says nothing about the portal.",
    ),
    "overall_maintenance": (
        "Tijdens het aangekondigde onderhoud kunnen onderdelen onbeschikbaar zijn.",
        "During the announced maintenance parts may be unavailable.",
    ),
    # States.
    "state_up": ("Werkt", "Working"),
    "state_degraded": ("Traag", "Slow"),
    "state_down": ("Storing", "Outage"),
    "state_maintenance": ("Onderhoud", "Maintenance"),
    "state_unknown": ("Niet te meten", "Not measurable"),
    "day_up": ("geen storing", "no outage"),
    "day_degraded": ("traag", "slow"),
    "day_down": ("storing", "outage"),
    "day_maintenance": ("onderhoud", "maintenance"),
    "day_unknown": ("niet gemeten", "not measured"),
    # Status page.
    "open_incidents": ("Storingen op dit ogenblik", "Outages right now"),
    "since": ("Sinds {moment}", "Since {moment}"),
    "step": ("Stap: {step}", "Step: {step}"),
    "step_label": ("Stap", "Step"),
    "details_of_incident": ("Alles over storing {id}", "All about outage {id}"),
    "maintenance": ("Aangekondigd onderhoud", "Announced maintenance"),
    "maintenance_now": ("Nu aan de gang", "Under way now"),
    "maintenance_ahead": ("Gepland", "Planned"),
    "maintenance_over": ("Voorbij", "Over"),
    "maintenance_scope": ("Voor: {scope}", "Affects: {scope}"),
    "scope_all": ("het hele portaal", "the whole portal"),
    "announced_on": ("Aangekondigd op {moment}", "Announced on {moment}"),
    "no_maintenance": ("Er is geen onderhoud aangekondigd.", "No maintenance is announced."),
    "journeys": ("Onderdelen", "Parts"),
    "journeys_intro": (
        "Elk onderdeel wordt geregeld gemeten, zo veel mogelijk zoals een bezoeker het gebruikt.",
        "Each part is measured regularly, as far as possible the way a visitor uses it.",
    ),
    "bar_sentence": (
        "{title}, laatste {days} dagen: {up} zonder storing, {degraded} traag, {down} met storing, "
        "{maintenance} met onderhoud, {unknown} niet gemeten.",
        "{title}, last {days} days: {up} without outage, {degraded} slow, {down} with an outage, "
        "{maintenance} with maintenance, {unknown} not measured.",
    ),
    "today": ("vandaag", "today"),
    "available": ("{percent} beschikbaar", "{percent} available"),
    "last_run": ("Laatst gemeten op {moment}", "Last measured on {moment}"),
    "took": ("duurde {length}", "took {length}"),
    "never_run": ("Nog niet gemeten", "Not measured yet"),
    "per_day": ("Dag per dag", "Day by day"),
    "per_day_of": ("Dag per dag: {title}", "Day by day: {title}"),
    "col_days": ("Dag", "Day"),
    "col_state": ("Toestand", "State"),
    "col_availability": ("Beschikbaar", "Available"),
    "col_down": ("Storing", "Outage"),
    "col_unmeasured": ("Niet gemeten", "Not measured"),
    "legend": ("Hoe leest u de balken?", "How to read the bars"),
    "legend_up": ("hoog: geen storing", "tall: no outage"),
    "legend_degraded": ("iets lager: traag", "a little lower: slow"),
    "legend_maintenance": ("onderbroken: onderhoud", "broken: maintenance"),
    "legend_down": ("half: storing", "half: outage"),
    "legend_unknown": ("laag: niet gemeten", "low: not measured"),
    "past_incidents": ("Voorbije storingen", "Past outages"),
    "no_past_incidents": ("In de voorbije 90 dagen was er geen storing.", "There was no outage in the last 90 days."),
    "lasted": ("duurde {length}", "lasted {length}"),
    "indicative": (
        "Deze cijfers zijn indicatief. Alleen het maandrapport telt voor het contract.",
        "These figures are indicative. Only the monthly report counts for the contract.",
    ),
    # Incident page.
    "incident_title_open": ("Storing: {title}", "Outage: {title}"),
    "incident_title_closed": ("Voorbije storing: {title}", "Past outage: {title}"),
    "incident_id": ("Kenmerk", "Reference"),
    "from": ("Begin", "Start"),
    "until": ("Einde", "End"),
    "still_open": ("duurt nog voort", "still going on"),
    "duration": ("Duur", "Duration"),
    "so_far": ("{length} tot nu toe", "{length} so far"),
    "samples": ("Metingen", "Measurements"),
    "samples_intro": (
        "Elke meting tijdens deze storing, met de eerste goede erna.",
        "Every measurement during this outage, and the first good one after it.",
    ),
    "col_at": ("Tijdstip", "Time"),
    "col_outcome": ("Uitkomst", "Outcome"),
    "col_took": ("Duur", "Took"),
    "col_what": ("Wat er misging", "What went wrong"),
    "evidence": ("Bewijs", "Evidence"),
    "evidence_intro": (
        "Van de eerste en de laatste mislukte meting: wat het portaal antwoordde, als tekst. Geheimen zijn weggelaten "
        "(***) en lange antwoorden ingekort.",
        "Of the first and the last failing measurement: what the portal answered, as text. Secrets are left out (***) "
        "and long answers cut.",
    ),
    "evidence_of": ("Stap {step}, {moment}", "Step {step}, {moment}"),
    "evidence_of_run": ("Meting van {moment}", "Measurement of {moment}"),
    "evidence_damaged": (
        "Een deel van het bewijs is beschadigd en wordt niet getoond; voer loketwacht verify uit.",
        "Part of the evidence is damaged and is not shown; run loketwacht verify.",
    ),
    "expected": ("Verwacht", "Expected"),
    "found": ("Gevonden", "Found"),
    "found_nothing": ("niets", "nothing"),
    "addresses": ("Geprobeerde adressen", "Addresses tried"),
    "phases": ("Tijd per fase", "Time by phase"),
    "phase_resolve": ("naam opzoeken", "look up the name"),
    "phase_connect": ("verbinden", "connect"),
    "phase_tls": ("beveiligen (TLS)", "secure (TLS)"),
    "phase_processing": ("wachten op antwoord", "wait for the answer"),
    "phase_transfer": ("ontvangen", "receive"),
    "certificate": ("Certificaat", "Certificate"),
    "certificate_issuer": ("uitgegeven door", "issued by"),
    "certificate_until": ("geldig tot", "valid until"),
    "run_id": ("Kenmerk van de meting", "Run id"),
    "config_sha256": ("SHA-256 van de configuratie", "SHA-256 of the configuration"),
    "software": ("Gemeten met", "Measured with"),
    "replay": ("Herhalen met curl", "Replay with curl"),
    "replay_secrets": ("Vul zelf in wat als *** is weggelaten.", "Fill in yourself what is left out as ***."),
    "replay_body": (
        "Wat verstuurd werd, ontbreekt: het was geen tekst of het was te lang.",
        "What was sent is missing: it was no text, or too long.",
    ),
    "replay_authority": (
        "Geef met --cacert de certificaatautoriteit van het portaal op.",
        "Name the portal's certificate authority with --cacert.",
    ),
    "bundle_download": ("Volledig bewijs (JSON)", "Whole evidence (JSON)"),
    "har_download": ("HTTP-archief (HAR)", "HTTP archive (HAR)"),
    "bundle_sha256": ("SHA-256 van het volledige bewijs", "SHA-256 of the whole evidence"),
    "request": ("Vraag", "Request"),
    "response": ("Antwoord", "Response"),
    "body": ("Inhoud", "Body"),
    "truncated": ("Ingekort: er kwam meer.", "Cut: more came."),
    "sha256": ("SHA-256 van de volledige inhoud:", "SHA-256 of the whole body:"),
    "mails": ("Verstuurde berichten", "Messages sent"),
    "col_mail": ("Bericht", "Message"),
    "col_recipient": ("Aan", "To"),
    "col_delivery": ("Bezorging", "Delivery"),
    "mail_opened": ("Storing gemeld", "Outage reported"),
    "mail_reminder": ("Herinnering", "Reminder"),
    "mail_recovered": ("Herstel gemeld", "Recovery reported"),
    "mail_report": ("Maandrapport", "Monthly report"),
    "mail_other": ("Bericht", "Message"),
    "delivery_waiting": ("wacht op verzending", "waiting to be sent"),
    "delivery_delivered": ("aanvaard door de mailserver", "accepted by the mail server"),
    "delivery_refused": ("geweigerd door de mailserver", "refused by the mail server"),
    "delivery_given_up": ("opgegeven na herhaalde pogingen", "given up after repeated attempts"),
    "back": ("Terug naar de status", "Back to the status"),
    # SLA page.
    "sla_title": ("SLA van {month}: voorlopige stand", "SLA of {month}: so far"),
    "sla_lead": (
        "Stand van {contract} op {moment}. Voorlopig: de maand is nog niet om.",
        "State of {contract} on {moment}. Provisional: the month is not over yet.",
    ),
    "sla_coverage": (
        "Van de diensttijd tot nu toe is {percent} gemeten.",
        "Of the service time so far {percent} was measured.",
    ),
    "sla_coverage_none": ("Er is nog geen diensttijd gemeten.", "No service time has been measured yet."),
    "clauses": ("Normen", "Clauses"),
    "target": ("Norm", "Target"),
    "measured": ("Gemeten", "Measured"),
    "not_measured": ("nog niet gemeten", "not measured yet"),
    "range": (
        "tussen {lowest} en {highest}, naargelang van wat niet gemeten is",
        "between {lowest} and {highest}, depending on what was not measured",
    ),
    "allowed": ("Toegestaan deze maand", "Allowed this month"),
    "spent": ("Verbruikt", "Spent"),
    "left": ("Blijft over", "Left"),
    "over_by": ("{length} te veel", "{length} too much"),
    "verdict": ("Oordeel tot nu toe", "Verdict so far"),
    "verdict_met": ("gehaald, voorlopig", "met, provisionally"),
    "verdict_missed": ("niet gehaald, voorlopig", "missed, provisionally"),
    "verdict_undecided": ("niet te beoordelen, voorlopig", "cannot be judged, provisionally"),
    "budget_sentence": (
        "{spent} verbruikt van {allowed} toegestane onbeschikbaarheid.",
        "{spent} spent of {allowed} allowed unavailability.",
    ),
    "reports": ("Maandrapporten", "Monthly reports"),
    "reports_intro": (
        "De maandrapporten gelden voor het contract. De controlegetallen tonen of een bestand ongewijzigd is.",
        "The monthly reports count for the contract. The checksums show whether a file is unchanged.",
    ),
    "no_reports": ("Er is nog geen maandrapport opgemaakt.", "No monthly report has been drawn up yet."),
    # Findings that were sent, and what followed.
    "procedures": ("Vaststellingen en verweer", "Findings and defence"),
    "procedures_intro": (
        "Vaststellingen die aan de dienstverlener zijn verzonden, en hoever de procedure staat. Een mens beslist.",
        "Findings that were sent to the supplier, and how far the procedure is. A person decides.",
    ),
    "procedure_number": ("Vaststelling {number}", "Findings {number}"),
    "procedure_period": ("Periode", "Period"),
    "procedure_sent": ("Verzonden op", "Sent on"),
    "procedure_due": ("Verweer tot en met", "Defence until"),
    "stage_awaiting": ("Wacht op verweer", "Awaiting the defence"),
    "stage_answered": ("Beantwoord", "Answered"),
    "stage_answered_late": ("Te laat beantwoord", "Answered late"),
    "stage_silent": ("Geen verweer", "No defence"),
    "stage_decided": ("Beslist", "Decided"),
    "issued_on": ("Opgemaakt op {moment}", "Issued on {moment}"),
    "checksums": ("Controlegetallen (SHA-256)", "Checksums (SHA-256)"),
    # Error pages.
    "error_404_title": ("Deze pagina bestaat niet", "This page does not exist"),
    "error_404_text": (
        "Het adres klopt niet, of de pagina is verplaatst.",
        "The address is wrong, or the page has moved.",
    ),
    "error_500_title": ("Deze pagina kan niet getoond worden", "This page cannot be shown"),
    "error_500_text": (
        "Er ging iets mis bij Loketwacht zelf. Dit zegt niets over het portaal. Probeer het straks opnieuw.",
        "Something went wrong in Loketwacht itself. This says nothing about the portal. Try again later.",
    ),
    "error_503_title": ("Loketwacht start nog op", "Loketwacht is still starting"),
    "error_503_text": (
        "De pagina is er binnen enkele ogenblikken. Probeer het straks opnieuw.",
        "The page will be here in a moment. Try again shortly.",
    ),
    "error_other_title": ("Dit verzoek kan niet", "This request cannot be answered"),
    "error_other_text": ("Controleer het adres en probeer opnieuw.", "Check the address and try again."),
    "error_status": ("Foutcode {status}", "Error code {status}"),
    # Accessibility statement.
    "a11y_title": ("Toegankelijkheidsverklaring", "Accessibility statement"),
    "a11y_commitment": (
        "{organisation} wil deze website toegankelijk maken voor iedereen, zoals het Bestuursdecreet van "
        "7 december 2018 en de Europese richtlijn (EU) 2016/2102 vragen. Deze verklaring geldt voor de statuspagina's "
        "van Loketwacht.",
        "{organisation} wants this website to be accessible to everyone, as the Flemish Administrative Decree of "
        "7 December 2018 and the European directive (EU) 2016/2102 ask. This statement covers the status pages of "
        "Loketwacht.",
    ),
    "a11y_status_heading": ("Hoe toegankelijk is deze website?", "How accessible is this website?"),
    "a11y_status": (
        "De pagina's zijn gemaakt volgens WCAG 2.1, niveau AA (EN 301 549). Ze worden bij elke wijziging automatisch "
        "gecontroleerd. Zo'n controle vindt niet alles; een onderzoek door mensen is er nog niet geweest.",
        "The pages are made to WCAG 2.1, level AA (EN 301 549). They are checked automatically at every change. Such a "
        "check does not find everything; people have not audited them yet.",
    ),
    "a11y_measures_heading": ("Wat we ervoor doen", "What we do for it"),
    "a11y_measure_colour": (
        "Kleur is nooit het enige teken: elke toestand heeft ook een woord, een vorm of een hoogte.",
        "Colour is never the only sign: every state also has a word, a shape or a height.",
    ),
    "a11y_measure_tables": (
        "Alles wat een grafiek toont, staat ook in een tabel.",
        "Everything a chart shows is also in a table.",
    ),
    "a11y_measure_script": (
        "De pagina's werken zonder script. U kunt het automatische vernieuwen pauzeren.",
        "The pages work without scripts. You can pause the automatic refresh.",
    ),
    "a11y_contact_heading": ("Werkt iets niet voor u?", "Does something not work for you?"),
    "a11y_contact": ("Laat het ons weten via {contact}.", "Tell us at {contact}."),
    "a11y_contact_none": (
        "Meld het aan de beheerder van deze website.",
        "Tell the people who run this website.",
    ),
    "a11y_complaint": (
        "Bent u niet tevreden met het antwoord, dan kunt u klacht indienen bij de Vlaamse Ombudsdienst.",
        "If the answer does not satisfy you, you can complain to the Flemish Ombuds Service (Vlaamse Ombudsdienst).",
    ),
}


def say(key: str, language: str, **values: object) -> str:
    """The sentence `key` in `language` (`nl` or `en`), filled in. KeyError where there is no such sentence."""
    dutch, english = WORDING[key]
    return (english if language == "en" else dutch).format(**values)
