// Limits that all instances count together, in Redis, by one script: GCRA over Redis' own clock, so that nobody's clock matters.
// The npm package `ioredis` is loaded on demand. No request waits longer than the timeout, and none at all while Redis is away.
import type { Redis } from "ioredis";
import type { Clock } from "../lib/clock.ts";
import type { BucketMeasure } from "../lib/token_bucket.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Counter, Family, Metrics } from "../telemetry/metrics.ts";

export interface SharedLimitSettings {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly username?: string;
  readonly password?: string;
  /** PEM. */
  readonly ca?: string;
  readonly database: number;
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly whenAway: "open" | "closed";
}

export interface SharedLimitOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface SharedVerdict {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/** After a failure nobody asks for so long. */
const REST_MS = 1000;
const MAX_RECONNECT_MS = 2000;

/**
 * KEYS[1]: the count. ARGV: microseconds a token, burst, cost. Answers whether it is allowed, what remains, and how many
 * microseconds until there is room (refused) or all is there again.
 */
const SCRIPT = `
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(tonumber(redis.call("GET", KEYS[1]) or now), now)
local next = due + cost * interval
local room = burst * interval
if next - now > room then
  return {0, math.floor((room - (due - now)) / interval), math.ceil(next - now - room)}
end
redis.call("SET", KEYS[1], string.format("%.0f", next), "PX", math.ceil((next - now) / 1000))
return {1, math.floor((room - (next - now)) / interval), math.ceil(next - now)}
`;

type Answer = readonly [allowed: number, remaining: number, resetUs: number];
type Scripted = Redis & {
  meshLimit(key: string, intervalUs: number, burst: number, cost: number): Promise<Answer>;
};
type Package = { readonly Redis: new (options: Record<string, unknown>) => Redis };

export class SharedLimit {
  readonly #settings: SharedLimitSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #asked: Family<Counter>;
  #redis: Scripted | undefined;
  #restsUntil = 0;
  #isAway = false;

  constructor(
    settings: SharedLimitSettings,
    { clock, log, metrics }: SharedLimitOptions,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#asked = metrics.counter(
      "mesh_global_limit_total",
      "Requests that were to be counted in Redis, by what came of it.",
    );
  }

  /** Begins to connect; does not wait for it. */
  async start(): Promise<void> {
    const loaded: Package & { readonly default?: Package } = await import("ioredis") as never;
    const { Redis } = loaded.Redis === undefined ? loaded.default! : loaded;
    const { host, port, isTls, username, password, ca, database, timeoutMs } = this.#settings;
    const redis = new Redis({
      host,
      port,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(isTls ? { tls: ca === undefined ? {} : { ca } } : {}),
      db: database,
      commandTimeout: timeoutMs,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (times: number) =>
        Math.min(MAX_RECONNECT_MS, 100 * 2 ** Math.min(times, 5)) * (0.75 + Math.random() / 2),
      scripts: { meshLimit: { lua: SCRIPT, numberOfKeys: 1 } },
    });
    redis.on("error", (error: Error) => this.#failed(error));
    redis.on("ready", () => this.#worked());
    this.#redis = redis as Scripted;
  }

  /** Undefined: it cannot be counted, and requests go on. */
  async take(
    key: string,
    measure: BucketMeasure,
    cost: number,
  ): Promise<SharedVerdict | undefined> {
    const redis = this.#redis;
    if (redis?.status !== "ready" || this.#clock.now() < this.#restsUntil) {
      return this.#uncounted(measure);
    }
    const intervalUs = 1000 / measure.tokensPerMs;
    try {
      const name = `${this.#settings.prefix}:limit:${key}`;
      const [allowed, remaining, resetUs] = await redis.meshLimit(
        name,
        intervalUs,
        measure.burst,
        cost,
      );
      this.#worked();
      const isAllowed = allowed === 1;
      this.#asked.with({ result: isAllowed ? "allowed" : "refused" }).add();
      return {
        isAllowed,
        limit: measure.burst,
        remaining: Math.max(0, remaining),
        resetMs: resetUs / 1000,
      };
    } catch (error) {
      this.#restsUntil = this.#clock.now() + REST_MS;
      this.#failed(error);
      return this.#uncounted(measure);
    }
  }

  #uncounted({ burst }: BucketMeasure): SharedVerdict | undefined {
    this.#asked.with({ result: "uncounted" }).add();
    if (this.#settings.whenAway === "open") return undefined;
    return { isAllowed: false, limit: burst, remaining: 0, resetMs: REST_MS };
  }

  /** Says once that it began, and once that it is over; the address is no secret, what was sent may be. */
  #failed(error: unknown): void {
    if (this.#isAway) return;
    this.#isAway = true;
    const { whenAway, host, port } = this.#settings;
    const message = error instanceof Error ? error.message : String(error);
    this.#log.error("Redis cannot count", {
      redis: `${host}:${port}`,
      requests: whenAway,
      error: message,
    });
  }

  #worked(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#log.info("Redis counts again");
  }

  close(): void {
    this.#redis?.disconnect();
  }
}
