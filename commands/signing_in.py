"""Who acts on the command line where an issuer vouches for people: whoever CASEWRIGHT_TOKEN stands for.

The token is for the orchestrator. It is verified here and goes no further: what reaches a server is
made by exchange. With local identities nobody signs in; see `commands.shell`.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from casewright.config import process_environment
from casewright.contracts.principal import Principal
from casewright.errors import InputError
from casewright.services import Services

ResultT = TypeVar("ResultT")


def signed_in(services: Services, named: str | None) -> Principal:
    """The person whose token is in the environment.

    Raises:
        InputError: no token is given, or somebody is named with `--as`.
        UnauthenticatedError: the token is not valid for the orchestrator.
    """
    if named is not None:
        raise InputError(f"--as {named!r} is for local identities, and CASEWRIGHT_IDENTITY=oidc; leave it out")
    return at_once(services.person_exchange.sign_in(own_token()))


def own_token() -> str:
    """The token that the person presents.

    Raises:
        InputError: there is none.
    """
    token = process_environment().get("CASEWRIGHT_TOKEN", "")
    if not token:
        raise InputError("CASEWRIGHT_IDENTITY=oidc: put your token of the issuer into CASEWRIGHT_TOKEN")
    return token


def at_once(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run async work from wherever a command happens to be, also inside its own event loop."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
