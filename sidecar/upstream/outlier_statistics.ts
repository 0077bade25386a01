// Who does worse than the others of a cluster, by what was counted since the last comparison. Pure.
import type { OutlierRecord } from "./outlier.ts";

interface Counted {
  readonly outlier: Pick<OutlierRecord, "requests" | "errors" | "latencySumMs">;
}

/** Of fewer than five none can be 1.9 deviations from the mean. */
const MIN_FOR_DEVIATION = 5;
/** Of two nobody knows which is slow. */
const MIN_FOR_MEDIAN = 3;

/** Those whose share of successes is so many standard deviations below the mean (as Envoy's success-rate ejection). */
export function unreliableOnes<E extends Counted>(
  endpoints: readonly E[],
  { deviations, minRequests }: { readonly deviations: number; readonly minRequests: number },
): E[] {
  const counted = endpoints.filter(({ outlier }) => outlier.requests >= minRequests);
  if (counted.length < MIN_FOR_DEVIATION) return [];
  const rates = counted.map(({ outlier }) => 1 - outlier.errors / outlier.requests);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  const least = mean - deviations * Math.sqrt(variance);
  return counted.filter((_, index) => rates[index]! < least);
}

/** Those whose mean latency is so many times the median of all. */
export function slowOnes<E extends Counted>(
  endpoints: readonly E[],
  { factor, minRequests }: { readonly factor: number; readonly minRequests: number },
): E[] {
  const counted = endpoints.filter(({ outlier }) => outlier.requests >= minRequests);
  if (counted.length < MIN_FOR_MEDIAN) return [];
  const means = counted.map(({ outlier }) => outlier.latencySumMs / outlier.requests);
  const median = means.toSorted((a, b) => a - b)[Math.floor(means.length / 2)]!;
  return counted.filter((_, index) => means[index]! > factor * median);
}
