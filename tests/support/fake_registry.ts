// A registry that says what a test makes it say, when the test makes it.
import type {
  EndpointsListener,
  Instance,
  Registration,
  Registry,
} from "../../sidecar/control/registry/registry.ts";
import type { Endpoint } from "../../sidecar/snapshot/snapshot.ts";
import { endpoint } from "./fake_snapshot.ts";

export class FakeRegistry implements Registry {
  /** What was asked of it, in order. */
  readonly calls: string[] = [];
  readonly #listeners = new Map<string, Set<EndpointsListener>>();
  /** Decides over a registration or deregistration; done at once unless set. */
  onCall: (call: string) => Promise<void> = () => Promise.resolve();

  get watched(): string[] {
    return [...this.#listeners.keys()];
  }

  /** Reports the endpoints of a service; addresses stand for plain ones. */
  report(service: string, ...endpoints: readonly (string | Endpoint)[]): void {
    const list = endpoints.map((each) => typeof each === "string" ? endpoint(each) : each);
    for (const listener of this.#listeners.get(service) ?? []) listener(list);
  }

  watch(service: string, listener: EndpointsListener): Disposable {
    const listeners = this.#listeners.get(service) ?? new Set();
    this.#listeners.set(service, listeners.add(listener));
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0) this.#listeners.delete(service);
      },
    };
  }

  async register({ id }: Instance): Promise<Registration> {
    await this.#call(`register ${id}`);
    return { deregister: () => this.#call(`deregister ${id}`) };
  }

  async #call(call: string): Promise<void> {
    this.calls.push(call);
    await this.onCall(call);
    this.calls.push(`${call} done`);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
