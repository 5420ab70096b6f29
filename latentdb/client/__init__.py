"""A database that a server has: `latentdb.connect` gives it, with the methods of `LatentDB`."""

from latentdb.client.remote import RemoteDB as RemoteDB
