"""The kernel's parts, wired once per process from Settings, each opened when first used.

It knows no server, agent or graph. Everything that reads or writes the data folder goes through
the parts named here, so a command, a server and a worker see the same stores.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from casewright.clock import Clock, SystemClock
from casewright.config import Settings
from casewright.errors import StorageError
from casewright.identity.keys import SigningKey
from casewright.identity.local import LocalIdentities, load_identities
from casewright.identity.tokens import LocalTokenAuthority, TokenAuthority

if TYPE_CHECKING:  # these pull in SQLAlchemy, LanceDB and regorus: a server lists its tools without them
    from casewright.access.engine import PolicyEngine
    from casewright.approvals.ledger import ApprovalLedger
    from casewright.audit.log import AuditLog
    from casewright.audit.standing import Standing
    from casewright.cases.store import CaseStore
    from casewright.controls.store import ControlStore
    from casewright.corpus.corpus import Corpus
    from casewright.drafts.retrievals import Retrievals
    from casewright.drafts.store import DraftStore
    from casewright.effects.outbox import Outbox
    from casewright.storage.database import Database


class Services:
    """Lazily opened parts over one data folder."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()

    @cached_property
    def signing_key(self) -> SigningKey:
        return SigningKey.load(self.settings.signing_key)

    @cached_property
    def identities(self) -> LocalIdentities:
        return load_identities(self.settings.identities)

    @cached_property
    def tokens(self) -> TokenAuthority:
        return LocalTokenAuthority(self.signing_key, self.clock)

    @cached_property
    def engine(self) -> "PolicyEngine":
        vetted = self.settings.home / "vetted-policies" if self.settings.home.is_dir() else None
        if self.settings.opa is not None:
            from casewright.access.opa import OpaEngine

            return OpaEngine.load(self.settings.opa, self.settings.policies, cache=vetted)
        from casewright.access.embedded import EmbeddedEngine

        return EmbeddedEngine.load(self.settings.policies, cache=vetted)

    @cached_property
    def database(self) -> "Database":
        from casewright.storage.database import Database

        if not self.settings.database.exists():
            raise StorageError(
                f"the data folder {str(self.settings.home)!r} is not set up; run `casewright init` first"
            )
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
    def cases(self) -> "CaseStore":
        from casewright.cases.store import CaseStore

        return CaseStore(self.database, self.clock)

    @cached_property
    def corpus(self) -> "Corpus":
        from casewright.corpus.corpus import Corpus

        return Corpus(self.settings.index)

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
    def retrievals(self) -> "Retrievals":
        from casewright.drafts.retrievals import Retrievals

        return Retrievals(self.database, self.clock)

    async def close(self) -> None:
        """Release the connections to the database and the engine; safe to call when nothing was opened."""
        if "engine" in self.__dict__:
            self.engine.close()
            del self.engine
        if "database" in self.__dict__:
            await self.database.close()
