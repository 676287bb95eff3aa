"""A typed client of the HTTP API: what can be asked (`operations`), asked now (`Client`) or awaited (`AsyncClient`).

    from casewright.client import Client, operations

    with Client("http://127.0.0.1:8760", token) as client:
        run = client.send(operations.start_review("HL-2026-0001"))
        for event in client.follow(run.run_id):
            print(event.kind, event.body)

It knows nothing of servers, graphs or stores: it works from any machine that reaches the API.
"""

from casewright.client import operations
from casewright.client.client import AsyncClient, Client
from casewright.client.errors import ApiError

__all__ = ["ApiError", "AsyncClient", "Client", "operations"]
