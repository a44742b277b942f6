import { z } from 'zod';
import type { PartitionDate } from '../../discovery/partition-date';
import { commitSchema, countSchema, dateSchema, parseDocument, partitionSchema } from '../documents';
import type { Commit, PartitionState } from '../table';
import { setupSchema, type Setup, type Written } from './actions';

/** A data file as a log names it. */
export interface FileRef {
  /** As in the log: relative to the Delta table, percent-encoded, or absolute. */
  readonly path: string;
  readonly size: number;
}

/** Files of partitions, by partition value, where they are not those that Tidegate wrote. Null: again those. */
export type Foreign = Readonly<Record<string, readonly FileRef[] | null>>;

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
}

const foreignOf = z.record(z.string(), z.array(z.object({ path: z.string(), size: countSchema })).nullable());
const foreign = z.object({ curated: foreignOf, quarantine: foreignOf });
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
