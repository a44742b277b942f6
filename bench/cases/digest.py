"""What a table holds, whatever the order of its rows. Run as: python digest.py '{"folder": …}'"""

import glob
import json
import os
import sys

import duckdb

folder = json.loads(sys.argv[1])["folder"]
if os.path.islink(f"{folder}/current"):
    folder = os.path.realpath(f"{folder}/current")
COLUMNS = [
    "transaction_id", "user_id", "amount", "currency", "status",
    "merchant", "transaction_receipt", "created_at", "updated_at",
]  # fmt: skip


def digest(kind, columns):
    files = glob.glob(f"{folder}/{kind}/date=*/**/*.parquet", recursive=True)
    if not files:
        return {"rows": 0, "digest": "0"}
    values = ", ".join(["CAST(date AS VARCHAR)", *columns])
    rows, total = duckdb.execute(
        f"SELECT count(*), sum(hash({values})::HUGEINT)::VARCHAR FROM read_parquet($files, hive_partitioning = true)",
        {"files": files},
    ).fetchone()
    return {"rows": rows, "digest": total}


print(json.dumps({
    "curated": digest("curated", COLUMNS),
    "quarantine": digest("quarantine", [*COLUMNS, "array_to_string(_violations, ' ')"]),
}))  # fmt: skip
