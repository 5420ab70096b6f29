"""Model upgrade: another model takes the place of a space, and can give it back."""

from latentdb.migrate.backfill import BackfillOptions as BackfillOptions
from latentdb.migrate.begin import BeginOptions as BeginOptions
from latentdb.migrate.record import Migration as Migration
from latentdb.migrate.record import RecallLoss as RecallLoss
from latentdb.migrate.record import ToRefit as ToRefit
from latentdb.migrate.upgrade import MigrationStatus as MigrationStatus
from latentdb.migrate.upgrade import SpaceMigration as SpaceMigration
