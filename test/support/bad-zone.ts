import { WorkflowFailedError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunSummary } from '../../src/workflows/messages';
import type { Installation } from './installation';
import { expectTableEquals, oracle } from './oracle';
import { type Row, readRows } from './read-table';
import { type ContractOptions, type Transaction, contractYaml, land, transactions } from './transactions';

/** What a reader who pins the newest version sees, told by the folder alone. */
export interface Published {
  /** The version's real folder. */
  readonly path: string;
  /** Every version's number, shown or not. */
  readonly versions: readonly string[];
  readonly curated: readonly Row[];
  readonly quarantine: readonly Row[];
}

/** Wide enough that every run takes every partition, so that a table equals one run over everything. */
const LOOKBACK = 400;

/**
 * A pipeline with a raw zone and a table of its own on a shared installation, and a first version
 * published: 2026-05-01 with three good transactions.
 */
export class Zone {
  readonly raw: string;
  readonly curated: string;

  constructor(
    readonly installation: Installation,
    readonly pipeline: string,
  ) {
    this.raw = join(installation.folder, pipeline, 'raw');
    this.curated = join(installation.folder, pipeline, 'curated');
  }

  static async published(installation: Installation, pipeline: string, options: ContractOptions = {}): Promise<Zone> {
    const zone = new Zone(installation, pipeline);
    await zone.publishFirst(options);
    return zone;
  }

  async publishFirst(options: ContractOptions = {}): Promise<void> {
    this.contract(options);
    this.land('2026-05-01', transactions('good', 3));
    expect(await this.run()).toMatchObject({ commit: { version: 1 }, totals: { published: 3 } });
  }

  /** Writes the contract (again), `edit`ed as text. */
  contract(options: ContractOptions = {}, edit: (yaml: string) => string = (yaml) => yaml): void {
    const yaml = contractYaml({ lookback: LOOKBACK, ...options, pipeline: this.pipeline })
      .replace('../raw', this.raw)
      .replace('../curated', this.curated);
    writeFileSync(join(this.installation.pipelines, `${this.pipeline}.yaml`), edit(yaml));
  }

  land(date: string, rows: readonly Transaction[], name?: string): void {
    land(this.raw, date, rows, name);
  }

  /** Writes any bytes at a path relative to the raw zone. */
  put(path: string, bytes: string | Uint8Array): void {
    mkdirSync(dirname(join(this.raw, path)), { recursive: true });
    writeFileSync(join(this.raw, path), bytes);
  }

  async run(): Promise<RunSummary> {
    return await (await this.installation.start('incrementalRun', { pipeline: this.pipeline })).result();
  }

  look(): Published {
    const path = realpathSync(join(this.curated, 'current'));
    const versions = readdirSync(join(this.curated, 'snapshots'));
    return { path, versions, curated: readRows(path, 'curated'), quarantine: readRows(path, 'quarantine') };
  }

  /** What a run fails with; the published table must stay as it was. */
  async failure(): Promise<ApplicationFailure> {
    const before = this.look();
    const failure = await failureOf(this.run());
    expect(this.look()).toEqual(before);
    expect(failure.message).not.toContain('\n');
    return failure;
  }

  /** Runs, and holds the published table against an independent computation over all raw files. */
  async publishesEverything(): Promise<RunSummary> {
    const summary = await this.run();
    expect(summary).toMatchObject({ status: 'committed' });
    const contract = await this.installation.loadContract(this.pipeline);
    await expectTableEquals(summary.commit!.path, await oracle({ contract }));
    return summary;
  }
}

export async function failureOf(result: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await result.then(
    () => new Error('expected the workflow to fail'),
    (cause: unknown) => cause,
  );
  if (!(error instanceof WorkflowFailedError)) throw error;
  return error.cause as ApplicationFailure;
}
