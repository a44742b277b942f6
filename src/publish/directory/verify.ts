import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { resolutionDigest } from '../../contract';
import type { Contract } from '../../contract/contract';
import { TerminalError } from '../../errors';
import { localStore } from '../../storage';
import type { PartitionState, VerifyFault, VerifyOptions, VerifyReport } from '../table';
import { verifyContent } from '../verify/verify-content';
import { corrupt } from '../documents';
import { readCommit, readReport, readState } from './documents';
import { unlessMissing } from './durable';
import { OUTPUT_KINDS, versionFolder, versionTarget } from './layout';

/** Holds a version that has its data against its documents, and looks for files that nothing names. */
export async function verify(
  root: string,
  version: number,
  contract: Contract,
  options: VerifyOptions,
): Promise<VerifyReport> {
  try {
    const commit = await readCommit(root, version);
    const partitions = await readState(root, version);
    if (partitions === null) throw corrupt(`${versionFolder(root, version)} has data and no state.json`);
    const report = await readReport(root, version);
    const previous = version > 1 ? await readCommit(root, version - 1) : null;
    const content = {
      commit,
      previous,
      partitions,
      report,
      store: localStore(root, { errorType: 'TargetError' }),
      keyOf: (path: string) => `${versionTarget(version)}/${path}`,
      columns:
        commit.digests.resolution === resolutionDigest(contract) ? contract.columns.map(({ name }) => name) : null,
    };
    const verdict = await verifyContent(content, options);
    return { ...verdict, faults: [...verdict.faults, ...(await strangers(root, version, partitions.values()))] };
  } catch (error) {
    if (!(error instanceof TerminalError) || error.type !== 'CorruptTable') throw error;
    const fault: VerifyFault = { check: 'state', path: null, date: null, message: error.message };
    return { version, partitions: 0, files: 0, bytes: 0, rows: 0, withoutDigest: 0, faults: [fault] };
  }
}

/** Files in the version's folders that its state does not name: a reader's glob would take them for data. */
async function strangers(root: string, version: number, partitions: Iterable<PartitionState>): Promise<VerifyFault[]> {
  const named = new Set(
    [...partitions].flatMap((partition) => OUTPUT_KINDS.flatMap((kind) => partition[kind].map(({ path }) => path))),
  );
  const faults: VerifyFault[] = [];
  for (const kind of OUTPUT_KINDS) {
    const folder = join(versionFolder(root, version), kind);
    const entries = (await unlessMissing(readdir(folder, { recursive: true, withFileTypes: true }))) ?? [];
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name).slice(versionFolder(root, version).length + 1);
      if (entry.isDirectory() || named.has(path)) continue;
      const message = 'is not named by the commit, and a reader would take it for data: move it away';
      faults.push({ check: 'file', path: `${versionTarget(version)}/${path}`, date: null, message });
    }
  }
  return faults;
}
