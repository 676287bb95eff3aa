"""An OPA server with the policies in force, for the length of a measurement.

As in `deploy/opa`, without its token and TLS: it listens on this machine only.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from casewright.access.binaries import Binary
from commands.bench_process import HOST, free_port, listening

KEYID = "casewright"
SCOPE = "casewright-policies"


@asynccontextmanager
async def opa_beside(binary: Binary, policies: Path, folder: Path) -> AsyncGenerator[Mapping[str, str]]:
    """A running server; gives the environment with which a process of ours asks it.

    Raises:
        CasewrightError: it does not start.
        PolicyError: the policies cannot be read.
    """
    from casewright.access.bundle import read_bundle
    from casewright.access.signed_bundle import new_key, signed_bundle

    key = new_key(folder / "bundle-key.pem", keyid=KEYID)
    public, archive, port = folder / "bundle-key.pub", folder / "policies.tar.gz", free_port()
    public.write_text(key.public_pem)
    archive.write_bytes(signed_bundle(read_bundle(policies), key))
    command = [str(binary.path), "run", "--server", "--skip-version-check", "--log-level", "error"]
    command += ["--addr", f"{HOST}:{port}", "--set-file", f"keys.{KEYID}.key={public}"]
    for setting in (
        f"bundles.casewright.resource=file://{archive}",
        f"bundles.casewright.signing.keyid={KEYID}",
        f"bundles.casewright.signing.scope={SCOPE}",
        f"keys.{KEYID}.algorithm={key.algorithm}",
        f"keys.{KEYID}.scope={SCOPE}",
    ):
        command += ["--set", setting]
    async with listening(port, *command):
        yield {
            "CASEWRIGHT_ENGINE": "opa",
            "CASEWRIGHT_OPA_URL": f"http://{HOST}:{port}",
            "CASEWRIGHT_OPA_BUDGET_MS": "1500",  # the machine may be busy; what it takes is what is measured
        }
