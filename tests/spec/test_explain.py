"""For any instant: why it counts as it does, in words that can be checked against the contract and the samples."""

from __future__ import annotations

from datetime import date

import pytest

from sla.explain import Explanation, NotInContractError, explain, explanation_json
from sla.ledger import Entry, seal
from sla.measurements import SampleIn
from tests.agreements import MINUTE, at, clause, contract, entry, samples, spans

OFFICE = clause(window="dienst")


def why(
    when: str,
    picture: str,
    *entries: Entry,
    agreed: object = None,
    start: str = "2026-11-12 10:00",
    journey: str = "indienen",
) -> Explanation:
    """Thursday 12 November 2026: one sample a minute from 10:00 on, unless told otherwise."""
    measured = list(samples(picture, start, journey=journey))
    rules = contract(OFFICE) if agreed is None else agreed
    return explain(rules, clause="B1", at_us=at(when), samples=measured, ledger=seal(entries))  # type: ignore[arg-type]


def dutch(found: Explanation) -> str:
    return "\n".join(reason.nl for reason in found.reasons)


def test_a_good_sample_speaks_until_the_next_one():
    found = why("2026-11-12 10:01:17", "....")
    assert found.counted == "up"
    assert [reason.nl for reason in found.reasons] == [
        "Contractversie 1 geldt, van 01-01-2020 tot en met 31-12-2040.",
        'Venster "dienst" is open: de uren zijn ma-vr 07:30-19:00.',
        "indienen: de meting van 12-11-2026 10:01:00 CET: beschikbaar (1 poging); "
        "ze spreekt tot 12-11-2026 10:02:00 CET.",
        "Besluit: 12-11-2026 10:01:17 CET telt in bepaling B1 als beschikbaar.",
    ]


def test_it_says_the_same_in_english():
    assert [reason.en for reason in why("2026-11-12 10:01:17", "....").reasons] == [
        "Contract version 1 is in force, from 01-01-2020 up to and including 31-12-2040.",
        'Window "dienst" is open: the hours are mon-fri 07:30-19:00.',
        "indienen: the sample of 12-11-2026 10:01:00 CET: up (1 attempt); it speaks until 12-11-2026 10:02:00 CET.",
        "Conclusion: 12-11-2026 10:01:17 CET counts as up in clause B1.",
    ]


def test_two_failures_in_a_row_confirm_an_outage():
    found = why("2026-11-12 10:01:17", ".xx.")
    assert found.counted == "down"
    assert (
        "indienen: bevestigd, 2 mislukte pogingen op rij, van 12-11-2026 10:01:00 CET tot 12-11-2026 10:02:00 CET; "
        "2 volstaan." in dutch(found)
    )
    assert (
        "Storing indienen-20261112T0901Z: laatste goede meting 12-11-2026 10:00:00 CET, eerste mislukte 12-11-2026 "
        "10:01:00 CET, laatste mislukte 12-11-2026 10:02:00 CET, eerste goede 12-11-2026 10:03:00 CET. De bepaling "
        "telt van de eerste mislukte tot de eerste goede meting (observed); dit ogenblik ligt daarin." in dutch(found)
    )


def test_one_failure_is_a_blip_and_counts_as_up():
    found = why("2026-11-12 10:01:17", ".x..")
    assert found.counted == "up"
    assert "niet bevestigd, 1 mislukte poging op rij" in dutch(found)
    assert "en 2 zijn nodig: een rimpeling, die als beschikbaar telt." in dutch(found)


def test_a_failure_that_its_re_run_confirmed_is_an_outage_at_once():
    found = why("2026-11-12 10:01:17", ".X..")
    assert found.counted == "down"
    assert "onbeschikbaar (2 pogingen, http-status verzenden)" in dutch(found)


def test_the_edges_that_a_clause_counts_decide_about_its_margins():
    certain = contract(clause(boundary="certain"))
    found = why("2026-11-12 10:02:17", ".xx.", agreed=certain)
    assert found.counted == "up"
    assert "van de eerste tot de laatste mislukte meting (certain); dit ogenblik ligt daarbuiten." in dutch(found)
    widest = contract(clause(boundary="widest"))
    assert why("2026-11-12 10:00:17", ".xx.", agreed=widest).counted == "down"


def test_after_its_hold_a_sample_speaks_no_longer():
    found = why("2026-11-12 10:05:00", "..      ..")
    assert found.counted == "unmeasured"
    assert (
        "indienen: niet gemeten. De laatste meting was 12-11-2026 10:01:00 CET: beschikbaar (1 poging); ze spreekt "
        "hoogstens 2 intervallen, tot 12-11-2026 10:03:00 CET, en daarna kwam er geen meting." in dutch(found)
    )


def test_a_sample_that_could_not_measure_speaks_for_nothing():
    found = why("2026-11-12 10:01:17", ".?..")
    assert found.counted == "unmeasured"
    assert "ze spreekt voor niets, want de monitor kon niet eerlijk meten" in dutch(found)


def test_an_instant_without_any_measurement_says_so():
    found = why("2026-11-12 10:01:17", "")
    assert found.counted == "unmeasured"
    assert "indienen: er is geen enkele meting die voor dit ogenblik spreekt." in dutch(found)


def test_unmeasured_time_inside_an_outage_stays_unmeasured():
    found = why("2026-11-12 10:03:30", ".xx?xx.")
    assert found.counted == "unmeasured"
    assert found.journeys[0].outage is not None


def test_degraded_counts_as_the_clause_says():
    assert why("2026-11-12 10:01:17", ".~~.").counted == "degraded"
    strict = contract(clause(degraded="down"))
    assert why("2026-11-12 10:01:17", ".~~.", agreed=strict).counted == "down"


@pytest.mark.parametrize(
    ("when", "because"),
    [
        (
            "2026-11-12 19:00:00",
            'Venster "dienst" is gesloten: do 12-11-2026 19:00:00 CET valt buiten ma-vr 07:30-19:00.',
        ),
        ("2026-11-11 10:00:00", 'Venster "dienst" is gesloten: 11-11-2026 is een feestdag van het contract.'),
    ],
    ids=["after hours", "on a holiday"],
)
def test_outside_service_time_the_calendar_says_why(when: str, because: str):
    agreed = contract(OFFICE, holidays=[date(2026, 11, 11)])
    found = why(when, "....", agreed=agreed)
    assert found.counted == "outside"
    assert because in dutch(found)


def test_a_window_that_lies_outside_another_is_open_on_its_holidays():
    windows = {"dienst": {"weekly": ["mon-fri 07:30-19:00"], "holidays": "closed"}, "rest": {"outside": "dienst"}}
    agreed = contract(clause(window="rest"), windows=windows, holidays=[date(2026, 11, 11)])
    found = why("2026-11-11 10:00", "....", agreed=agreed)
    assert found.counted == "unmeasured"
    assert (
        'Venster "rest" is open: het omvat alles buiten venster "dienst", en daarvoor geldt: 11-11-2026 is een '
        "feestdag van het contract." in dutch(found)
    )


def test_the_version_in_force_at_the_instant_is_named():
    first, second = contract(OFFICE).version[0], contract(clause(target="0.999")).version[0]
    until, since = date(2026, 11, 11), date(2026, 11, 12)
    versions = (
        first.model_copy(update={"valid_until": until}),
        second.model_copy(update={"number": 2, "valid_from": since}),
    )
    agreed = contract(OFFICE).model_copy(update={"version": versions})
    found = why("2026-11-12 00:00:00", "....", agreed=agreed)
    assert found.version.number == 2
    assert found.reasons[0].nl == "Contractversie 2 geldt, van 12-11-2026 tot en met 31-12-2040."


# --- what the ledger says ------------------------------------------------------------------------------------------

WORK = ("2026-11-12 10:00", "2026-11-12 11:00")


def test_granted_maintenance_excludes_the_instant():
    agreed = contract(clause(), maintenance={"notice": "48h"})
    found = why("2026-11-12 10:01:17", ".xx.", entry("maintenance", *WORK, recorded="2026-11-02 09:00"), agreed=agreed)
    assert found.counted == "excluded"
    assert [claim.outcome for claim in found.claims] == ["granted"]
    assert "Onderhoud nr. 1 (J. Peeters: proef) sluit dit ogenblik uit." in dutch(found)
    assert "Uitgesloten tijd valt uit de breuk weg." in dutch(found)


def test_refused_maintenance_says_why_it_was_refused():
    agreed = contract(clause(), maintenance={"notice": "48h"})
    found = why("2026-11-12 10:01:17", ".xx.", entry("maintenance", *WORK, recorded="2026-11-11 09:00"), agreed=agreed)
    assert found.counted == "down"
    assert [claim.outcome for claim in found.claims] == ["refused"]
    assert (
        "Onderhoud nr. 1: Geweigerd: aangekondigd op 11-11-2026 09:00:00 CET; met een termijn van 48u moest dat "
        "uiterlijk op 10-11-2026 10:00:00 CET." in dutch(found)
    )


def test_cancelled_maintenance_is_named_and_excludes_nothing():
    agreed = contract(clause(), maintenance={})
    announced = entry("maintenance", *WORK, recorded="2026-11-02 09:00")
    cancelled = Entry(
        kind="maintenance-cancelled", recorded_us=at("2026-11-03 09:00"), by="J. P.", reason="uitgesteld", supersedes=1
    )
    found = why("2026-11-12 10:01:17", "....", announced, cancelled, agreed=agreed)
    assert found.counted == "up"
    assert "Onderhoud nr. 1 geldt niet meer: nr. 2 kwam in de plaats (uitgesteld)." in dutch(found)


def test_a_third_party_excludes_only_the_instants_at_which_it_was_down_itself():
    claim = entry("exclusion", *WORK, recorded="2026-11-13 09:00", ground="third-party", dependency="fas")
    measured = [*samples(".xxx.", "2026-11-12 10:00"), *samples("..xx.", "2026-11-12 10:00", journey="fas")]

    def found(when: str) -> Explanation:
        return explain(contract(clause()), clause="B1", at_us=at(when), samples=measured, ledger=seal([claim]))

    assert (found("2026-11-12 10:01:17").counted, found("2026-11-12 10:02:17").counted) == ("down", "excluded")
    assert "De derde, fas, viel op dat ogenblik niet aantoonbaar uit" in dutch(found("2026-11-12 10:01:17"))
    assert "De derde, fas, viel op dat ogenblik zelf ook uit" in dutch(found("2026-11-12 10:02:17"))


def test_an_entry_about_other_journeys_is_not_named():
    other = entry("exclusion", *WORK, recorded="2026-11-13 09:00", scope=["inzage"])
    assert why("2026-11-12 10:01:17", "....", other).claims == ()


# --- several journeys and locations, sanctions, other kinds --------------------------------------------------------


@pytest.mark.parametrize(("combine", "counted"), [("any", "down"), ("all", "up")])
def test_several_journeys_are_taken_together_as_the_clause_says(combine: str, counted: str):
    agreed = contract(clause(scope=["indienen", "inzage"], combine=combine))
    measured: list[SampleIn] = [
        *samples(".xx.", "2026-11-12 10:00"),
        *samples("....", "2026-11-12 10:00", journey="inzage"),
    ]
    found = explain(agreed, clause="B1", at_us=at("2026-11-12 10:01:17"), samples=measured)
    assert found.counted == counted
    assert [(j.journey, j.counted) for j in found.journeys] == [("indienen", "down"), ("inzage", "up")]
    assert "De bepaling gaat over 2 reizen (indienen onbeschikbaar, inzage beschikbaar)" in dutch(found)


def test_locations_vote_and_a_lone_vote_decides_nothing():
    agreed = contract(clause(quorum=2))
    measured = [
        *samples(".xx.", "2026-11-12 10:00", location="brussel"),
        *samples("....", "2026-11-12 10:00", location="gent"),
    ]
    found = explain(agreed, clause="B1", at_us=at("2026-11-12 10:01:17"), samples=measured)
    assert found.counted == "up"
    assert "indienen: 1 van 2 meetpunten zagen een fout (2 mislukte stemmen maken een reis onbeschikbaar" in dutch(
        found
    )


def test_what_counts_may_still_not_count_for_a_sanction():
    rule = {"scale": "fixed", "amount": "EUR 100"}
    found = why("2026-11-12 10:02:17", ".xx.", agreed=contract(clause(sanction=rule)))
    assert found.counted == "down"
    assert (
        "Voor een sanctie telt het niet mee: daarvoor telt de duur van de eerste tot de laatste mislukte meting"
        in dutch(found)
    )


def test_a_clause_about_response_times_says_what_the_sample_counts_for():
    agreed = contract(
        {"id": "B1", "kind": "response-time", "scope": ["indienen"], "percentile": "95", "limit": "500ms"}
    )
    found = why("2026-11-12 10:01:17", "..x.", agreed=agreed)
    assert (
        "Deze bepaling telt responstijden, geen tijd: de meting van 12-11-2026 10:01:00 CET telt mee met 0,8 s, boven "
        "de norm van 0,5 s." in dutch(found)
    )


def test_settled_spans_need_no_confirmation():
    measured = spans(("2026-11-12 10:00", "2026-11-12 10:10", "down"))
    found = explain(contract(clause()), clause="B1", at_us=at("2026-11-12 10:01:17"), spans=measured)
    assert found.counted == "down"
    assert "indienen: aangeleverd als onbeschikbaar" in dutch(found)


def test_a_rolling_clause_is_assessed_up_to_the_day_of_the_instant():
    found = why("2026-11-12 10:01:17", "....", agreed=contract(clause(period="rolling 7 days")))
    assert (found.period.start_us, found.period.end_us) == (at("2026-11-06 00:00"), at("2026-11-13 00:00"))
    assert found.counted == "up"


# --- refusals and plain data ---------------------------------------------------------------------------------------


def test_a_clause_that_the_version_does_not_have_is_refused_with_those_it_has():
    with pytest.raises(NotInContractError, match='version 1 has no clause "C9"; it has B1'):
        explain(contract(OFFICE), clause="C9", at_us=at("2026-11-12 10:00"))


def test_an_instant_outside_every_version_is_refused():
    with pytest.raises(NotInContractError, match="no version of contract PROEF governs 2019-12-31"):
        explain(contract(OFFICE), clause="B1", at_us=at("2019-12-31 10:00"))


def test_programs_get_the_samples_with_the_instant_each_speaks_until():
    answer = explanation_json(why("2026-11-12 10:01:17", ".X.."))
    assert answer["counted"] == "down"
    assert answer["journeys"][0]["samples"][1] == {
        "due": "2026-11-12T10:01:00+01:00",
        "location": "",
        "outcome": "down",
        "failure": "http-status verzenden",
        "attempts": 2,
        "until": "2026-11-12T10:02:00+01:00",
        "held_until": "2026-11-12T10:03:00+01:00",
        "speaks": True,
    }
    assert answer["journeys"][0]["outage"]["start"]["first_bad"] == "2026-11-12T10:01:00+01:00"


def test_what_was_recorded_later_is_not_known_yet():
    claim = entry("exclusion", *WORK, recorded="2026-11-13 09:00")
    measured = list(samples(".xx.", "2026-11-12 10:00"))
    found = explain(
        contract(clause()),
        clause="B1",
        at_us=at("2026-11-12 10:01:17"),
        samples=measured,
        ledger=seal([claim]),
        as_of_us=at("2026-11-12 10:00") + 30 * MINUTE,
    )
    assert (found.counted, found.claims) == ("down", ())
