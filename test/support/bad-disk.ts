import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own, small enough to be filled; making one needs root. */
export class SmallDisk {
  readonly #filler: string;

  private constructor(readonly path: string) {
    this.#filler = join(path, '_filler');
  }

  static mount(path: string, kilobytes: number): SmallDisk {
    mkdirSync(path, { recursive: true });
    const fault = mountTmpfs(path, kilobytes);
    if (fault !== null) throw new Error(fault);
    return new SmallDisk(path);
  }

  /** Leaves this much free. */
  fill(freeKilobytes: number): void {
    const { bavail, bsize } = statfsSync(this.path);
    writeFileSync(this.#filler, Buffer.alloc(Math.max(0, bavail * bsize - freeKilobytes * 1024)));
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  unmount(): void {
    spawnSync('umount', ['--lazy', this.path]);
  }
}

/** Why this process cannot mount a small file system; null when it can. */
export function noSmallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-mount-'));
  const fault = mountTmpfs(folder, 64);
  if (fault === null) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true, force: true });
  return fault;
}

function mountTmpfs(path: string, kilobytes: number): string | null {
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path]);
  return status === 0 ? null : `no tmpfs can be mounted: ${error?.message ?? stderr.toString().trim()}`;
}

/**
 * The command under which a process is bound by permissions: none for an ordinary user; root gives up
 * the capabilities by which it may open everything. A text says why it cannot.
 */
export function boundByPermissions(): readonly string[] | string {
  if (process.getuid?.() !== 0) return [];
  const command = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
  const { status, stderr, error } = spawnSync(command[0]!, [...command.slice(1), 'true']);
  return status === 0 ? command : `root cannot give up its capabilities: ${error?.message ?? stderr.toString().trim()}`;
}
