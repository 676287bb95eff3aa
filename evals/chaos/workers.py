"""A real worker over a data folder, which may be killed, ended and started again. Every wait is bounded."""

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from casewright.config import app_root
from evals.chaos.child import environment

PATIENCE_SECONDS = 120


@dataclass
class WorkerProcess:
    """One `casewright worker`, which may be killed and started again."""

    home: Path
    concurrency: int = 4
    kills: int = 0
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> "subprocess.Popen[str]":
        line = [sys.executable, "-m", "casewright.launch", "worker", "--concurrency", str(self.concurrency)]
        log = (self.home / "worker.log").open("a", encoding="utf-8")
        with log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                line, cwd=app_root(), env=environment(self.home), stderr=log, text=True
            )
        return self.process

    def kill(self) -> None:
        """Send SIGKILL; nothing of it can clean up."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_SECONDS)
            self.kills += 1
            self.process = None

    def end(self) -> int:
        """SIGTERM; its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_SECONDS)
        self.process = None
        return code
