// Few numbers made of repeats.

/** The middle of `values`; of an even number the mean of the two in the middle. Throws where there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const high = sorted[Math.floor(middle)];
  const low = sorted[Math.ceil(middle) - 1];
  if (high === undefined || low === undefined) throw new RangeError("the median of nothing");
  return (high + low) / 2;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** The median of the ratios of each repeat, in which a drift of the machine cancels. */
export function medianRatio(values: readonly number[], others: readonly number[]): number {
  return medianOfPairs(values, others, (value, other) => value / other);
}

/** The median of what `compare` makes of each repeat. */
export function medianOfPairs(
  values: readonly number[],
  others: readonly number[],
  compare: (value: number, other: number) => number,
): number {
  return median(values.map((value, index) => compare(value, others[index]!)));
}
