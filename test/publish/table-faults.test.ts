import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Contract } from '../../src/contract/contract';
import { openTable } from '../../src/publish';
import { CRASHES, type Crash, type Operation, installFaults, operationsOf, underDoom } from '../support/fs-faults';
import { newMemoryRoot } from '../support/memory-root';
import { type Act, perform } from './support/act';
import { checkTable } from './support/check-table';
import type { DoomedInput } from './support/doomed';
import { contractFor, type Outcome, stage } from './support/fixture';
import { type Entries, type Parts, entriesOf, partsOf, shownIn } from './support/lying-there';
import { start } from './support/processes';

/*
 * A small table in the directory format with a fault at every file operation of all that is done with it. Whoever dies at an
 * operation that only looks leaves behind what the one before it left.
 */

jest.setTimeout(600_000);

const LANES = 4;
/** `npm run soak:faults` also kills a process at every operation. */
const ALL = process.env['TIDEGATE_FAULTS'] === 'all';
/** Operations at which a process is killed otherwise, of each case. */
const KILLED = 2;
const modesOf = ({ changes }: Operation): readonly Crash[] => (changes ? CRASHES : ['refused']);

type Keep = Contract['publish']['keep'];
const KEEP_ALL: Keep = { versions: 30, days: 7 };
const KEEP_ONE: Keep = { versions: 1, days: 0 };

interface Case {
  readonly keep: Keep;
  /** Makes the table. Returns what is then done with it. */
  readonly prepare: (contract: Contract) => Promise<Act>;
  /** The requests of all versions, oldest first, when it was done. */
  readonly requests: readonly string[];
  /** Of them, how many there are before. */
  readonly before: number;
}

const FIRST = [{ date: '2026-05-01' }, { date: '2026-05-02', quarantined: 1 }, { date: '2026-05-03' }];
const SECOND = [
  { date: '2026-05-02', published: 2 },
  { date: '2026-05-04', quarantined: 1 },
];

async function staged(
  contract: Contract,
  requestId: string,
  outcomes: readonly Outcome[],
  removed?: readonly string[],
) {
  const table = openTable(contract);
  await table.claimFolder();
  return stage({ contract, base: await table.read(), requestId, outcomes, removed });
}

async function published(contract: Contract, requestId: string, outcomes: readonly Outcome[]): Promise<void> {
  await openTable(contract).publish(await staged(contract, requestId, outcomes));
}

/** What runs, writers and removals that died left lying there. */
async function leaveRemains(contract: Contract): Promise<void> {
  const { run } = await staged(contract, 'dead', SECOND);
  const identity = '0123456789abcdef';
  const remains = [
    `_runs/${run}/plan-0.json`,
    `_runs/${run}/alive`,
    `_index/${identity}/2026-05-01-${'f'.repeat(64)}.idx`,
    `_index/${identity}/.tmp-dead`,
    '.tmp-dead',
    'requests/.tmp-dead',
    '_staging/.trash-dead/part-0.parquet',
    'snapshots/00000001/.trash-dead/part-0.parquet',
  ];
  for (const path of remains) {
    await mkdir(dirname(join(contract.publish.path, path)), { recursive: true });
    await writeFile(join(contract.publish.path, path), 'left');
  }
}

const CASES: Readonly<Record<string, Case>> = {
  'claiming a folder': {
    keep: KEEP_ALL,
    prepare: () => Promise.resolve({ do: 'claim the folder' }),
    requests: [],
    before: 0,
  },
  'the first publish': {
    keep: KEEP_ALL,
    prepare: async (contract) => ({ do: 'publish', input: await staged(contract, 'one', FIRST) }),
    requests: ['one'],
    before: 0,
  },
  // Retention then works within the publish too.
  'a publish that replaces, adds and removes partitions': {
    keep: KEEP_ONE,
    prepare: async (contract) => {
      await published(contract, 'one', FIRST);
      return { do: 'publish', input: await staged(contract, 'two', SECOND, ['2026-05-03']) };
    },
    requests: ['one', 'two'],
    before: 1,
  },
  'a rollback': {
    keep: KEEP_ALL,
    prepare: async (contract) => {
      await published(contract, 'one', FIRST);
      await published(contract, 'two', SECOND);
      return { do: 'roll back', requestId: 'back', to: 1 };
    },
    requests: ['one', 'two', 'back'],
    before: 2,
  },
  'a vacuum': {
    keep: { versions: 2, days: 0 },
    prepare: async (contract) => {
      const keepingAll = contractFor(contract.publish.path, { keep: KEEP_ALL });
      await published(keepingAll, 'one', FIRST);
      await published(keepingAll, 'two', SECOND);
      await published(keepingAll, 'three', [{ date: '2026-05-01' }]);
      await leaveRemains(keepingAll);
      return { do: 'vacuum' };
    },
    requests: ['one', 'two', 'three'],
    before: 3,
  },
};

let root = '';
let uninstall = (): void => {};
beforeAll(() => {
  root = newMemoryRoot('faults');
  uninstall = installFaults();
});
afterAll(() => {
  uninstall();
  rmSync(root, { recursive: true, force: true });
});

/** A case on a table of its own, copied for every fault. */
class Experiment {
  #copies = 0;
  readonly seen = { old: 0, new: 0 };

  private constructor(
    readonly name: string,
    readonly act: Act,
    /** All that is done when nothing fails. */
    readonly operations: readonly Operation[],
    readonly before: Entries,
    readonly after: Entries,
  ) {}

  static async of(name: string): Promise<Experiment> {
    const { prepare, keep } = CASES[name]!;
    const template = contractFor(join(root, name, 'template', 'table'), { keep });
    await mkdir(dirname(template.publish.path), { recursive: true });
    const act = await prepare(template);
    const dry = await copyOf(template, join(root, name, 'dry'));
    const before = await lyingIn(dry);
    const operations = await operationsOf(() => perform(act, dry));
    return new Experiment(name, act, operations, before, await lyingIn(dry));
  }

  get #case(): Case {
    return CASES[this.name]!;
  }

  async fresh(): Promise<Contract> {
    const template = contractFor(join(root, this.name, 'template', 'table'), { keep: this.#case.keep });
    return copyOf(template, join(root, this.name, String(this.#copies++)));
  }

  /**
   * Looks at the table as a fault left it, does all again, and cleans up.
   * @param ended whether it was done, as whoever did it was told.
   * @param looksFirst whether another process opens the table between the fault and the next attempt.
   */
  async judge(contract: Contract, ended: boolean, looksFirst: boolean): Promise<void> {
    const { requests, before } = this.#case;
    const left = await lyingIn(contract);
    expectWhole(left, partsOf(this.before), partsOf(this.after));
    const [shown, shownBefore, shownAfter] = [left, this.before, this.after].map(shownIn);
    expect([shownBefore, shownAfter]).toContain(shown);
    const isNew = shownBefore === shownAfter ? this.#isDone(left) : shown === shownAfter;
    if (ended) expect(isNew).toBe(true);
    this.seen[isNew ? 'new' : 'old'] += 1;

    if (looksFirst) {
      const commits = (await checkTable(contract)).commits.map(({ requestId }) => requestId);
      expect([requests.slice(0, before), requests]).toContainEqual(commits);
    }
    const answer = await perform(this.act, contract);
    if (requests.length > before) {
      expect(answer).toMatchObject({ version: requests.length, requestId: requests.at(-1) });
    }
    const again = await lyingIn(contract);
    expect(shownIn(again)).toBe(shownAfter);
    expect(partsOf(again)).toEqual(partsOf(this.after));
    expect((await checkTable(contract)).commits.map(({ requestId }) => requestId)).toEqual(requests);
    await expectNoOrphan(contract);
    await rm(dirname(contract.publish.path), { recursive: true });
  }

  /** Of what shows readers no other version. */
  #isDone(entries: Entries): boolean {
    return entries.has('tidegate.json') && isDeepStrictEqual(partsOf(entries), partsOf(this.after));
  }
}

async function copyOf(template: Contract, folder: string): Promise<Contract> {
  await cp(dirname(template.publish.path), folder, { recursive: true, verbatimSymlinks: true });
  return contractFor(join(folder, 'table'), { keep: template.publish.keep });
}

/** Nothing where there is no folder yet. */
async function lyingIn(contract: Contract): Promise<Entries> {
  const entries = await entriesOf(dirname(contract.publish.path));
  const below = [...entries].filter(([path]) => path.startsWith('table/') && path !== 'table/');
  return new Map(below.map(([path, content]) => [path.slice('table/'.length), content]));
}

/**
 * Of every version, each part that is there is all of it, as before or after. The version that is shown, and one that
 * was claimed after it, have all their parts.
 */
function expectWhole(entries: Entries, before: Parts, after: Parts): void {
  const shown = shownIn(entries);
  const found = partsOf(entries);
  expect([0, ...Object.keys(found).map(Number)]).toContain(shown);
  for (const [name, parts] of Object.entries(found)) {
    const version = Number(name);
    const all = Object.entries({ ...before[version], ...after[version] });
    const wanted = all.filter(([part]) => version >= shown || part in parts);
    expect([version, parts]).toEqual([version, Object.fromEntries(wanted)]);
  }
}

/** After a vacuum that keeps the newest version alone, everything that lies there is one that the table needs. */
async function expectNoOrphan({ publish: { path } }: Contract): Promise<void> {
  const contract = contractFor(path, { keep: KEEP_ONE });
  await perform({ do: 'vacuum' }, contract);
  const { partitions, version: newest } = await openTable(contract).read();
  const folder = (version: number): string => `snapshots/${String(version).padStart(8, '0')}`;
  const versions = Array.from({ length: newest }, (_, index) => index + 1);
  const data = [...partitions.values()].flatMap((one) => [...one.curated, ...one.quarantine, ...one.verdicts]);
  const named = [
    'tidegate.json',
    ...versions.flatMap((version) => [`${folder(version)}/commit.json`, `${folder(version)}/report.json`]),
    ...(newest > 0 ? ['current', `${folder(newest)}/state.json`] : []),
    ...data.map((file) => `${folder(newest)}/${file.path}`),
  ];
  const entries = await lyingIn(contract);
  const paths = [...entries.keys()];
  const isRequest = (name: string): boolean => /^requests\/./.test(name);
  expect(paths.filter((name) => !name.endsWith('/') && !isRequest(name)).toSorted()).toEqual(named.toSorted());
  // Of every commit another name, by which its request is found.
  const contents = (names: readonly string[]): string[] => names.map((name) => entries.get(name)!).toSorted();
  expect(contents(paths.filter(isRequest))).toEqual(contents(versions.map((one) => `${folder(one)}/commit.json`)));
  expect(paths.filter((name) => /^(?:_staging|_runs)\/./.test(name))).toEqual([]);
}

/** So many of them, evenly spread. */
function spread<T>(all: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => all[Math.floor(((index + 0.5) * all.length) / count)]!);
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

describe.each(Object.keys(CASES))('%s, with a fault at any file operation', (name) => {
  let experiment: Experiment;
  beforeAll(async () => {
    experiment = await Experiment.of(name);
  });

  const judged = async (where: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw new Error(`${where}: ${String(error)}`, { cause: error });
    }
  };

  test('leaves the old version or the new one, is done once when tried again, and vacuum leaves no orphan', async () => {
    const { act, operations, seen } = experiment;
    const faults = operations.flatMap((operation, at) =>
      modesOf(operation).map((mode, nth) => ({ at, mode, looksFirst: (at + nth) % 2 === 0 })),
    );
    let failures = 0;
    await inLanes(faults, async ({ at, mode, looksFirst }) => {
      const contract = await experiment.fresh();
      const doom = { at, mode, code: mode === 'refused' ? 'ENOSPC' : 'EIO' };
      const { fate, outcome } = await underDoom(doom, () => perform(act, contract));
      if (outcome.status === 'rejected') failures += 1;
      await judged(`${mode}: ${fate.fired?.name} '${fate.fired?.path}'`, async () => {
        expect(fate.fired).not.toBeNull();
        await experiment.judge(contract, outcome.status === 'fulfilled', looksFirst);
      });
    });
    process.stderr.write(
      `${name}: ${faults.length} faults injected into ${operations.length} file operations; ${failures} were told; ` +
        `old seen ${seen.old} times, new ${seen.new} times\n`,
    );
    expect(failures).toBeGreaterThan(faults.length / 3);
    expect(seen.old).toBeGreaterThan(0);
    expect(seen.new).toBeGreaterThan(0);
  });

  test('is as harmless when the process is killed there', async () => {
    const { act, operations } = experiment;
    const places = operations.flatMap(({ changes }, at) =>
      (changes ? (['before', 'after'] as const) : (['before'] as const)).map((mode) => ({ at, mode, changes })),
    );
    const faults = ALL
      ? places
      : spread(
          places.filter(({ changes }) => changes),
          KILLED,
        );
    await inLanes(faults, async (doom) => {
      const contract = await experiment.fresh();
      const input: DoomedInput = { act, contract, doom };
      const register = join(__dirname, 'support', 'register.js');
      const program = join(__dirname, 'support', 'doomed.ts');
      const ended = await start(process.execPath, ['-r', register, program, JSON.stringify(input)]);
      await judged(`killed ${doom.mode}: ${operations[doom.at]?.name}`, async () => {
        expect(ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });
        await experiment.judge(contract, false, doom.at % 2 === 0);
      });
    });
    process.stderr.write(`${name}: ${faults.length} processes killed at ${operations.length} file operations\n`);
  });
});
