import { z } from 'zod';
import type { PartitionDate } from '../../discovery/partition-date';
import type { OtherCommit } from '../../quality';
import { commitSchema, countSchema, dateSchema, parseDocument, partitionSchema } from '../documents';
import type { Commit, PartitionState } from '../table';
import { setupSchema, type Setup, type Written } from './actions';

/** A data file as a log names it. */
export interface FileRef {
  /** As in the log: relative to the Delta table, percent-encoded, or absolute. */
  readonly path: string;
  readonly size: number;
  /** As the log told; absent: it did not. */
  readonly rows?: number;
}

/** What changed of a map by partition value. Null: it is no longer in it. */
export type Overrides<Value> = Readonly<Record<string, Value | null>>;

/** Files of partitions, where they are not those that Tidegate wrote. Null: again those. */
export type Foreign = Overrides<readonly FileRef[]>;

/** Whose commits changed rows of partitions since Tidegate wrote them. Null: it wrote them again. */
export type OthersChange = Overrides<readonly OtherCommit[]>;

/**
 * `_tidegate/state/<version>-<token>.json`: what one commit changed. Written before the commit, which
 * names it by its token; one that no commit names means nothing.
 */
export interface StateDocument {
  readonly formatVersion: 1;
  readonly commit: Commit;
  readonly token: number;
  /** The version of the curated Delta table that this commit makes. */
  readonly deltaVersion: number;
  /** What this state is told as a difference to: a checkpoint (null: nothing), then these, oldest first. */
  readonly since: { readonly checkpoint: string | null; readonly states: readonly string[] };
  readonly partitions: readonly PartitionState[];
  /** Partitions that are no more. */
  readonly dropped: readonly PartitionDate[];
  readonly foreign: { readonly curated: Foreign; readonly quarantine: Foreign };
  /** Absent: an earlier release wrote the document. */
  readonly others?: { readonly curated: OthersChange; readonly quarantine: OthersChange };
  /** The report's key. */
  readonly report: string;
  /** What the two Delta tables are from this commit on: what Tidegate made them, and the properties and features that others gave them. */
  readonly tables: { readonly curated: Setup; readonly quarantine: Setup };
  readonly quarantine: {
    /** The quarantine's version up to which `foreign` was looked at; -1: none. */
    readonly seen: number;
    /** What the quarantine's commit does, exactly, but for files that other writers put into the same partitions since. */
    readonly actions: readonly Written[];
    /** Partition values whose files the actions replace. */
    readonly values: readonly string[];
  };
}

/** `_tidegate/state/checkpoint-<version>-<token>.json`: all of a state. */
export interface StateCheckpoint {
  readonly formatVersion: 1;
  readonly version: number;
  readonly partitions: readonly PartitionState[];
  readonly foreign: { readonly curated: Foreign; readonly quarantine: Foreign };
  /** Absent: an earlier release wrote the document. */
  readonly others?: { readonly curated: OthersChange; readonly quarantine: OthersChange };
}

const refSchema = z.object({ path: z.string(), size: countSchema, rows: countSchema.optional() });
const foreignOf = z.record(z.string(), z.array(refSchema).nullable());
const foreign = z.object({ curated: foreignOf, quarantine: foreignOf });
const otherSchema = z.object({
  version: countSchema,
  operation: z.string().nullable(),
  engine: z.string().nullable(),
});
const othersOf = z.record(z.string(), z.array(otherSchema).nullable());
const others = z.object({ curated: othersOf, quarantine: othersOf }).optional();
/** Names come out of a file and are followed: they are held to their form. */
const stateName = z.string().regex(/^_tidegate\/state\/(?:checkpoint-)?\d{8,15}-[0-9a-f]{13}\.json$/);

const stateSchema = z.object({
  formatVersion: z.literal(1),
  commit: commitSchema,
  token: countSchema,
  deltaVersion: countSchema,
  since: z.object({ checkpoint: stateName.nullable(), states: z.array(stateName) }),
  partitions: z.array(partitionSchema),
  dropped: z.array(dateSchema),
  foreign,
  others,
  report: z.string().regex(/^_tidegate\/reports\/\d{8,15}-[0-9a-f]{13}\.json$/),
  tables: z.object({ curated: setupSchema, quarantine: setupSchema }),
  quarantine: z.object({
    seen: z.int(),
    actions: z.array(z.record(z.string(), z.unknown())),
    values: z.array(z.string()),
  }),
});
const checkpointSchema = z.object({
  formatVersion: z.literal(1),
  version: z.int().positive(),
  partitions: z.array(partitionSchema),
  foreign,
  others,
});

export const parseStateDocument = (text: string, where: string): StateDocument =>
  parseDocument(stateSchema, text, where);

export const parseStateCheckpoint = (text: string, where: string): StateCheckpoint =>
  parseDocument(checkpointSchema, text, where);

/** Commit record: `_tidegate/commits/<version>.json`, kept for ever. */
export interface CommitRecord {
  readonly commit: Commit;
  readonly state: string;
  readonly report: string;
  readonly deltaVersion: number;
  /** Null when the quarantine's commit was cleaned up by others before it was looked for. */
  readonly quarantineVersion: number | null;
}

const recordSchema = z.object({
  commit: commitSchema,
  state: stateName,
  report: z.string().regex(/^_tidegate\/reports\/\d{8,15}-[0-9a-f]{13}\.json$/),
  deltaVersion: countSchema,
  quarantineVersion: countSchema.nullable(),
});

export const parseRecord = (text: string, where: string): CommitRecord => parseDocument(recordSchema, text, where);
