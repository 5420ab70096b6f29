"""Work on several machines, over Ray: pictures in, sums of maps, shards of an index.

Ray only carries calls: what is called are the pieces that run on one machine, too. Its actors are
used as they are, not Ray Data: a run wants its answers in order, asks the database about a file
between reading and decoding it, and does a batch again elsewhere when a machine is lost, all of
which a pipeline of datasets would hide.
"""
