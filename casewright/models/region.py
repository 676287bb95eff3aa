"""In which region an address works on what is sent to it, as the egress policy names regions; a guess is none."""

import ipaddress
from urllib.parse import urlsplit

OWN_ADDRESS = "global"
"""Of a service's own address: it says nothing more exact of itself."""
THIS_MACHINE = "local"


def region_of(base_url: str) -> str:
    """The region of an address: empty for one that is neither the service's own (no address) nor this machine's.

    An address that the installation chose may be anywhere, so it has to say where: what has no region gets nothing.
    """
    if not base_url:
        return OWN_ADDRESS
    try:
        host = urlsplit(base_url).hostname or ""
        return THIS_MACHINE if host == "localhost" or ipaddress.ip_address(host).is_loopback else ""
    except ValueError:
        return ""
