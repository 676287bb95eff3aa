"""The kernel's parts, wired once per process from Settings, each opened when first used.

It knows no server, agent or graph. Everything that reads or writes the data folder goes through
the parts named here, so a command, a server and a worker see the same stores.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from casewright.clock import Clock, SystemClock
from casewright.config import Settings
from casewright.errors import InputError, StorageError
from casewright.identity.keys import SigningKey, lost_key
from casewright.identity.local import NOBODY, LocalIdentities, load_identities
from casewright.identity.tokens import LocalTokenAuthority, TokenAuthority
from casewright.identity.vocabulary import VocabularyFile

if TYPE_CHECKING:  # these pull in SQLAlchemy, LanceDB and regorus: a server lists its tools without them
    from casewright.access.engine import PolicyEngine
    from casewright.approvals.ledger import ApprovalLedger
    from casewright.audit.log import AuditLog
    from casewright.audit.records import DecisionRecords
    from casewright.audit.standing import Standing
    from casewright.cases.assessing import Assessments
    from casewright.cases.store import CaseStore
    from casewright.controls.store import ControlStore
    from casewright.corpus.corpus import Corpus
    from casewright.drafts.retrievals import Retrievals
    from casewright.drafts.store import DraftStore
    from casewright.effects.outbox import Outbox
    from casewright.feedback.store import FeedbackStore
    from casewright.identity.claims import ClaimsMapping
    from casewright.identity.exchange import PersonExchange, TokenExchange
    from casewright.identity.oidc import PersonVerifier
    from casewright.identity.standing import Standings
    from casewright.models.contents import Contents
    from casewright.models.model_settings import ModelSettings
    from casewright.questions.store import RunQuestions
    from casewright.releases.following import FollowedRelease, InForce
    from casewright.releases.store import ReleaseStore
    from casewright.storage.database import Database


class Services:
    """Lazily opened parts over one data folder."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._models: dict[str, ModelSettings] = {}

    @cached_property
    def signing_key(self) -> SigningKey:
        if self.settings.database.exists() and not self.settings.signing_key.exists():
            raise lost_key(self.settings.signing_key)
        return SigningKey.load(self.settings.signing_key)

    @cached_property
    def identities(self) -> LocalIdentities:
        """The local identities; nobody where an issuer vouches for people."""
        if self.settings.identity.issuer is not None:
            return NOBODY
        return load_identities(self.settings.identities)

    @cached_property
    def tokens(self) -> TokenAuthority:
        """What servers verify with: the local authority, or beside it the configured issuer."""
        issuer = self.settings.identity.issuer
        if issuer is None:
            return LocalTokenAuthority(self.signing_key, self.clock)
        from casewright.identity.oidc import IssuerAuthority

        own = LocalTokenAuthority(self.signing_key, self.clock, vouched_by=issuer.issuer)
        return IssuerAuthority(self.people, own)

    @cached_property
    def vocabulary(self) -> VocabularyFile:
        return VocabularyFile(lambda: self.release.current().policies)

    @cached_property
    def claims_mapping(self) -> "ClaimsMapping":
        from casewright.identity.claims import load_mapping

        if self.settings.identity.issuer is None:
            raise InputError("no issuer is configured; set CASEWRIGHT_IDENTITY=oidc and CASEWRIGHT_OIDC_ISSUER")
        return load_mapping(self.settings.identity.issuer.claims)

    @cached_property
    def people(self) -> "PersonVerifier":
        """Verifies the configured issuer's tokens.

        Raises:
            InputError: no issuer is configured, or its claims file cannot be used.
        """
        from casewright.identity.keyset import IssuerKeys
        from casewright.identity.oidc import PersonVerifier

        identity, mapping = self.settings.identity, self.claims_mapping
        if identity.issuer is None:
            raise InputError("no issuer is configured; set CASEWRIGHT_IDENTITY=oidc and CASEWRIGHT_OIDC_ISSUER")
        keys = IssuerKeys(identity.issuer, self.clock)
        return PersonVerifier(identity, mapping, keys, self.vocabulary, self.clock)

    @cached_property
    def standings(self) -> "Standings":
        """How people stand; also the directory that runs look people up in."""
        from casewright.identity.standing import KeptStandings, LocalStandings

        if self.settings.identity.issuer is None:
            return LocalStandings(lambda: self.identities, self.clock)
        return KeptStandings(self.settings.standings, self.clock, issuer=self.settings.identity.issuer.issuer)

    @cached_property
    def exchange(self) -> "TokenExchange":
        """Makes the tokens with which people and agents reach a server."""
        from casewright.identity.exchange import TokenExchange

        return TokenExchange(self.tokens, self.standings, self.vocabulary, self.clock)

    @cached_property
    def person_exchange(self) -> "PersonExchange":
        """Exchanges tokens of the configured issuer.

        Raises:
            InputError: none is configured.
        """
        from casewright.identity.exchange import PersonExchange
        from casewright.identity.standing import KeptStandings

        kept = self.standings
        if not isinstance(kept, KeptStandings):
            raise InputError("no issuer is configured; set CASEWRIGHT_IDENTITY=oidc and CASEWRIGHT_OIDC_ISSUER")
        return PersonExchange(self.people, self.tokens, kept, self.claims_mapping, self.clock)

    @cached_property
    def release(self) -> "FollowedRelease":
        """The release in force, followed with every use of what it pins."""
        from casewright.releases.following import FollowedRelease

        return FollowedRelease(self.settings, lambda: self.signing_key)

    @cached_property
    def releases(self) -> "ReleaseStore":
        from casewright.releases.store import ReleaseStore

        return ReleaseStore(self.database, self.audit, self.signing_key, self.clock, self.settings.index)

    @cached_property
    def engine(self) -> "PolicyEngine":
        from casewright.access.watched import PolicyPlace

        def in_force() -> PolicyPlace:
            found = self.release.current()
            return PolicyPlace(folder=found.policies, revision=found.policy_revision)

        vetted = self.settings.home / "vetted-policies" if self.settings.home.is_dir() else None
        if self.settings.opa is not None:
            from casewright.access.opa import OpaEngine

            return OpaEngine.load(self.settings.opa, in_force, cache=vetted)
        from casewright.access.embedded import EmbeddedEngine

        return EmbeddedEngine.load(in_force, cache=vetted)

    @cached_property
    def database(self) -> "Database":
        from casewright.storage.database import Database
        from casewright.storage.revision import check_revision

        if not self.settings.database.exists():
            raise StorageError(
                f"the data folder {str(self.settings.home)!r} is not set up; run `casewright init` first"
            )
        check_revision(self.settings.database)
        return Database.sqlite(self.settings.database)

    @cached_property
    def audit(self) -> "AuditLog":
        from casewright.audit.log import AuditLog

        return AuditLog(self.database, self.signing_key, self.clock)

    @cached_property
    def standing(self) -> "Standing":
        from casewright.audit.standing import standing_of

        return standing_of(self.database)

    @cached_property
    def controls(self) -> "ControlStore":
        from casewright.controls.store import ControlStore

        return ControlStore(self.database, self.audit, self.clock)

    @cached_property
    def decisions(self) -> "DecisionRecords":
        from casewright.audit.records import DecisionRecords
        from casewright.audit.sealing import Sealing

        return DecisionRecords(self.database, Sealing.beside(self.settings.home))

    @property
    def models(self) -> "ModelSettings":
        """Which models there are: as the release in force says, else the installation's file.

        Raises:
            InputError: the file is wrong.
        """
        return self.models_of(self.release.current())

    def models_of(self, found: "InForce") -> "ModelSettings":
        """Which models a release has; of the installation's own, as its file said when it was first asked for here.

        Raises:
            InputError: the file is wrong.
        """
        from casewright.models.model_settings import described_models

        known = self._models.get(found.release_id)
        if known is None:
            known = self._models[found.release_id] = described_models(self.settings, found.models, found.release_id)
        return known

    @cached_property
    def contents(self) -> "Contents":
        from casewright.audit.sealing import Sealing
        from casewright.models.contents import Contents

        return Contents(Sealing.beside(self.settings.home))

    @cached_property
    def cases(self) -> "CaseStore":
        from casewright.cases.store import CaseStore

        return CaseStore(self.database, self.clock)

    @cached_property
    def corpus(self) -> "Corpus":
        from casewright.corpus.corpus import Corpus

        chosen = self.release
        return Corpus(
            self.settings.index, embedder=self.settings.embedder, chosen=lambda: chosen.current().index_version
        )

    @cached_property
    def approvals(self) -> "ApprovalLedger":
        from casewright.approvals.ledger import ApprovalLedger

        return ApprovalLedger(self.database, self.audit, self.clock)

    @cached_property
    def outbox(self) -> "Outbox":
        from casewright.effects.outbox import CaseRecordSink, Outbox

        sink = CaseRecordSink(self.cases, self.clock)
        return Outbox(self.database, self.approvals, self.audit, self.clock, sink)

    @cached_property
    def drafts(self) -> "DraftStore":
        from casewright.drafts.store import DraftStore

        return DraftStore(self.database, self.audit, self.clock)

    @cached_property
    def questions(self) -> "RunQuestions":
        from casewright.questions.store import RunQuestions

        return RunQuestions(self.database, self.audit, self.clock)

    @cached_property
    def feedback(self) -> "FeedbackStore":
        from casewright.feedback.store import FeedbackStore

        return FeedbackStore(self.database, self.audit, self.clock)

    @cached_property
    def retrievals(self) -> "Retrievals":
        from casewright.drafts.retrievals import Retrievals

        return Retrievals(self.database, self.clock)

    @cached_property
    def assessments(self) -> "Assessments":
        from casewright.cases.assessing import Assessments

        return Assessments(self.engine, self.clock)

    async def close(self) -> None:
        """Release the connections to the database and the engine; safe to call when nothing was opened."""
        if "engine" in self.__dict__:
            self.engine.close()
            del self.engine
            self.__dict__.pop("assessments", None)  # it asks that engine
        if "release" in self.__dict__:
            self.release.close()
        if "database" in self.__dict__:
            await self.database.close()
