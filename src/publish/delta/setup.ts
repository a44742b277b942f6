import { randomUUID } from 'node:crypto';
import type { OutputKind } from '../table';
import type { Setup, Written } from './actions';
import { mergeProtocols, protocolFor, sameColumns } from './protocol';
import type { Change } from './next-commit';
import { columnsOf } from './schema';

/**
 * What a table becomes with the columns of a change. What it is called and described as, its properties and features
 * stay as they are, whoever gave them to it: only the columns are Tidegate's to replace.
 */
export function setupFor(
  { contract, schemas, commit }: Pick<Change, 'contract' | 'schemas' | 'commit'>,
  kind: OutputKind,
  held: Setup | null,
): Setup {
  const columns = { schemaString: schemas[kind], partitionColumns: [contract.source.partitionColumn] };
  const needed = protocolFor(columnsOf(schemas[kind]));
  if (held !== null) {
    if (sameColumns(held.metaData.schemaString, columns.schemaString)) return held;
    return { protocol: mergeProtocols(held.protocol, needed), metaData: { ...held.metaData, ...columns } };
  }
  return {
    protocol: needed,
    metaData: {
      id: randomUUID(),
      name: kind === 'curated' ? contract.pipeline : `${contract.pipeline}_quarantine`,
      description: undefined,
      format: { provider: 'parquet', options: {} },
      ...columns,
      createdTime: Date.parse(commit.committedAt),
      configuration: {},
    },
  };
}

/**
 * The actions that make one of the other (PROTOCOL.md, "Change Metadata" and "Protocol Evolution"): the first
 * version must hold both; later ones replace what they name, whole.
 */
export function setupActions(held: Setup | null, next: Setup): Written[] {
  const { protocol, metaData } = next;
  return [
    ...(held !== null && same(held.protocol, protocol) ? [] : [{ protocol }]),
    ...(held !== null && same(held.metaData, metaData) ? [] : [metaDataAction(metaData)]),
  ];
}

/** With the fields that readers want even when they are empty. */
export function metaDataAction(metaData: Setup['metaData']): Written {
  const { format, configuration = {} } = metaData;
  const files = { provider: format?.provider ?? 'parquet', options: format?.options ?? {} };
  return { metaData: { ...metaData, format: files, configuration } };
}

const same = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);
