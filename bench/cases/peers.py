"""The same work by Polars and DuckDB, as their users write it. Run as: python peers.py '<task as JSON>'"""

import json
import os
import resource
import sys
import time

task = json.loads(sys.argv[1])
engine, raw, out = task["engine"], task["raw"], task["out"]
by_day = task["keyScope"] == "partition"
dates = task["dates"]

COLUMNS = [
    "transaction_id", "user_id", "amount", "currency", "status",
    "merchant", "transaction_receipt", "created_at", "updated_at",
]  # fmt: skip
GATES = ["user_id_not_null", "amount_in_range", "receipt_unique"]


def source(dates):
    return [f"{raw}/date={date}/part-0.parquet" for date in dates]


# -- Polars ------------------------------------------------------------------------------------------------------


def gates(frame):
    """Adds the names of the violated gates, in order."""
    import polars as pl

    violated = [
        pl.when(pl.col("user_id").is_null()).then(pl.lit(GATES[0])),
        pl.when(pl.col("amount") <= 0).then(pl.lit(GATES[1])),
        pl.when(pl.col("transaction_receipt").is_duplicated()).then(pl.lit(GATES[2])),
    ]
    return frame.with_columns(_violations=pl.concat_list(violated).list.drop_nulls())


def newest_by_sorting(frame):
    """The textbook's way: sort, then keep the first of each key."""
    return frame.sort("updated_at", descending=True).unique("transaction_id", keep="first", maintain_order=True)


def newest_by_window(frame):
    """Moves no rows: keeps those that are as new as the newest of their key. (Where two tie, both would stay.)"""
    import polars as pl

    return frame.filter(pl.col("updated_at") == pl.col("updated_at").max().over("transaction_id"))


def polars_eager(dates, newest):
    import polars as pl

    judged = gates(newest(pl.read_parquet(source(dates), hive_partitioning=True)))
    passed = judged["_violations"].list.len() == 0
    for kind, rows in (
        ("curated", judged.filter(passed).drop("_violations")),
        ("quarantine", judged.filter(~passed)),
    ):
        target = pl.PartitionBy(f"{out}/{kind}", key="date", include_key=False, approximate_bytes_per_file=None)
        rows.write_parquet(target, compression="zstd", compression_level=1)


def polars_lazy(dates, newest, streaming):
    import polars as pl

    judged = gates(newest(pl.scan_parquet(source(dates), hive_partitioning=True)))
    passed = pl.col("_violations").list.len() == 0
    sinks = [
        rows.sink_parquet(
            pl.PartitionBy(f"{out}/{kind}", key="date", include_key=False, approximate_bytes_per_file=None),
            compression="zstd",
            compression_level=1,
            mkdir=True,
            lazy=True,
        )
        for kind, rows in (
            ("curated", judged.filter(passed).drop("_violations")),
            ("quarantine", judged.filter(~passed)),
        )
    ]
    pl.collect_all(sinks, engine="streaming" if streaming else "in-memory")


# -- DuckDB ------------------------------------------------------------------------------------------------------

DUCKDB_NEWEST = {
    "window": "QUALIFY row_number() OVER (PARTITION BY transaction_id ORDER BY updated_at DESC) = 1",
    "narrow": """SEMI JOIN (
        SELECT transaction_id, max(updated_at) AS updated_at FROM read_parquet($files) GROUP BY ALL
    ) USING (transaction_id, updated_at)""",
}


def duckdb_run(connection, dates, newest):
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        WITH newest AS (
            SELECT * FROM read_parquet($files, hive_partitioning = true, hive_types_autocast = false)
            {DUCKDB_NEWEST[newest]}
        ),
        repeated AS (SELECT transaction_receipt FROM newest GROUP BY ALL HAVING count(*) > 1)
        SELECT *, list_filter([
            CASE WHEN user_id IS NULL THEN '{GATES[0]}' END,
            CASE WHEN amount <= 0 THEN '{GATES[1]}' END,
            CASE WHEN transaction_receipt IN (FROM repeated) THEN '{GATES[2]}' END
        ], lambda name: name IS NOT NULL) AS _violations
        FROM newest""",
        {"files": source(dates)},
    )
    options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARTITION_BY (date), OVERWRITE_OR_IGNORE"
    columns = ", ".join(COLUMNS)
    for kind, what in (
        ("curated", f"SELECT {columns}, date FROM judged WHERE len(_violations) = 0"),
        ("quarantine", f"SELECT {columns}, _violations, date FROM judged WHERE len(_violations) > 0"),
    ):
        connection.execute(f"COPY ({what}) TO '{out}/{kind}' ({options})")


# -- How they are run ----------------------------------------------------------------------------------------------


def runner(engine):
    """Imports are not timed."""
    library, *how = engine.split("-")
    if library == "duckdb":
        import duckdb

        connection = duckdb.connect(f"{out}/work.duckdb" if "disk" in how else ":memory:")
        return lambda dates: duckdb_run(connection, dates, "narrow" if "narrow" in how else "window")
    import polars  # noqa: F401

    newest = newest_by_sorting if "sort" in how else newest_by_window
    if "eager" in how:
        return lambda dates: polars_eager(dates, newest)
    return lambda dates: polars_lazy(dates, newest, "streaming" in how)


def peak_mebibytes():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


run = runner(engine)
os.makedirs(out, exist_ok=True)
cpu, started = time.process_time(), time.perf_counter()
if by_day:
    for date in dates:
        run([date])
else:
    run(dates)
print(json.dumps({
    "seconds": time.perf_counter() - started,
    "cpu": time.process_time() - cpu,
    "mebibytes": peak_mebibytes(),
}))  # fmt: skip
