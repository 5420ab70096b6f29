"""Backups of a database: copies elsewhere of which each costs what is new alone."""

from latentdb.backup.facts import BackupInfo, BackupSummary, RestoreSummary
from latentdb.backup.repository import Repository
from latentdb.backup.restore import restore
from latentdb.backup.take import take_backup

__all__ = [
    "BackupInfo",
    "BackupSummary",
    "Repository",
    "RestoreSummary",
    "restore",
    "take_backup",
]
