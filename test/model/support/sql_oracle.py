"""
What a published table must be, by docs/concepts.md and docs/contract.md, as one SQL query in DuckDB.
It shares no code and no technique with the engine, nor with the row-by-row oracle of test/support/oracle.py.

A process that answers lines of JSON, so that thousands of small tables are cheap:

{"op": "files", "files": [{"version", "path", "writer", "columns", "rows"}]}
    Writes raw files, by PyArrow or DuckDB, and learns what is in them by reading them back.
    A `version` is one content of one file, for good; what lies in the raw zone are copies.
{"op": "known", "files": [{"version", "path"}]}
    Learns what is in files written by others.
{"op": "expect", "contract", "manifest": [[date, path, version], ...]}
    What one full run over those files publishes: {"curated", "quarantine", "counts"}.
{"op": "compare", "rules": [{"contract", "dates"}], "manifest", "lost", "table": {"format", "path", "versions"}}
    Holds a published table against it; each partition by the rules it was published under. Rows of `lost`
    ([date, path, version, line]) cannot be read any more, and count as superseded:
    {"differences": [text, ...], "counts": {date: counts}, "superseded": rows as those of `lost`,
    "outcomes": {date: a digest of its rows and counts}}.
{"op": "read", "columns", "table": {"format", "path", "versions"}}
    The rows of a published table: {"curated", "quarantine"}.
{"op": "forget"}

Values travel as text ("nan", "-0.0", "9007199254740993") or null.
"""

import glob
import hashlib
import json
import os
import re
import sys
import traceback

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

db = duckdb.connect()
db.execute("SET threads = 1")
db.execute("SET preserve_insertion_order = true")

# Every column that a contract of the family may declare; a raw file has all of them, and may store its date.
COLUMNS = {"id": "BIGINT", "part": "DOUBLE", "updated": "DOUBLE", "seq": "BIGINT", "amount": "DOUBLE", "receipt": "VARCHAR"}
ARROW = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "VARCHAR": pa.large_string(), "DATE": pa.date32()}
SHOWN = 12


def forget(_):
    db.execute(
        "CREATE OR REPLACE TABLE raw (version INTEGER, line BIGINT, "
        + ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        + ", stored DATE)"
    )


forget(None)

# ---- the query -----------------------------------------------------------------------------------


def text(value):
    return "'" + str(value).replace("'", "''") + "'"


def is_float(column):
    return COLUMNS[column] == "DOUBLE"


def nan(column):
    return f"isnan({column})" if is_float(column) else "false"


def same(column):
    """Equal values become one: -0 is 0, and NaN is NaN, as DuckDB has it."""
    return f"({column} + 0)" if is_float(column) else column


def rank(column):
    """The ordering value: what loses is null."""
    return f"CASE WHEN NOT isnan({column}) THEN {column} + 0 END" if is_float(column) else column


def within(scope):
    """The columns that separate one batch from another."""
    return {"partition": ["day"], "table": [], "window": []}[scope]


def no_null(columns):
    return " AND ".join(f"{column} IS NOT NULL" for column in columns)


def number(value):
    return f"CAST({text(value)} AS DOUBLE)"


def flag(gate):
    """True for a row that violates the gate; over `kept`, the rows after dedup."""
    if gate["kind"] == "unique":
        counted = f"keyed AND {no_null(gate['columns'])}"
        group = ", ".join(within(gate["scope"]) + [same(c) for c in gate["columns"]] + [f"({counted})"])
        return f"({counted}) AND count(*) OVER (PARTITION BY {group}) > 1"
    column = gate["column"]
    if gate["kind"] == "notNull":
        return f"{column} IS NULL"
    if gate["kind"] == "oneOf":
        listed = ", ".join(number(v) if is_float(column) else text(v) for v in gate["values"])
        return f"{column} IS NOT NULL AND ({nan(column)} OR {column} NOT IN ({listed}))"
    if gate["kind"] == "inRange":
        bounds = {"greaterThan": ">", "atLeast": ">=", "lessThan": "<", "atMost": "<="}
        inside = [f"{column} {sign} {number(gate[bound])}" for bound, sign in bounds.items() if bound in gate]
        return f"{column} IS NOT NULL AND ({nan(column)} OR NOT ({' AND '.join(inside)}))"
    raise ValueError(gate["kind"])


def judged(contract):
    """A query: every row of the manifest with its place in its key's group, its violations, and whether its win was ambiguous."""
    dedup = contract["deduplicate"]
    declared = [column["name"] for column in contract["columns"]]
    key = [same(column) for column in dedup["primaryKey"]]
    ranks = [rank(order["column"]) for order in dedup["orderBy"]]
    order = ", ".join(f"{r} {o['direction'].upper()} NULLS LAST" for r, o in zip(ranks, dedup["orderBy"]))
    group = ", ".join(within(dedup["scope"]) + key + ["keyed"])
    tie = " AND ".join(f"w.rank{i} IS NOT DISTINCT FROM l.rank{i}" for i in range(len(ranks)))
    differ = " OR ".join(f"w.{c} IS DISTINCT FROM l.{c}" for c in (f"same_{name}" for name in declared))
    meet = " AND ".join(
        [f"w.same_{name} IS NOT DISTINCT FROM l.same_{name}" for name in dedup["primaryKey"]]
        + [f"w.{column} = l.{column}" for column in within(dedup["scope"])]
    )
    gates = [("primaryKey", "NOT keyed")] + [(gate["name"], flag(gate)) for gate in contract["gates"]]
    named = ", ".join(f"CASE WHEN {test} THEN {text(name)} END" for name, test in gates)
    return f"""
    WITH input AS (
      SELECT manifest.day, manifest.path, encode(manifest.path) AS bytes, raw.*,
        {no_null(dedup["primaryKey"])} AS keyed,
        {", ".join(f"{r} AS rank{i}" for i, r in enumerate(ranks))},
        {", ".join(f"{same(name)} AS same_{name}" for name in declared)}
      FROM manifest JOIN raw USING (version) ANTI JOIN unreadable USING (day, path, version, line)
    ), placed AS (
      SELECT *, keyed AND row_number() OVER (PARTITION BY {group} ORDER BY {order}, bytes DESC, line DESC) > 1 AS lost
      FROM input
    ), kept AS (SELECT * FROM placed WHERE NOT lost),
    flagged AS (
      SELECT *, list_filter([{named}], lambda name: name IS NOT NULL) AS violations FROM kept
    )
    SELECT day, path, version, line, {", ".join(declared)}, stored, lost, violations, false AS torn, bytes FROM flagged
    UNION ALL
    SELECT day, path, version, line, {", ".join(declared)}, stored, lost, [], false, bytes FROM placed WHERE lost
    UNION ALL
    SELECT day, path, version, line, {", ".join(declared)}, NULL, false, [], true, bytes FROM placed w
      WHERE keyed AND NOT lost AND EXISTS (
        SELECT 1 FROM placed l WHERE l.keyed AND l.lost AND {meet} AND {tie} AND ({differ}))
    ORDER BY day, bytes, line
    """


def orphans(contract):
    """A query: by date, how many unreadable rows there are of whose key no other row can be read."""
    key = contract["deduplicate"]["primaryKey"]
    value = lambda of, column: f"({of}.{column} + 0)" if is_float(column) else f"{of}.{column}"
    meet = " AND ".join(f"{value('here', column)} IS NOT DISTINCT FROM {value('gone', column)}" for column in key)
    return f"""
    SELECT gone.day, count(*) FROM (SELECT * FROM unreadable JOIN raw USING (version, line)) gone
    WHERE NOT EXISTS (
      SELECT 1 FROM manifest JOIN raw here USING (version) ANTI JOIN unreadable USING (day, path, version, line)
      WHERE {meet})
    GROUP BY gone.day
    """


def encode(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return [encode(item) for item in value]
    return repr(value)


def expect(task):
    contract = task["contract"]
    manifest = task["manifest"]
    db.execute("CREATE OR REPLACE TEMP TABLE manifest (day VARCHAR, path VARCHAR, version INTEGER)")
    if manifest:
        values = ", ".join(f"({text(day)}, {text(path)}, {int(version)})" for day, path, version in manifest)
        db.execute(f"INSERT INTO manifest VALUES {values}")
    unreadable = task.get("lost", [])
    db.execute("CREATE OR REPLACE TEMP TABLE unreadable (day VARCHAR, path VARCHAR, version INTEGER, line BIGINT)")
    if unreadable:
        values = ", ".join(f"({text(d)}, {text(p)}, {int(v)}, {int(line)})" for d, p, v, line in unreadable)
        db.execute(f"INSERT INTO unreadable VALUES {values}")
    names = ["primaryKey"] + [gate["name"] for gate in contract["gates"]]
    counts = {
        day: {
            **dict.fromkeys(["read", "superseded", "ambiguous", "quarantined", "published", "misfiled"], 0),
            "violations": dict.fromkeys(names, 0),
        }
        for day in sorted({day for day, _, _ in manifest})
    }
    curated, quarantine, torn_rows = [], [], []
    superseded = [list(row) for row in unreadable]
    if unreadable:
        # What was counted of them once still holds.
        for day, stored in db.execute("SELECT day, stored FROM unreadable JOIN raw USING (version, line)").fetchall():
            counts[day]["read"] += 1
            counts[day]["superseded"] += 1
            counts[day]["misfiled"] += stored is not None and str(stored) != day
        for day, rows in db.execute(orphans(contract)).fetchall():
            counts[day]["unrecoverable"] = rows
    for day, path, version, line, *values, stored, lost, violations, torn, _ in db.execute(judged(contract)).fetchall():
        count = counts[day]
        if torn:
            count["ambiguous"] += 1
            torn_rows.append([day, path, line])
            continue
        count["read"] += 1
        count["misfiled"] += stored is not None and str(stored) != day
        row = [day, *map(encode, values)]
        if lost:
            count["superseded"] += 1
            superseded.append([day, path, version, line])
        elif violations:
            count["quarantined"] += 1
            quarantine.append([*row, violations, path, str(line)])
            for name in violations:
                count["violations"][name] += 1
        else:
            count["published"] += 1
            curated.append(row)
    return {"curated": curated, "quarantine": quarantine, "counts": counts, "superseded": superseded, "torn": torn_rows}


# ---- the published table -------------------------------------------------------------------------

PART = re.compile(r"part-[0-9a-f]+-[0-9a-f-]+-(\d+)\.parquet$")


def files_of(table, kind):
    """(date, absolute path) of every data file, as a reader finds them that knows nothing of Tidegate; in the order of rows."""
    root = os.path.join(table["path"], kind)
    if table["format"] == "delta":
        if table["versions"][kind] < 0:
            return []
        adds = pa.table(DeltaTable(root, version=table["versions"][kind]).get_add_actions(flatten=True)).to_pylist()
        found = [(str(add["partition.date"]), os.path.join(root, add["path"])) for add in adds]
    else:
        found = [
            (re.search(r"date=([\d-]+)$", os.path.dirname(path))[1], path)
            for path in glob.glob(os.path.join(glob.escape(root), "*", "*.parquet"))
        ]
    return sorted(found, key=lambda file: (file[0], int(PART.search(file[1])[1])))


def plain(column):
    return [encode(value) for value in column.to_pylist()]


def read(table, kind, declared, differences):
    expected = declared + (["_violations", "_source_file", "_source_row"] if kind == "quarantine" else [])
    rows = []
    for day, path in files_of(table, kind):
        data = pq.ParquetFile(path).read()
        if data.column_names != expected:
            differences.append(f"{kind} {day}: columns {data.column_names}, expected {expected}")
            continue
        columns = [plain(column) for column in data.columns]
        rows += [[day, *values] for values in zip(*columns)]
    return rows


def difference(kind, found, expected):
    """What is missing, what is too many, and then whether the order is right."""
    as_text = lambda rows: [json.dumps(row, ensure_ascii=False) for row in rows]
    found, expected = as_text(found), as_text(expected)
    if found == expected:
        return []
    left = {}
    for row in expected:
        left[row] = left.get(row, 0) + 1
    extra = []
    for row in found:
        if left.get(row, 0) > 0:
            left[row] -= 1
        else:
            extra.append(row)
    missing = [row for row, count in left.items() for _ in range(count)]
    told = [f"{kind}: missing {row}" for row in missing[:SHOWN]] + [f"{kind}: too many {row}" for row in extra[:SHOWN]]
    return told or [f"{kind}: the rows are right, their order is not: {found[:SHOWN]}, expected {expected[:SHOWN]}"]


def compare(task):
    expected = {"curated": [], "quarantine": [], "counts": {}, "superseded": [], "torn": []}
    for rule in task["rules"]:
        one = expect({"contract": rule["contract"], "manifest": task["manifest"], "lost": task["lost"]})
        dates = set(rule["dates"])
        for kind in ("curated", "quarantine", "superseded", "torn"):
            expected[kind] += [row for row in one[kind] if row[0] in dates]
        expected["counts"].update({day: count for day, count in one["counts"].items() if day in dates})
    differences = []
    for kind in ("curated", "quarantine"):
        # Stable: within a partition the order of rows stays.
        expected[kind].sort(key=lambda row: row[0])
        declared = [column["name"] for column in task["rules"][0]["contract"]["columns"]] if task["rules"] else []
        differences += difference(kind, read(task["table"], kind, declared, differences), expected[kind])
    return {
        "differences": differences,
        "counts": expected["counts"],
        "superseded": expected["superseded"],
        "outcomes": outcomes(expected),
    }


def outcomes(expected):
    """Which winners are ambiguous is part of it: that is kept, though only their number is told."""
    digests = {day: hashlib.sha256(json.dumps(count).encode()) for day, count in expected["counts"].items()}
    for kind in ("curated", "quarantine", "torn"):
        for row in expected[kind]:
            digests[row[0]].update(json.dumps([kind, row]).encode())
    return {day: digest.hexdigest() for day, digest in digests.items()}


def read_table(task):
    differences = []
    rows = {kind: read(task["table"], kind, task["columns"], differences) for kind in ("curated", "quarantine")}
    if differences:
        raise ValueError(differences)
    return rows


# ---- raw files -----------------------------------------------------------------------------------


def decode(value, kind):
    if value is None or kind == "VARCHAR":
        return value
    if kind == "DOUBLE":
        return float(value)
    return int(value)


def write_files(task):
    for file in task["files"]:
        os.makedirs(os.path.dirname(file["path"]), exist_ok=True)
        kinds = {**COLUMNS, "date": "DATE"}
        arrays = {}
        for at, name in enumerate(file["columns"]):
            kind = kinds[name]
            values = [row[at] for row in file["rows"]]
            if kind == "DATE":
                arrays[name] = pa.array(values, pa.string()).cast(pa.date32())
            else:
                arrays[name] = pa.array([decode(value, kind) for value in values], ARROW[kind])
        content = pa.table(arrays)
        if file["writer"] == "duckdb":
            db.register("content", content)
            db.execute(f"COPY content TO {text(file['path'])} (FORMAT parquet)")
            db.unregister("content")
        else:
            pq.write_table(content, file["path"])
    known(task)


def known(task):
    for file in task["files"]:
        path = text(file["path"])
        has_date = "date" in pq.read_schema(file["path"]).names
        db.execute(
            f"INSERT INTO raw SELECT {int(file['version'])}, file_row_number, {', '.join(COLUMNS)}, "
            f"{'date' if has_date else 'NULL'} FROM read_parquet({path}, file_row_number = true, hive_partitioning = false)"
        )


OPERATIONS = {"files": write_files, "known": known, "expect": expect, "compare": compare, "read": read_table, "forget": forget}


def main():
    out = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        task = json.loads(line)
        try:
            answer = {"ok": OPERATIONS[task["op"]](task)}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        out.write(json.dumps(answer, allow_nan=False) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
