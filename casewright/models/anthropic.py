"""The Anthropic provider: one Messages call through the official SDK, its outcome as a value.

The SDK's own retries are off; the gateway retries. The reply is held to the task's JSON schema by structured output,
or by a forced tool where the endpoint does not know structured output. A request with a listener is streamed: its
listener hears the text as it comes, and the reply is what the stream added up to.
"""

import asyncio
import importlib
import logging
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from casewright.models.anthropic_reply import read_message, schema_unknown, status_failure, usage_of
from casewright.models.anthropic_request import By, prefix, turns
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, TextListener, Usage
from casewright.models.region import THIS_MACHINE, region_of

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.lib.streaming import AsyncMessageStream, ParsedMessageStreamEvent

_log = logging.getLogger("casewright.models")
_COUNT_SECONDS = 10.0
"""For counting tokens; the estimate without it is good enough to wait no longer."""
_NO_PROXY = dict.fromkeys(("http://", "https://", "all://"))
"""What is for this machine does not go through the environment's proxy, which may be anywhere."""


class AnthropicProvider:
    """Claude behind an API key."""

    def __init__(self, *, api_key: str, model: str, base_url: str = "", region: str = "") -> None:
        """`base_url` empty: the service's own address. `region` empty: what the address tells of itself."""
        self._region = region or region_of(base_url)
        self._api_key = api_key
        self._model = model
        self._base_url = base_url
        self._made: AsyncAnthropic | None = None
        self._by: By = "schema"

    @property
    def name(self) -> str:
        return "anthropic"

    @property
    def model(self) -> str:
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            structured_output=True,
            leaves_process=True,
            streaming=True,
            tools=True,
            prompt_caching=True,
            token_counting=True,
            region=self._region,
        )

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        outcome = await self._call(request)
        if isinstance(outcome, _SchemaUnknown):
            self._by = "tool"
            outcome = await self._call(request)
            if isinstance(outcome, _SchemaUnknown):
                return NoReply(reason="HTTP 400: structured output is not supported", retryable=False, calls=2)
            return replace(outcome, calls=outcome.calls + 1)
        return outcome

    async def count(self, request: ModelRequest) -> int | None:
        """Input tokens of the request as the service counts them; None: it could not tell in time."""
        client = await self._client()
        import anthropic

        known = prefix(request, model=self._model, by=self._by)
        timeout = min(request.timeout_seconds, _COUNT_SECONDS)
        try:
            async with asyncio.timeout(timeout):
                counted = await client.messages.count_tokens(messages=turns(request), timeout=timeout, **known)
        except (anthropic.AnthropicError, TimeoutError, ValueError):
            return None
        found: object = getattr(counted, "input_tokens", None)
        return found if isinstance(found, int) and found >= 0 else None

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.close()
            self._made = None

    async def _call(self, request: ModelRequest) -> "ModelReply | NoReply | _SchemaUnknown":
        client = await self._client()
        import anthropic

        asked: dict[str, Any] = {
            **prefix(request, model=self._model, by=self._by),
            "messages": turns(request),
            "max_tokens": request.max_output_tokens,
            "timeout": request.timeout_seconds,
        }
        try:
            if request.listener is not None:
                return await _streamed(client, asked, request.listener)
            return read_message(cast(object, await client.messages.create(**asked)))
        except anthropic.APIStatusError as error:
            if self._by == "schema" and schema_unknown(error):
                return _SchemaUnknown()
            return status_failure(error)
        except anthropic.APITimeoutError:
            return NoReply(reason=f"no reply within {request.timeout_seconds:.1f} s", retryable=True)
        except anthropic.APIConnectionError:
            return NoReply(reason="the service cannot be reached", retryable=True)
        except (anthropic.AnthropicError, ValueError) as error:
            return NoReply(reason=f"the reply cannot be read: {type(error).__name__}", retryable=False)

    async def _client(self) -> "AsyncAnthropic":
        if (made := self._made) is not None:
            return made
        # The import takes most of a second, so it is done off the event loop; meanwhile another call may have done it.
        anthropic = await asyncio.to_thread(importlib.import_module, "anthropic")
        if (made := self._made) is None:
            made = self._made = anthropic.AsyncAnthropic(
                api_key=self._api_key,
                base_url=self._base_url or None,
                max_retries=0,
                open_telemetry=False,
                http_client=anthropic.DefaultAsyncHttpxClient(
                    follow_redirects=False,  # to where nobody decided that anything may go
                    mounts=_NO_PROXY if region_of(self._base_url) == THIS_MACHINE else {},
                ),
            )
        return made


class _SchemaUnknown:
    """The endpoint does not know structured output."""


async def _streamed(client: "AsyncAnthropic", asked: dict[str, Any], listener: TextListener) -> ModelReply | NoReply:
    """A reply whose text was heard while it came.

    Raises:
        anthropic.AnthropicError: there is none, as for a reply that comes in one piece.
    """
    async with client.messages.stream(**asked) as stream:
        request_id = stream.request_id or ""
        if not stream.response.headers.get("content-type", "").startswith("text/event-stream"):
            return NoReply(reason="the reply is malformed", retryable=False, request_id=request_id)
        await listener.begin()
        stopped = False
        async for event in _events(stream):
            stopped = stopped or event.type == "message_stop"
            if heard := _heard(event):
                await listener.hear(heard)
        if not stopped:
            return NoReply(reason="the stream broke off", retryable=True, request_id=request_id, usage=_counted(stream))
        return read_message(stream.current_message_snapshot, request_id)


async def _events(stream: "AsyncMessageStream[None]") -> "AsyncGenerator[ParsedMessageStreamEvent[None]]":
    """The events until the stream ends or breaks off, whatever it is that breaks: only the service's own word is
    passed on.
    """
    import anthropic

    try:
        async for event in stream:
            yield event
    except anthropic.APIError:
        raise
    except Exception as error:  # noqa: BLE001 -- boundary: of the HTTP library, or of the SDK with events that are none
        # The kind alone: a text may repeat what was sent. That the stream did not end is seen by who reads it.
        _log.warning("a stream broke off: %s", type(error).__name__)
        return


def _heard(event: "ParsedMessageStreamEvent[None]") -> str:
    """The text that an event adds to the answer, also where the answer is the input of the tool."""
    if event.type != "content_block_delta":
        return ""
    if event.delta.type == "text_delta":
        return event.delta.text
    return event.delta.partial_json if event.delta.type == "input_json_delta" else ""


def _counted(stream: "AsyncMessageStream[None]") -> Usage:
    """What the service had counted when the stream broke off; it is paid for."""
    try:
        return usage_of(stream.current_message_snapshot)
    except (AssertionError, AttributeError):
        return Usage()
