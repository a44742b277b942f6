import { TerminalError, TerminalErrorType } from '../errors';

/** A way into the source form: `['gates', 0, 'column']`. */
export type KeyPath = readonly (string | number)[];

/** What is wrong with a value of the source form, before it is known where in a file that value stands. */
export interface Finding {
  readonly path: KeyPath;
  /** Whether the key itself is at fault, or the value under it. */
  readonly at: 'key' | 'value';
  /** `unknown key`, `missing`, `no such column`, … */
  readonly problem: string;
  /** The value, shortened, as JSON; absent when there is none or it may be secret. */
  readonly found?: string;
  /** What would have been right. */
  readonly allowed?: string;
  /** What to do: `did you mean "column"?` */
  readonly hint?: string;
}

/** One fault of a contract, with its place. Plain JSON, for `--json`. */
export interface ContractFault {
  /** The file as it was named; null for a contract made in TypeScript. */
  readonly file: string | null;
  /** From 1; null when there is no file or the fault has no place in it. */
  readonly line: number | null;
  /** From 1. */
  readonly column: number | null;
  /** `gates[0].column`; empty for the document as a whole. */
  readonly key: string;
  readonly problem: string;
  readonly found?: string;
  readonly allowed?: string;
  readonly hint?: string;
}

/** Thrown when a contract is wrong; `faults` holds every fault at once, and the message lists them. */
export class ContractError extends TerminalError {
  constructor(
    message: string,
    readonly faults: readonly ContractFault[] = [],
  ) {
    super(TerminalErrorType.ContractError, message);
  }
}

/** `gates[0].column`; keys that are no plain words are quoted: `columns["a b"]`. */
export function formatKeyPath(path: KeyPath): string {
  return path
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`;
      if (!/^[A-Za-z_$][\w$-]*$/.test(segment)) return `[${JSON.stringify(segment)}]`;
      return index === 0 ? segment : `.${segment}`;
    })
    .join('');
}

/** A finding as a fault at its place. */
export function faultOf(finding: Finding, place: Pick<ContractFault, 'file' | 'line' | 'column'>): ContractFault {
  const { path, problem, found, allowed, hint } = finding;
  const { file, line, column } = place;
  return { file, line, column, key: formatKeyPath(path), problem, found, allowed, hint };
}

/** `file:line:column: key: problem, found …; allowed: … (hint)`, without the parts a fault does not have. */
export function formatFault(fault: ContractFault): string {
  const place = [fault.file, fault.line, fault.column].filter((part) => part !== null).join(':');
  const found = fault.found === undefined ? '' : `, found ${fault.found}`;
  const allowed = fault.allowed === undefined ? '' : `; allowed: ${fault.allowed}`;
  const hint = fault.hint === undefined ? '' : ` (${fault.hint})`;
  return [place, fault.key, `${fault.problem}${found}${allowed}${hint}`].filter((part) => part !== '').join(': ');
}

/** One line a fault. */
export function formatFaults(faults: readonly ContractFault[]): string {
  return faults.map(formatFault).join('\n');
}

/** The error for all faults of one contract; `subject` names it: a file, or `the contract`. */
export function contractError(subject: string, faults: readonly ContractFault[]): ContractError {
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  return new ContractError(`${subject} has ${count}:\n${formatFaults(faults)}`, faults);
}
