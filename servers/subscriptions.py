"""Tells clients that a resource changed: `resources/subscribe` in the handshake era, `subscriptions/listen` since.

A subscription is a guarded read of the whole resource, made and decided when it begins and anew, for the token as it is
then, before every single notification; whoever may no longer read hears no more. A notification says that something
changed and nothing of what. Lists never change within a token, so no list is watched. `servers.guarded` calls this.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp_types import (
    ResourceUpdatedNotification,
    ResourceUpdatedNotificationParams,
    SubscriptionFilter,
    SubscriptionsAcknowledgedNotification,
    SubscriptionsAcknowledgedNotificationParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
)

from casewright.contracts.principal import Caller
from casewright.errors import CasewrightError, ConflictError, DeniedError, InputError, UnauthenticatedError
from servers.callers import TokenSource
from servers.entries import Address, Entries
from servers.guard import Guard

LOOK_SECONDS = 0.5
MOST_WATCHED = 32
"""Resources of one connection or stream."""
MOST_OF_A_PERSON = 32
"""Connections and streams of one person, so that nobody takes the places of others."""
MOST_WATCHERS = 256
"""Connections and streams of one server in one process."""
_log = logging.getLogger("casewright.servers")


_Person = tuple[str, str]
"""Tenant and id."""


@dataclass(kw_only=True)
class _Watched:
    """One resource of one subscriber."""

    uri: str
    address: Address
    arguments: Mapping[str, Any]
    caller: Caller
    stamp: str


@dataclass(kw_only=True)
class _Listener:
    """What one connection of the handshake era watches."""

    person: _Person
    watched: dict[str, _Watched]
    task: asyncio.Task[None]


class Subscriptions:
    """The subscribers of one server; each lives as long as its connection or stream, and no longer than its token."""

    def __init__(self, entries: Entries, guard: Guard, tokens: TokenSource) -> None:
        self._entries = entries
        self._guard = guard
        self._tokens = tokens
        self._connections: dict[int, _Listener] = {}
        self._places = Counter[_Person]()

    async def listen(
        self, ctx: ServerRequestContext[Any, Any], caller: Caller, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one stream until its client goes away or nothing is left that may be watched.

        What is not there, not for this caller, or not to be subscribed to is left out of the acknowledgement.

        Raises:
            DeniedError: resources were asked for, and none can be watched.
            ConflictError: too much is watched already.
        """
        asked = list(dict.fromkeys(params.notifications.resource_subscriptions or ()))
        _refuse_too_many(asked)
        self._refuse_without_place(caller)
        found = [each for uri in asked if (each := await self._watchable(caller, uri)) is not None]
        watched = {each.uri: each for each in found}
        if asked and not watched:
            raise DeniedError("none of these resources can be watched by this caller", code="not_watchable")
        meta: dict[str, Any] = {SUBSCRIPTION_ID_META_KEY: ctx.request_id}
        honoured = SubscriptionFilter(resource_subscriptions=[*watched] or None)
        acknowledged = SubscriptionsAcknowledgedNotificationParams(notifications=honoured, _meta=meta)
        person = self._take_place(caller)
        try:
            await ctx.session.send_notification(
                SubscriptionsAcknowledgedNotification(params=acknowledged), related_request_id=ctx.request_id
            )
            while watched or (not asked and self._is_current(caller)):
                for uri in await self._look(ctx, watched):
                    updated = ResourceUpdatedNotificationParams(uri=uri, _meta=meta)
                    await ctx.session.send_notification(
                        ResourceUpdatedNotification(params=updated), related_request_id=ctx.request_id
                    )
        finally:
            self._give_back(person)
        return SubscriptionsListenResult(_meta=meta)

    async def subscribe(self, ctx: ServerRequestContext[Any, Any], caller: Caller, uri: str) -> None:
        """Watch a resource for a connection of the handshake era.

        Raises:
            DeniedError: it is not there, or not for this caller.
            InputError: it cannot be subscribed to, or this connection ends with each request.
            ConflictError: too much is watched already.
        """
        connection = _connection(ctx)
        if not (connection.has_standalone_channel and ctx.session.can_send_request):
            raise InputError("no connection is kept here on which to tell of changes; read the resource again")
        known = self._connections.get(id(connection))
        _refuse_too_many([*(known.watched if known else ()), uri])
        if known is None:
            self._refuse_without_place(caller)
        each = await self._watch(caller, uri)
        known = self._connections.get(id(connection))  # as it is now: others were subscribed to meanwhile
        _refuse_too_many([*(known.watched if known else ()), uri])
        if known is None:
            known = self._begun(ctx, connection, caller)
        known.watched[uri] = each

    def unsubscribe(self, ctx: ServerRequestContext[Any, Any], uri: str) -> None:
        """Watch it no more; what was never watched is none the less not watched."""
        connection = _connection(ctx)
        if (known := self._connections.get(id(connection))) is not None:
            known.watched.pop(uri, None)

    def _begun(self, ctx: ServerRequestContext[Any, Any], connection: Connection, caller: Caller) -> _Listener:
        person, watched = self._take_place(caller), dict[str, _Watched]()
        listener = _Listener(person=person, watched=watched, task=asyncio.create_task(self._tell(ctx, watched)))
        self._connections[id(connection)] = listener
        connection.exit_stack.push_async_callback(self._end, id(connection))
        return listener

    def _take_place(self, caller: Caller) -> _Person:
        self._refuse_without_place(caller)
        person = _person(caller)
        self._places[person] += 1
        return person

    def _give_back(self, person: _Person) -> None:
        self._places[person] -= 1
        self._places += Counter()  # forget who has none

    def _refuse_without_place(self, caller: Caller) -> None:
        if self._places[_person(caller)] >= MOST_OF_A_PERSON:
            raise ConflictError(f"too many of your clients listen to this server; {MOST_OF_A_PERSON} may, end one")
        if self._places.total() >= MOST_WATCHERS:
            raise ConflictError("too many clients listen to this server; read the resource again instead")

    def _is_current(self, caller: Caller) -> bool:
        try:
            self._guard.require_current(caller)
        except UnauthenticatedError:
            return False
        return True

    async def _watchable(self, caller: Caller, uri: str) -> _Watched | None:
        try:
            return await self._watch(caller, uri)
        except (DeniedError, InputError) as error:
            _log.info("not watched: %s", error)
            return None

    async def _watch(self, caller: Caller, uri: str) -> _Watched:
        address = await self._entries.found(caller, uri)
        call, _ = await self._entries.read_at(caller, address)
        if address.spec.stamp is None:
            raise InputError("this resource cannot be subscribed to; read it when you need it")
        arguments = call.action.arguments
        stamp = await address.spec.stamp(caller, arguments)
        return _Watched(uri=uri, address=address, arguments=arguments, caller=caller, stamp=stamp)

    async def _tell(self, ctx: ServerRequestContext[Any, Any], watched: dict[str, _Watched]) -> None:
        """Until the connection is closed, which cancels this."""
        while True:
            for uri in await self._look(ctx, watched):
                await ctx.session.send_resource_updated(uri)

    async def _end(self, connection: int) -> None:
        known = self._connections.pop(connection, None)
        if known is not None:
            self._give_back(known.person)
            known.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await known.task

    async def _look(self, ctx: ServerRequestContext[Any, Any], watched: dict[str, _Watched]) -> list[str]:
        """Wait a moment; then what changed and may still be read. What may not be any more is watched no more."""
        await anyio.sleep(LOOK_SECONDS)
        changed: list[str] = []
        for uri, each in [*watched.items()]:
            try:
                if await self._is_changed(ctx, each):
                    changed.append(uri)
            except (DeniedError, InputError):  # absent things are input errors, too
                watched.pop(uri, None)
            except CasewrightError:  # the database is busy or away: looked at again
                _log.warning("whether %r changed could not be seen", each.address.spec.uri, exc_info=True)
        return [uri for uri in changed if uri in watched]

    async def _is_changed(self, ctx: ServerRequestContext[Any, Any], each: _Watched) -> bool:
        """Whether to tell of it: it changed, and it was read anew, by new decisions, with success.

        Raises:
            DeniedError, InputError: the token has ended, or the resource may be read no more.
        """
        stamp = await each.address.spec.stamp(each.caller, each.arguments) if each.address.spec.stamp else each.stamp
        if stamp == each.stamp:
            self._guard.require_current(each.caller)
            return False
        caller = await self._guard.caller(self._tokens, ctx)
        await self._entries.read_at(caller, each.address)
        each.stamp = stamp
        return True


def _refuse_too_many(uris: Iterable[str]) -> None:
    if len(set(uris)) > MOST_WATCHED:
        raise InputError(f"at most {MOST_WATCHED} resources are watched at once; leave some out")


def _person(caller: Caller) -> _Person:
    return caller.principal.tenant, caller.principal.id


def _connection(ctx: ServerRequestContext[Any, Any]) -> Connection:
    """What the SDK tells of a connection's end; it shows it to handlers in no other way."""
    return ctx.session._connection  # pyright: ignore[reportPrivateUsage]
