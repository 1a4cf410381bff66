"""Run in a network and with a hosts file of its own: the old host, and a client that calls it. Tells of it in JSON."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from shim.sandbox import Sandbox
from tests.clients.calls import GET_SCORES
from tests.clients.programs import CSHARP, mono, svcutil
from tests.deploy.front import front, trusting
from tests.operating.served import served

HOST: Final = "datamanager.ets.org"


def main(folder: Path) -> None:
    """Play both sides."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {HOST}\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    settings = {
        "gateway": {"trusted_proxies": ["127.0.0.0/8"], "public_url": f"https://{HOST}"},
        "callers": [{"name": "registrar-import", "networks": ["127.0.0.0/8"]}],
    }
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        gateway = stack.enter_context(served(sandbox.url, folder / "gateway", settings))
        old = stack.enter_context(front(folder / "nginx", [gateway.port] * 2, name=HOST, port=443))
        os.environ |= trusting(old.authority, folder / "home")
        client = folder / "client"
        client.mkdir()
        # The client was generated when the old service was there, and its settings name the old address.
        generated = svcutil(f"https://{HOST}/TOEFLWebService/TOEFLEdm.wsdl", client)
        text = (CSHARP / "App.config").read_text(encoding="utf-8")
        text = text.replace("http://127.0.0.1:8080", f"https://{HOST}")
        text = text.replace(
            'name="TOEFLEdmSoap" />\n        </basic',
            'name="TOEFLEdmSoap"><security mode="Transport" /></binding>\n        </basic',
        )
        (client / "program.exe.config").write_text(text, encoding="utf-8")
        start = mono(client, [generated], "Guide", "MessageContract", "Wcf", GATEWAY=f"https://{HOST}")
        with start("guide") as call:
            outcome = call(*GET_SCORES)
        wsdl = generated.read_text(encoding="utf-8")
    told = {"kind": outcome.kind, "text": outcome.text, "requests": len(sandbox.requests), "generated": len(wsdl)}
    (folder / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
