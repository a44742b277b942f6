'use strict';
/** The floor: every file is decoded and encoded again by nodejs-polars, with no work in between. */
const { join } = require('node:path');
const pl = require('nodejs-polars').default;
const { sourcePath } = require('../lib/data');
const { tell } = require('../lib/node-case');

const WRITTEN = {
  compression: 'zstd',
  compressionLevel: 1,
  statistics: true,
  // As Tidegate writes: it makes smaller files in less time.
  rowGroupSize: 32_767,
  sinkOptions: { maintainOrder: true, syncOnClose: 'none', mkdir: true },
};

tell(async ({ raw, out, days }) => {
  for (let day = 0; day < days; day += 1) {
    const path = sourcePath(day);
    await pl
      .scanParquet(join(raw, path), { glob: false })
      .sinkParquet(join(out, 'curated', path), WRITTEN)
      .collect();
  }
});
