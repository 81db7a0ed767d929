"""The readings kindest to the supplier that were taken where promises about people are silent."""

from __future__ import annotations

from sla.assessment import Text

CASES = Text(
    nl="Reactie- en hersteltijden, telkens in de lezing die de dienstverlener het meest ontziet: een geval telt in de "
    "periode waarin het begon; wat volgens de meting hersteld is, vraagt geen reactie of herstel meer; niet-gemeten "
    "tijd tijdens een storing telt niet mee; meldingen van een zelfde storing zijn een geval; een storing die al "
    "bestraft is, wordt niet ook nog om haar duur bestraft.",
    en="Reaction and restore times, each in the reading kindest to the supplier: a case counts in the period it began "
    "in; what is restored by measurement needs no reaction or restoration any more; unmeasured time during an outage "
    "does not count; notifications of one outage are one case; an outage that is punished already is not punished "
    "once more for its length.",
)
DELIVERIES = Text(
    nl="Leveringen: een vervaldag die geen werkdag is, schuift door naar de volgende werkdag, en zonder uur mag de dag "
    "tot het einde worden gebruikt: de lezing die de dienstverlener het meest ontziet.",
    en="Deliveries: a due date that is no working day moves to the next working day, and without an hour the day may "
    "be used to its end: the reading kindest to the supplier.",
)
