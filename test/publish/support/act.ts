import type { Contract } from '../../../src/contract/contract';
import { openTable, type PublishInput, runOf } from '../../../src/publish';

const HOURS = 3_600_000;

/** Something done with a table: plain JSON, so that another process can do it. */
export type Act =
  | { readonly do: 'claim the folder' }
  | { readonly do: 'publish'; readonly input: PublishInput }
  | { readonly do: 'roll back'; readonly requestId: string; readonly to: number }
  | { readonly do: 'vacuum' };

/** Opens the table as a process that begins does, and does it. */
export async function perform(act: Act, contract: Contract): Promise<unknown> {
  const table = openTable(contract);
  switch (act.do) {
    case 'claim the folder':
      return table.claimFolder();
    case 'publish':
      return table.publish(act.input);
    case 'roll back':
      return table.rollback({ requestId: act.requestId, run: runOf(act.requestId), to: act.to });
    default:
      // Past the hour for which a vacuum spares everything.
      return table.vacuum({ dryRun: false, olderThanHours: 0, now: new Date(Date.now() + 2 * HOURS) });
  }
}
