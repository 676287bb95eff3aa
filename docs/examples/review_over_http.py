"""A review over HTTP, from the claim to the recorded effect, with the typed client.

A claim comes in that does not say what happened. rosa begins its review over HTTP and follows its events. The run asks
her what the case is about, and she answers; then evidence is missing, and it is added. The run proposes an action,
which selma approves: exactly what she is shown, by its digest. At the end the run is explained from its records.

    python docs/examples/review_over_http.py                       # a data folder and an API of its own
    python docs/examples/review_over_http.py --url URL --home HOME  # an API that runs already, over this data folder
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from importlib.resources import files
from pathlib import Path
from typing import Any

from casewright.client import ApiError, Client, operations
from casewright.client.errors import ApiDeniedError
from casewright.client.models import Approval, Run

LIKE = "HL-2026-0001"
"""The sample case that the claim is made like."""
CASE = "EX-2026-0001"
KNOWN_LATER = ("parties", "accounts", "transactions", "notices", "communications", "evidence", "timeline", "notes")
START_SECONDS, STEP_SECONDS = 60, 120
CASEWRIGHT = [sys.executable, "-m", "casewright.launch"]


class Installation:
    """A data folder, as its command line reaches it."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str) -> dict[str, Any]:
        """One command; its JSON document."""
        command = [*CASEWRIGHT, *arguments, "--home", str(self.home), "--json"]
        done = subprocess.run(  # noqa: S603 -- our own command, no shell
            command, capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
        if done.returncode != 0:
            sys.exit(f"casewright {arguments[0]} failed: {done.stderr}")
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def token(self, name: str) -> str:
        """A token for the API, as a local identity; with an issuer it would be the issuer's."""
        return str(self.run("token", "orchestrator", "--as", name)["token"])

    def import_case(self, **changes: Any) -> None:
        """The case as the bank's own system knows it now."""
        sample = json.loads((files("casewright.sample") / "harborline" / "cases.json").read_text(encoding="utf-8"))
        case = next(found for found in sample if found["case_id"] == LIKE) | {"case_id": CASE} | changes
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "case.json"
            file.write_text(json.dumps([case]), encoding="utf-8")
            self.run("cases", "import", str(file), "--as", "selma")

    @contextlib.contextmanager
    def api(self) -> Generator[str]:
        """`casewright api` with its worker, on a free port, for the length of the block; its address."""
        command = [*CASEWRIGHT, "api", "--port", "0", "--home", str(self.home)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 -- our own command, no shell
        with process:
            try:
                yield _address(process)
            finally:
                process.terminate()
                try:
                    process.communicate(timeout=START_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def _address(process: "subprocess.Popen[str]") -> str:
    """The address that it says it listens on, in its first line."""
    assert process.stderr is not None
    said = process.stderr.readline()
    address, found, _ = said.partition("/v1 ")
    if not found:
        process.kill()
        sys.exit(f"the API did not start: {said}{process.stderr.read()}")
    return address.strip()


def say(text: str) -> None:
    """One line for people."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def wait_until_ready(client: Client) -> None:
    """Until the API and a worker are there."""
    end = time.monotonic() + START_SECONDS
    while not client.send(operations.get_readiness()).ready:
        if time.monotonic() > end:
            sys.exit("the API is not ready; `casewright doctor` says why")
        time.sleep(0.2)


def follow(client: Client, run: Run, after: int) -> tuple[Run, int]:
    """Read the run's events until it waits for somebody or has ended; how it stands, and the last event."""
    seen, end = after, time.monotonic() + STEP_SECONDS
    for event in client.follow(run.run_id, after=after):
        seen = event.seq
        told = event.body.get("node") or event.body.get("status") or ""
        say(f"  {event.seq:3} {event.kind} {told}")
        if event.kind == "status" and str(told).startswith("waiting"):
            break
        if time.monotonic() > end:
            sys.exit(f"run {run.run_id} takes longer than {STEP_SECONDS} s; is there a worker?")
    return client.send(operations.get_run(run.run_id)), seen


def answer(client: Client, run: Run) -> None:
    """Answer what the run asks; the tag says that it is what was read."""
    question = next(
        item for item in client.send(operations.list_run_questions(run.run_id)).items if item.state == "open"
    )
    read = client.answered(operations.get_run_question(run.run_id, question.question_id))
    say(f"it asks: {read.value.text}")
    for option in read.value.options:
        say(f"    {option.value}: {option.text}")
    chosen = read.value.options[0].value
    client.send(operations.answer_run_question(run.run_id, question.question_id, chosen).if_match(read.etag))
    say(f"rosa answers: {chosen}")


def approve(requester: Client, approver: Client, run: Run) -> Approval:
    """The requester is refused; another person approves exactly what they are shown."""
    approval = next(
        item for item in approver.pages(operations.list_approvals(state="pending")) if item.run_id == run.run_id
    )
    say(f"exactly this waits for {' or '.join(approval.roles)}: {json.dumps(approval.call.arguments)}")
    vote = operations.vote_on_approval(approval.approval_id, approve=True, digest=approval.digest, note="checked")
    try:
        requester.send(vote.keyed())
    except ApiDeniedError as refused:
        say(f"rosa asked for it, so she cannot approve it: request {refused.request_id} was refused")
    else:
        sys.exit("the requester could approve her own request")
    voted = approver.send(vote)
    say(f"selma approves: {voted.state}")
    return voted


def play(url: str, installation: Installation) -> Run:
    """The whole story; the run as it ended."""
    installation.import_case(**{part: [] for part in KNOWN_LATER})
    with Client(url, installation.token("rosa")) as rosa, Client(url, installation.token("selma")) as selma:
        wait_until_ready(rosa)
        run = rosa.send(operations.start_review(CASE))
        say(f"run {run.run_id} of case {CASE}:")
        seen = 0
        while True:
            run, seen = follow(rosa, run, seen)
            say(f"{run.status}: {run.report.because if run.report else ''}")
            match run.status:
                case "waiting_answer":
                    answer(rosa, run)
                case "waiting_information":
                    installation.import_case()
                    say("the bank's system adds what was missing")
                case "waiting_approval":
                    approve(rosa, selma, run)
                case _:
                    break
        explain(rosa, run)
    return run


def explain(client: Client, run: Run) -> None:
    """What the records say of the run; each statement names its events."""
    explanation = client.send(operations.explain_run(run.run_id))
    for title, statements in (("why", explanation.why), ("permission", explanation.permission)):
        say(title)
        for statement in statements:
            say(f"  {statement.text} [{len(statement.events)} event(s), first {statement.events[0]}]")
    say("course")
    for statement in explanation.course:
        say(f"  {statement.text}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="A review over HTTP, from the claim to the recorded effect.")
    parser.add_argument("--url", help="an API that runs already; give its data folder with --home")
    parser.add_argument("--home", type=Path, help="the data folder; without it one is made, and removed afterwards")
    options = parser.parse_args()
    if options.url and not options.home:
        parser.error("--url needs --home: tokens of local identities are made over the data folder")
    with contextlib.ExitStack() as stack:
        home = (
            options.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="casewright-http-"))) / "home"
        )
        installation = Installation(home)
        installation.run("init")
        url = options.url or stack.enter_context(installation.api())
        try:
            run = play(url, installation)
        except ApiError as error:
            sys.exit(f"the API said: {error}")
    if run.status != "completed" or run.report is None or run.report.receipt is None:
        sys.exit(f"the run ended {run.status}")
    say(f"recorded once: effect {run.report.receipt['effect_id']}")


if __name__ == "__main__":
    main()
