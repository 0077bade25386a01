// Which known word an unknown one was probably meant to be.

/** Shorter words are related to everything by prefix. */
const MIN_PREFIX = 3;

/** `unknown key "listener", did you mean "listeners"?`, else the keys that exist. */
export function unknownKey(key: string, allowed: readonly string[]): string {
  const meant = suggest(key, allowed);
  const rest = meant === undefined
    ? `, expected ${allowed.length === 1 ? "only" : "one of"} ${allowed.join(", ")}`
    : `, did you mean "${meant}"?`;
  return `unknown key ${JSON.stringify(key)}${rest}`;
}

/** The nearest allowed word: at most two slips away, or one is the beginning of the other. */
export function suggest(word: string, allowed: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of allowed) {
    const distance = closeness(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function closeness(word: string, candidate: string): number {
  const shortest = Math.min(word.length, candidate.length);
  const slips = editDistance(word, candidate);
  // Two slips make another word of one with three letters.
  if (slips <= Math.min(2, Math.floor(shortest / 2))) return slips;
  const isPrefix = candidate.startsWith(word) || word.startsWith(candidate);
  return isPrefix && shortest >= MIN_PREFIX ? 3 : Infinity;
}

/** Damerau-Levenshtein distance, adjacent transpositions only (optimal string alignment). */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = left[row - 1] === right[column - 1] ? 0 : 1;
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + substitution,
      );
      const isSwap = row > 1 && column > 1 && left[row - 1] === right[column - 2] &&
        left[row - 2] === right[column - 1];
      if (isSwap) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
