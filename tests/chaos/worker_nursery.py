"""Forks workers out of a process that has loaded everything, so that hundreds can be started and killed.

Started by the chaos tests. Each line on stdin is a data folder; the answer is the worker's process id. What is
loaded is only imported: no connection, no thread and no policy engine is inherited.
"""

import importlib
import os
import signal
import sys

LOADED = (
    "commands.main",
    "commands.worker",
    "graphs.worker",
    "graphs.answering",
    "graphs.runner",
    "servers.build",
    "servers.case_facts.tools",
    "servers.drafting.tools",
    "servers.policy_search.tools",
    "casewright.access.embedded",
    "casewright.approvals.timers",
    "casewright.audit.log",
    "casewright.cases.store",
    "casewright.corpus.corpus",
    "casewright.drafts.store",
    "casewright.effects.outbox",
    "casewright.models.gateway",
    "casewright.questions.store",
)


def main() -> None:
    for name in LOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that are killed
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(line.strip())
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def work(home: str) -> None:
    """Be a worker, as the command line starts it."""
    from commands.main import run

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ["CASEWRIGHT_HOME"] = home
    log = os.open(f"{home}/worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os._exit(run(["worker", "--concurrency", "4"]))


if __name__ == "__main__":
    main()
