'use strict';
/**
 * The faults of npm run check:mutations: texts of the sources and what takes their place, the tests that must
 * go red, and what these must say. Tests are files; scripts that the model test replays, which meet the fault by
 * construction; or `histories`: random ones, for what nearly each of them meets. A `harmless` one is no fault: the
 * tests must stay green.
 */

const INEXACT = /is not one full run over its files/;

const winners = [
  {
    name: 'ties go to the first row',
    patches: [
      {
        file: 'src/engine/settle.ts',
        find: '.col(POSITION)\n        .max()',
        replace: '.col(POSITION)\n        .min()',
      },
    ],
    tests: ['test/model/regressions/ties-nan-nulls-and-rows-without-a-key.json'],
    says: INEXACT,
  },
  {
    name: 'NaN is more than null in the ordering',
    patches: [
      {
        file: 'src/engine/resolve-scope.ts',
        find: 'return isFloat(column.type) ? pl.choose(value.isNan(), pl.lit(null), value) : value;',
        replace: 'return value;',
      },
    ],
    tests: ['test/model/regressions/ties-nan-nulls-and-rows-without-a-key.json'],
    says: INEXACT,
  },
  {
    name: 'nulls win the ordering',
    patches: [
      {
        file: 'src/engine/settle.ts',
        find: ".filter(value.eq(pl.col('best')).fillNull(pl.lit(false)).or(pl.col('best').isNull()))",
        replace: ".filter(value.eq(pl.col('best')).fillNull(pl.lit(true)))",
      },
    ],
    tests: ['test/model/regressions/ties-nan-nulls-and-rows-without-a-key.json'],
    says: INEXACT,
  },
  {
    name: 'a null in the key is a value like any other',
    patches: [
      {
        file: 'src/engine/hashes.ts',
        find: 'return pl.choose(absent, uint64(String(NO_HASH)), inRange);',
        replace: 'return inRange;',
      },
    ],
    tests: ['test/model/regressions/ties-nan-nulls-and-rows-without-a-key.json'],
    says: INEXACT,
  },
  {
    name: 'rows without a key are published',
    patches: [
      {
        file: 'src/engine/flags.ts',
        find: 'violates: otherKeys.reduce((any, isNull) => any.or(isNull), key!),',
        replace: 'violates: otherKeys.reduce((any, isNull) => any.or(isNull), key!).and(pl.lit(false)),',
      },
    ],
    tests: ['histories'],
    says: INEXACT,
  },
  {
    name: 'rows of all files but the first are numbered one too high',
    patches: [
      {
        file: 'src/engine/read.ts',
        find: '.plus(pl.lit(base + piece.start - piece.offset))',
        replace: '.plus(pl.lit(base + piece.start - piece.offset + (piece.start - piece.offset > 0 ? 1 : 0)))',
      },
    ],
    tests: ['test/model/regressions/the-first-row-of-the-second-file-loses.json'],
    says: INEXACT,
  },
  {
    name: 'paths are ordered as JavaScript orders text',
    patches: [
      {
        file: 'src/discovery/order.ts',
        find: 'return Buffer.compare(Buffer.from(a), Buffer.from(b));',
        replace: 'return a < b ? -1 : a > b ? 1 : 0;',
      },
    ],
    tests: ['test/model/regressions/names-in-the-order-of-their-bytes.json'],
    says: INEXACT,
  },
];

const protocol = [
  {
    name: 'the watermark is kept before the commit',
    patches: [
      {
        file: 'src/activities/discover-partitions.ts',
        find: '      const state = await table.read();',
        replace:
          "      const fs = require('node:fs');\n      const kept = `${contract.publish.path}.watermark`;\n" +
          '      const committed = await table.read();\n' +
          "      const watermark = fs.existsSync(kept) ? JSON.parse(fs.readFileSync(kept, 'utf8')) : committed.watermark;\n" +
          '      const state = { ...committed, watermark };',
      },
      {
        file: 'src/activities/discover-partitions.ts',
        find: '      await table.claimFolder();',
        replace: '      await table.claimFolder();\n      fs.writeFileSync(kept, JSON.stringify(plan.watermark));',
      },
      {
        file: 'src/publish/directory/publish.ts',
        find: 'if (commit.watermark.after !== watermark) {',
        replace: 'if (commit === null) {',
      },
      {
        file: 'src/publish/delta/publish.ts',
        find: 'if (watermark !== base.watermark) {',
        replace: 'if (version < 0) {',
      },
    ],
    tests: ['test/model/regressions/gone-and-nobody-took-note-of-the-watermark.json'],
    says: /the watermark is/,
  },
  {
    name: 'a rollback leaves the watermark',
    patches: [
      {
        file: 'src/publish/restore.ts',
        find: 'watermark: { before: base.watermark, after: target.watermark },',
        replace: 'watermark: { before: base.watermark, after: base.watermark },',
      },
    ],
    tests: ['test/model/regressions/rolled-back-over-a-new-day.json'],
    says: /the watermark is/,
  },
  {
    name: 'no compare-and-set of the version, directory',
    patches: [
      {
        file: 'src/publish/directory/publish.ts',
        find: 'if (version === plan.base.version) return;',
        replace: 'if (version >= plan.base.version) return;',
      },
    ],
    tests: ['test/publish/publish.test.ts'],
    named: 'version through, and voids the plans',
    says: /VoidPlan/,
  },
  {
    name: 'no compare-and-set of the version, Delta',
    patches: [
      {
        file: 'src/publish/delta/publish.ts',
        find: 'if (version !== base.version) {',
        replace: 'if (version < base.version) {',
      },
      {
        file: 'src/publish/delta/publish.ts',
        find: 'if (watermark !== base.watermark) {',
        replace: 'if (version < 0) {',
      },
    ],
    tests: ['test/model/regressions/another-run-commits-before-one-publishes.json'],
    says: INEXACT,
  },
  {
    name: 'a commit of another publisher meanwhile is gone over, Delta',
    patches: [
      {
        file: 'src/publish/delta/commit.ts',
        find: 'if (newest !== undefined && newest.commit.version >= commit.version) {',
        replace: 'if (newest === null) {',
      },
    ],
    tests: ['test/publish/delta/other-writers.test.ts'],
    named: 'at whichever storage operation they meet',
    says: /- +"theirs"/,
  },
  {
    name: 'no look for the request id, directory',
    patches: [
      {
        file: 'src/publish/directory/publish.ts',
        find: '  if (known !== null) return known;\n  checkBase(before, input);',
        replace: '  checkBase(before, input);',
      },
    ],
    tests: ['test/publish/publish.test.ts'],
    named: 'returns the recorded commit for a request id',
    says: /returns the recorded commit for a request id/,
  },
  {
    name: 'no look for the request id when a run begins',
    patches: [
      {
        file: 'src/activities/read-committed-state.ts',
        find: 'const commit = requestId === undefined ? null : await table.find(requestId);',
        replace: 'const commit = null;',
      },
      {
        file: 'src/publish/directory/publish.ts',
        find: '  if (known !== null) return known;\n  checkBase(before, input);',
        replace: '  checkBase(before, input);',
      },
      {
        file: 'src/publish/delta/publish.ts',
        find: '  if (known !== null) return known;\n  checkBase(plan.base, newest);',
        replace: '  checkBase(plan.base, newest);',
      },
    ],
    tests: ['test/model/regressions/committed-and-nobody-heard.json'],
    says: /the table went from version/,
  },
  {
    name: 'current is swung by a plain rename, without the token',
    patches: [
      {
        file: 'src/publish/directory/settle.ts',
        find: '  await unlessMissing(rename(token(root, version), join(root, CURRENT)));',
        replace:
          "  const link = join(root, `.link-${require('node:crypto').randomUUID()}`);\n" +
          '  await symlink(versionTarget(version), link);\n' +
          "  await require('node:timers/promises').setTimeout(Math.random() < 0.3 ? 400 : 0);\n" +
          '  await rename(link, join(root, CURRENT));\n' +
          "  await require('node:fs/promises').rm(token(root, version), { force: true });",
      },
    ],
    tests: ['test/publish/concurrency.test.ts'],
    named: '4 publishers in one process',
    says: /current went back|CorruptTable|points to|a mix in/,
  },
  {
    name: 'a file that changed under a plan is not noticed',
    patches: [
      {
        file: 'src/engine/source-files.ts',
        find: 'if (change !== undefined) throw new VoidPlan(change);',
        replace: 'if (change === null) throw new VoidPlan(change);',
      },
      { file: 'src/engine/source-files.ts', find: 'first ??= changeBetween(file, there);', replace: '' },
    ],
    tests: ['test/model/regressions/a-file-rewritten-between-plan-and-resolution.json'],
    says: /is not one full run over its files|cannot be read|expected \d+ rows/,
  },
  {
    name: 'a changed partition is taken for unchanged',
    patches: [
      {
        file: 'src/discovery/verdicts.ts',
        find: "return consumed.fingerprint === fingerprint(files) && consumed.undecided === undefined ? 'unchanged' : 'changed';",
        replace: "return 'unchanged';",
      },
    ],
    tests: ['histories'],
    says: /files consumed/,
  },
  {
    name: 'what is gone stays, directory',
    patches: [
      {
        file: 'src/publish/directory/next-version.ts',
        find: 'for (const { date } of plan.removed) partitions.delete(date);',
        replace: '',
      },
    ],
    tests: ['test/model/regressions/a-day-changes-another-goes.json'],
    says: /files consumed/,
  },
  {
    name: 'a void plan comes out of an engine thread as any other error',
    patches: [
      {
        file: 'src/engine/threads/errors.ts',
        find: "if (frozen.family === 'void') return new VoidPlan(frozen.reason);",
        replace: "if (frozen.family === 'void') return new Error(`the plan is void: ${frozen.reason}`);",
      },
    ],
    tests: ['test/engine/thread-errors.test.ts'],
    says: /VoidPlan/,
  },
];

/** What an incremental resolution over the table has to keep in view: each set that exactness rests on, left out. */
const table = [
  {
    name: 'hashes of what a run takes touch nothing',
    patches: [
      {
        file: 'src/engine/table/table-indexes.ts',
        find: 'return { sections: [...taken, ...this.#before.map(({ sections }) => sections[section]!)], keys };',
        replace: 'return { sections: this.#before.map(({ sections }) => sections[section]!), keys };',
      },
      {
        file: 'src/engine/table/table-indexes.ts',
        find: 'const taken = this.#members.filter((member) => member.taken).map(({ index }) => this.section(index, section));',
        replace: '',
      },
    ],
    tests: ['test/model/regressions/a-newer-row-elsewhere-loses-again.json'],
    says: INEXACT,
  },
  {
    name: 'hashes of what a run replaces or removes touch nothing',
    patches: [
      {
        file: 'src/engine/table/table-indexes.ts',
        find: 'return { sections: [...taken, ...this.#before.map(({ sections }) => sections[section]!)], keys };',
        replace: 'return { sections: taken, keys };',
      },
    ],
    tests: ['test/model/regressions/a-newer-row-elsewhere-loses-again.json'],
    says: INEXACT,
  },
  {
    name: 'unique values of what a run takes touch nothing',
    patches: [
      {
        file: 'src/engine/table/table-indexes.ts',
        find: 'return { sections: [...taken, ...this.#before.map(({ sections }) => sections[section]!)], keys };',
        replace:
          'return { sections: [...(section === 0 ? taken : []), ...this.#before.map(({ sections }) => sections[section]!)], keys };',
      },
    ],
    tests: ['test/model/regressions/unique-value-appears-elsewhere.json'],
    says: INEXACT,
  },
  {
    name: 'unique values of what a run replaces or removes touch nothing',
    patches: [
      {
        file: 'src/engine/table/table-indexes.ts',
        find: 'return { sections: [...taken, ...this.#before.map(({ sections }) => sections[section]!)], keys };',
        replace:
          'return { sections: [...taken, ...(section === 0 ? this.#before : []).map(({ sections }) => sections[section]!)], keys };',
      },
    ],
    tests: ['test/model/regressions/unique-value-replaced-elsewhere.json'],
    says: INEXACT,
  },
  {
    name: 'unique values of rows that began or ceased to lose touch nothing',
    patches: [
      {
        file: 'src/engine/table/repeated-values.ts',
        find: 'indexes.touchedBy(section, await keysOf(flips, (index) => indexes.section(index, section)))',
        replace: 'indexes.touchedBy(section)',
      },
    ],
    tests: ['test/model/regressions/unique-value-of-a-row-that-loses-and-comes-back.json'],
    says: INEXACT,
  },
  {
    name: 'unique values of rows that began to lose touch nothing',
    patches: [
      {
        file: 'src/engine/table/resolve-table.ts',
        find: 'await flips.add(index, difference(old, await lost.of(index)));',
        replace: 'await flips.add(index, minus(old, await lost.of(index)));',
      },
      {
        file: 'src/engine/table/resolve-table.ts',
        find: "import { difference } from './sorted-rows';",
        replace: "import { minus } from './sorted-rows';",
      },
    ],
    tests: ['test/model/regressions/unique-value-of-a-row-that-loses-and-comes-back.json'],
    says: INEXACT,
  },
  {
    name: 'unique values of rows that ceased to lose touch nothing',
    patches: [
      {
        file: 'src/engine/table/resolve-table.ts',
        find: 'await flips.add(index, difference(old, await lost.of(index)));',
        replace: 'await flips.add(index, minus(await lost.of(index), old));',
      },
      {
        file: 'src/engine/table/resolve-table.ts',
        find: "import { difference } from './sorted-rows';",
        replace: "import { minus } from './sorted-rows';",
      },
    ],
    tests: ['test/model/regressions/unique-value-of-a-row-that-loses-and-comes-back.json'],
    says: INEXACT,
  },
  {
    name: 'unique gates within a partition do not see rows that began or ceased to lose',
    patches: [
      {
        file: 'src/engine/table/repeated-values.ts',
        find: 'members.filter((member) => whole(member) || flips.has(member.index))',
        replace: 'members.filter((member) => whole(member))',
      },
    ],
    tests: ['test/model/regressions/unique-in-a-partition-when-a-row-comes-back.json'],
    says: INEXACT,
  },
  {
    name: 'unique gates count rows that lost',
    patches: [
      {
        file: 'src/engine/table/repeated-values.ts',
        find: 'session.search(indexes.parts(section, whole), touchedBy, (index) => lost.of(index))',
        replace: 'session.search(indexes.parts(section, whole), touchedBy)',
      },
    ],
    tests: ['test/model/regressions/unique-value-of-a-row-that-lost.json'],
    says: INEXACT,
  },
  {
    name: 'committed losers are forgotten',
    patches: [
      {
        file: 'src/engine/table/lost-rows.ts',
        find: 'whole(member) ? decided : union(await this.untouched(member, SUPERSEDED), decided),',
        replace: 'decided,',
      },
    ],
    tests: ['test/model/regressions/a-newer-row-elsewhere-loses-again.json'],
    says: INEXACT,
  },
  {
    name: 'committed losers stay losers, though they were decided again',
    patches: [
      {
        file: 'src/engine/table/lost-rows.ts',
        find: 'return touched.has(index) ? minus(old, await touched.rows(index)) : old;',
        replace: 'return old;',
      },
    ],
    tests: ['test/model/regressions/a-newer-row-elsewhere-loses-again.json'],
    says: INEXACT,
  },
  {
    name: 'new losers in partitions that a run does not take are not seen',
    patches: [
      {
        file: 'src/engine/table/lost-rows.ts',
        find: 'whole(member) ? decided : union(await this.untouched(member, SUPERSEDED), decided),',
        replace: 'whole(member) ? decided : await this.untouched(member, SUPERSEDED),',
      },
    ],
    tests: ['test/model/regressions/a-newer-row-elsewhere-loses-again.json'],
    says: INEXACT,
  },
  {
    name: 'committed flags stay, though they were decided again',
    patches: [
      {
        file: 'src/engine/table/outcome.ts',
        find: 'minus(rowsOf(await session.verdicts.of(committed!), set), again)',
        replace: 'rowsOf(await session.verdicts.of(committed!), set)',
      },
      { file: 'src/engine/table/outcome.ts', find: 'difference, minus, union', replace: 'difference, union' },
    ],
    tests: ['test/model/regressions/unique-value-replaced-elsewhere.json'],
    says: INEXACT,
  },
  {
    name: 'committed flags are forgotten',
    patches: [
      {
        file: 'src/engine/table/outcome.ts',
        find: 'sets.set(set, union(left, await flagged.rows(index)));',
        replace: 'sets.set(set, await flagged.rows(index));',
      },
    ],
    tests: ['test/model/regressions/a-second-unique-value-of-the-partition-appears-elsewhere.json'],
    says: INEXACT,
  },
  {
    name: 'committed ambiguous winners are forgotten',
    patches: [
      {
        file: 'src/engine/table/outcome.ts',
        find: 'sets.set(set, union(left, await rows.rows(index)));',
        replace: 'sets.set(set, await rows.rows(index));',
      },
    ],
    tests: ['test/model/regressions/another-row-of-the-partition-loses.json'],
    says: /counts: found/,
  },
  {
    name: 'a change of flags alone couples nothing',
    patches: [
      {
        file: 'src/engine/table/verdicts.ts',
        find: '  ...gates.map(uniqueSet),\n  AMBIGUOUS,\n',
        replace: '  AMBIGUOUS,\n',
      },
    ],
    tests: ['test/activities/table-scope.test.ts'],
    named: 'is flagged in both partitions',
    says: /2026-05-01 coupled 1/,
  },
  {
    name: 'a change of ambiguity alone couples nothing',
    patches: [
      {
        file: 'src/engine/table/verdicts.ts',
        find: '  ...gates.map(uniqueSet),\n  AMBIGUOUS,\n',
        replace: '  ...gates.map(uniqueSet),\n',
      },
    ],
    tests: ['test/model/regressions/no-longer-ambiguous.json'],
    says: /counts: found/,
  },
  {
    name: 'a lost index of what a run replaces is taken for an empty one',
    patches: [
      {
        file: 'src/engine/table/table-indexes.ts',
        find: "if (index === null) this.#touched = 'all';\n      else this.#before.push(index);",
        replace: 'if (index !== null) this.#before.push(index);',
      },
    ],
    tests: ['test/model/regressions/lost-index-of-what-a-run-replaces.json'],
    says: INEXACT,
  },
  {
    name: 'keys that share a hash are taken for one',
    patches: [
      {
        file: 'src/engine/resolve-batch.ts',
        find: '...key.map((column, i) => asDeclared(column).alias(keyName(i))),',
        replace: '...key.map((column, i) => (i === 0 ? hashOf(key) : asDeclared(column)).alias(keyName(i))),',
      },
      {
        file: 'src/engine/resolve-scope.ts',
        find: 'columns.map((column, i) => asDeclared(column).alias(keyName(i))),',
        replace: 'columns.map((column, i) => (i === 0 ? hashOf(columns) : asDeclared(column)).alias(keyName(i))),',
      },
    ],
    tests: ['test/model/collisions.test.ts'],
    named: 'four keys on three hashes',
    says: INEXACT,
  },
  {
    name: 'hashes have three values',
    harmless: true,
    patches: [
      {
        file: 'src/engine/hashes.ts',
        find: "const inRange = combined.modulo(uint64(String(end - 1))).add(uint64('1'));",
        replace: "const inRange = combined.modulo(uint64('3')).add(uint64('1'));",
      },
    ],
    tests: ['histories'],
    says: INEXACT,
  },
];

module.exports = { faults: [...winners, ...protocol, ...table] };
