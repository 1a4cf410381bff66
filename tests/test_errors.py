import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from string import Formatter

import pytest

from shim import errors
from shim.errors import CallerError, Cause, GatewayError, OperatorError, UpstreamError
from shim.wire import inband

every_cause = pytest.mark.parametrize("cause", [pytest.param(cause, id=slug) for slug, cause in errors.CAUSES.items()])

# The caller must move to REST, but its message is right.
OF_THE_END = ("brownout", "sunset")
# Causes that arise before there is any SOAP client to read a fault.
OF_HTTP = {"method": 405, "content-type": 415, "bad-http": 400, "not-found": 404, "no-credentials": 401}


def test_the_table_is_whole_and_its_slugs_are_unique() -> None:
    rows = [value for value in vars(errors).values() if isinstance(value, Cause)]
    assert len(rows) == len(errors.CAUSES) > 30
    assert {cause.slug for cause in rows} == errors.CAUSES.keys()


def test_no_two_causes_say_the_same() -> None:
    assert len({cause.text for cause in errors.CAUSES.values()}) == len(errors.CAUSES)


@every_cause
def test_a_slug_is_kebab_case(cause: Cause) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cause.slug)


@every_cause
def test_a_text_has_room_for_one_detail_at_most(cause: Cause) -> None:
    fields = [field for _, field, _, _ in Formatter().parse(cause.text) if field is not None]
    assert fields in ([], [""])
    sentence = cause.error("StartDate").sentence
    assert "{" not in sentence
    assert "}" not in sentence
    assert sentence.isprintable()
    assert sentence.isascii()
    assert ("StartDate" in sentence) == (fields == [""])


@every_cause
def test_an_error_is_of_the_party_whose_move_it_is(cause: Cause) -> None:
    error = cause.error("detail", note="note")
    assert type(error) in (CallerError, UpstreamError, OperatorError)
    assert isinstance(error, GatewayError)
    assert (error.cause, error.detail, error.note, str(error)) == (cause, "detail", "note", cause.slug)


@every_cause
def test_fault_codes_are_those_of_the_soap_versions_and_of_the_party(cause: Cause) -> None:
    special = ("VersionMismatch", "MustUnderstand")
    assert cause.code_11 in ("Client", "Server", *special)
    assert cause.code_12 in ("Sender", "Receiver", *special)
    if cause.code_11 in special or cause.code_12 in special:
        assert cause.code_11 == cause.code_12
        assert cause.party is CallerError
    elif cause.party is CallerError and cause.slug not in OF_THE_END:
        assert (cause.code_11, cause.code_12) == ("Client", "Sender")
    else:
        assert (cause.code_11, cause.code_12) == ("Server", "Receiver")


@every_cause
def test_http_statuses_are_those_of_the_soap_bindings(cause: Cause) -> None:
    if cause.slug in OF_HTTP:
        assert cause.http == OF_HTTP[cause.slug]
    else:
        assert cause.http == HTTPStatus.INTERNAL_SERVER_ERROR


@every_cause
def test_a_call_is_only_worth_repeating_when_the_caller_need_not_change_it(cause: Cause) -> None:
    # Whoever failed to log on too often may do so again after a while, and a brownout ends.
    assert not (cause.retry and cause.party is CallerError) or cause in (errors.THROTTLED, errors.BROWNOUT)


@every_cause
def test_advice_is_for_operators(cause: Cause) -> None:
    assert not cause.advice or cause.party is OperatorError


def test_braces_in_a_detail_stay_as_they_are() -> None:
    assert errors.UNAVAILABLE.error("see {0} {x}").sentence.endswith(": see {0} {x}")


def test_a_cause_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        errors.METHOD.slug = "other"  # type: ignore[misc]


def test_the_documents_print_the_table() -> None:
    printed = (Path(__file__).parent.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = [
        f"| `{cause.slug}` | {cause.party.__name__.removesuffix('Error').lower()} | {cause.text} |"
        for cause in errors.CAUSES.values()
    ]
    assert "\n".join(rows) in printed


# How public clients of the old service tell an error from scores (DOMAIN.md §3): any one of these.
LEGACY: Mapping[str, Callable[[str], bool]] = {
    "starts": lambda text: text.startswith("Logon failure"),
    "ends": lambda text: text.endswith("Please check your username, password."),
    "is not": lambda text: "is not authenticated" in text,
    "incorrect": lambda text: "user name or password is incorrect" in text,
}


@every_cause
@pytest.mark.parametrize("test", list(LEGACY))
def test_every_legacy_client_sees_that_it_is_no_score_file(cause: Cause, test: str) -> None:
    text = f"{cause.error('StartDate').sentence} ({cause.slug}; request 0123456789abcdef)"
    sentence = inband.sentence(text)
    assert LEGACY[test](sentence)
    assert text in sentence
    assert sentence.isprintable()
    # No width of a record: a client that reads by width must not find one in it.
    assert len(sentence) < 774
