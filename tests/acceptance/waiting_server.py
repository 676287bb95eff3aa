"""A guarded server whose tool waits until a test lets it go: `python -m tests.acceptance.waiting_server PORT FOLDER`.

It serves like `casewright serve`; the folder tells the test that a call has begun, and the server when it may end.
"""

import sys
from pathlib import Path
from typing import Annotated

import anyio
from pydantic import Field

from casewright.config import Settings, app_root, process_environment
from casewright.contracts.base import Contract
from casewright.services import Services
from commands.serving_app import Wire, build_app
from servers.build import ServerFactory
from servers.spec import MetByTool, ToolSpec
from servers.wire_server import listening, wire_server

HOST = "127.0.0.1"
STEP_SECONDS, MOST_STEPS = 0.05, 400


class Waited(Contract):
    evidence_id: str


def main(port: int, folder: Path) -> None:
    """Serve until told to stop."""

    async def get_evidence(evidence_id: Annotated[str, Field(min_length=1, max_length=100)]) -> Waited:
        """Wait until the test lets it go."""
        (folder / "begun").touch()
        for _ in range(MOST_STEPS):
            if (folder / "go-on").exists():
                return Waited(evidence_id=evidence_id)
            await anyio.sleep(STEP_SECONDS)
        raise RuntimeError("nobody let the call go on")

    services = Services(Settings.load(home=None, environment=process_environment(), app_root=app_root()))
    meets: frozenset[MetByTool] = frozenset({"redact"})
    spec = ToolSpec(
        fn=get_evidence, title="Wait", verb="read", risk="low", resource="case", meets=meets, reads_untrusted=True
    )
    wire, factory = Wire(), ServerFactory(services, tools={"case-facts": (spec,)})
    app = build_app(services, ("case-facts",), host=HOST, port=port, factory=factory, wire=wire)
    with listening(HOST, port) as listener:
        wire_server(app, wire.draining, wire.limits).run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
