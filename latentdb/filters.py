"""Filters: one boolean SQL expression over what is known of each item.

The only file that knows DuckDB. An expression is parsed by DuckDB itself, so that what is
checked is what is run, and every node of the parse must be on a list: columns, literals,
comparisons, `and or not in between like is null case cast`, arithmetic and a few functions of
text and numbers. Anything else is refused: sub-queries, aggregates, windows, parameters, and
functions that could read a file or the environment. Beneath that, the engine runs without
access to files, network, extensions, or Python's variables, and with its configuration locked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentdb.energy.columns import row_energies
from latentdb.errors import FilterError
from latentdb.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CONFIG = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "lock_configuration": "true",
    "threads": "1",
    "memory_limit": "1GB",  # the engine's own work; the table it reads is ours
}
_LONGEST = 100_000
_DEEPEST = 300  # levels of the parse, some two for each bracket or function
_MOST_BRACKETS = 100
_OPEN, _CLOSE = b"()"
_MOST_JOINED = 256  # texts, so that what a filter builds of each row stays small
_JOINS = frozenset({"concat", "||"})
_TIMEOUT_S = 10.0
_ENERGIES = ("energy", "energy_z")
_NODES = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "OPERATOR",
        "TYPE",
    }
)
_OPERATORS = frozenset(
    {
        "COMPARE_IN",
        "COMPARE_NOT_IN",
        "OPERATOR_COALESCE",
        "OPERATOR_IS_NOT_NULL",
        "OPERATOR_IS_NULL",
        "OPERATOR_NOT",
        "OPERATOR_NULLIF",
    }
)
# As DuckDB names them: ~~ is like, ~~* is ilike.
_SYMBOLS = frozenset({*"+-*/%^", "//", "**", "||", "~~", "!~~", "~~*", "!~~*"})
_TEXT = frozenset(
    {"concat", "contains", "ends_with", "length", "lower", "ltrim", "prefix", "rtrim"}
    | {"starts_with", "substr", "substring", "suffix", "trim", "upper"}
    | {"like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape"}
)
_NUMBERS = frozenset(
    {"abs", "ceil", "exp", "floor", "greatest", "least", "ln", "log", "log10", "pow", "power"}
    | {"round", "sqrt", "coalesce", "nullif"}
)
_FUNCTIONS = _SYMBOLS | _TEXT | _NUMBERS
_EXAMPLE = "smiling and not hat and width >= 64"
_lock = threading.Lock()


def filter_ids(store: Store, where: str, space: str | None = None) -> NDArray[np.int64]:
    """Ids of the items that pass a filter.

    Parameters
    ----------
    store : Store
        The database.
    where : str
        A boolean SQL expression over the columns of `store.metadata(space)`, such as
        `smiling and not hat and source like '%.png'`. A number counts as true unless it is 0;
        an expression that is null for an item (a missing label) does not let it pass.
    space : str, optional
        With a space, its norm and quality columns can be asked for, and only items that have
        a vector in it pass. So can `energy`, the marginal energy of the item's vector among all
        others in nats per dimension, and `energy_z`, that in standard deviations above the mean
        of the space; a label of such a name comes first. See `latentdb.energy.columns`.

    Returns
    -------
    (n,) int64
        Sorted.

    Raises
    ------
    FilterError
        The expression is not one that can be evaluated; the text lists the columns.
    UnknownSpaceError
        No such space.
    NotEnoughDataError
        It asks for energies that are not measured yet, of too many rows or too few.
    """
    return passing(store, where, space).ids


@final
@dataclass(frozen=True, eq=False)
class Passing:
    """What passes a filter.

    Attributes
    ----------
    ids : (n,) int64
        Sorted.
    asks_energies : bool
        Whether it hangs on more than the metadata of the items.
    """

    ids: NDArray[np.int64]
    asks_energies: bool


def passing(store: Store, where: str, space: str | None) -> Passing:
    """The items that pass, and what that hangs on; parameters and errors as of `filter_ids`."""
    import duckdb

    metadata = store.metadata(space)
    can_have = () if space is None else _ENERGIES
    columns = list(dict.fromkeys([*metadata.column_names, *can_have]))
    asked = _require_allowed(where, columns)
    energies = asked.intersection(_ENERGIES).difference(map(str.lower, metadata.column_names))
    if space is not None and energies:
        metadata = _with_energies(store, space, metadata)
    cursor = _engine().cursor()
    try:
        cursor.register("metadata", metadata)
        with _in_time(cursor):
            _require_boolean(cursor, where, metadata.schema)
            found = cursor.execute(_query(where)).fetchnumpy()["id"]
    except duckdb.InterruptException as error:
        reason = f"it takes longer than {_TIMEOUT_S:g} s"
        raise _refused(where, reason, columns) from error
    except duckdb.Error as error:
        raise _refused(where, _first_line(error), columns) from error
    finally:
        cursor.close()
    return Passing(np.sort(np.asarray(found, dtype=np.int64)), bool(energies))


@contextmanager
def _in_time(cursor: DuckDBPyConnection) -> Iterator[None]:
    """Stop what the cursor runs once it takes too long: duckdb.InterruptException."""
    timer = threading.Timer(_TIMEOUT_S, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _query(where: str) -> str:
    # The line ends shut off a comment at the end of the expression.
    return f"SELECT id FROM metadata WHERE (\n{where}\n)"  # noqa: S608 - parsed and checked


@cache
def _connected() -> DuckDBPyConnection:
    import duckdb

    return duckdb.connect(":memory:", config=dict(_CONFIG))


def _engine() -> DuckDBPyConnection:
    """The one engine of this process; each call works on a cursor of its own."""
    with _lock:
        return _connected()


def _with_energies(store: Store, space: str, metadata: pa.Table) -> pa.Table:
    """The metadata of a space (sorted by id) with the energies of its rows."""
    found = row_energies(store, store.space(space))
    at = np.searchsorted(found.ids, metadata["id"].to_numpy())
    there = {name.lower() for name in metadata.column_names}
    for name, values in zip(_ENERGIES, (found.energy, found.z), strict=True):
        if name not in there:
            metadata = metadata.append_column(name, pa.array(values[at]))
    return metadata


def _require_allowed(where: str, columns: list[str]) -> set[str]:
    """Columns of `where`, in lower case; FilterError unless it is one allowed expression."""
    if not where.strip() or len(where) > _LONGEST:
        raise _refused(
            where, f"it has {len(where)} characters, 1 to {_LONGEST} are allowed", columns
        )
    reason = _unparsable(where)
    if reason:
        raise _refused(where, reason, columns)
    try:
        # Both must parse: alone, so that brackets cannot close ours, and in brackets, so that
        # nothing can follow the expression, such as ORDER BY.
        _parsed(f"SELECT id FROM metadata WHERE {where}\n", where, columns)  # noqa: S608
        condition = _parsed(_query(where), where, columns)
    except RecursionError as error:
        raise _refused(where, "it is nested too deeply", columns) from error
    known = {name.lower() for name in columns}
    asked, joined = set(), 0
    for node, depth in _nodes(condition):
        reason = _objection(node, known)
        joined += _joined(node)
        if depth > _DEEPEST:
            reason = "it is nested too deeply"
        elif joined > _MOST_JOINED:
            reason = f"it joins more than {_MOST_JOINED} texts"
        if reason:
            raise _refused(where, reason, columns)
        if node["class"] == "COLUMN_REF":
            asked.add(".".join(node["column_names"]).lower())
    return asked


def _unparsable(where: str) -> str:
    """Why the parser is not to see a text; empty where it may.

    Brackets that are not closed cost it time with the square of their number.
    """
    import duckdb

    try:
        written = where.encode()
    except UnicodeEncodeError:
        return "it has characters that are none"
    depth = 0
    for at, _ in duckdb.tokenize(where):
        depth += (written[at] == _OPEN) - (written[at] == _CLOSE)
        if depth > _MOST_BRACKETS:
            return "it is nested too deeply"
    return ""


def _parsed(statement: str, where: str, columns: list[str]) -> Any:
    """DuckDB's own parse of the statement's condition."""
    cursor = _engine().cursor()
    try:
        row = cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [statement]).fetchone()
    finally:
        cursor.close()
    tree = json.loads(cast("tuple[str]", row)[0])
    if tree["error"]:
        raise _refused(where, tree["error_message"], columns)
    nodes = [one["node"] for one in tree["statements"]]
    if len(nodes) != 1 or nodes[0]["type"] != "SELECT_NODE":
        raise _refused(where, "it is more than one expression", columns)
    return nodes[0]["where_clause"]


def _nodes(tree: Any) -> Iterator[tuple[dict[str, Any], int]]:
    """Every part of a parse that is an expression, and how many levels down it is."""
    waiting = [(tree, 0)]
    while waiting:
        part, depth = waiting.pop()
        if isinstance(part, dict):
            if "class" in part:
                yield part, depth
            waiting.extend((value, depth + 1) for value in part.values())
        elif isinstance(part, list):
            waiting.extend((value, depth) for value in part)


def _joined(node: dict[str, Any]) -> int:
    """How many texts a node puts together."""
    if node.get("function_name", "").lower() not in _JOINS:
        return 0
    # As DuckDB 2 and DuckDB 1 call them.
    return len(node.get("arguments") or node.get("children") or ())


def _objection(node: dict[str, Any], known: set[str]) -> str:
    """Why a node is not allowed; empty when it is."""
    kind = node["class"]
    if kind not in _NODES:
        return f"{_words(node['type'])} is not allowed in a filter"
    if kind == "COLUMN_REF":
        name = ".".join(node["column_names"])
        return "" if name.lower() in known else f"there is no column {name!r}"
    if kind == "OPERATOR" and node["type"] not in _OPERATORS:
        return f"{_words(node['type'])} is not allowed in a filter"
    if kind == "FUNCTION":
        name = node["function_name"].lower()
        if name not in _FUNCTIONS:
            return f"the function {name!r} is not allowed in a filter"
        if node.get("filter") or node.get("distinct") or node.get("schema") or node.get("catalog"):
            return f"the function {name!r} takes arguments only"
    return ""


def _words(kind: str) -> str:
    return kind.lower().replace("_", " ")


def _require_boolean(cursor: DuckDBPyConnection, where: str, schema: pa.Schema) -> None:
    described = cursor.execute(f"DESCRIBE SELECT (\n{where}\n) FROM metadata").fetchall()  # noqa: S608
    kind = str(described[0][1])
    if kind != "BOOLEAN" and not kind.endswith("INT") and kind != "INTEGER":
        raise _refused(where, f"it is of type {kind}, not true or false", schema.names)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _refused(where: str, reason: str, columns: list[str]) -> FilterError:
    shown = where if len(where) <= 200 else where[:200] + "…"
    return FilterError(
        f"the filter {shown!r} cannot be used: {reason}. Write one true-or-false expression "
        f"over the columns {', '.join(columns)}; for example: {_EXAMPLE}"
    )
