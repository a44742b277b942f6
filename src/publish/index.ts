/** The door of the publish room: tables, opened by the format their contract names. */
export { openTable, type OpenTableOptions } from './open-table';
export type {
  Commit,
  FileKind,
  OutputKind,
  OutputName,
  PartitionState,
  PublishInput,
  RollbackInput,
  Table,
  TableState,
  VacuumReport,
  VerifyCheck,
  VerifyFault,
  VerifyOptions,
  VerifyReport,
  VersionChoice,
  VersionPlace,
} from './table';
export { runOf } from './names';
export { TableIoError } from './directory/io-error';
