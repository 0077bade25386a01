// What is known of one cluster beyond what a snapshot says: how its endpoints do, whose turn it is, whether its breaker is open.
// Outlives snapshots; what a change does not concern stays.
import type { Clock } from "../lib/clock.ts";
import type { BreakerSettings, OutlierSettings } from "../snapshot/resilience_settings.ts";
import type { Cluster, Endpoint } from "../snapshot/snapshot.ts";
import { isSame } from "../snapshot/keep.ts";
import { Attempt } from "./attempt.ts";
import { makePicker } from "./balancer/balancer.ts";
import type { Asker, Picker } from "./balancer/picker.ts";
import type { Turn } from "./balancer/round_robin.ts";
import { Breaker, REFUSED } from "./breaker.ts";
import { EndpointState } from "./endpoint_state.ts";
import type { UpstreamEvents } from "./events.ts";
import { OutlierDetector } from "./outlier.ts";
import { RetryBudget } from "./retry_budget.ts";
import { Verdicts } from "./verdicts.ts";

export interface ClusterContext {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly zone: string | undefined;
  readonly events: UpstreamEvents;
}

/** Why no attempt may begin. */
export type Refusal =
  | { readonly kind: "no-endpoints" }
  | { readonly kind: "breaker-open"; readonly openMs: number }
  | { readonly kind: "too-many-requests" };

/** An endpoint that may be tried, and the try. */
export interface Chosen {
  readonly kind: "chosen";
  readonly endpoint: Endpoint;
  readonly attempt: Attempt;
}

export interface AttemptKind {
  /** Policy asked for it, after one that failed. */
  readonly isRetry: boolean;
}

const NO_ENDPOINTS: Refusal = { kind: "no-endpoints" };
const TOO_MANY: Refusal = { kind: "too-many-requests" };
/** Of the requests that may be made twice because the first is slow. */
const HEDGE_SHARE = 0.1;
/** While endpoints are new their weights grow in so many steps. */
const SLOW_START_STEPS = 10;

export class ClusterState {
  readonly name: string;
  inFlight = 0;
  /** Retries by policy that are under way. */
  retries = 0;
  readonly #context: ClusterContext;
  /** By `HOST:PORT`. */
  readonly #endpoints = new Map<string, EndpointState>();
  readonly #stateOf = new WeakMap<Endpoint, EndpointState>();
  readonly #turns = new Map<string, Turn>();
  readonly #breakers = new Map<EndpointState, Breaker>();
  #breaker: Breaker | undefined;
  #breakerSettings: BreakerSettings | undefined;
  #outlier: OutlierDetector<EndpointState> | undefined;
  #outlierSettings: OutlierSettings | undefined;
  #verdicts: Verdicts;
  #isTimed = false;
  #budget: RetryBudget | undefined;
  /** What second attempts beside slow ones may cost. */
  readonly hedgeBudget = new RetryBudget(HEDGE_SHARE);
  /** Goes up when something happened that pickers go by. */
  #version = 0;
  #picker:
    | { readonly cluster: Cluster; readonly version: number; readonly picker: Picker }
    | undefined;
  #warming: Disposable | undefined;

  constructor(name: string, context: ClusterContext) {
    this.name = name;
    this.#context = context;
    this.#verdicts = this.#makeVerdicts();
  }

  get endpoints(): readonly EndpointState[] {
    return [...this.#endpoints.values()];
  }

  get breakerState(): Breaker["state"] | undefined {
    return this.#breaker?.state;
  }

  /** Of an endpoint, where each has its own. */
  breakerStateOf(endpoint: EndpointState): Breaker["state"] | undefined {
    return this.#breakers.get(endpoint)?.state;
  }

  /** Takes over what a snapshot says of the cluster. */
  apply(cluster: Cluster): void {
    this.#picker = undefined;
    const known = new Set(cluster.endpoints.map(addressOf));
    for (const endpoint of cluster.endpoints) this.stateOf(endpoint);
    for (const [address, state] of this.#endpoints) {
      if (known.has(address)) continue;
      this.#endpoints.delete(address);
      this.#breakers.delete(state);
    }
    this.#applySettings(cluster);
    this.#warm(cluster);
  }

  /** Also of an endpoint that an older snapshot has. */
  stateOf(endpoint: Endpoint): EndpointState {
    let state = this.#stateOf.get(endpoint);
    if (state !== undefined) return state;
    const address = addressOf(endpoint);
    state = this.#endpoints.get(address) ??
      new EndpointState(address, this.#context.clock, () => void this.#version++);
    this.#endpoints.set(address, state);
    this.#stateOf.set(endpoint, state);
    return state;
  }

  /** An endpoint that is none of `tried`, with an attempt begun there; or why there is none. */
  choose(
    cluster: Cluster,
    tried: readonly Endpoint[],
    asker: Asker | undefined,
    options: AttemptKind,
  ): Chosen | Refusal {
    const picker = this.pickerOf(cluster);
    let refused: Refusal = NO_ENDPOINTS;
    for (;;) {
      const endpoint = picker.pick(tried, asker);
      if (endpoint === undefined) return refused;
      const attempt = this.begin(cluster, endpoint, options);
      if (attempt instanceof Attempt) return { kind: "chosen", endpoint, attempt };
      if (attempt.kind !== "breaker-open" || cluster.circuitBreaker?.scope !== "endpoint") {
        return attempt;
      }
      refused = attempt;
      tried = [...tried, endpoint];
    }
  }

  /** Another attempt at an endpoint that was chosen before. */
  begin(cluster: Cluster, endpoint: Endpoint, { isRetry }: AttemptKind): Attempt | Refusal {
    const { clock, events } = this.#context;
    const { limits, circuitBreaker } = cluster;
    if (limits !== undefined && this.inFlight >= limits.requests) {
      events.onRefused(this.name, "requests");
      return TOO_MANY;
    }
    const state = this.stateOf(endpoint);
    const breaker = circuitBreaker && this.#breakerOf(circuitBreaker, state);
    const startedAt = this.#isTimed || breaker !== undefined ? clock.now() : 0;
    const permit = breaker?.admit(startedAt) ?? REFUSED;
    if (breaker !== undefined && permit === REFUSED) {
      events.onRefused(this.name, "breaker-open");
      return { kind: "breaker-open", openMs: breaker.openMs(startedAt) };
    }
    const verdicts = this.#verdicts;
    return new Attempt({
      endpoint: state,
      cluster: this,
      verdicts,
      breaker,
      permit,
      startedAt,
      isRetry,
    });
  }

  /** Whether one more retry is within budget and limit; it is paid for then. */
  mayRetry(cluster: Cluster): boolean {
    const { limits } = cluster;
    const isWithin = (limits === undefined || this.retries < limits.retries) &&
      this.budgetOf(cluster)?.withdraw() === true;
    if (!isWithin) this.#context.events.onRefused(this.name, "retries");
    return isWithin;
  }

  pickerOf(cluster: Cluster): Picker {
    const known = this.#picker;
    if (known?.cluster === cluster && known.version === this.#version) return known.picker;
    const version = this.#version;
    const { random, zone } = this.#context;
    const picker = makePicker(cluster, {
      viewOf: (endpoint) => this.stateOf(endpoint),
      turnOf: (list) => this.#turnOf(list),
      random,
      zone,
    });
    this.#picker = { cluster, version, picker };
    return picker;
  }

  /** What retries may cost; undefined where policy has none. */
  budgetOf({ retry }: Cluster): RetryBudget | undefined {
    if (retry === undefined) return undefined;
    if (this.#budget?.share !== retry.budget) this.#budget = new RetryBudget(retry.budget);
    return this.#budget;
  }

  close(): void {
    this.#warming?.[Symbol.dispose]();
    this.#outlier?.[Symbol.dispose]();
  }

  #turnOf(list: string): Turn {
    let turn = this.#turns.get(list);
    if (turn === undefined) this.#turns.set(list, turn = { next: 0 });
    return turn;
  }

  #breakerOf(settings: BreakerSettings, endpoint: EndpointState): Breaker | undefined {
    // An exchange may have begun under a policy that has none any more.
    if (this.#breakerSettings === undefined) return undefined;
    if (settings.scope === "cluster") return this.#breaker;
    let breaker = this.#breakers.get(endpoint);
    if (breaker === undefined) {
      breaker = this.#makeBreaker(this.#breakerSettings, endpoint.address);
      this.#breakers.set(endpoint, breaker);
    }
    return breaker;
  }

  #makeBreaker(settings: BreakerSettings, address?: string): Breaker {
    const { events } = this.#context;
    return new Breaker(settings, (state) => events.onBreaker(this.name, address, state));
  }

  #applySettings({ circuitBreaker, outlier, loadBalancer }: Cluster): void {
    if (!isSame(circuitBreaker, this.#breakerSettings)) {
      this.#breakerSettings = circuitBreaker;
      this.#breakers.clear();
      this.#breaker = circuitBreaker?.scope === "cluster"
        ? this.#makeBreaker(circuitBreaker)
        : undefined;
    }
    if (!isSame(outlier, this.#outlierSettings)) {
      this.#outlierSettings = outlier;
      this.#outlier?.[Symbol.dispose]();
      this.#outlier = outlier && this.#makeOutlier(outlier);
    }
    this.#isTimed = loadBalancer.algorithm === "peak-ewma" || outlier?.latency !== undefined ||
      circuitBreaker?.slowCallMs !== undefined;
    this.#verdicts = this.#makeVerdicts();
  }

  #makeOutlier(settings: OutlierSettings): OutlierDetector<EndpointState> {
    const { clock, events } = this.#context;
    return new OutlierDetector({
      settings,
      clock,
      endpoints: () => this.endpoints,
      onEjection: ({ address }, reason, isHeld, ms) =>
        events.onEjection(this.name, address, { reason, isHeld, ms }),
    });
  }

  #makeVerdicts(): Verdicts {
    return new Verdicts({
      clock: this.#context.clock,
      breaker: this.#breakerSettings,
      outlier: this.#outlier,
      isTimed: this.#isTimed,
    });
  }

  /** While some endpoints are new the picker is made anew now and then, with the weights that they have by then. */
  #warm({ loadBalancer: { slowStartMs } }: Cluster): void {
    this.#warming?.[Symbol.dispose]();
    this.#warming = undefined;
    const isWarm = (): boolean => this.endpoints.every(({ ageMs }) => ageMs >= slowStartMs);
    if (slowStartMs === 0 || isWarm()) return;
    this.#warming = this.#context.clock.every(slowStartMs / SLOW_START_STEPS, () => {
      this.#version++;
      if (!isWarm()) return;
      this.#warming?.[Symbol.dispose]();
      this.#warming = undefined;
    });
  }
}

export function addressOf({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}
