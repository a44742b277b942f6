"""A Delta table of the published rows, a file a day. Run as: python delta_build.py '<task as JSON>'"""

import json
import os
import sys

import pyarrow.dataset as dataset
from deltalake import WriterProperties, write_deltalake

task = json.loads(sys.argv[1])
curated = os.path.join(os.path.realpath(os.path.join(task["table"], "current")), "curated")
properties = WriterProperties(compression="ZSTD", compression_level=1)
for date in task["dates"]:
    rows = dataset.dataset(f"{curated}/date={date}", format="parquet").to_table()
    rows = rows.append_column("date", [[date] * rows.num_rows])
    write_deltalake(task["out"], rows, mode="append", partition_by=["date"], writer_properties=properties)
print("{}")
