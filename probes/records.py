"""Records of the name system in one way of writing each, so that what is expected and what came can be compared.

Pure. `probes.names` asks.
"""

from __future__ import annotations

from typing import Literal, get_args

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.SRV import SRV

from probes.errors import printable

RecordType = Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"]
TYPES: tuple[RecordType, ...] = get_args(RecordType)

_EXAMPLES: dict[RecordType, str] = {
    "A": "192.0.2.10",
    "AAAA": "2001:db8::10",
    "CNAME": "loket.example",
    "MX": "10 mail.example",
    "NS": "ns1.example",
    "PTR": "loket.example",
    "SOA": "ns1.example",
    "SRV": "0 5 443 loket.example",
    "TXT": "v=spf1 -all",
}


def absolute(name: str) -> dns.name.Name:
    """A name from its root, whether or not a dot ends it; what is not ASCII in it is encoded as IDNA says.

    Raises:
        ValueError: where it is no name.
    """
    try:
        return dns.name.from_text(name.strip())
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError('is not a name; write it as "loket.example"') from error


def canonical(kind: RecordType, value: str) -> str:
    """A value that is expected, as `shown` would tell it: names in lower case and without the dot at their end.

    Of SOA only the name of the primary server is compared: the rest of it is meant to change.

    Raises:
        ValueError: where it is no value of this type.
    """
    try:
        if kind == "TXT":
            return value
        if kind == "SOA":
            return _name(absolute(value))
        text = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), value, origin=dns.name.root)
        return shown(text)
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f'is not what a record {kind} holds; write it as "{_EXAMPLES[kind]}"') from error


def shown(record: dns.rdata.Rdata) -> str:
    """What a record holds, in its one way of writing."""
    match record:
        case CNAME() | NS() | PTR():
            return _name(record.target)
        case MX():
            return f"{record.preference} {_name(record.exchange)}"
        case SRV():
            return f"{record.priority} {record.weight} {record.port} {_name(record.target)}"
        case SOA():
            return _name(record.mname)
        case TXT():
            return printable(b"".join(record.strings).decode("utf-8", "replace"))
        case _:
            return printable(record.to_text())


def _name(name: dns.name.Name) -> str:
    return printable(name.to_text(omit_final_dot=True).lower())
