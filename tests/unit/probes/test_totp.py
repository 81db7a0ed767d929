"""One-time passwords give the values of RFC 6238, appendix B, and PKCE those of RFC 7636, appendix B."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.totp import Totp, challenge, derived, one_time_password, shared_key

KEY = "1234567890" * 7
LENGTH = {"SHA1": 20, "SHA256": 32, "SHA512": 64}


@pytest.mark.parametrize(
    ("at", "algorithm", "password"),
    [
        (59, "SHA1", "94287082"),
        (59, "SHA256", "46119246"),
        (59, "SHA512", "90693936"),
        (1111111109, "SHA1", "07081804"),
        (1111111109, "SHA256", "68084774"),
        (1111111109, "SHA512", "25091201"),
        (1111111111, "SHA1", "14050471"),
        (1111111111, "SHA256", "67062674"),
        (1111111111, "SHA512", "99943326"),
        (1234567890, "SHA1", "89005924"),
        (1234567890, "SHA256", "91819424"),
        (1234567890, "SHA512", "93441116"),
        (2000000000, "SHA1", "69279037"),
        (2000000000, "SHA256", "90698825"),
        (2000000000, "SHA512", "38618901"),
        (20000000000, "SHA1", "65353130"),
        (20000000000, "SHA256", "77737706"),
        (20000000000, "SHA512", "47863826"),
    ],
)
def test_the_vectors_of_the_standard(at: int, algorithm: str, password: str) -> None:
    totp = Totp.model_validate({"secret": "x", "algorithm": algorithm, "digits": 8})
    key = KEY[: LENGTH[algorithm]].encode()
    assert one_time_password(key, now_us=at * 1_000_000, totp=totp) == password


def test_a_password_is_good_for_one_period() -> None:
    totp = Totp(secret="x")
    passwords = [one_time_password(b"sleutel", now_us=at, totp=totp) for at in (30_000_000, 59_999_999, 60_000_000)]
    assert passwords[0] == passwords[1] != passwords[2]


@given(st.binary(min_size=1, max_size=64), st.integers(0, 8))
def test_a_key_is_read_however_people_write_it(key: bytes, every: int) -> None:
    text = base64.b32encode(key).decode().rstrip("=").lower()
    spaced = " ".join(text[i : i + every] for i in range(0, len(text), every)) if every else text
    assert shared_key(spaced) == key


@pytest.mark.parametrize("text", ["", "   ", "0189", "geen sleutel!", "A"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base32|empty"):
        shared_key(text)


def test_pkce_challenges_as_the_standard_does() -> None:
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_each_run_and_purpose_has_its_own_value() -> None:
    values = {derived(purpose, run) for purpose in ("state", "nonce") for run in ("een", "twee")}
    assert {len(value) for value in values} == {43}
    assert len(values) == 4
