"""Results as they cross the wire: what a server writes and a client reads, to the bit.

`encode` gives a result's `to_json()` with addresses of pictures, and what `Include` asks for:
pictures as base64 PNG, arrays as dtype, shape and base64. `decode` gives the result back, or the
facts of one that does not cross whole: of a map `MapFacts`, of a direction `DirectionFacts`, of
energies `EnergyFacts`, under the names that the whole thing has them by.
"""

from latentdb.wire.codec import decode as decode
from latentdb.wire.codec import encode as encode
from latentdb.wire.form import Include as Include
