// The endpoints last seen, on disk: what a sidecar starts from while Consul is away.
import type { Clock } from "../../../lib/clock.ts";
import type { Endpoint } from "../../../snapshot/snapshot.ts";
import type { Logger } from "../../../telemetry/log.ts";
import type { FilesIo } from "../../files_io.ts";
import { LatestRun } from "../../latest_run.ts";
import { Trouble } from "../../trouble.ts";
import { endpointOf, NO_ENDPOINTS, settleEndpoints } from "../endpoints.ts";

export interface EndpointCacheOptions {
  readonly path: string;
  readonly io: Pick<FilesIo, "stat" | "read" | "writeAtomically">;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Remembered {
  /** When it was last known to be true, in ms since 1970. */
  readonly seenAt: number;
  readonly endpoints: readonly Endpoint[];
}

const VERSION = 1;
/** Addresses a day old are more likely to be somebody else's than ours. */
const MAX_AGE_MS = 24 * 3_600_000;
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** Changes come in bursts; and what did not change is confirmed this often, so that its age means something. */
const WRITE_AFTER_MS = 1000;
const CONFIRM_MS = 60_000;

/** No method throws: a cache that cannot be read is empty, and one that cannot be written is logged once. */
export class EndpointCache {
  readonly #options: EndpointCacheOptions;
  readonly #services = new Map<string, Remembered>();
  readonly #live = new Set<string>();
  readonly #trouble: Trouble;
  readonly #writes = new LatestRun(() => this.#write());
  #loading: Promise<void> | undefined;
  #pending: Disposable | undefined;
  #confirmation: Disposable | undefined;
  #isClosed = false;

  constructor(options: EndpointCacheOptions) {
    this.#options = options;
    this.#trouble = new Trouble(options.log, "writing the endpoints to disk", {
      file: options.path,
    });
  }

  /** What stood on disk at the start; undefined: nothing usable. */
  async recall(service: string): Promise<readonly Endpoint[] | undefined> {
    await (this.#loading ??= this.#load());
    return this.#services.get(service)?.endpoints;
  }

  /** How old what is remembered of a service is. */
  ageMs(service: string): number {
    const seenAt = this.#services.get(service)?.seenAt ?? 0;
    return Math.max(0, this.#options.clock.epoch() - seenAt);
  }

  /** A live answer. */
  remember(service: string, endpoints: readonly Endpoint[]): void {
    if (this.#isClosed) return;
    this.#live.add(service);
    this.#services.set(service, { seenAt: this.#options.clock.epoch(), endpoints });
    const { clock } = this.#options;
    this.#pending ??= clock.after(WRITE_AFTER_MS, () => void this.#writes.run());
  }

  /** Nobody wants it any more: it stays on disk until it is too old. */
  release(service: string): void {
    this.#live.delete(service);
  }

  /** What is live was true until now; called while Consul answers. */
  confirm(): void {
    if (this.#isClosed || this.#live.size === 0) return;
    this.#confirmation ??= this.#options.clock.after(CONFIRM_MS, () => void this.#writes.run());
    const seenAt = this.#options.clock.epoch();
    for (const service of this.#live) {
      const known = this.#services.get(service);
      if (known !== undefined) this.#services.set(service, { ...known, seenAt });
    }
  }

  /** Resolves when the last state is on disk. */
  async close(): Promise<void> {
    if (this.#isClosed) return await this.#writes.idle();
    this.#isClosed = true;
    const hasNews = this.#pending !== undefined || this.#confirmation !== undefined;
    await (hasNews ? this.#writes.run() : this.#writes.idle());
  }

  async #load(): Promise<void> {
    const { path, io, log } = this.#options;
    try {
      const stamp = await io.stat(path);
      if (stamp === null) return;
      if (stamp.size > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes`);
      const bytes = await io.read(path);
      if (bytes !== null) this.#take(parse(new TextDecoder().decode(bytes)));
    } catch (error) {
      log.warn("the remembered endpoints cannot be used", { file: path, error });
    }
  }

  #take(services: ReadonlyMap<string, Remembered>): void {
    const now = this.#options.clock.epoch();
    for (const [service, remembered] of services) {
      if (this.#services.has(service) || now - remembered.seenAt > MAX_AGE_MS) continue;
      this.#services.set(service, remembered);
    }
  }

  async #write(): Promise<void> {
    for (const timer of [this.#pending, this.#confirmation]) timer?.[Symbol.dispose]();
    this.#pending = undefined;
    this.#confirmation = undefined;
    await (this.#loading ??= this.#load()); // so that what was found there is kept
    const { path, io, clock } = this.#options;
    for (const [service, { seenAt }] of this.#services) {
      const isOld = clock.epoch() - seenAt > MAX_AGE_MS;
      if (isOld && !this.#live.has(service)) this.#services.delete(service);
    }
    const services = Object.fromEntries(this.#services);
    try {
      await io.writeAtomically(path, JSON.stringify({ version: VERSION, services }));
      this.#trouble.worked();
    } catch (error) {
      this.#trouble.failed(error);
    }
  }
}

function parse(text: string): ReadonlyMap<string, Remembered> {
  const document: unknown = JSON.parse(text);
  if (!isRecord(document) || document["version"] !== VERSION || !isRecord(document["services"])) {
    throw new Error("not a file of remembered endpoints");
  }
  const services = new Map<string, Remembered>();
  for (const [service, value] of Object.entries(document["services"])) {
    if (!isRecord(value) || typeof value["seenAt"] !== "number") continue;
    if (!Array.isArray(value["endpoints"]) || !value["endpoints"].every(isEndpoint)) continue;
    const endpoints = value["endpoints"].map((endpoint) => endpointOf({ service, ...endpoint }));
    services.set(service, {
      seenAt: value["seenAt"],
      endpoints: settleEndpoints(endpoints, NO_ENDPOINTS),
    });
  }
  return services;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEndpoint(value: unknown): value is Endpoint {
  return isRecord(value) && typeof value["id"] === "string" && typeof value["host"] === "string" &&
    Number.isInteger(value["port"]) && Array.isArray(value["tags"]) &&
    value["tags"].every((tag) => typeof tag === "string") && isRecord(value["meta"]) &&
    Object.values(value["meta"]).every((text) => typeof text === "string");
}
