import type { FileToWrite } from './oracle';

type Column = FileToWrite['columns'][number];

const GOOD: readonly Column[] = [
  ['transaction_id', 'string', ['new-0', 'new-1']],
  ['user_id', 'string', ['u0', 'u1']],
  ['transaction_receipt', 'string', ['new-r0', 'new-r1']],
  ['amount', 'float64', ['1.5', '2.5']],
  ['updated_at', 'timestamp[ms]', ['1000', '2000']],
];

/** The columns of two good transactions, some of them another (by name), taken out (null) or added. */
export function columnsWith(
  changes: Readonly<Record<string, readonly [type: string, values: Column[2]] | null>>,
): Column[] {
  const kept = GOOD.filter(([name]) => !(name in changes));
  const changed = Object.entries(changes).flatMap(([name, column]): Column[] =>
    column === null ? [] : [[name, column[0], column[1]]],
  );
  return [...kept, ...changed];
}
