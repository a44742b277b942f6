import { copyFileSync, mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PartitionState } from '../../../src/publish';
import { COLUMNS, type Content, DAYS, FILES, type History, type RawStep, contentsOf } from './history';
import type { ManifestEntry, SqlOracle } from './sql-oracle';

/** Seconds since 1970 of the first file; each file written is a second younger than the one before. */
const FIRST_FILE = 1_770_000_000;

/** What landed, and when it was written: told by its time alone, as no two contents are written at one time. */
interface Landed {
  readonly path: string;
  readonly content: number;
  readonly seconds: number;
}

/** The raw zone of a history. Every content it ever holds is written beforehand, and known to the oracle. */
export class RawZone {
  readonly #now = new Map<string, Landed>();
  readonly #everLanded: Landed[] = [];
  /** By path and time. */
  readonly #contentAt = new Map<string, number>();
  readonly #contents: ReadonlyMap<Content, number>;
  #clock = FIRST_FILE;

  private constructor(
    readonly path: string,
    readonly archive: string,
    history: History,
  ) {
    this.#contents = new Map(contentsOf(history).map(({ content }, index) => [content, index]));
    for (const folder of [path, archive]) mkdirSync(folder, { recursive: true });
  }

  static async create(history: History, path: string, archive: string, oracle: SqlOracle): Promise<RawZone> {
    const zone = new RawZone(path, archive, history);
    const files = contentsOf(history).map(({ content, day }, version) => {
      const date = content.stored === 'other' ? DAYS.at(day - 1)! : DAYS[day]!;
      const dated = content.stored !== 'none';
      return {
        version,
        path: zone.#archived(version),
        writer: content.writer,
        columns: dated ? [...COLUMNS, 'date'] : COLUMNS,
        rows: content.lines.map((line) => (dated ? [...line, date] : line)),
      };
    });
    if (files.length > 0) await oracle.write(files);
    return zone;
  }

  get isEmpty(): boolean {
    return this.#now.size === 0;
  }

  holds(date: string): boolean {
    return [...this.#now.keys()].some((path) => path.startsWith(`date=${date}/`));
  }

  /** Path and time of every file there is, in order. */
  listing(): string[] {
    return [...this.#now.values()].map(({ path, seconds }) => identity(path, nanoseconds(seconds))).toSorted();
  }

  /** Path and time of every file that was consumed, in order. */
  static consumed(partitions: readonly PartitionState[]): string[] {
    return partitions.flatMap(({ files }) => files.map((file) => identity(file.path, file.mtimeNs!))).toSorted();
  }

  /** What a partition was computed from. */
  manifestOf({ date, files }: PartitionState): ManifestEntry[] {
    return files.map(({ path, mtimeNs }) => {
      const content = this.#contentAt.get(identity(path, mtimeNs!));
      if (content === undefined) throw new Error(`${path} was consumed, as of ${mtimeNs}, and never lay there`);
      return [date, path, content];
    });
  }

  change(step: RawStep): void {
    switch (step.do) {
      case 'put': {
        const [path, content] = [pathOf(step.day, step.file), this.#contents.get(step.content)!];
        return this.#land({ path, content, seconds: this.#clock++ });
      }
      case 'restore':
        if (this.#everLanded.length > 0) this.#land(this.#everLanded[step.nth % this.#everLanded.length]!);
        return undefined;
      case 'move': {
        const from = pathOf(step.day, step.file);
        const landed = this.#now.get(from);
        if (landed === undefined || step.day === step.to) return undefined;
        this.#land({ ...landed, path: pathOf(step.to, step.file) });
        return this.#remove(from);
      }
      case 'drop':
        return this.#remove(pathOf(step.day, step.file));
      case 'dropDay':
        for (const file of FILES.keys()) this.#remove(pathOf(step.day, file));
        return undefined;
    }
  }

  /** By a rename, as a file that is overwritten while it is read is beyond what anybody promises. */
  #land(landed: Landed): void {
    const { path, content, seconds } = landed;
    const beside = join(this.archive, 'new');
    copyFileSync(this.#archived(content), beside);
    utimesSync(beside, seconds, seconds);
    const full = join(this.path, path);
    mkdirSync(dirname(full), { recursive: true });
    renameSync(beside, full);
    this.#now.set(path, landed);
    this.#everLanded.push(landed);
    this.#contentAt.set(identity(path, nanoseconds(seconds)), content);
  }

  #remove(path: string): void {
    rmSync(join(this.path, path), { force: true });
    this.#now.delete(path);
  }

  #archived(content: number): string {
    return join(this.archive, `${content}.parquet`);
  }
}

const pathOf = (day: number, file: number): string => `date=${DAYS[day]}/${FILES[file]}`;
const nanoseconds = (seconds: number): string => `${seconds}000000000`;
const identity = (path: string, mtimeNs: string): string => `${path} ${mtimeNs}`;
