"""The old host and a client that calls it, in their own network with their own hosts file.

Run as a program: ``python -m tests.deploy.impersonated FOLDER`` writes the outcome to ``told.json`` in the folder.
"""

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
from tests.gateway import running_gateway

HOST: Final = "datamanager.ets.org"


def main(folder: Path) -> None:
    """Run both sides, and write the outcome."""
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
        gateway = stack.enter_context(running_gateway(sandbox.url, folder / "gateway", settings))
        old = stack.enter_context(front(folder / "nginx", [gateway.port] * 2, name=HOST, port=443))
        os.environ |= trusting(old.authority, folder / "home")
        client = folder / "client"
        client.mkdir()
        # The client was generated when the old service still ran, and its settings name the old address.
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
