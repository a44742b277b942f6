/** `did you mean "column"?` for a slip of the keyboard, or undefined. */
export function didYouMean(written: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(written.length / 3));
  let best: { word: string; distance: number } | undefined;
  for (const word of known) {
    const distance = editDistance(flatten(written), flatten(word));
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { word, distance };
  }
  return best === undefined ? undefined : `did you mean ${JSON.stringify(best.word)}?`;
}

/** `primary_key` and `primaryKey` are the same word. */
function flatten(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, '').slice(0, 64);
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}
