'use strict';
const Table = require('cli-table3');

const PLAIN = {
  chars: Object.fromEntries(
    [
      'top',
      'top-mid',
      'top-left',
      'top-right',
      'bottom',
      'bottom-mid',
      'bottom-left',
      'bottom-right',
      'left',
      'left-mid',
      'mid',
      'mid-mid',
      'right',
      'right-mid',
    ].map((name) => [name, '']),
  ),
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
};

/** Rows of cells, numbers to the right. */
function table(head, rows) {
  const isNumber = head.map((_, i) => rows.every((row) => /^[-–\d.,× %]*$/.test(String(row[i] ?? ''))));
  const drawn = new Table({
    ...PLAIN,
    chars: { ...PLAIN.chars, middle: '  ' },
    head,
    colAligns: isNumber.map((is) => (is ? 'right' : 'left')),
  });
  drawn.push(...rows.map((row) => row.map((cell) => cell ?? '')));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const number = (value, digits = 2) => (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits));
const times = (value, base) => (value === undefined || base === undefined ? '–' : `${number(value / base)}×`);

/** Cases beside one of them: `seconds`, `cpu`, `mebibytes`, and each as a multiple of the base's. */
function comparison(results, base) {
  const of = results.find(({ name }) => name === base) ?? {};
  return table(
    ['case', 'seconds', '×', 'CPU s', '×', 'peak MiB', '×', 'result'],
    results.map((one) => {
      if (one.failed !== undefined) return [one.name, '–', '–', '–', '–', number(one.mebibytes, 0), '–', one.failed];
      return [
        one.name,
        number(one.seconds),
        times(one.seconds, of.seconds),
        number(one.cpu),
        times(one.cpu, of.cpu),
        number(one.mebibytes, 0),
        times(one.mebibytes, of.mebibytes),
        one.equal === undefined ? '' : one.equal ? 'equal' : 'DIFFERENT',
      ];
    }),
  );
}

module.exports = { comparison, number, table };
