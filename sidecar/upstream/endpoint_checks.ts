// Active checks of a cluster's endpoints, each on a schedule of its own, over connections such as traffic takes.
import type { EndpointCheckSettings } from "../snapshot/resilience_settings.ts";
import type { EndpointState } from "./endpoint_state.ts";
import { grpcCheck } from "./grpc_check.ts";
import { type CheckResult, Health } from "./health.ts";
import { httpCheck } from "./http_check.ts";
import type { Address, PoolContext } from "./pool.ts";
import { tcpCheck } from "./tcp_check.ts";

export interface EndpointChecksOptions {
  readonly settings: EndpointCheckSettings;
  readonly context: PoolContext;
  /** What an endpoint is asked as: the service's name. */
  readonly service: string;
  readonly random: () => number;
  readonly onChange: (endpoint: EndpointState, result: CheckResult) => void;
}

export class EndpointChecks {
  readonly #options: EndpointChecksOptions;
  readonly #running = new Map<
    EndpointState,
    { readonly health: Health; readonly start: Disposable }
  >();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: EndpointChecksOptions) {
    this.#options = options;
  }

  /** Checks these from now on, and no others. */
  apply(endpoints: ReadonlyMap<EndpointState, Address>): void {
    for (const endpoint of this.#running.keys()) if (!endpoints.has(endpoint)) this.#stop(endpoint);
    for (const [endpoint, address] of endpoints) {
      if (!this.#running.has(endpoint)) this.#start(endpoint, address);
    }
  }

  async close(): Promise<void> {
    for (const endpoint of this.#running.keys()) this.#stop(endpoint);
    await Promise.all(this.#closing);
  }

  /** The first check comes at some moment of the interval: many endpoints, and many who check them, began together. */
  #start(endpoint: EndpointState, address: Address): void {
    const { settings, context, random, onChange } = this.#options;
    const { clock } = context;
    const health = new Health({
      ...settings,
      clock,
      // Until it was asked an endpoint is what its registry says: well.
      isHealthyAtFirst: true,
      check: () => this.#check(address),
      onChange: (result) => {
        endpoint.set("unhealthy", !result.isHealthy);
        onChange(endpoint, result);
      },
    });
    const start = clock.after(random() * settings.intervalMs, () => health.start());
    this.#running.set(endpoint, { health, start });
  }

  #stop(endpoint: EndpointState): void {
    const running = this.#running.get(endpoint);
    if (running === undefined) return;
    this.#running.delete(endpoint);
    running.start[Symbol.dispose]();
    const end = running.health.close().finally(() => this.#closing.delete(end));
    this.#closing.add(end);
    endpoint.set("unhealthy", false);
  }

  #check(address: Address): Promise<CheckResult> {
    const { settings: { check, timeoutMs }, context, service } = this.#options;
    switch (check.kind) {
      case "http":
        return httpCheck({ address, path: check.path, timeoutMs, authority: service }, context);
      case "grpc":
        return grpcCheck(
          { address, service: check.service, timeoutMs, authority: service },
          context,
        );
      case "tcp":
        return tcpCheck({ address, timeoutMs }, context);
    }
  }
}
