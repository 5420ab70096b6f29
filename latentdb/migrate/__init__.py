"""Model upgrade: another model takes the place of a space, and can give it back."""

from latentdb.migrate.backfill import BackfillOptions as BackfillOptions
from latentdb.migrate.begin import BeginOptions as BeginOptions
from latentdb.migrate.upgrade import MigrationStatus as MigrationStatus
from latentdb.migrate.upgrade import SpaceMigration as SpaceMigration
from latentdb.succession.record import Migration as Migration
from latentdb.succession.record import RecallLoss as RecallLoss
from latentdb.succession.record import ToRefit as ToRefit
