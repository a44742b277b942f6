/**
 * A publisher process: commits `count` requests one after another, planning again whenever its plan
 * is void, as a run does. Prints each commit as a line of JSON.
 * Usage: node -r register.js publisher.ts '<JSON of PublisherInput>'
 */
import { VoidPlan } from '../../../src/errors';
import { openTable } from '../../../src/publish';
import { contractFor, stage } from './fixture';

export interface PublisherInput {
  readonly path: string;
  readonly name: string;
  readonly count: number;
  readonly dates: readonly string[];
  /** Stalls at a random failpoint for up to this many milliseconds, anew before each attempt. */
  readonly stallUpTo?: number;
  readonly keep?: { versions: number; days: number };
}

const STALLS = ['before-build', 'built', 'before-claim', 'claimed', 'indexed', 'shown'];
const random = (below: number): number => Math.floor(Math.random() * below);

export async function publishAll(
  input: PublisherInput,
  onCommit: (commit: { version: number; requestId: string }) => void,
): Promise<void> {
  const contract = contractFor(input.path, { keep: input.keep });
  const table = openTable(contract);
  await table.claimFolder();
  for (let index = 0; index < input.count; index++) {
    const requestId = `${input.name}/${index}`;
    for (;;) {
      if (input.stallUpTo !== undefined) {
        process.env['TIDEGATE_FAILPOINTS'] =
          `publish.${STALLS[random(STALLS.length)]}=stall:${random(input.stallUpTo)}`;
      }
      const base = await table.read();
      const outcomes = input.dates.map((date) => ({ date }));
      try {
        const commit = await table.publish(await stage({ contract, base, requestId, outcomes }));
        onCommit({ version: commit.version, requestId: commit.requestId });
        break;
      } catch (error) {
        if (!(error instanceof VoidPlan)) throw error;
      }
    }
  }
}

if (require.main === module) {
  const input = JSON.parse(process.argv[2]!) as PublisherInput;
  publishAll(input, (commit) => console.log(JSON.stringify(commit))).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
