'use strict';

/** Says of each result whether it holds what the first of them that has a digest holds. */
function compareDigests(results) {
  const expected = results.find(({ found }) => found?.digest !== undefined)?.found.digest;
  return results.map((one) =>
    one.found?.digest === undefined
      ? one
      : { ...one, equal: JSON.stringify(one.found.digest) === JSON.stringify(expected) },
  );
}

/** Adds a digest of what was left in `out` to what a case found, untimed, in the first round only. */
function withDigest(run, digest) {
  let isFirst = true;
  return async (out) => {
    const result = await run(out);
    if (!isFirst || result.failed !== undefined) return result;
    isFirst = false;
    return { ...result, found: { ...result.found, digest: await digest(out) } };
  };
}

module.exports = { compareDigests, withDigest };
