// Brings what the registry and the policy source say together into snapshots: the only writer of the store.
import type { App, EdgeConfig, Policy } from "../config/bootstrap.ts";
import type { Clock } from "../lib/clock.ts";
import { compileSnapshot, type SnapshotInputs } from "../snapshot/compile.ts";
import { diffSnapshots } from "../snapshot/diff.ts";
import type { Endpoint, UpstreamSettings } from "../snapshot/snapshot.ts";
import { SnapshotStore } from "../snapshot/store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { PolicyListener, PolicyProblem, PolicySource, PolicyUpdate } from "./policy/source.ts";
import type { Registry } from "./registry/registry.ts";

/** Services found by first use; beyond it an app that makes up names would fill the registry with watches. */
const MAX_DISCOVERED = 1000;
/** How long a first request waits for the registry's answer. */
const DISCOVERY_MS = 1000;

export interface ReconcilerOptions {
  readonly registry: Registry;
  readonly policySource: PolicySource;
  readonly defaultUpstream: UpstreamSettings;
  /** Where the local app listens, for HTTP/1.1 and for HTTP/2. */
  readonly app: Pick<App, "http" | "grpc"> | undefined;
  /** What an edge does unless policy says; undefined where there is none. */
  readonly edge: EdgeConfig | undefined;
  /** Where this sidecar is in the mesh; some authorities say so themselves, before the start. */
  readonly home: () => SnapshotInputs["home"];
  readonly clock: Clock;
  readonly log: Logger;
}

interface Watched {
  readonly subscription: Disposable;
  readonly known: Promise<void>;
  /** Why it is watched. */
  from: "configuration" | "use";
}

export class Reconciler implements PolicyListener {
  readonly store: SnapshotStore;
  readonly #options: ReconcilerOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #endpoints = new Map<string, readonly Endpoint[]>();
  #policy: PolicyUpdate;
  #problem: PolicyProblem | undefined;
  #inputs: SnapshotInputs;
  #isPublishing = false;

  /** `policy` applies until the source reports. */
  constructor(options: ReconcilerOptions, policy: Policy) {
    this.#options = options;
    this.#policy = { revision: "defaults", policy };
    this.#inputs = this.#gather();
    this.store = new SnapshotStore(compileSnapshot(this.#inputs));
  }

  /** Why the newest policy document is not in force; undefined when it is. */
  get policyProblem(): PolicyProblem | undefined {
    return this.#problem;
  }

  /** Resolves when the first policy is known and each service that configuration names has been asked for. */
  async start(): Promise<void> {
    await this.#options.policySource.start(this);
    this.#watchConfigured();
    const answers = Promise.all([...this.#watched.values()].map((watched) => watched.known));
    await this.#inTime(answers);
    this.#publish();
  }

  update(update: PolicyUpdate): void {
    this.#problem = undefined;
    this.#policy = update;
    this.#watchConfigured();
    this.#schedule();
  }

  problem(problem: PolicyProblem): void {
    this.#problem = problem;
    const { revision, error } = problem;
    this.#options.log.error("the newest policy is not in force", {
      revision,
      error: error.message,
    });
  }

  get #edge(): EdgeConfig | undefined {
    const { edge } = this.#options;
    return edge && (this.#policy.policy.gateway ?? edge);
  }

  /** Every service that policy, routes and login name. What none of them names any more may be called still, without a gap. */
  #watchConfigured(): void {
    const verify = this.#edge?.login?.verify;
    const { upstreams } = this.#policy.policy;
    const others = [...upstreams.values()].flatMap(({ fallback, mirror }) => [
      ...(fallback?.answer.kind === "service" ? [fallback.answer.service] : []),
      ...(mirror === undefined ? [] : [mirror.to]),
    ]);
    const named = new Set([
      ...upstreams.keys(),
      ...others,
      ...(this.#edge?.routes ?? []).map(({ to }) => to),
      ...(verify?.kind === "service" ? [verify.service] : []),
    ]);
    for (const service of named) this.#watch(service);
    for (const [service, watched] of this.#watched) {
      watched.from = named.has(service) ? "configuration" : "use";
    }
  }

  /** Makes a service known by its first use. */
  async discover(service: string): Promise<void> {
    const isFull = this.#watched.size >= MAX_DISCOVERED;
    if (!this.#watched.has(service) && isFull && !this.#forgetOne()) return;
    await this.#inTime(this.#watch(service, "use").known);
    this.#publish();
  }

  /** Makes room by a name that was asked for and that nobody answers to; false where there is none. */
  #forgetOne(): boolean {
    for (const [service, { from, subscription }] of this.#watched) {
      if (from !== "use" || (this.#endpoints.get(service)?.length ?? 0) > 0) continue;
      subscription[Symbol.dispose]();
      this.#watched.delete(service);
      this.#endpoints.delete(service);
      return true;
    }
    return false;
  }

  #watch(service: string, from: Watched["from"] = "configuration"): Watched {
    const existing = this.#watched.get(service);
    if (existing !== undefined) return existing;
    const { promise: known, resolve } = Promise.withResolvers<void>();
    const subscription = this.#options.registry.watch(service, (endpoints) => {
      this.#endpoints.set(service, endpoints);
      resolve();
      this.#schedule();
    });
    const watched: Watched = { subscription, known, from };
    this.#watched.set(service, watched);
    return watched;
  }

  async #inTime(answer: Promise<unknown>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    using _timer = this.#options.clock.after(DISCOVERY_MS, resolve);
    await Promise.race([answer, late]);
  }

  /** Changes of one tick become one snapshot. */
  #schedule(): void {
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    queueMicrotask(() => this.#publish());
  }

  #gather(): SnapshotInputs {
    const { app, defaultUpstream } = this.#options;
    const { policy, revision } = this.#policy;
    return {
      policyRevision: revision,
      upstreams: policy.upstreams,
      defaultUpstream,
      endpoints: this.#endpoints,
      app: app && { http: app.http, grpc: app.grpc, timeoutMs: policy.inbound.timeoutMs },
      edge: this.#edge,
      authorization: policy.inbound.authorization,
      home: this.#options.home(),
      inboundJwt: policy.inbound.jwt,
      inboundRateLimits: policy.inbound.rateLimits,
      inboundConcurrency: policy.inbound.concurrency,
    };
  }

  #publish(): void {
    this.#isPublishing = false;
    const before = this.store.current;
    const inputs = this.#gather();
    const after = compileSnapshot(inputs, before, this.#inputs);
    this.#inputs = inputs;
    const diff = diffSnapshots(before, after);
    if (diff.isSame) return;
    this.store.publish(after);
    const { log } = this.#options;
    for (const [service, change] of diff.endpoints) {
      log.info("endpoints changed", { upstream: service, ...change });
    }
    if (diff.isPolicyChanged) log.info("policy in force", { revision: after.policyRevision });
  }

  /** Ends every watch. */
  async close(): Promise<void> {
    for (const { subscription } of this.#watched.values()) subscription[Symbol.dispose]();
    this.#watched.clear();
    await this.#options.policySource.close();
  }
}
