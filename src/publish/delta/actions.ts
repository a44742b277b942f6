import { z } from 'zod';
import { messageOf, TerminalError } from '../../errors';

/*
 * The actions of a Delta log (PROTOCOL.md, "Actions"). Fields and actions that are not listed here are
 * passed over, as the protocol demands ("Protocol Evolution": clients must ignore unrecognized fields).
 */

const long = z.union([z.number(), z.bigint().transform(Number)]);
/** A map, which Parquet readers give as pairs or as an object. */
const map = z.record(z.string(), z.string().nullable());
const absent = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined);

const protocolSchema = z.object({
  minReaderVersion: long,
  minWriterVersion: long,
  readerFeatures: absent(z.array(z.string())),
  writerFeatures: absent(z.array(z.string())),
});
const metaDataSchema = z.object({
  id: z.string(),
  name: absent(z.string()),
  description: absent(z.string()),
  format: absent(z.object({ provider: z.string(), options: absent(map) })),
  schemaString: z.string(),
  partitionColumns: z.array(z.string()),
  createdTime: absent(long),
  configuration: absent(map),
});
/** What a Delta table is, as its log says. */
export const setupSchema = z.object({ protocol: protocolSchema, metaData: metaDataSchema });
const addSchema = z.object({
  path: z.string(),
  partitionValues: absent(map),
  size: long,
  dataChange: absent(z.boolean()),
  stats: absent(z.string()),
});
const removeSchema = z.object({ path: z.string(), dataChange: absent(z.boolean()) });
const txnSchema = z.object({ appId: z.string(), version: long });

const actionSchema = z.object({
  protocol: absent(protocolSchema),
  metaData: absent(metaDataSchema),
  add: absent(addSchema),
  remove: absent(removeSchema),
  txn: absent(txnSchema),
  // Anything: each writer has its own.
  commitInfo: z.unknown().optional(),
});

export type Protocol = z.infer<typeof protocolSchema>;
export type MetaData = z.infer<typeof metaDataSchema>;
export type Add = z.infer<typeof addSchema>;
export type Setup = z.infer<typeof setupSchema>;
/** What is read of one line of a log; one of its fields is set. */
export type Action = z.infer<typeof actionSchema>;

/** An action that we write, whole. */
export type Written = Readonly<Record<string, unknown>>;

export function parseAction(value: unknown, where: string): Action {
  const parsed = actionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw corrupt(`${where}: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** "Delta files use newline-delimited JSON format, where every action is stored as a single-line JSON document." */
export function parseActions(text: string, where: string): Action[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch (error) {
        throw corrupt(`${where}, line ${index + 1} is not JSON: ${messageOf(error)}`);
      }
      return parseAction(value, `${where}, line ${index + 1}`);
    });
}

/** The `txn` actions alone of a commit that Tidegate wrote: a first one may add many thousands of files. */
export const parseTransactions = (text: string): Action[] =>
  parseActions(
    text
      .split('\n')
      .filter((line) => line.startsWith('{"txn"'))
      .join('\n'),
    'txn',
  );

export const encodeActions = (actions: readonly Written[]): string =>
  actions.map((action) => `${JSON.stringify(action)}\n`).join('');

export const corrupt = (message: string, options?: ErrorOptions): TerminalError =>
  new TerminalError('CorruptTable', `${message}. Restore it from a backup.`, options);
