// Part of the composition root: limits that are counted in Redis, by the package that is loaded where a bootstrap names one.
import type { RedisConfig } from "./config/bootstrap.ts";
import { denoFilesIo } from "./control/files_io.ts";
import type { RateVerdict, SharedCounter } from "./filters/rate_counter.ts";
import type { BucketMeasure } from "./lib/token_bucket.ts";
import { SharedLimit, type SharedLimitOptions } from "./redis/shared_limit.ts";

export class LimitInRedis implements SharedCounter {
  readonly #config: RedisConfig;
  readonly #options: SharedLimitOptions;
  #limit: SharedLimit | undefined;

  constructor(config: RedisConfig, options: SharedLimitOptions) {
    this.#config = config;
    this.#options = options;
  }

  /** Rejects where the file of an authority cannot be read; Redis itself may be away. */
  async start(): Promise<void> {
    const { ca: path, ...settings } = this.#config;
    const bytes = path === undefined ? undefined : await denoFilesIo.read(path);
    if (bytes === null) throw new Error(`${path}: there is no such file`);
    const ca = bytes && new TextDecoder().decode(bytes);
    const limit = new SharedLimit(
      { ...settings, ...(ca === undefined ? {} : { ca }) },
      this.#options,
    );
    await limit.start();
    this.#limit = limit;
  }

  take(key: string, measure: BucketMeasure, cost: number): Promise<RateVerdict | undefined> {
    return this.#limit?.take(key, measure, cost) ?? Promise.resolve(undefined);
  }

  close(): void {
    this.#limit?.close();
  }
}
