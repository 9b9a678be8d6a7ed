"""What people and pipelines tell of a deployment, hotfixes and deploys: checked, journaled and audited as one."""

from __future__ import annotations

from collections.abc import Iterable

from receiver.durations import clock_time, in_words
from receiver.errors import BadAnnouncement, HotfixConflict, UnknownDeployment, no_deployment
from receiver.journal import hotfixes, releases
from receiver.journal.database import Database
from receiver.journal.hotfixes import Hotfix, HotfixState
from receiver.journal.releases import Deploy, Migration
from receiver.world import Audit


class Announcements:
    """Takes them for the configured deployments; nothing is kept of one that could not be audited (AuditError)."""

    def __init__(self, database: Database, audit: Audit, deployments: Iterable[str]) -> None:
        self._database = database
        self._audit = audit
        self._deployments = frozenset(deployments)

    def require_known(self, deployment: str) -> None:
        """Raise UnknownDeployment where the configuration has none of that name."""
        if deployment not in self._deployments:
            raise UnknownDeployment(no_deployment(deployment, self._deployments))

    def start_hotfix(self, deployment: str, eta: float, person: str, comment: str) -> Hotfix:
        """A hotfix will be live in `eta` seconds; raises BadAnnouncement, or HotfixConflict beside another one."""
        self.require_known(deployment)
        if eta <= 0:
            raise BadAnnouncement("the ETA of a hotfix must be longer than 0s")
        if eta >= hotfixes.LONGEST:
            raise BadAnnouncement(
                f"{in_words(eta)} is too long for a hotfix: it is live in less than {in_words(hotfixes.LONGEST)}, "
                "or the release is rolled back"
            )
        with self._database.write() as tx:
            started = hotfixes.start(tx, deployment, self._database.now(tx), eta, person, comment)
            if started is None:
                raise HotfixConflict(_why_not_now(hotfixes.unresolved(tx, deployment)))
            reason = comment or f"live by {clock_time(started.deadline)}"
            facts: dict[str, object] = {"hotfix": started.id, "deadline": started.deadline}
            self._audit.record("hotfix:start", reason, actor=person, deployment=deployment, facts=facts)
        return started

    def end_hotfix(self, deployment: str, state: HotfixState, person: str, comment: str) -> Hotfix:
        """The hotfix is DONE, or has FAILED; raises HotfixConflict where there is none of which that can be said."""
        self.require_known(deployment)
        with self._database.write() as tx:
            ended = hotfixes.end(tx, deployment, self._database.now(tx), state, person)
            if ended is None:
                raise HotfixConflict(_why_not_ended(deployment, hotfixes.unresolved(tx, deployment)))
            facts: dict[str, object] = {"hotfix": ended.id}
            reason = comment or f"it was started by {ended.started_by}"
            self._audit.record(f"hotfix:{state}", reason, actor=person, deployment=deployment, facts=facts)
        return ended

    def start_release(
        self,
        deployment: str,
        release: str,
        person: str,
        commit: str | None = None,
        author: str | None = None,
        services: tuple[str, ...] | None = None,
    ) -> Deploy:
        """A pipeline has begun to deploy a release, which changes these services (None: it does not say)."""
        self.require_known(deployment)
        with self._database.write() as tx:
            now = self._database.now(tx)
            deploy = releases.deploy_started(
                tx, deployment, release, now, commit=commit, author=author, services=services
            )
            facts: dict[str, object] = {"commit": commit, "author": author, "services": services}
            self._audit.record("release:start", release, actor=person, deployment=deployment, facts=facts)
        return deploy

    def finish_release(
        self,
        deployment: str,
        release: str,
        person: str,
        migration: Migration | None = None,
        irreversible: bool | None = None,
    ) -> Deploy:
        """A pipeline is done with a release; what became of its database migration, and whether it can be undone."""
        self.require_known(deployment)
        with self._database.write() as tx:
            now = self._database.now(tx)
            deploy = releases.deploy_finished(tx, deployment, release, now, migration, irreversible)
            facts: dict[str, object] = {"migration": migration, "irreversible": irreversible}
            self._audit.record("release:finish", release, actor=person, deployment=deployment, facts=facts)
        return deploy


def _why_not_now(other: Hotfix | None) -> str:
    if other is None:
        raise LookupError("the other hotfix vanished")
    return (
        f"a hotfix of {other.deployment} by {other.started_by} is under way until {clock_time(other.deadline)}; "
        "say that it is done or failed first"
    )


def _why_not_ended(deployment: str, found: Hotfix | None) -> str:
    if found is None:
        return f"no hotfix of {deployment} is under way"
    return f"the hotfix of {deployment} was reported failed by {found.ended_by} already"
