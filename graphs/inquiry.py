"""What a run asks a person when it cannot go on by itself, and what each answer does to its state.

Pure. Texts and options are fixed words with names of topics and steps; nothing that a model wrote is shown as a
question, and an answer is one of the options. Written, waited for and heeded in three nodes (`graphs.review`).
"""

from casewright.contracts.question import Option, RunQuestion
from casewright.errors import IncompleteError
from graphs.progress import loop_shown, repeating
from graphs.state import ReviewState, ReviewUpdate

MAX_INQUIRIES = 4
"""Questions that one run may ask a person."""
CONTINUE = "continue"
STOP = "stop"
AS_RECORDED = "as_recorded"


def question(state: ReviewState) -> RunQuestion:
    """The question of the run's present doubt, always under the same id until it is answered.

    Raises:
        IncompleteError: there is nothing to ask.
    """
    match state.get("doubt", ""):
        case "loop":
            return _loop(state)
        case "clarification":
            return _clarification(state)
        case _:
            raise IncompleteError(f"run {state['run_id']!r} has nothing to ask; it goes on by itself")


def heeded(state: ReviewState, answered: RunQuestion) -> ReviewUpdate:
    """What the person's answer changes; one that is still open changes nothing and is waited for again."""
    if answered.state == "open":
        return {}
    settled: ReviewUpdate = {"doubt": "", "asked": state.get("asked", 0) + 1}
    if answered.state == "withdrawn":
        return {**settled, "stop": f"the question {answered.question_id!r} was withdrawn"}
    match answered.kind, answered.answer:
        case "loop", "continue":
            return {**settled, "fruitless": {}}
        case "loop", _:
            name, times = repeating(state)
            stopped = f"{answered.answered_by} stopped it: {name} had found nothing new {times} times in a row"
            return {**settled, "stop": stopped}
        case _, "as_recorded":
            return {**settled, "clarified": AS_RECORDED}
        case _, topic:
            return {**settled, "clarified": topic, "classified": False}


def _loop(state: ReviewState) -> RunQuestion:
    name, times = repeating(state)
    text = f"The review goes in circles: {name} was given the same {times} times more and nothing new was found. Go on?"
    options = (
        Option(value=CONTINUE, text="Continue once: read everything again, and ask again if nothing new is found."),
        Option(value=STOP, text="Stop: end the run as incomplete."),
    )
    return _asked(state, text, options, {"delegate": name, "repeated": times, "loop": loop_shown(state)})


def _clarification(state: ReviewState) -> RunQuestion:
    text = f"Intake cannot tell what case {state['case_id']} is about. What does it concern?"
    topics = [Option(value=topic, text=topic.replace("_", " ").capitalize()) for topic in state.get("candidates", [])]
    recorded = Option(value=AS_RECORDED, text="None of these: review it as it was recorded.")
    return _asked(state, text, (*topics, recorded), {"case_type": state.get("case_type", "")})


def _asked(
    state: ReviewState, text: str, options: tuple[Option, ...], detail: dict[str, str | int | list[str]]
) -> RunQuestion:
    kind = "loop" if state.get("doubt") == "loop" else "clarification"
    return RunQuestion(
        question_id=f"{state['run_id']}-q{state.get('asked', 0) + 1}",
        tenant=state["tenant"],
        run_id=state["run_id"],
        case_id=state["case_id"],
        kind=kind,
        text=text,
        options=options,
        detail=detail,
        state="open",
        created_ns=0,
        answer="",
        answered_by="",
        answered_ns=0,
    )
