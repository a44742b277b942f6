import { readdir, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { codeOf } from '../errors';
import type { Contract } from './contract';
import { ContractFiles } from './contract-files';
import { ContractError } from './faults';
import { didYouMean } from './nearest';

/** One place where a contract was looked for, and what was there. */
export interface ContractListing {
  /** Null when the file is too broken to tell. */
  readonly name: string | null;
  /** Null for a contract given as an object. */
  readonly file: string | null;
  readonly contract: Contract | null;
  readonly error: ContractError | null;
}

/** The contracts a worker or a command knows. */
export interface ContractRegistry {
  /**
   * The contract of a pipeline as it stands in its file now: an edit needs no restart.
   * @throws ContractError when it is unknown, wrong, or stands in two files.
   */
  get(name: string): Promise<Contract>;
  /** Everything found, broken files included, by file and then by name. */
  list(): Promise<ContractListing[]>;
}

const EXTENSION = /\.(?:ya?ml|json)$/i;
const HOW = 'set TIDEGATE_PIPELINES to the folder of your contracts, or to their files';

/**
 * @param spec the text of TIDEGATE_PIPELINES (folders, whose `*.yaml`, `*.yml` and `*.json` are read, or files,
 *   separated by `path.delimiter`), or contracts.
 * @throws ContractError when `spec` is empty, or two contracts given have one name.
 */
export function contractsFrom(spec: string | readonly Contract[]): ContractRegistry {
  if (typeof spec !== 'string') return new Registry(`${spec.length} given in code`, () => Promise.resolve(given(spec)));
  const places = spec
    .split(delimiter)
    .filter((place) => place.trim() !== '')
    .map((place) => resolve(place));
  if (places.length === 0) throw new ContractError(`no place to look for contracts is given; ${HOW}`);
  const files = new ContractFiles();
  return new Registry(places.join(', '), () => readPlaces(places, files));
}

class Registry implements ContractRegistry {
  readonly #where: string;
  readonly #read: () => Promise<ContractListing[]>;

  constructor(where: string, read: () => Promise<ContractListing[]>) {
    this.#where = where;
    this.#read = read;
  }

  list(): Promise<ContractListing[]> {
    return this.#read();
  }

  async get(name: string): Promise<Contract> {
    const all = await this.#read();
    const [first, second] = all.filter((entry) => entry.name === name);
    if (second !== undefined) {
      throw new ContractError(
        `pipeline ${JSON.stringify(name)} stands in two contracts, ${first?.file ?? 'one'} and ${second.file ?? 'another'}; ` +
          'rename or remove one',
      );
    }
    if (first?.error) throw first.error;
    if (first?.contract) return first.contract;
    throw this.#unknown(name, all);
  }

  #unknown(name: string, all: readonly ContractListing[]): ContractError {
    const known = all.flatMap((entry) => (entry.name === null ? [] : [entry.name]));
    const broken = all.flatMap(({ error }) => (error === null ? [] : [firstLines(error.message)]));
    const hint = didYouMean(name, known);
    const lines = [
      `no contract of a pipeline ${JSON.stringify(name)}${hint === undefined ? '' : ` (${hint})`}`,
      `known: ${known.length === 0 ? 'none' : [...new Set(known)].toSorted().join(', ')}`,
      `looked in: ${this.#where}`,
      ...(broken.length === 0 ? [] : ['at fault themselves:', ...broken]),
      ...(known.length === 0 ? [HOW] : []),
    ];
    return new ContractError(lines.join('\n'));
  }
}

const SHOWN_LINES = 4;

function firstLines(message: string): string {
  const lines = message.split('\n');
  return lines.length <= SHOWN_LINES ? message : [...lines.slice(0, SHOWN_LINES), '…'].join('\n');
}

function given(contracts: readonly Contract[]): ContractListing[] {
  return contracts.map((contract) => ({ name: contract.pipeline, file: null, contract, error: null }));
}

async function readPlaces(places: readonly string[], files: ContractFiles): Promise<ContractListing[]> {
  const listings = await Promise.all(places.map((place) => readPlace(place, files)));
  const seen = new Set<string | null>();
  // A file named itself and found in its folder too is one file.
  return listings.flat().filter(({ file }) => !seen.has(file) && seen.add(file));
}

async function readPlace(place: string, files: ContractFiles): Promise<ContractListing[]> {
  const found = await filesOf(place);
  if (found instanceof ContractError) return [{ name: null, file: place, contract: null, error: found }];
  return Promise.all(found.map(async (file) => ({ file, ...(await files.read(file)) })));
}

async function filesOf(place: string): Promise<string[] | ContractError> {
  try {
    if (!(await stat(place)).isDirectory()) return [place];
    const names = await readdir(place);
    return names
      .filter((name) => EXTENSION.test(name) && !name.startsWith('.'))
      .toSorted()
      .map((name) => join(place, name));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return new ContractError(`${place}: there is no such file or folder`);
    if (code === 'EACCES' || code === 'EPERM') return new ContractError(`${place}: there is no permission to read it`);
    throw error;
  }
}
