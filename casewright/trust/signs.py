"""Signs that a text is addressed to a model rather than to a person: each a hint, none a proof, their absence less."""

import re
from dataclasses import dataclass
from typing import Literal

Reason = Literal[
    "overrides_instructions",
    "addresses_the_assistant",
    "plays_a_role",
    "imitates_delimiters",
    "names_a_tool",
    "asks_for_secrets",
    "claims_an_approval",
    "carries_a_link",
    "hides_text",
]
_TOOLS = (
    "search_policies get_clause get_clauses compare_versions list_documents verify_quote get_case list_cases "
    "list_transactions list_communications list_evidence get_evidence get_timeline check_evidence assess_case "
    "save_draft get_draft list_drafts diff_drafts verify_draft submit_action execute_action"
)
TOOL_NAMES = frozenset(_TOOLS.split())
"""Of the servers; a customer's letter names none of them."""


@dataclass(frozen=True, kw_only=True)
class Sign:
    """One sign, looked for in a reading in small letters."""

    reason: Reason
    form: re.Pattern[str]
    in_disguise: bool = True
    """Whether it is looked for in decoded and turned readings as well."""


def _sign(reason: Reason, *forms: str, in_disguise: bool = True) -> Sign:
    return Sign(reason=reason, form=re.compile("|".join(forms), re.MULTILINE), in_disguise=in_disguise)


_WHO = r"(?:ai|a\.i\.|assistant|language model|llm|chat ?bot|claude|gpt|copilot|review(?:ing)? (?:agent|model|system))"
SIGNS: tuple[Sign, ...] = (
    _sign(
        "overrides_instructions",
        r"\b(?:ignore|disregard|forget|override|bypass|overrule|do not (?:follow|obey))\b[^.\n]{0,40}?"
        r"\b(?:previous|prior|above|earlier|preceding|all|any|your|system|these|those|the)\b[^.\n]{0,30}?"
        r"\b(?:instructions?|prompts?|guidelines?|directions?|directives?|rules|polic(?:y|ies)|checks?|safeguards?|"
        r"context)\b",
        r"\bnew (?:system )?(?:instructions?|directives?) ?(?::|follow|are|for)",
        r"\b(?:ignora|ignoriere|ignorez)\b[^.\n]{0,40}\b(?:instruc|anweisung|vorgaben)\w*",
    ),
    _sign(
        "addresses_the_assistant",
        rf"\byou are (?:now |no longer )?(?:an? |the )?(?:\w+ ){{0,2}}{_WHO}\b",
        rf"\b(?:dear|attention|hey|hello|hi|note (?:to|for)|message (?:to|for)|instructions? (?:to|for)|if you are) "
        rf"(?:the |an? |any )?(?:\w+ )?{_WHO}\b",
        rf"\b{_WHO}[,:] (?:please|you|do|approve|ignore|classify|mark|issue|call|output|answer|write|say)\b",
        r"\b(?:act|respond|behave|answer) as (?:if you (?:are|were)|an? (?:ai|admin|supervisor|system))\b",
        r"\b(?:developer|admin|god|debug|jailbreak) mode\b",
    ),
    _sign(
        "plays_a_role",
        r"^\W{0,6}(?:system|assistant|developer|human)\W{0,3}(?:message|prompt|note)?\s*:\s",
        r"<\|?/?(?:im_start|im_end|endoftext|system|assistant|user|eot_id|start_header_id)\|?>",
        r"\[/?(?:inst|sys|system|assistant)\]|<</?sys>>",
        r"^#{2,} ?(?:instructions?|system|response|assistant|task)\b",
    ),
    _sign(
        "imitates_delimiters",
        r"\[\[ ?(?:[0-9a-f]{6,}|marker|end|facts|evidence)\b",
        r"^[^\S\n]*marker ?:",
        r"</?(?:evidence|facts|instructions?|prompt|document|context|untrusted|tool_result|function_results?)>",
        r"(?<!-)-{3,} ?(?:begin|end) (?:of )?(?:system|prompt|instructions?|evidence|document|user)",
    ),
    _sign("names_a_tool", rf"\b(?:{'|'.join(sorted(TOOL_NAMES))})\b", r"\b(?:policy-search|case-facts|drafting)/\w+"),
    _sign(
        "asks_for_secrets",
        r"\b(?:system prompt|initial prompt|hidden instructions?|your (?:instructions|prompt|configuration))\b",
        r"\b(?:reveal|print|output|repeat|show|send|leak|include)\b[^.\n]{0,40}"
        r"\b(?:api[ _-]?keys?|signing keys?|access tokens?|environment variables?|credentials of the system)\b",
    ),
    _sign(
        "claims_an_approval",
        r"\b(?:approval|sign-?off|review|verification) (?:is|was|has been) (?:already )?"
        r"(?:waived|not (?:required|needed)|pre-?granted)\b",
        r"\b(?:skip|bypass|omit) (?:the |any |all )?(?:approvals?|verification|citations?|human review|gate)\b",
        r"\bpre-?approved by (?:the |a |your )?(?:supervisor|compliance|management|system|legal)\b",
    ),
    _sign(
        "carries_a_link",
        r"!\[[^\]\n]{0,80}\]\([^)\n]{1,300}\)",
        r"\b(?:https?|ftp|file|data|javascript)://[^\s<>\"]{3,}",
        r"<(?:img|iframe|script|object|embed|link|a)\s[^>]{0,300}(?:src|href)",
    ),
    _sign(
        "hides_text",
        r"<!--",
        r"(?:display ?: ?none|font-size ?: ?0|visibility ?: ?hidden|opacity ?: ?0)",
        in_disguise=False,
    ),
)
