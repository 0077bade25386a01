// Keeps a failing thing from filling the log.
import type { LogFields, Logger } from "../telemetry/log.ts";

/** Says once that something began to fail and once that it works again, however often it failed between. */
export class Trouble {
  readonly #log: Logger;
  readonly #what: string;
  readonly #fields: LogFields;
  #isFailing = false;

  /** `what` completes "... failed" and "... works again". */
  constructor(log: Logger, what: string, fields: LogFields = {}) {
    this.#log = log;
    this.#what = what;
    this.#fields = fields;
  }

  failed(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#log.error(`${this.#what} failed, retrying`, { ...this.#fields, error });
  }

  worked(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#log.info(`${this.#what} works again`, this.#fields);
  }
}
