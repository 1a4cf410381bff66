import threading
import tomllib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.config import SHIPPED
from shim.contracts import adopt, contract, description, mapping
from shim.contracts.adopt import AdoptError, Draft
from tests.contracts.wsdls import RESULT, TEXT, fields, schema, sequence, wrapped, wsdl
from tests.web import calls

ISO = {"startDate": "dateTime", "endDate": "dateTime"}
DAYS = {"fromDate": "string", "untilDate": "string"}


def written(folder: Path, text: str) -> Path:
    path = folder / "legacy.wsdl"
    path.write_text(text, encoding="utf-8")
    return path


def drafted(folder: Path, parameters: dict[str, str] | None = None, name: str = "Fetch") -> Draft:
    return adopt.draft(written(folder, wsdl(schema(wrapped(parameters, name=name)), name=name)))


def table(draft: Draft, name: str = "Fetch") -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(draft.text)["operations"][name]
    return found


class TestDraft:
    def test_it_begins_with_what_to_decide(self, tmp_path: Path) -> None:
        draft = drafted(tmp_path, DAYS)
        (question,) = draft.questions
        heading = "# What the operations of legacy.wsdl mean to the REST API."
        assert draft.text.startswith(f"{heading}\n# To decide:\n#   - {question}\n\n[operations.")

    def test_nothing_to_decide(self, tmp_path: Path) -> None:
        draft = drafted(tmp_path, ISO)
        assert draft.questions == ()
        assert "# Nothing is left to decide.\n\n[operations." in draft.text

    def test_the_draft_for_the_shipped_wsdl_is_the_shipped_mapping(self, tmp_path: Path) -> None:
        path = written(tmp_path, calls.WSDL.read_text(encoding="utf-8"))
        adopt.write(adopt.draft(path), path.with_suffix(".toml"), force=False)
        assert mapping.load(path.with_suffix(".toml")) == dict(mapping.load(calls.MAPPING)) | {
            "getEDIData": mapping.OperationMapping(unavailable="TOEFL Access has no EDI form.")
        }


class TestToml:
    @pytest.mark.parametrize("name", ["Fetch", "Fetch.Scores", "fetch-scores", "Récupérer", "_2"])
    def test_any_name_of_an_operation(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / "legacy.wsdl"
        adopt.write(drafted(tmp_path, name=name), path.with_suffix(".toml"), force=False)
        assert list(contract.load(path, path.with_suffix(".toml")).operations) == [name]

    @pytest.mark.parametrize("name", ["début.start", "start-date", "\u00fcstart\U00010000"])
    def test_any_name_of_a_parameter(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / "legacy.wsdl"
        adopt.write(drafted(tmp_path, {name: "date", "end": "date"}), path.with_suffix(".toml"), force=False)
        loaded = contract.load(path, path.with_suffix(".toml"))
        assert loaded.operation("Fetch").mapping.startdate == name

    def test_a_file_name_cannot_break_out_of_its_comment(self, tmp_path: Path) -> None:
        path = tmp_path / 'a\n[operations.evil]\nunavailable = "x".wsdl'
        path.write_text(wsdl(), encoding="utf-8")
        assert list(tomllib.loads(adopt.draft(path).text)["operations"]) == ["Fetch"]

    @given(
        st.lists(
            st.from_regex(r"[A-Za-z_\u00e9][A-Za-z0-9_.\u00e9-]{0,12}", fullmatch=True),
            min_size=1,
            max_size=6,
            unique=True,
        ),
        st.sampled_from(["string", "dateTime", "date", "int"]),
    )
    def test_any_draft_is_a_mapping_of_its_wsdl(
        self, tmp_path_factory: pytest.TempPathFactory, names: list[str], kind: str
    ) -> None:
        folder = tmp_path_factory.mktemp("any")
        path = folder / "legacy.wsdl"
        draft = drafted(folder, dict.fromkeys(names, kind) | ISO)
        adopt.write(draft, path.with_suffix(".toml"), force=False)
        assert contract.load(path, path.with_suffix(".toml")).operation("Fetch")


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            pytest.param(
                "<html/>", "has no SOAP port with an operation: check that it is the service's WSDL", id="no WSDL"
            ),
            pytest.param(
                wsdl(schema(wrapped(result=fields({"FetchResult": "int"})))),
                "Fetch: the result is of type int: only base64Binary and string can hold scores",
                id="result",
            ),
            pytest.param(
                wsdl(schema(sequence("Fetch", fields(TEXT)) + sequence("FetchResponse", ""))),
                "Fetch: the result is not one field but 0: only one can hold scores",
                id="no result",
            ),
        ],
    )
    def test_a_wsdl_without_a_servable_operation(self, tmp_path: Path, text: str, reason: str) -> None:
        path = written(tmp_path, text)
        with pytest.raises(AdoptError) as caught:
            adopt.draft(path)
        assert str(caught.value) == f"{path}: {reason}"

    def test_one_servable_operation_is_enough(self, tmp_path: Path) -> None:
        number = ('name="getEDIDataResult" type="s:base64Binary"', 'name="getEDIDataResult" type="s:int"')
        text = calls.WSDL.read_text(encoding="utf-8").replace(*number)
        draft = adopt.draft(written(tmp_path, text))
        assert table(draft, "getEDIData") == {
            "unavailable": "the result is of type int: only base64Binary and string can hold scores."
        }


class TestWrite:
    def test_an_unedited_draft_is_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "legacy.toml"
        adopt.write(drafted(tmp_path), path, force=False)
        other = drafted(tmp_path, ISO)
        adopt.write(other, path, force=False)
        assert path.read_text(encoding="utf-8").startswith(other.text)

    @pytest.mark.parametrize(
        "edit",
        [
            lambda text: text.replace('"absent"', '"nil"'),
            lambda text: "# mine\n" + text,
            lambda text: text.rpartition("\n# Checksum")[0],
            lambda _: "",
        ],
        ids=["value", "comment", "checksum removed", "emptied"],
    )
    def test_an_edited_draft_is_left_as_it_is(self, tmp_path: Path, edit: Any) -> None:  # noqa: ANN401 - a table's function
        path = tmp_path / "legacy.toml"
        draft = drafted(tmp_path)
        adopt.write(draft, path, force=False)
        edited = edit(path.read_text(encoding="utf-8"))
        path.write_text(edited, encoding="utf-8")
        with pytest.raises(AdoptError, match="was edited, so it is left as it is"):
            adopt.write(draft, path, force=False)
        assert path.read_text(encoding="utf-8") == edited
        adopt.write(draft, path, force=True)
        assert path.read_text(encoding="utf-8").startswith(draft.text)

    def test_a_file_that_is_not_text_is_left_as_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "legacy.toml"
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(AdoptError):
            adopt.write(drafted(tmp_path), path, force=False)
        assert path.read_bytes() == b"\xff\xfe"


class TestFetch:
    """A WSDL is fetched only on demand."""

    @pytest.fixture
    def site(self) -> Iterator[str]:
        folder = partial(SimpleHTTPRequestHandler, directory=str(SHIPPED))
        with ThreadingHTTPServer(("127.0.0.1", 0), folder) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
            thread.join()

    def test_it_is_saved_as_it_is(self, site: str, tmp_path: Path) -> None:
        path = adopt.fetch(f"{site}/TOEFLEdm.wsdl?wsdl", tmp_path)
        assert path == tmp_path / "TOEFLEdm.wsdl"
        assert path.read_bytes() == (SHIPPED / "TOEFLEdm.wsdl").read_bytes()

    def test_an_existing_file_is_left(self, site: str, tmp_path: Path) -> None:
        (tmp_path / "TOEFLEdm.wsdl").write_text("mine")
        with pytest.raises(AdoptError, match="exists already"):
            adopt.fetch(f"{site}/TOEFLEdm.wsdl", tmp_path)
        assert (tmp_path / "TOEFLEdm.wsdl").read_text() == "mine"

    @pytest.mark.parametrize("address", ["/none.wsdl", None])
    def test_an_address_without_a_wsdl(self, site: str, tmp_path: Path, address: str | None) -> None:
        with pytest.raises(AdoptError, match="cannot be fetched"):
            adopt.fetch("http://127.0.0.1:9/a.wsdl" if address is None else site + address, tmp_path)
        assert not list(tmp_path.iterdir())

    def test_a_wsdl_that_is_too_large(self, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(description, "MAX_BYTES", 1000)
        with pytest.raises(AdoptError, match="larger than 1,000 bytes"):
            adopt.fetch(f"{site}/TOEFLEdm.wsdl", tmp_path)


def test_the_example_in_the_guide_is_what_is_written(tmp_path: Path) -> None:
    example = {"uid": "string", "pwd": "string", "fromDate": "string", "untilDate": "string"}
    types = schema(wrapped(example, name="FetchResults", result=RESULT.replace("FetchResult", "FetchResultsResult")))
    draft = adopt.draft(written(tmp_path, wsdl(types, name="FetchResults")))
    guide = (Path(__file__).parents[2] / "MIGRATION.md").read_text(encoding="utf-8")
    assert draft.text[draft.text.index("[operations.") :] in guide
    assert all(f"decide {question}\n" in guide for question in draft.questions)
