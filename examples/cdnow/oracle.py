"""Holds the published table against one query over everything, in DuckDB.

Called by replay.ts with the raw zone, the published version's folder (or the root of the Delta tables), the original file, and the counts that
Tidegate reported for each partition (JSON). Prints one JSON document: what was compared, and how many differences
there were. Nothing here comes from Tidegate: the rules of cdnow.yaml are written again, in SQL.
"""

import json
import os
import sys
import time

import duckdb
from deltalake import DeltaTable

raw, version, master, reported = sys.argv[1:]
started = time.monotonic()
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")

COLUMNS = "transaction_id, customer_id, number_of_cds, dollar_value, arrived_at"


def files_of(folder: str) -> list[str]:
    """A Delta table's files are those that its log names, as another reader finds them; a zone's are all there are."""
    if os.path.isdir(f"{folder}/_delta_log"):
        return [f"{folder}/{path}" for path in DeltaTable(folder).get_add_actions().column("path").to_pylist()]
    return [f"{folder}/**/*.parquet"]


def load(name: str, folder: str, columns: str) -> None:
    """A zone's rows, each with its partition, its file's path below the zone, and its row in the file."""
    db.execute(
        f"""
        CREATE TABLE {name} AS
        SELECT regexp_extract(filename, 'date=([^/]+)/', 1)::DATE AS day, {columns},
               substr(filename, length($folder) + 2) AS file, file_row_number AS "row"
        FROM read_parquet($files, filename = true, file_row_number = true, hive_partitioning = false)
        """,
        {"folder": folder, "files": files_of(folder)},
    )


load("raw", raw, COLUMNS)
load("curated", f"{version}/curated", COLUMNS)
load("quarantine", f"{version}/quarantine", f"{COLUMNS}, _violations, _source_file, _source_row")

# The one query: the newest version of each line, judged by every rule.
db.execute(
    """
    CREATE TABLE judged AS
    WITH versions AS (
        SELECT *, row_number() OVER (
            PARTITION BY day, transaction_id ORDER BY arrived_at DESC, file DESC, "row" DESC) AS place
        FROM raw),
    newest AS (
        SELECT *, count(*) OVER (PARTITION BY day, customer_id, number_of_cds, dollar_value) AS said
        FROM versions WHERE place = 1)
    SELECT *, list_filter([
        CASE WHEN customer_id IS NULL THEN 'notNull_customer_id' END,
        CASE WHEN NOT regexp_full_match(customer_id, '[0-9]{5}') THEN 'matches_customer_id' END,
        CASE WHEN day NOT BETWEEN '1997-01-01' AND '1998-06-30' THEN 'within_the_study' END,
        CASE WHEN number_of_cds IS NULL THEN 'notNull_number_of_cds' END,
        CASE WHEN number_of_cds < 1 THEN 'inRange_number_of_cds' END,
        CASE WHEN dollar_value IS NULL THEN 'notNull_dollar_value' END,
        CASE WHEN dollar_value <= 0 THEN 'not_free' END,
        CASE WHEN said > 1 AND customer_id IS NOT NULL AND number_of_cds IS NOT NULL AND dollar_value IS NOT NULL
             THEN 'said_once' END
    ], lambda gate: gate IS NOT NULL) AS violations
    FROM newest
    """
)

# Rows are compared with their place in the partition, so the order counts too.
PLACE = 'row_number() OVER (PARTITION BY day ORDER BY file, "row") AS nth'
db.execute(
    f"""
    CREATE VIEW expected_curated AS
    SELECT day, {PLACE}, {COLUMNS} FROM judged WHERE len(violations) = 0;
    CREATE VIEW found_curated AS
    SELECT day, {PLACE}, {COLUMNS} FROM curated;

    CREATE VIEW expected_quarantine AS
    SELECT day, {PLACE}, {COLUMNS}, violations, file, "row" FROM judged WHERE len(violations) > 0;
    CREATE VIEW found_quarantine AS
    SELECT day, {PLACE}, {COLUMNS}, _violations, _source_file, _source_row FROM quarantine;

    CREATE VIEW expected_counts AS
    SELECT day, count(*) AS "read", count(*) - count(violations) AS superseded,
           count(*) FILTER (len(violations) > 0) AS quarantined, count(*) FILTER (len(violations) = 0) AS published,
           count(*) FILTER (list_contains(violations, 'not_free')) AS not_free,
           count(*) FILTER (list_contains(violations, 'said_once')) AS said_once,
           count(*) FILTER (len(list_filter(violations, lambda gate: gate NOT IN ('not_free', 'said_once'))) > 0) AS others
    FROM raw LEFT JOIN judged USING (day, file, "row") GROUP BY day;
    """
)
db.execute(
    """
    CREATE TABLE found_counts AS
    SELECT date::DATE AS day, "read", superseded, quarantined, published, not_free, said_once, others
    FROM read_json($reported, columns = {date: 'VARCHAR', "read": 'BIGINT', superseded: 'BIGINT', quarantined: 'BIGINT',
                                         published: 'BIGINT', not_free: 'BIGINT', said_once: 'BIGINT', others: 'BIGINT'})
    """,
    {"reported": reported},
)

# The original file, read once more: each of its lines must be there exactly once, published or quarantined.
db.execute(
    r"""
    CREATE VIEW expected_original AS
    WITH lines AS (
        SELECT unnest(string_split(content, chr(10))) AS line, generate_subscripts(string_split(content, chr(10)), 1) AS nth
        FROM read_text($master)),
    sales AS (
        SELECT nth, regexp_extract_all(line, '\S+') AS field FROM lines WHERE nth > 1 AND trim(line, chr(13) || ' ') <> '')
    SELECT strptime(field[2], '%Y%m%d')::DATE AS day,
           format('{}-{}-{}', field[1], field[2],
                  row_number() OVER (PARTITION BY field[1], field[2] ORDER BY nth)) AS transaction_id,
           field[1] AS customer_id, field[3]::INTEGER AS number_of_cds, field[4]::DECIMAL(10, 2) AS dollar_value
    FROM sales
    """.replace("$master", "'" + master.replace("'", "''") + "'")
)
db.execute(
    """
    CREATE VIEW found_original AS
    SELECT day, transaction_id, customer_id, number_of_cds, dollar_value FROM curated
    UNION ALL SELECT day, transaction_id, customer_id, number_of_cds, dollar_value FROM quarantine
    """
)


def one(sql: str):
    return db.execute(sql).fetchone()[0]


def comparison(what: str) -> dict:
    return {
        "expected": one(f"SELECT count(*) FROM expected_{what}"),
        "found": one(f"SELECT count(*) FROM found_{what}"),
        "missing": one(f"SELECT count(*) FROM (FROM expected_{what} EXCEPT ALL FROM found_{what})"),
        "surplus": one(f"SELECT count(*) FROM (FROM found_{what} EXCEPT ALL FROM expected_{what})"),
    }


json.dump(
    {
        "engine": f"DuckDB {duckdb.__version__}",
        "files": one("SELECT count(DISTINCT file) FROM raw"),
        "rows": one("SELECT count(*) FROM raw"),
        "comparisons": {what: comparison(what) for what in ("curated", "quarantine", "counts", "original")},
        "superseded": one('SELECT sum(superseded) FROM expected_counts'),
        "violations": dict(
            db.execute(
                "SELECT gate, count(*) FROM (SELECT unnest(_violations) AS gate FROM quarantine) GROUP BY gate ORDER BY gate"
            ).fetchall()
        ),
        "dollars": {
            zone: str(one(f"SELECT coalesce(sum(dollar_value), 0) FROM {zone}")) for zone in ("curated", "quarantine")
        },
        "seconds": round(time.monotonic() - started, 1),
    },
    sys.stdout,
)
