// How much the local app may have to do at once. Types only.
import type { AdaptiveLimitSettings } from "../lib/adaptive_limit.ts";

export interface ConcurrencySettings extends AdaptiveLimitSettings {
  /** The header that says how much a request matters, in lower case. */
  readonly priorityHeader: string;
}
