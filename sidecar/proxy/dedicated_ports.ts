// The local ports that policy dedicates to one upstream each; they come and go with it.
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Logger } from "../telemetry/log.ts";
import type { ProxyListener } from "./listener.ts";

export type OpenDedicated = (
  service: string,
  address: { readonly host: string; readonly port: number },
) => ProxyListener;

interface Port {
  readonly service: string;
  readonly listener: ProxyListener;
}

export class DedicatedPorts {
  readonly #open: OpenDedicated;
  readonly #log: Logger;
  readonly #ports = new Map<string, Port>();
  /** Ports that policy took away, until their last connection is closed. */
  readonly #draining = new Map<ProxyListener, Promise<void>>();
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
    const wanted = new Map<string, { service: string; host: string; port: number }>();
    for (const { name, bind } of snapshot.clusters.values()) {
      if (bind !== undefined) {
        wanted.set(`${name} ${bind.host}:${bind.port}`, { service: name, ...bind });
      }
    }
    for (const [key, port] of this.#ports) {
      if (wanted.has(key)) continue;
      this.#ports.delete(key);
      this.#retire(port.listener);
      this.#log.info("dedicated port closed", { upstream: port.service });
    }
    for (const [key, { service, host, port }] of wanted) {
      if (this.#ports.has(key)) continue;
      try {
        this.#ports.set(key, { service, listener: this.#open(service, { host, port }) });
      } catch (error) {
        onError(error);
      }
    }
  }

  #retire(listener: ProxyListener): void {
    const drained = listener.drain().finally(() => this.#draining.delete(listener));
    this.#draining.set(listener, drained);
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
