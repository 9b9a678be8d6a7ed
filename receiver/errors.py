"""The errors of the receiver.

RollbackAgentError
├── BadNotification      a webhook's body cannot be used; carries the HTTP status
├── PrometheusError      Prometheus did not give a complete answer
│   └── QueryRefused     it answers, but not to this
├── AlertmanagerError    Alertmanager did not give a complete answer
│   └── AlertRefused     it answers, but does not take this alert
├── NoAnswer             a server gave no usable answer; told on as one of the two above
├── TargetError          the target cannot be read, or cannot do what was asked
├── TransactionsError    it cannot be told whether a transaction is open
├── PostgresqlError      a PostgreSQL database cannot be asked; told on as what that means
├── ProgramError         a program could not be started, or did not end; told on as what that means
├── BackupError          no complete backup could be made, or it is not what was written
├── RestoreError         what was backed up could not be put back, or not all of it
├── BacktestError        history could not be replayed, or what promtool said cannot be read
├── HealthError          the health checks could not be run, or did not say what they found
├── BadAnnouncement      what was said of a hotfix or a deploy cannot be taken
│   ├── UnknownDeployment  the configuration has no such deployment
│   └── HotfixConflict     a hotfix is under way, or none is
├── NotPossible          what a person asked for cannot be done now, or at all
│   └── NotFound         what it is about is not there
│       └── Gone         it was there, and was removed since
├── AuditError           the audit trail cannot be written, so nothing may be done
└── JournalError         the database did not do what it was asked
    ├── NewerSchema      it was written by a newer program
    └── LostLease        another worker took the run over; this one must stop touching it
"""

from collections.abc import Iterable


class RollbackAgentError(Exception):
    """Anything that the receiver raises on purpose; its text is a sentence for a person."""


class BadNotification(RollbackAgentError):
    """A webhook's body cannot be used; `status` is the HTTP status that says so."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class PrometheusError(RollbackAgentError):
    """Prometheus did not give a complete answer."""


class QueryRefused(PrometheusError):
    """Prometheus answers, but cannot evaluate what it was asked."""


class AlertmanagerError(RollbackAgentError):
    """Alertmanager did not give a complete answer."""


class AlertRefused(AlertmanagerError):
    """Alertmanager answers, but does not take this alert."""


class NoAnswer(RollbackAgentError):
    """A server gave no usable answer; the text goes on after its name: "cannot be asked: ..."."""


class TargetError(RollbackAgentError):
    """The target cannot be read, or cannot do what was asked."""


class TransactionsError(RollbackAgentError):
    """It cannot be told whether a transaction is open."""


class PostgresqlError(RollbackAgentError):
    """A PostgreSQL database cannot be asked, or its connection string cannot be used."""


class ProgramError(RollbackAgentError):
    """A program could not be started, or did not end by itself."""


class BackupError(RollbackAgentError):
    """No complete backup could be made, or it is not what was written."""


class RestoreError(RollbackAgentError):
    """What was backed up could not be put back, or not all of it."""


class HealthError(RollbackAgentError):
    """The health checks could not be run, or did not say what they found."""


class BacktestError(RollbackAgentError):
    """History could not be replayed through the rules."""


class BadAnnouncement(RollbackAgentError):
    """What was said of a hotfix or a deploy cannot be taken."""


class UnknownDeployment(BadAnnouncement):
    """The configuration has no such deployment."""


class HotfixConflict(BadAnnouncement):
    """A hotfix is under way, or none is."""


class NotPossible(RollbackAgentError):
    """What a person asked for cannot be done now, or at all; nothing was done."""


class NotFound(NotPossible):
    """What a person named is not there."""


class Gone(NotFound):
    """What a person named was there, and was removed because it was old; the text says what is left of it."""


class AuditError(RollbackAgentError):
    """The audit trail cannot be written, so nothing may be done."""


class JournalError(RollbackAgentError):
    """The database did not do what it was asked."""


class NewerSchema(JournalError):
    """The database was written by a newer program."""


class LostLease(JournalError):
    """Another worker took the run over; this one must stop touching it."""


def no_deployment(name: str, known: Iterable[str]) -> str:
    """What is said of a name that no deployment of the configuration has."""
    return f"there is no deployment {name}; the configuration has {', '.join(sorted(known))}"
