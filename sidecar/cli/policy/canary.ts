// A policy on trial: at some instances first, whose failures are compared with those of the others.
import { type Canary, canaryKey, DEFAULT_POLICY, names, type Traffic } from "../../etcd/layout.ts";
import { UsageError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { MeshStore } from "./access.ts";
import { pause } from "../../lib/clock.ts";
import { type Instance, readInstances } from "./statuses.ts";

export interface CanaryOptions {
  /** Of the instances; at least one takes part, and at least one does not. */
  readonly percent: number;
  readonly ms: number;
}

/** Instances say every two seconds what became of their requests. */
const POLL_MS = 1000;
/** How long the instances on trial may take to put the policy into force. */
const ACCEPT_MS = 10_000;
/** With fewer requests nothing is known. */
const MIN_REQUESTS = 20;
const MIN_FAILURES = 3;
/** Worse is more than this many times the failures of the others, and more than the margin above them. */
const FACTOR = 2;
const MARGIN = 0.01;

/** Some instances have the policy as long as this process lives and the trial has not ended. */
export class Trial implements AsyncDisposable {
  readonly #mesh: MeshStore;
  readonly #service: string;
  readonly #chosen: ReadonlySet<string>;
  readonly #revision: number;
  readonly #host: Host;
  readonly #starts = new Map<string, Traffic>();
  readonly #stopped: Disposable[];
  #isInterrupted = false;
  #hasEnded = false;

  private constructor(
    mesh: MeshStore,
    { service, chosen, revision }: {
      readonly service: string;
      readonly chosen: readonly string[];
      readonly revision: number;
    },
    host: Host,
  ) {
    this.#mesh = mesh;
    this.#service = service;
    this.#chosen = new Set(chosen);
    this.#revision = revision;
    this.#host = host;
    const interrupt = () => void (this.#isInterrupted = true);
    this.#stopped = [host.onSignal("SIGINT", interrupt), host.onSignal("SIGTERM", interrupt)];
  }

  /** Undefined where another trial of the service is under way. Throws UsageError where there is nobody to compare. */
  static async start(
    { service, text }: { readonly service: string; readonly text: string | null },
    mesh: MeshStore,
    { percent }: CanaryOptions,
    host: Host,
  ): Promise<Trial | undefined> {
    if (service === DEFAULT_POLICY || text === null) {
      throw new UsageError("--canary is for a document of one service");
    }
    const ids = (await readInstances(mesh, service)).map(({ id }) => id);
    if (ids.length < 2) {
      throw new UsageError(`--canary compares instances, and of ${service} there is ${ids.length}`);
    }
    const count = Math.min(ids.length - 1, Math.max(1, Math.round(ids.length * percent / 100)));
    const chosen = ids.slice(0, count);
    const canary: Canary = { text, instances: chosen };
    const key = canaryKey(mesh.prefix, service);
    const revision = await mesh.store.claim(key, JSON.stringify(canary));
    if (revision === undefined) return undefined;
    host.out(`on trial at ${count} of ${ids.length} instances: ${chosen.join(", ")}\n`);
    return new Trial(mesh, { service, chosen, revision }, host);
  }

  /** Resolves to why the policy is not to be kept, as soon as that is known; undefined: nothing speaks against it. */
  async run({ ms }: CanaryOptions): Promise<string | undefined> {
    const { clock } = this.#host;
    const begin = clock.now();
    for (;;) {
      await pause(clock, POLL_MS);
      if (this.#isInterrupted) return "interrupted";
      await this.#mesh.store.renew();
      const instances = await readInstances(this.#mesh, this.#service);
      const passed = clock.now() - begin;
      const against = this.#refusal(instances, passed) ?? this.#comparison(instances);
      if (against !== undefined) return against;
      if (passed >= ms) return this.#conclusion(instances);
    }
  }

  #refusal(instances: readonly Instance[], passedMs: number): string | undefined {
    for (const id of this.#chosen) {
      const status = instances.find((instance) => instance.id === id)?.status;
      const isDecided = status !== undefined && names(status, this.#revision);
      if (isDecided && !status.accepted) return `${id} refused it: ${status.error}`;
      if (!isDecided && passedMs > ACCEPT_MS) return `${id} has not put it into force`;
    }
    return undefined;
  }

  #comparison(instances: readonly Instance[]): string | undefined {
    const [tried, others] = this.#sums(instances);
    if (tried.requests < MIN_REQUESTS || tried.failures < MIN_FAILURES) return undefined;
    const bar = Math.max(FACTOR * rateOf(others), rateOf(others) + MARGIN);
    return rateOf(tried) > bar ? `it fails: ${inWords(tried, others)}` : undefined;
  }

  #conclusion(instances: readonly Instance[]): string | undefined {
    const [tried, others] = this.#sums(instances);
    if (tried.requests < MIN_REQUESTS) {
      return `too little to go by, ${tried.requests} requests where ${MIN_REQUESTS} are needed`;
    }
    this.#host.out(`the trial went well: ${inWords(tried, others)}\n`);
    return undefined;
  }

  /** What has happened since the trial began, where it runs and elsewhere. */
  #sums(instances: readonly Instance[]): [tried: Traffic, others: Traffic] {
    const sums: [Traffic, Traffic] = [NOTHING, NOTHING];
    for (const { id, status } of instances) {
      const { traffic } = status;
      if (traffic === undefined) continue;
      const isTried = this.#chosen.has(id);
      if (isTried && !names(status, this.#revision)) continue;
      const start = this.#starts.get(id);
      if (start === undefined || start.requests > traffic.requests) {
        this.#starts.set(id, traffic);
        continue;
      }
      const side = isTried ? 0 : 1;
      sums[side] = {
        requests: sums[side].requests + traffic.requests - start.requests,
        failures: sums[side].failures + traffic.failures - start.failures,
      };
    }
    return sums;
  }

  /** The instances go back to the service's own document. */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const listener of this.#stopped) listener[Symbol.dispose]();
    await this.#mesh.store.withdraw();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end().catch(() => {}); // the lease ends it in seconds
  }
}

const NOTHING: Traffic = { requests: 0, failures: 0 };

function rateOf({ requests, failures }: Traffic): number {
  return requests === 0 ? 0 : failures / requests;
}

function inWords(tried: Traffic, others: Traffic): string {
  const side = (traffic: Traffic) =>
    `${traffic.failures} of ${traffic.requests} requests failed (${
      (100 * rateOf(traffic)).toFixed(1)
    } %)`;
  return `${side(tried)} with it, ${side(others)} without`;
}
