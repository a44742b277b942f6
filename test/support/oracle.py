"""
What a published table must be, by SEMANTICS.md, worked out row by row in plain Python over PyArrow.
It shares no code and no technique with the engine: no hashing into candidates, no sorting, no Polars.

input:  list of tasks {"op": "oracle" | "read" | "write", ...}
output: list of results

Values travel as JSON: null, true, integers and floats as text ("9007199254740993", "nan", "-0.0"),
decimals as text with all their digits, dates as days and timestamps as units since 1970 (text),
binary as hex.
"""

import math
import os
import re
import struct
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PRIMARY_KEY = "primaryKey"
EPOCH = date(1970, 1, 1)


# ---- types and values ----------------------------------------------------------------------------


def arrow_type(t):
    kind = t["kind"]
    if kind == "timestamp":
        return pa.timestamp(t["unit"], tz="UTC" if t["zoned"] else None)
    if kind == "decimal":
        return pa.decimal128(t["precision"], t["scale"])
    return {"boolean": pa.bool_(), "date": pa.date32(), "string": pa.large_string(), "binary": pa.large_binary()}.get(
        kind
    ) or getattr(pa, kind)()


def plain(column):
    """A column's values as Python values: dates and timestamps as whole units since 1970."""
    t = column.type
    if pa.types.is_dictionary(t):
        return plain(column.cast(t.value_type))
    if pa.types.is_timestamp(t):
        return column.cast(pa.int64()).to_pylist()
    if pa.types.is_date(t):
        return column.cast(pa.date32()).cast(pa.int32()).to_pylist()
    return column.to_pylist()


def declared(table, column):
    found = table.column(column["name"])
    if pa.types.is_dictionary(found.type):
        found = found.cast(found.type.value_type)
    return plain(found.cast(arrow_type(column["type"]), safe=True))


def encode(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [encode(item) for item in value]
    raise TypeError(type(value))


def same(value):
    """Equal values become equal: NaN equals NaN (Python has -0.0 == 0.0 already)."""
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


# ---- literals of gates ---------------------------------------------------------------------------

TIME = re.compile(r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?$", re.I)
PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}


def literal(value, t):
    kind = t["kind"]
    if kind == "float64":
        return float(value)
    if kind == "float32":
        return struct.unpack("f", struct.pack("f", float(value)))[0]
    if kind in ("string", "boolean"):
        return value
    if kind == "date":
        return (date.fromisoformat(value) - EPOCH).days
    if kind == "timestamp":
        day, hour, minute, second, fraction, zone = TIME.match(value).groups()
        seconds = (date.fromisoformat(day) - EPOCH).days * 86400
        seconds += int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
        if zone not in (None, "Z", "z"):
            sign = 1 if zone[0] == "+" else -1
            seconds -= sign * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)
        return (seconds + Fraction(int(fraction or 0), 10 ** len(fraction or ""))) * PER_SECOND[t["unit"]]
    return Fraction(str(value))


# ---- gates ---------------------------------------------------------------------------------------


def violates(gate, value, t):
    kind = gate["kind"]
    if kind == "notNull":
        return value is None
    if value is None:
        return False
    if kind == "matches":
        return re.fullmatch(gate["pattern"], value) is None
    if isinstance(value, float) and math.isnan(value):
        return True
    if kind == "oneOf":
        return all(value != literal(listed, t) for listed in gate["values"])
    if kind == "inRange":
        key = (lambda v: v.encode()) if t["kind"] == "string" else (lambda v: v)
        bound = lambda name: key(literal(gate[name], t))
        value = key(value)
        return (
            ("greaterThan" in gate and not value > bound("greaterThan"))
            or ("atLeast" in gate and not value >= bound("atLeast"))
            or ("lessThan" in gate and not value < bound("lessThan"))
            or ("atMost" in gate and not value <= bound("atMost"))
        )
    raise ValueError(kind)


# ---- the raw zone --------------------------------------------------------------------------------


def files_of(root, column, only):
    """{date: [relative path, in the order of its UTF-8 bytes]}"""
    found = {}
    for name in os.listdir(root):
        match = re.fullmatch(re.escape(column) + r"=(\d{4}-\d{2}-\d{2})", name)
        if match is None or (only is not None and match[1] not in only):
            continue
        paths = []
        for folder, folders, names in os.walk(os.path.join(root, name)):
            folders[:] = [f for f in folders if f[0] not in "._"]
            paths += [
                os.path.relpath(os.path.join(folder, n), root)
                for n in names
                if n[0] not in "._" and n.lower().endswith(".parquet")
            ]
        if paths:
            found[match[1]] = sorted(paths, key=os.fsencode)
    return dict(sorted(found.items()))


class Row:
    __slots__ = ("date", "path", "number", "values", "violations")


def read_rows(contract, only):
    source = contract["source"]
    rows, misfiled = [], {}
    for day, paths in files_of(source["path"], source["partitionColumn"], only).items():
        misfiled[day] = 0
        for path in paths:
            table = pq.ParquetFile(os.path.join(source["path"], path)).read()
            columns = [declared(table, column) for column in contract["columns"]]
            for number in range(table.num_rows):
                row = Row()
                row.date, row.path, row.number, row.violations = day, path, number, []
                row.values = [column[number] for column in columns]
                rows.append(row)
            if source["partitionColumn"] in table.column_names:
                stored = table.column(source["partitionColumn"])
                if pa.types.is_timestamp(stored.type):
                    stored = stored.cast(pa.date32())
                misfiled[day] += sum(1 for value in stored.to_pylist() if value is not None and str(value) != day)
    return rows, misfiled


# ---- the rules -----------------------------------------------------------------------------------


def oracle(task):
    contract = task["contract"]
    names = [column["name"] for column in contract["columns"]]
    types = {column["name"]: column["type"] for column in contract["columns"]}
    at = {name: i for i, name in enumerate(names)}
    dedup = contract["deduplicate"]
    rows, misfiled = read_rows(contract, task.get("dates"))

    def values(row, columns):
        return tuple(same(row.values[at[name]]) for name in columns)

    def ordering(row):
        """None for what loses."""
        return [None if value == "NaN" else value for value in values(row, [o["column"] for o in dedup["orderBy"]])]

    def beats(row, best):
        for mine, other, order in zip(ordering(row), ordering(best), dedup["orderBy"]):
            if mine == other:
                continue
            if mine is None or other is None:
                return other is None
            greater = comparable(mine) > comparable(other)
            return greater if order["direction"] == "desc" else not greater
        return (os.fsencode(row.path), row.number) > (os.fsencode(best.path), best.number)

    # 4. Dedup
    groups = {}
    for row in rows:
        key = values(row, dedup["primaryKey"])
        if None in key:
            row.violations.append(PRIMARY_KEY)
            continue
        groups.setdefault((row.date if dedup["scope"] == "partition" else None, key), []).append(row)
    superseded, ambiguous = {}, {}
    lost = set()
    for group in groups.values():
        winner = group[0]
        for row in group[1:]:
            if beats(row, winner):
                winner = row
        for row in group:
            if row is not winner:
                lost.add(id(row))
                superseded[row.date] = superseded.get(row.date, 0) + 1
        if any(
            row is not winner and ordering(row) == ordering(winner) and values(row, names) != values(winner, names)
            for row in group
        ):
            ambiguous[winner.date] = ambiguous.get(winner.date, 0) + 1
    kept = [row for row in rows if id(row) not in lost]

    # 5. Gates
    for gate in contract["gates"]:
        if gate["kind"] == "unique":
            seen = {}
            for row in kept:
                value = values(row, gate["columns"])
                if PRIMARY_KEY in row.violations[:1] or None in value:
                    continue
                seen.setdefault((row.date if gate["scope"] == "partition" else None, value), []).append(row)
            for same_value in seen.values():
                if len(same_value) > 1:
                    for row in same_value:
                        row.violations.append(gate["name"])
            continue
        for row in kept:
            if gate["column"] == contract["source"]["partitionColumn"]:
                value, t = (date.fromisoformat(row.date) - EPOCH).days, {"kind": "date"}
            else:
                value, t = row.values[at[gate["column"]]], types[gate["column"]]
            if violates(gate, value, t):
                row.violations.append(gate["name"])

    # 6. Outputs
    curated = [[row.date, *map(encode, row.values)] for row in kept if not row.violations]
    quarantine = [
        [row.date, *map(encode, row.values), row.violations, row.path, str(row.number)] for row in kept if row.violations
    ]
    counts = {}
    for day in misfiled:
        mine = [row for row in kept if row.date == day]
        counts[day] = {
            "read": sum(1 for row in rows if row.date == day),
            "superseded": superseded.get(day, 0),
            "ambiguous": ambiguous.get(day, 0),
            "quarantined": sum(1 for row in mine if row.violations),
            "published": sum(1 for row in mine if not row.violations),
            "misfiled": misfiled[day],
            "violations": {
                name: sum(1 for row in mine if name in row.violations)
                for name in [PRIMARY_KEY] + [gate["name"] for gate in contract["gates"]]
            },
        }
    return {"curated": curated, "quarantine": quarantine, "counts": counts}


def comparable(value):
    return value.encode() if isinstance(value, str) else value


# ---- reading back, and writing what tests need ---------------------------------------------------


def read(task):
    """Every row under a table's folder, in the order of partition, file and row; and each file's schema."""
    column = task["partitionColumn"]
    rows, schemas = [], []
    for day, paths in (files_of(task["folder"], column, None) if os.path.isdir(task["folder"]) else {}).items():
        paths.sort(key=lambda path: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)])
        for path in paths:
            table = pq.ParquetFile(os.path.join(task["folder"], path)).read()
            schemas.append([[field.name, str(field.type)] for field in table.schema])
            columns = [plain(table.column(i)) for i in range(table.num_columns)]
            rows += [[day, *(encode(c[i]) for c in columns)] for i in range(table.num_rows)]
    return {"rows": rows, "schemas": schemas}


def decode(value, t):
    if value is None or isinstance(value, bool):
        return value
    if pa.types.is_floating(t):
        return float(value)
    if pa.types.is_integer(t) or pa.types.is_timestamp(t) or pa.types.is_date(t):
        return int(value)
    if pa.types.is_decimal(t):
        return Decimal(value)
    if pa.types.is_binary(t) or pa.types.is_large_binary(t):
        return bytes.fromhex(value)
    return value


def stored_type(text):
    timestamp = re.fullmatch(r"timestamp\[(ms|us|ns)(?:, ?(.+))?\]", text)
    if timestamp:
        return pa.timestamp(timestamp[1], tz=timestamp[2])
    decimal = re.fullmatch(r"decimal\((\d+), ?(\d+)\)", text)
    if decimal:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return {"boolean": pa.bool_(), "date": pa.date32()}.get(text) or getattr(pa, text)()


def write(task):
    for file in task["files"]:
        arrays, names = [], []
        for name, text, values in file["columns"]:
            is_dictionary = text == "dictionary"
            t = pa.string() if is_dictionary else stored_type(text)
            decoded = [decode(value, t) for value in values]
            if pa.types.is_timestamp(t):
                array = pa.array(decoded, pa.int64()).cast(t)
            elif pa.types.is_date(t):
                array = pa.array(decoded, pa.int32()).cast(t)
            else:
                array = pa.array(decoded, t)
            arrays.append(array.dictionary_encode() if is_dictionary else array)
            names.append(name)
        os.makedirs(os.path.dirname(file["path"]), exist_ok=True)
        pq.write_table(pa.table(arrays, names=names), file["path"], **file.get("options", {}))
    return None


output = [{"oracle": oracle, "read": read, "write": write}[task["op"]](task) for task in input]
