import { PRIMARY_KEY_GATE, type Gate } from './contract';
import { unknownColumn } from './cross-check';
import type { Finding } from './faults';
import { kindOf } from './gates/registry';
import type { SoundParts } from './parts';
import { show } from './values';

/** The gates of a contract in their normal form, with default names, and what is wrong with them. */
export function makeGates(parts: SoundParts): { readonly gates: Gate[]; readonly findings: Finding[] } {
  const gates: Gate[] = [];
  const findings: Finding[] = [];
  const taken = new Map<string, number>();
  for (const { index, source } of parts.gates) {
    const kind = kindOf(source.kind);
    const columns = kind.columnsOf(source);
    for (const { column, path } of columns) {
      const finding = unknownColumn(column, ['gates', index, ...path], parts, 'gate');
      if (finding) findings.push(finding);
    }
    const name =
      source.name ??
      defaultName(
        source.kind,
        columns.map(({ column }) => column),
      );
    const clash = nameFinding(name, index, source.name !== undefined, taken.get(name));
    if (clash) findings.push(clash);
    else taken.set(name, index);
    const gate = kind.make(source, {
      name,
      scope: parts.scope,
      partitionColumn: parts.partitionColumn,
      typeOf: (column) => (column === parts.partitionColumn ? { kind: 'date' } : parts.columns?.get(column)),
      report: (finding) => findings.push({ ...finding, at: 'value', path: ['gates', index, ...finding.path] }),
    });
    gates.push(gate);
  }
  return { gates, findings };
}

/** `notNull_user_id`; what a name cannot hold becomes an underscore. */
function defaultName(kind: string, columns: readonly string[]): string {
  return [kind, ...columns].join('_').replaceAll(/[^A-Za-z0-9_]/g, '_');
}

function nameFinding(name: string, index: number, given: boolean, other: number | undefined): Finding | null {
  const path = given ? ['gates', index, 'name'] : ['gates', index];
  if (name === PRIMARY_KEY_GATE) {
    const problem = 'this name is reserved for rows whose primary key holds a null';
    return { path, at: 'value', problem, found: show(name) };
  }
  if (other === undefined) return null;
  const hint = given ? undefined : 'give one of the two a `name`';
  return { path, at: 'value', problem: `gates[${other}] has the same name`, found: show(name), hint };
}
