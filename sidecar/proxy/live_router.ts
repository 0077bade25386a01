// A router whose settings come with the policy: each exchange goes by those of its own snapshot.
import type { Response } from "../http/message.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Exchange } from "./exchange.ts";
import type { Router } from "./pipeline.ts";

export class LiveRouter<S extends object> implements Router {
  readonly #settingsOf: (snapshot: Snapshot) => S | undefined;
  readonly #make: (settings: S) => Router;
  readonly #made = new WeakMap<S, Router>();

  /** Without settings a request goes on. */
  constructor(settingsOf: (snapshot: Snapshot) => S | undefined, make: (settings: S) => Router) {
    this.#settingsOf = settingsOf;
    this.#make = make;
  }

  route(exchange: Exchange): Response | undefined | Promise<Response | undefined> {
    const settings = this.#settingsOf(exchange.snapshot);
    if (settings === undefined) return undefined;
    let router = this.#made.get(settings);
    if (router === undefined) this.#made.set(settings, router = this.#make(settings));
    return router.route(exchange);
  }
}
