// How much of the traffic an endpoint is to have: what it announced, less while it is new.
import type { Endpoint } from "../../snapshot/snapshot.ts";

/** What an endpoint announces under these keys of its metadata. */
export const WEIGHT_META = "weight";
export const ZONE_META = "zone";

const MAX_WEIGHT = 1000;
/** A new endpoint has a tenth of its share at first: enough to warm up by. */
const FIRST_SHARE = 0.1;

/** 1 to 1000; 1 where nothing, or nonsense, was announced. */
export function weightOf({ meta }: Endpoint): number {
  const weight = Number(meta[WEIGHT_META] ?? 1);
  return Number.isInteger(weight) && weight >= 1 ? Math.min(weight, MAX_WEIGHT) : 1;
}

/** The part of its weight that an endpoint has which has been known for `ageMs`; grows evenly over the window. */
export function warmth(ageMs: number, windowMs: number): number {
  if (windowMs <= 0 || ageMs >= windowMs) return 1;
  return Math.max(FIRST_SHARE, ageMs / windowMs);
}
