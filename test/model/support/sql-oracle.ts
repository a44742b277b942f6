import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Contract } from '../../../src/contract/contract';
import type { Counts } from '../../../src/quality/counts';
import { pythonPath } from '../../../scripts/test-python';

/** A value of a raw file as text, exact: `nan`, `-0.0`, `9007199254740993`. */
export type Cell = string | null;

export interface RawFile {
  /** Names this content for good; files of the raw zone are copies of it. */
  readonly version: number;
  readonly path: string;
  readonly writer: 'pyarrow' | 'duckdb';
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A raw row that cannot be read any more. */
export type LostRow = readonly [date: string, path: string, version: number, line: number];

export interface Comparison {
  readonly differences: readonly string[];
  readonly counts: Expected['counts'];
  /** Every row that loses to another. */
  readonly superseded: readonly LostRow[];
  /** By date, what tells one outcome from another. */
  readonly outcomes: Readonly<Record<string, string>>;
}

/** Of a file that a table was computed from. */
export type ManifestEntry = readonly [date: string, path: string, version: number];

type Rules = Pick<Contract, 'columns' | 'deduplicate' | 'gates'>;

export interface Expected {
  readonly curated: readonly (readonly unknown[])[];
  readonly quarantine: readonly (readonly unknown[])[];
  readonly counts: Readonly<Record<string, Counts>>;
}

/** A version of a table: its folder; or the root of a Delta table, and the versions of its two logs (-1: none). */
export type TablePlace =
  | { readonly format: 'directory'; readonly path: string }
  | {
      readonly format: 'delta';
      readonly path: string;
      readonly versions: { readonly curated: number; readonly quarantine: number };
    };

/** The oracle of sql_oracle.py: one process that answers for many small tables. */
export class SqlOracle {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }[] = [];

  constructor() {
    const child = spawn(pythonPath(), ['-u', join(__dirname, 'sql_oracle.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process = child;
    let errors = '';
    child.stderr.on('data', (data: Buffer) => {
      errors = (errors + data.toString()).slice(-10_000);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { resolve, reject } = this.#waiting.shift()!;
      const { ok, error } = JSON.parse(line) as { ok?: unknown; error?: string };
      if (error === undefined) resolve(ok);
      else reject(new Error(error));
    });
    child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`Python ended: ${code ?? signal}\n${errors}`));
    });
    child.stdin.on('error', () => {});
  }

  /** Writes raw files, and learns what is in them. */
  async write(files: readonly RawFile[]): Promise<void> {
    await this.#ask('files', { files });
  }

  /** What one full run over these files publishes. */
  async expect(contract: Rules, manifest: readonly ManifestEntry[]): Promise<Expected> {
    return await this.#ask('expect', { contract, manifest });
  }

  /**
   * How a published table differs from one full run over the files of the manifest, each partition by the
   * rules it was published under; and that run's counts. Rows of `lost` take no part, and count as superseded.
   */
  async compare(input: {
    readonly rules: readonly { readonly contract: Rules; readonly dates: readonly string[] }[];
    readonly manifest: readonly ManifestEntry[];
    readonly lost: readonly LostRow[];
    readonly table: TablePlace;
  }): Promise<Comparison> {
    return await this.#ask('compare', input);
  }

  /** The rows of a published table, in order. */
  async read(columns: readonly string[], table: TablePlace): Promise<Pick<Expected, 'curated' | 'quarantine'>> {
    return await this.#ask('read', { columns, table });
  }

  /** Forgets all raw files. */
  async forget(): Promise<void> {
    await this.#ask('forget', {});
  }

  close(): void {
    this.#process.stdin.end();
  }

  async #ask<T>(op: string, task: object): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (value: unknown) => void, reject });
      this.#process.stdin.write(`${JSON.stringify({ op, ...task })}\n`);
    });
  }
}
