'use strict';

/**
 * The files that a fault of mutations.js changes, by path, as they then are.
 * @param {{ name: string, patches: readonly { file: string, find: string, replace: string }[] }} fault
 * @param {(file: string) => string} read a source.
 * @returns {Map<string, string>}
 * @throws Error when a text is not in its source exactly once: nobody knows then what the fault would be.
 */
function patched({ name, patches }, read) {
  const files = new Map();
  for (const { file, find, replace } of patches) {
    const text = files.get(file) ?? read(file);
    const found = text.split(find).length - 1;
    if (found !== 1) {
      throw new Error(
        `the fault "${name}" is stale: expected its text once in ${file}, found it ${found} times. ` +
          `Bring scripts/mutations.js up to date with the source:\n${find}`,
      );
    }
    files.set(
      file,
      text.replace(find, () => replace),
    );
  }
  return files;
}

module.exports = { patched };
