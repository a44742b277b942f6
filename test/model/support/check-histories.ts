import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { installFaults } from '../../support/fs-faults';
import { newMemoryRoot } from '../../support/memory-root';
import type { History } from './history';
import { SqlOracle } from './sql-oracle';
import { type Tally, World, noTally } from './world';

export interface Laboratory {
  readonly oracle: SqlOracle;
  readonly tally: Tally;
  /** A folder of its own, removed afterwards. */
  within<T>(work: (folder: string) => Promise<T>): Promise<T>;
  readonly replay: (history: History) => Promise<void>;
}

/** What a test file of histories needs, from before its first test to after its last. */
export function laboratory(): Laboratory {
  let oracle: SqlOracle | undefined;
  let root = '';
  let folders = 0;
  let uninstall = (): void => {};
  const tally = noTally();
  beforeAll(() => {
    oracle = new SqlOracle();
    uninstall = installFaults();
    root = newMemoryRoot('model');
  });
  afterAll(() => {
    oracle?.close();
    uninstall();
    rmSync(root, { recursive: true, force: true });
  });
  const it: Laboratory = {
    get oracle() {
      return oracle!;
    },
    tally,
    async within(work) {
      const folder = join(root, String(folders++));
      try {
        await it.oracle.forget();
        return await work(folder);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    replay: (history) => it.within(async (folder) => void (await World.replay(history, folder, it.oracle, tally))),
  };
  return it;
}

export interface Amount {
  readonly runs: number;
  readonly seed?: number;
  /** Whether a failing history is made as short as it gets; default yes. */
  readonly shrink?: boolean;
  /** Milliseconds, making a failing history short among them; default no limit. */
  readonly within?: number;
  readonly onProgress?: (done: number) => void;
}

/**
 * Makes many histories happen. @throws Error with the shortest failing one that was found, as a script.
 */
export async function checkHistories(
  histories: fc.Arbitrary<History>,
  replay: (history: History) => Promise<void>,
  { runs, seed, shrink = true, within, onProgress }: Amount,
): Promise<void> {
  let done = 0;
  let failed = false;
  const property = fc.asyncProperty(histories, async (history) => {
    await replay(history).catch((error: unknown) => {
      failed = true;
      throw error;
    });
    // What comes after a failure makes it shorter, and is not of the number.
    if (failed) return;
    done += 1;
    onProgress?.(done);
  });
  const result = await fc.check(property, {
    numRuns: runs,
    endOnFailure: !shrink,
    ...(within !== undefined && { interruptAfterTimeLimit: within }),
    ...(seed !== undefined && { seed }),
  });
  if (!result.failed && done < runs) throw new Error(`${done} of ${runs} histories in ${within} ms, and none failed`);
  if (!result.failed) return;
  const [script] = result.counterexample ?? [];
  throw new Error(
    `after ${result.numRuns} histories of seed ${result.seed}, shrunk ${result.numShrinks} times. ` +
      `Keep it as test/model/regressions/<what>.json:\n${JSON.stringify(script)}\n\n${messagesOf(result.errorInstance)}`,
    { cause: result.errorInstance },
  );
}

function messagesOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
