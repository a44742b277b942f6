interface Reasoned {
  readonly date: string;
  readonly reason: string;
  readonly keys?: number;
}

/** What a plan or a report has of its partitions, one a line: date, reason, and how many keys coupled it to others. */
export const reasonsOf = ({ partitions }: { readonly partitions: readonly Reasoned[] }): string[] =>
  partitions.map(({ date, reason, keys }) => [date, reason, ...(keys === undefined ? [] : [keys])].join(' '));
