import { readFile, stat } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { codeOf } from '../errors';
import type { Contract } from './contract';
import { readDocument, type Place, type ReadDocument } from './document';
import { contractError, ContractError, faultOf, formatKeyPath, type ContractFault, type Finding } from './faults';
import { jsonFault } from './json-text';
import { realOverlapFinding } from './overlap';
import { readSource } from './read-source';

/** Bytes. A contract with a thousand columns has 50 kB. */
const MAX_SIZE = 1_048_576;

/**
 * Reads a contract from a YAML or JSON file. Relative paths in it start from the file's folder.
 * @throws ContractError with every fault at once, each with file, line, column and key.
 */
export async function loadContract(path: string): Promise<Contract> {
  const { contract, error } = await readContractFile(path);
  if (contract === null) throw error;
  return contract;
}

/** What a file holds; the name of the pipeline is told even if the rest is at fault. */
export type ContractFile =
  | { readonly name: string; readonly contract: Contract; readonly error: null }
  | { readonly name: string | null; readonly contract: null; readonly error: ContractError };

/** Like {@link loadContract}, with the error as a value. Throws only what may succeed on retry. */
export async function readContractFile(path: string): Promise<ContractFile> {
  const text = await readText(path);
  if (text instanceof ContractError) return { name: null, contract: null, error: text };
  const doc = readDocument(text);
  const syntax = extname(path).toLowerCase() === '.json' ? jsonFinding(text, doc) : null;
  const findings: (Finding & { place?: Place })[] = syntax === null ? [...doc.findings] : [syntax];
  if (syntax === null && doc.whole) {
    const read = readSource(doc.value, { baseDir: dirname(resolve(path)), columnOrder: doc.keysOf(['columns']) });
    const overlap = read.ok ? await realOverlapFinding(read.contract) : null;
    findings.push(...(read.ok ? [overlap].filter((finding) => finding !== null) : read.findings));
    if (read.ok && findings.length === 0) return { name: read.contract.pipeline, contract: read.contract, error: null };
  }
  return { name: nameIn(doc.value), contract: null, error: contractError(path, place(findings, doc, path)) };
}

function nameIn(value: unknown): string | null {
  const name = typeof value === 'object' && value !== null && 'pipeline' in value ? value.pipeline : null;
  return typeof name === 'string' ? name : null;
}

/** The findings as faults in the order of the file, each told once. */
function place(findings: readonly (Finding & { place?: Place })[], doc: ReadDocument, file: string): ContractFault[] {
  return findings
    .filter(({ path, place: own }) => {
      // What the reader said of a value is the reason for what the schema says of it.
      return (
        own !== undefined ||
        !findings.some((other) => other.place && other.at === 'value' && samePath(other.path, path) && path.length > 0)
      );
    })
    .map((finding) => faultOf(finding, { file, ...(finding.place ?? doc.locate(finding.path, finding.at)) }))
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

function samePath(a: Finding['path'], b: Finding['path']): boolean {
  return formatKeyPath(a) === formatKeyPath(b);
}

/** The file's text without a byte order mark, or why there is none. */
async function readText(path: string): Promise<string | ContractError> {
  try {
    const info = await stat(path);
    if (!info.isFile()) return unreadable(path, 'it is not a file');
    if (info.size > MAX_SIZE)
      return unreadable(path, `it has ${info.size} bytes, and a contract has at most ${MAX_SIZE}`);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
    return text.trim() === '' ? unreadable(path, 'it is empty') : text;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return unreadable(path, 'there is no such file');
    if (code === 'EACCES' || code === 'EPERM') return unreadable(path, 'there is no permission to read it');
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return unreadable(path, 'it is not UTF-8 text');
    throw error;
  }
}

function unreadable(path: string, problem: string): ContractError {
  const fault = { file: path, line: null, column: null, key: '', problem };
  return new ContractError(`cannot read the contract ${path}: ${problem}`, [fault]);
}

/** What keeps a `.json` file from being JSON, although it may be YAML. */
function jsonFinding(text: string, doc: ReadDocument): (Finding & { place: Place }) | null {
  const offset = jsonFault(text);
  if (offset === null) return null;
  const found = JSON.stringify(/^.{0,20}/.exec(text.slice(offset))?.[0] ?? '');
  return { path: [], at: 'value', problem: 'not JSON', found, place: doc.placeOf(offset) };
}
