"""What a user of Delta Lake does about a changed day: merges its rows into the table. Run as: python delta_merge.py '<task>'"""

import json
import sys
import time

import polars as pl
from deltalake import DeltaTable, WriterProperties

task = json.loads(sys.argv[1])
cpu, started = time.process_time(), time.perf_counter()
day = pl.read_parquet(f"{task['raw']}/date={task['date']}/part-0.parquet")
newest = day.filter(pl.col("updated_at") == pl.col("updated_at").max().over("transaction_id"))
passed = newest.filter(
    pl.col("user_id").is_not_null(), pl.col("amount") > 0, ~pl.col("transaction_receipt").is_duplicated()
).with_columns(date=pl.lit(task["date"]))
merged = (
    DeltaTable(task["out"])
    .merge(
        passed.to_arrow(),
        predicate="t.transaction_id = s.transaction_id",
        source_alias="s",
        target_alias="t",
        writer_properties=WriterProperties(compression="ZSTD", compression_level=1),
    )
    .when_matched_update_all(predicate="s.updated_at > t.updated_at")
    .when_not_matched_insert_all()
    .execute()
)
seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
print(json.dumps({"seconds": seconds, "cpu": cpu, "mebibytes": peak, "found": {"merged": merged}}, default=str))
