"""Whatever a portal sends: a bundle is made, is an HTTP archive, stays within its bound, and tells no secret."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from probes.bundle import LIMIT, canonical, har_of, unpacked
from tests.archives import problems
from tests.bundles import proven
from tests.heart import a_sample, at

SECRET = "Zéér-geheim/42"
TEXTS = st.text(max_size=300) | st.just("é\x00\ud800\r\n: \n") | st.just(f"Set-Cookie: a={SECRET}\n{SECRET}")
BYTES = st.binary(max_size=300) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))


@example(request="GET http://[ HTTP/1.1", sent=b"", answer="", body=b"", url="//[")
@given(request=TEXTS, sent=BYTES, answer=TEXTS, body=BYTES, url=TEXTS)
def test_whatever_came_makes_a_bundle_without_secrets(
    request: str, sent: bytes, answer: str, body: bytes, url: str
) -> None:
    sample = proven(
        a_sample("x", at("10:00")), request=request, sent=sent, answer=answer, body=body, url=url, hidden=(SECRET,)
    )
    [bundle] = sample.bundles
    found = unpacked(bundle.packed)
    assert bundle.size <= LIMIT
    assert canonical(json.loads(found)) == found
    assert SECRET not in found.decode()
    assert problems(json.loads(har_of(found))) == []
