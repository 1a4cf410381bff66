"""The parts of libraries that the gateway uses although their makers promise nothing about them.

ARCHITECTURE.md lists each use. If a test here fails after an upgrade, look at the file that its message names.
"""

import ctypes
import inspect
import io
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
import zeep
from gunicorn import util
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers.ggevent import GeventWorker
from lxml import etree
from prometheus_client import CollectorRegistry, Gauge, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import SoapBinding
from zeep.xsd import ComplexType

_ROOT: Final = Path(__file__).parent.parent
_SHIPPED: Final = _ROOT / "wsdl" / "TOEFLEdm.wsdl"


def _run(code: str) -> str:
    """Run code in an interpreter of its own; return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    return f"{done.stdout}{done.stderr}".strip()


def _parameters(function: Callable[..., object]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_gevent_calls_its_hook_for_plug_ins_by_its_name_in_events() -> None:
    code = """\
from gevent import events, monkey
import select, socket
seen = []
events.notify_and_call_entry_points = lambda event: (seen.append(event), events.notify(event))
monkey.patch_all(os=False, signal=False, subprocess=False, select=False)
print(bool(seen), socket.socket.__module__.partition('.')[0], select.select.__module__)
"""
    assert _run(code) == "True gevent select", "look at shim/__main__.py"


_SILENT: Final = SimpleNamespace(debug=lambda *_: None, access=lambda *_: None)


class _Worker(GeventWorker):  # type: ignore[misc]
    """Serves one connection in the calling thread, and records what gunicorn does."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        super().__init__(0, os.getpid(), [], None, 30, Config(), _SILENT)
        self.wsgi = application
        self.waits = 0
        self.errors: list[BaseException] = []

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        self.waits += 1
        yield

    def handle_error(self, _req: object, client: socket.socket, _addr: object, exc: BaseException) -> None:
        self.errors.append(exc)
        client.sendall(b"refused")


def _served(worker: _Worker, sent: bytes) -> bytes:
    """What a worker answers to these bytes on one connection."""
    client, server = socket.socketpair()
    with client, closing(worker.tmp), socket.create_server(("127.0.0.1", 0)) as listener:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        super(GeventWorker, worker).handle(listener, server, ("127.0.0.1", 1))
        return b"".join(iter(lambda: client.recv(65536), b""))


def _request(body: bytes = b"", length: int | None = None) -> bytes:
    return f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length or len(body)}\r\n\r\n".encode() + body


_CHUNKED: Final = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


def test_gunicorn_waits_for_each_head_in_timeout_ctx_and_reports_broken_http_to_handle_error() -> None:
    def application(_environ: dict[str, Any], start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    worker = _Worker(application)
    answer = _served(worker, _request() * 2 + b"nonsense\r\n\r\n")
    look = "look at shim/web/worker.py"
    assert (answer.count(b"200 OK"), answer.endswith(b"refused"), worker.waits) == (2, True, 3), look
    assert [isinstance(error, ParseException) for error in worker.errors] == [True], look


def test_gunicorn_ends_a_connection_whose_response_is_forced_to_close() -> None:
    def application(environ: dict[str, Any], start: Callable[..., object]) -> list[bytes]:
        assert environ["gunicorn.socket"].fileno() > 0
        start.__self__.force_close()  # type: ignore[attr-defined]
        start("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    answer = _served(_Worker(application), _request() * 2)
    assert answer.count(b"200 OK") == 1, "look at shim/web/worker.py"
    assert b"connection: close" in answer.lower(), "look at shim/web/worker.py"


def test_gunicorn_ends_a_connection_quietly_on_stop_iteration() -> None:
    def application(_environ: object, _start: object) -> list[bytes]:
        raise StopIteration

    worker = _Worker(application)
    assert (_served(worker, _request()), worker.errors) == (b"", []), "look at shim/web/worker.py"


def test_gunicorn_readers_tell_whether_a_request_was_read() -> None:
    seen: list[tuple[bool, bool, bool]] = []

    def application(environ: dict[str, Any], start: Callable[..., object]) -> list[bytes]:
        reader = environ["wsgi.input"].reader
        has_length = isinstance(reader, LengthReader)
        before = bool(reader.length if has_length else reader.parser)
        environ["wsgi.input"].read()
        seen.append((has_length, before, bool(reader.length if has_length else reader.parser)))
        start("200 OK", [("Content-Length", "0")])
        return []

    _served(_Worker(application), _request(b"abc"))
    _served(_Worker(application), _CHUNKED)
    assert seen == [(True, True, False), (False, True, False)], "look at shim/web/worker.py"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("handle", ["listener", "client", "addr"]),
        ("handle_request", ["listener_name", "req", "sock", "addr"]),
        ("handle_error", ["req", "client", "addr", "exc"]),
        ("handle_exit", ["sig", "frame"]),
        ("init_signals", []),
        ("load_wsgi", []),
        ("notify", []),
        ("patch", []),
        ("timeout_ctx", []),
    ],
)
def test_gunicorn_worker_has_the_methods_that_ours_replaces(name: str, parameters: list[str]) -> None:
    assert _parameters(getattr(GeventWorker, name)) == parameters, "look at shim/web/worker.py"


def test_gunicorn_makes_its_requests_of_the_class_of_its_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    look = "look at shim/web/worker.py and shim/web/lenient_request.py"
    policies: list[tuple[str, str, bool]] = []

    class Ours(Request):  # type: ignore[misc]
        def parse(self, unreader: Any) -> bytes:  # noqa: ANN401 - gunicorn has no types
            data = unreader.read()
            assert data.startswith(b"POST"), look
            unreader.unread(data)
            return super().parse(unreader)  # type: ignore[no-any-return]

        def _apply_header_policy(
            self, name: str, value: str, scheme_state: list[bool], seen: set[str], *rest: object, **options: object
        ) -> object:
            policies.append((name, value, name in seen))
            if name == "X-DROPPED":
                return None
            return super()._apply_header_policy(name, value, scheme_state, seen, *rest, **options)

    def application(environ: dict[str, Any], start: Callable[..., object]) -> list[bytes]:
        assert "HTTP_X_DROPPED" not in environ, look
        start("200 OK", [("Content-Length", "0")])
        return []

    monkeypatch.setattr(RequestParser, "mesg_class", Ours)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: b\r\nContent-Type: c\r\nX-Dropped: d\r\n\r\n"
    worker = _Worker(application)
    assert b"200 OK" in _served(worker, head.replace(b"Content-Type: c\r\n", b"")), look
    assert _served(worker, head) == b"refused", look
    seen = [("HOST", "a", False), ("CONTENT-TYPE", "b", False)]
    assert policies == [*seen, ("X-DROPPED", "d", False), *seen, ("CONTENT-TYPE", "c", True)], look


def test_gunicorn_closes_gracefully_and_writes_without_blocking() -> None:
    client, server = socket.socketpair()
    with client:
        client.sendall(b"unread")
        util.write_nonblock(server, b"last words")
        client.shutdown(socket.SHUT_WR)
        util.close_graceful(server, max_drain=1024)
        assert client.recv(100) == b"last words", "look at shim/web/worker.py"
    assert server.fileno() == -1, "look at shim/web/worker.py"


def test_gunicorn_logger_keeps_its_handlers_in_error_log() -> None:
    assert Logger(Config()).error_log.handlers, "look at shim/web/server.py"


def test_gunicorn_arbiter_manages_its_workers_every_second_and_reloads_the_application() -> None:
    code = """\
import os, signal, sys
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
seen = []
class App(BaseApplication):
    def load_config(self):
        self.cfg.set('bind', ['127.0.0.1:0'])
        self.cfg.set('control_socket_disable', True)
    def load(self): return None
    def reload(self): seen.append('reload')
class Ours(Arbiter):
    def spawn_worker(self): pass
    def manage_workers(self):
        seen.append('manage')
        if seen.count('manage') == 2: os.kill(os.getpid(), signal.SIGHUP)
        if 'reload' in seen and seen.count('manage') > 3: print('both', flush=True); os._exit(0)
Ours(App()).run()
"""
    assert "both" in _run(code).splitlines(), "look at shim/web/server.py"


def test_spyne_is_the_version_whose_inner_parts_are_replaced() -> None:
    # shim/contracts/spyne_compat.py replaces parts of the six that Spyne carries; service.py replaces parts of a call.
    code = """\
from shim.contracts import spyne_compat
from spyne import Application, MethodContext, Service, Unicode, rpc
from spyne.protocol import ProtocolBase
from spyne.server import ServerBase
from spyne.util import six
class Protocol(ProtocolBase):
    def deserialize(self, ctx, message):
        kinds = ctx.descriptor.in_message.get_flat_type_info(ctx.descriptor.in_message)
        for name, kind in kinds.items(): kind.validate_string(kind, 'a'), kind.validate_native(kind, 'a')
        ctx.in_object = [ctx.in_body_doc.get(name) for name in kinds]
class App(Application):
    def call_wrapper(self, ctx):
        try: return super().call_wrapper(ctx)
        except Exception as error: return error
class Context(MethodContext): __setattr__ = object.__setattr__
class Server(ServerBase): transport = 'urn:a'
def method(context, value): return context.udc(value)
method.__name__ = 'Op'
methods = {'Op': rpc(Unicode(pattern='[a-z]+'), _args=['p.value'])(method)}
server = Server(App([type('Legacy', (Service,), methods)], 'urn:a', in_protocol=Protocol()))
def call(handler):
    ctx = Context(server, MethodContext.SERVER)
    ctx.method_request_string, ctx.in_body_doc, ctx.udc = 'Op', {'p.value': 'a'}, handler
    (ctx.descriptor,) = server.app.in_protocol.get_call_handles(ctx)
    server.get_in_object(ctx)
    server.get_out_object(ctx)
    return ctx.out_object
print(six._SixMetaPathImporter.__name__, call(str.upper), call(int)[0].__class__.__name__)
"""
    look = "look at shim/contracts/spyne_compat.py and shim/contracts/service.py"
    assert _run(code) == "_SixMetaPathImporter ['A'] ValueError", look


def _described() -> Any:  # noqa: ANN401 - zeep has no types
    """The SOAP 1.1 binding of the shipped WSDL."""
    document = Document(str(_SHIPPED), zeep.Transport(), settings=zeep.Settings(forbid_dtd=True))
    (service,) = document.services.values()
    (binding,) = [port.binding for name, port in service.ports.items() if name == "TOEFLEdmSoap"]
    assert isinstance(binding, SoapBinding)
    return binding


def test_zeep_describes_operations_as_the_reader_of_wsdls_walks_them() -> None:
    look = "look at shim/contracts/description.py and shim/compare/legacy.py"
    binding = _described()
    operation = binding.get("GetScores")
    assert binding.all()["GetScores"] is operation, look
    assert operation.name == "GetScores", look
    assert operation.soapaction == "https://ets.org/edm/webservices/GetScores", look
    assert operation.style == "document", look
    ((_, request),) = operation.input.body.type.elements
    assert isinstance(request.type, ComplexType), look
    assert [str(part.qname.localname) for _, part in request.type.elements][:2] == ["StartDate", "EndDate"], look
    ((_, result),) = operation.output.body.type.elements
    assert result.max_occurs == 1, look
    assert result.type._default_qname.localname == "base64Binary", look  # noqa: SLF001 - what the reader uses


def test_zeep_reads_every_file_by_load_and_sends_every_call_by_post() -> None:
    look = "look at shim/contracts/description.py and shim/compare/legacy.py"
    seen: list[str] = []

    class Transport(zeep.Transport):  # type: ignore[misc]
        def load(self, url: str) -> bytes:
            seen.append(url)
            return _SHIPPED.read_bytes()

        def post(self, address: str, message: bytes, headers: dict[str, str]) -> str:
            assert b"getEDIData" in message
            assert headers
            seen.append(address)
            return "the answer as it came"

    client = zeep.Client("any.wsdl", transport=Transport(), settings=zeep.Settings(raw_response=True))
    service = client.create_service(next(iter(client.wsdl.bindings)), "https://example.org/")
    answer = service["getEDIData"]("user", "password", "04/21/2025", "04/22/2025")
    assert answer == "the answer as it came", look
    assert seen[-1] == "https://example.org/", look
    assert any(url.endswith("any.wsdl") for url in seen), look


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections: set[tuple[str, int]]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives it
        pass

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(b"ok")


@contextmanager
def _pool() -> Iterator[tuple[HTTPConnectionPool, set[tuple[str, int]]]]:
    """A pool as the adapter of requests makes it, to a server, and the connections that the server saw."""
    seen: set[tuple[str, int]] = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"connections": seen})) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        adapter, request = HTTPAdapter(pool_maxsize=2), PreparedRequest()
        request.prepare(method="GET", url=f"http://127.0.0.1:{server.server_port}/scores")
        pool = adapter.get_connection_with_tls_context(request, True, {})  # noqa: FBT003 - its parameter
        adapter.cert_verify(pool, request.url, True, None)  # type: ignore[no-untyped-call]  # noqa: FBT003 - same
        assert adapter.request_url(request, {}) == "/scores"
        yield cast("HTTPConnectionPool", pool), seen
        adapter.close()
        server.shutdown()


@pytest.mark.parametrize(("is_connected", "connections"), [(None, 1), (False, 2)])
def test_urllib3_asks_is_connected_of_the_pools_own_class_before_it_uses_a_connection_again(
    is_connected: bool | None, connections: int
) -> None:
    class Connection(HTTPConnection):
        @property
        def is_connected(self) -> bool:
            return super().is_connected if is_connected is None else is_connected

    look = "look at shim/upstream/client.py"
    with _pool() as (pool, seen):
        assert pool.scheme == "http", look
        pool.ConnectionCls = Connection
        for _ in range(2):
            response = pool.urlopen(
                "GET",
                "/scores",
                retries=Retry(False),  # noqa: FBT003 - errors come as they are
                redirect=False,
                assert_same_host=False,
                preload_content=False,
            )
            assert response.length_remaining == 2, look
            assert b"".join(response.stream(1024, decode_content=False)) == b"ok", look
            assert Retry(False).get_retry_after(response) == 7, look  # noqa: FBT003 - same
        assert len(seen) == connections, look
    assert isinstance(HTTPSConnection.is_connected, property), look


def test_prometheus_client_takes_its_values_from_value_class_and_keeps_them_in_files_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = "look at shim/web/metrics.py"
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue())  # type: ignore[no-untyped-call]
    gauge = Gauge("held", "Held.", namespace="toefl_shim", multiprocess_mode="livesum", registry=None)
    gauge.set(5)
    assert [path.name for path in tmp_path.iterdir()] == [f"gauge_livesum_{os.getpid()}.db"], look
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(tmp_path))  # type: ignore[no-untyped-call]
    assert b"toefl_shim_held 5.0" in generate_latest(registry), look
    mark_process_dead(os.getpid(), str(tmp_path))  # type: ignore[no-untyped-call]
    assert b"toefl_shim_held" not in generate_latest(registry), look


def test_lxml_keeps_the_names_that_a_thread_read_under_one_key_of_the_thread() -> None:
    look = "look at shim/wire/parser.py"
    dictionary = ctypes.pythonapi.PyThreadState_GetDict
    dictionary.restype = ctypes.c_void_p
    etree.parse(io.BytesIO(b"<a/>"))
    held = ctypes.cast(dictionary(), ctypes.py_object).value
    assert "_ParserDictionaryContext" in held, look
    before = held.pop("_ParserDictionaryContext")
    assert etree.fromstring(b"<b/>", etree.XMLParser()).tag == "b", look
    assert held["_ParserDictionaryContext"] is not before, look
    assert etree._Element.__name__ == "_Element", look  # noqa: SLF001 - the type of an element has no other name


def test_the_files_that_the_messages_name_exist() -> None:
    named = set(re.findall(r"shim/[a-z_/]+\.py", Path(__file__).read_text(encoding="utf-8")))
    assert len(named) > 5
    assert not [name for name in named if not (_ROOT / name).exists()]
