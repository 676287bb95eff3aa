"""What a running server tells a Prometheus scraper: which policies are in force, and what reloads did.

Served by `casewright serve --metrics-port`, on the loopback address and a port of its own, and only
when asked for. It holds no names of people, cases or tenants. It reads the parts when it is
scraped, so that no call pays for it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from casewright.errors import InputError
from casewright.services import Services

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

ADDRESS = "127.0.0.1"


class PolicyCollector:
    """The policy engine of this process as metrics; see the names in `collect`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Any]:
        """Called for every scrape, in the scraper's thread."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        engine = self._services.engine
        info = {"engine": engine.name, "revision": engine.revision}
        yield InfoMetricFamily("casewright_policy", "The policy engine and the revision in force.", value=info)
        reloads = CounterMetricFamily(
            "casewright_policy_reloads", "Changed policies put in force, or refused.", labels=["outcome"]
        )
        reloads.add_metric(["loaded"], engine.reloads.loaded)
        reloads.add_metric(["refused"], engine.reloads.refused)
        yield reloads
        refused = GaugeMetricFamily(
            "casewright_policy_last_reload_refused", "1 while the policy folder is not what is in force, else 0."
        )
        refused.add_metric([], 0 if engine.last_error is None else 1)
        yield refused


def registry(services: Services) -> "CollectorRegistry":
    """The metrics of one process, and those of Python itself."""
    from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

    found = CollectorRegistry()
    for collector in (GCCollector, PlatformCollector, ProcessCollector):
        collector(registry=found)
    found.register(PolicyCollector(services))
    return found


def serve_metrics(services: Services, port: int) -> int:
    """Answer scrapers on this machine in a thread of its own; the port, chosen by the system for 0.

    Raises:
        InputError: the port is taken or not allowed.
    """
    from prometheus_client import start_http_server

    _ = services.engine  # a policy folder that cannot be used stops the start
    try:
        server, _thread = start_http_server(port, addr=ADDRESS, registry=registry(services))
    except (OSError, OverflowError) as error:
        raise InputError(f"--metrics-port {port} cannot be listened on: {error}; name another one") from error
    return int(server.server_port)
