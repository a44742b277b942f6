import { join } from 'node:path';
import type { Contract } from '../../contract';
import { TerminalError, VoidPlan } from '../../errors';
import { corrupt } from '../documents';
import { checkRunName } from '../names';
import { checkRestorable, restore } from '../restore';
import type { Commit, PartitionState, RollbackInput, TableState } from '../table';
import { claimVersion } from './claim';
import { readCommit, readState } from './documents';
import { FILE_KINDS, versionFolder, versionTarget } from './layout';
import type { PlacedFile } from './next-version';
import { findRequest } from './request-index';
import { isReadable } from './retention';
import { settle } from './settle';

/**
 * Commits an earlier version's content as the newest, by hard links of its files. Idempotent by
 * request id, and refused when somebody publishes meanwhile, as publish is (SEMANTICS 7.3).
 * @throws VoidPlan when the table's version moved.
 */
export async function rollback(
  root: string,
  input: RollbackInput,
  { now, contract }: { readonly now: () => Date; readonly contract: Contract },
): Promise<Commit> {
  checkRunName(input.run);
  const newest = await settle(root);
  const known = await findRequest(root, newest, input.requestId);
  if (known !== null) return known;
  checkRestorable(input.to, newest, root);
  try {
    const base = await stateOf(root, newest);
    const target = await stateOf(root, input.to);
    if (base === null) throw corrupt(`${versionFolder(root, newest)} is current and has no state.json`);
    if (target === null) throw removed(input.to);
    const { commit, partitions, report } = restore({ base, target, request: input, contract, now: now() });
    const carried = [...partitions.values()].flatMap((partition) => filesOf(partition, input.to));
    return await claimVersion(root, { commit, partitions, staged: [], carried }, { ...input, report });
  } catch (error) {
    const after = await settle(root);
    const done = await findRequest(root, after, input.requestId);
    if (done !== null) return done;
    if (after !== newest) {
      throw new VoidPlan(`the rollback was begun at version ${newest}, and the table is at version ${after}`);
    }
    if (!(await isReadable(root, input.to))) throw removed(input.to);
    throw error;
  }
}

/** Null when retention took the version's data. */
async function stateOf(root: string, version: number): Promise<TableState | null> {
  const partitions = await readState(root, version);
  if (partitions === null) return null;
  const commit = await readCommit(root, version);
  return { version, commit, watermark: commit.watermark.after, partitions };
}

const filesOf = (partition: PartitionState, version: number): PlacedFile[] =>
  FILE_KINDS.flatMap((kind) => partition[kind]).map(({ path }) => ({
    from: join(versionTarget(version), path),
    to: path,
  }));

const removed = (version: number): TerminalError =>
  new TerminalError(
    'RequestError',
    `the data of version ${version} was removed by retention (publish.keep); \`tidegate history\` and \`tidegate path --version\` show which versions are there`,
  );
