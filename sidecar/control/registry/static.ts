// A registry that is a table in the configuration.
import type { Endpoint } from "../../snapshot/snapshot.ts";
import type { Address } from "../../config/bootstrap.ts";
import { type Logger, SILENT } from "../../telemetry/log.ts";
import { endpointOf, NO_ENDPOINTS, report, settleEndpoints } from "./endpoints.ts";
import type { EndpointsListener, Instance, Registration, Registry } from "./registry.ts";

/** Answers each watch once and for all; a service that is not in the table has no endpoints. */
export class StaticRegistry implements Registry {
  readonly #endpoints: ReadonlyMap<string, readonly Endpoint[]>;
  readonly #log: Logger;
  #isClosed = false;

  constructor(services: ReadonlyMap<string, readonly Address[]>, log: Logger = SILENT) {
    this.#endpoints = new Map(
      [...services].map(([name, addresses]) => [name, endpointsOf(name, addresses)]),
    );
    this.#log = log;
  }

  /** Announces to nobody: the table is all there is. Neither this nor deregistering changes an answer. */
  register(_instance: Instance): Promise<Registration> {
    return Promise.resolve({ deregister: () => Promise.resolve() });
  }

  watch(service: string, listener: EndpointsListener): Disposable {
    let isLive = true;
    queueMicrotask(() => {
      if (!isLive || this.#isClosed) return;
      report(listener, this.#endpoints.get(service) ?? NO_ENDPOINTS, this.#log);
    });
    return { [Symbol.dispose]: () => isLive = false };
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }
}

/** An address named twice is one endpoint. */
function endpointsOf(service: string, addresses: readonly Address[]): readonly Endpoint[] {
  const byId = new Map<string, Endpoint>();
  for (const { host, port } of addresses) {
    const id = `${service}-${host.includes(":") ? `[${host}]` : host}:${port}`;
    byId.set(id, endpointOf({ id, service, host, port, tags: [], meta: {} }));
  }
  return settleEndpoints([...byId.values()], NO_ENDPOINTS);
}
