"""The review graph: state, router, nodes, budgets, checkpoints and the runner around them.

Two settings of the graph library are environment variables that it reads when it is imported, so
they are set here, before any module of this package imports it: strict deserialization, because
a tampered checkpoint row could otherwise run code, and no tracing to a remote service, because a
variable left over in somebody's shell must not send case data away.
"""

import os

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
for _name in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"):
    os.environ[_name] = "false"
