// The local ports that policy dedicates to one upstream each; they come and go with it.
import type { Cluster, Snapshot } from "../snapshot/snapshot.ts";
import type { Logger } from "../telemetry/log.ts";
import type { ProxyListener } from "./listener.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

export type OpenDedicated = (cluster: Cluster, address: Address) => ProxyListener;

interface Wanted {
  readonly cluster: Cluster;
  readonly address: Address;
}

interface Port extends Wanted {
  readonly listener: ProxyListener;
}

export class DedicatedPorts {
  readonly #open: OpenDedicated;
  readonly #log: Logger;
  /** By what they are; another upstream, address or kind of protocol is another port. */
  #wanted: ReadonlyMap<string, Wanted> = new Map();
  readonly #ports = new Map<string, Port>();
  /** Ports that policy took away, until their last connection is closed. */
  readonly #draining = new Map<ProxyListener, Promise<unknown>>();
  /** Those whose address is still taken: the system gives it back a moment after the close. */
  readonly #releasing = new Set<Port>();
  #onError: (error: unknown) => void = () => {};
  #isEnding = false;

  constructor(open: OpenDedicated, log: Logger) {
    this.#open = open;
    this.#log = log;
  }

  get listeners(): ProxyListener[] {
    return [...this.#ports.values()].map((port) => port.listener);
  }

  /** Opens and closes ports so that they are the snapshot's. `onError` hears of one that cannot be had. */
  apply(snapshot: Snapshot, onError: (error: unknown) => void): void {
    if (this.#isEnding) return;
    this.#wanted = portsOf(snapshot);
    this.#onError = onError;
    for (const [key, port] of this.#ports) {
      if (this.#wanted.has(key)) continue;
      this.#ports.delete(key);
      this.#retire(port);
      this.#log.info("dedicated port closed", { upstream: port.cluster.name });
    }
    this.#openMissing();
  }

  #openMissing(): void {
    for (const [key, wanted] of this.#wanted) {
      if (this.#ports.has(key) || this.#isTaken(wanted.address)) continue;
      try {
        const listener = this.#open(wanted.cluster, wanted.address);
        this.#ports.set(key, { ...wanted, listener });
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  /** By a port of ours that was closed just now; whatever its host, a wildcard takes them all. */
  #isTaken({ port }: Address): boolean {
    for (const { address } of this.#releasing) if (address.port === port) return true;
    return false;
  }

  #retire(port: Port): void {
    const { listener } = port;
    this.#releasing.add(port);
    const drained = listener.drain().finally(() => this.#draining.delete(listener));
    const released = listener.released.then(() => this.#release(port));
    this.#draining.set(listener, Promise.all([drained, released]));
  }

  #release(port: Port): void {
    this.#releasing.delete(port);
    if (!this.#isEnding) this.#openMissing();
  }

  /** Closes all ports for good; resolves when their last connection is closed. */
  async drain(): Promise<void> {
    this.#isEnding = true;
    await Promise.all([
      ...this.#draining.values(),
      ...this.listeners.map((listener) => listener.drain()),
    ]);
  }

  /** Cuts what is left, also of ports that policy took away. */
  abort(): void {
    this.#isEnding = true;
    for (const listener of [...this.listeners, ...this.#draining.keys()]) listener.abort();
  }
}

function portsOf({ clusters }: Snapshot): ReadonlyMap<string, Wanted> {
  const ports = new Map<string, Wanted>();
  for (const cluster of clusters.values()) {
    const { name, protocol, bind } = cluster;
    if (bind === undefined) continue;
    const kind = protocol === "tcp" ? "tcp" : "http";
    ports.set(`${name} ${bind.host}:${bind.port} ${kind}`, { cluster, address: bind });
  }
  return ports;
}
