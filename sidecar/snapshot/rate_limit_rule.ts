// One limit on calls to the local app: whom and what it counts, taken apart once.
import type { RateSettings } from "./rate_settings.ts";
import { PathPattern } from "./path_pattern.ts";

/** What the operator wrote. */
export interface InboundRateLimitSettings extends RateSettings {
  /** Empty: any. */
  readonly methods: readonly string[];
  readonly paths: readonly string[];
}

export class RateLimitRule {
  readonly settings: InboundRateLimitSettings;
  /** Tells its buckets from those of others, also in the next snapshot. */
  readonly name: string;
  readonly #paths: readonly PathPattern[];

  constructor(settings: InboundRateLimitSettings) {
    this.settings = settings;
    this.name = JSON.stringify([settings.key, settings.methods, settings.paths]);
    this.#paths = settings.paths.map((path) => new PathPattern(path));
  }

  /** `path` without its query. */
  takes(method: string, path: string): boolean {
    const { methods } = this.settings;
    return (methods.length === 0 || methods.includes(method)) &&
      (this.#paths.length === 0 || this.#paths.some((pattern) => pattern.matches(path)));
  }
}
