"""Who there is to be asked: the people of this installation, for passing an assignment on.

With local identities all of them; with an issuer those whose last token is still believed. It
grants nothing: whoever votes presents a token of their own, and the policy decides then.
"""

from casewright.contracts.principal import Principal
from casewright.identity.standing import KeptStandings
from casewright.services import Services


def known_people(services: Services) -> tuple[Principal, ...]:
    """Everybody of every tenant who can be found by id now."""
    standings = services.standings
    if isinstance(standings, KeptStandings):
        return standings.everybody()
    return services.identities.people
