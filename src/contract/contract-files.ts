import { stat } from 'node:fs/promises';
import type { Contract } from './contract';
import { readContractFile, type ContractFile } from './load';
import { realOverlapFinding } from './overlap';

/**
 * A file is trusted to be unchanged only when it was last touched longer ago than this: two changes
 * within one tick of a file system's clock (2 s on the coarsest) leave the same times.
 */
const SETTLED_MS = 3_000;

/** Contract files, each parsed and validated again only when it may have changed. Every activity asks for one. */
export class ContractFiles {
  readonly #known = new Map<string, { readonly stamp: string; readonly contract: Contract }>();

  async read(file: string): Promise<ContractFile> {
    const stamp = await stampOf(file);
    const known = this.#known.get(file);
    // Whether source and target overlap is a matter of links too, which change without the file.
    if (stamp !== null && known?.stamp === stamp && (await realOverlapFinding(known.contract)) === null) {
      return { name: known.contract.pipeline, contract: known.contract, error: null };
    }
    this.#known.delete(file);
    const read = await readContractFile(file);
    if (stamp !== null && read.contract !== null) this.#known.set(file, { stamp, contract: read.contract });
    return read;
  }
}

/** What differs between two states of a file; null when that cannot be told. */
async function stampOf(file: string): Promise<string | null> {
  // Reading it says what is wrong.
  const info = await stat(file, { bigint: true }).catch(() => null);
  if (info === null || Date.now() - Number(info.ctimeMs) < SETTLED_MS) return null;
  return [info.dev, info.ino, info.size, info.mtimeNs, info.ctimeNs].join(':');
}
