// Keeps this instance in the registry exactly while its app is well and nobody is stopping it.
import type { Logger } from "../telemetry/log.ts";
import type { Instance, Registration, Registry } from "./registry/registry.ts";

/** Changes are done one after the other; the last wish counts. */
export class Registrar {
  readonly #registry: Registry;
  readonly #instance: Instance;
  readonly #log: Logger;
  #wanted = false;
  #isStopped = false;
  #registration: Registration | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(registry: Registry, instance: Instance, log: Logger) {
    this.#registry = registry;
    this.#instance = instance;
    this.#log = log;
  }

  get isRegistered(): boolean {
    return this.#registration !== undefined;
  }

  setHealthy(isHealthy: boolean): void {
    if (this.#isStopped) return;
    this.#wanted = isHealthy;
    this.#work = this.#work.then(() => this.#settle());
  }

  /** Takes the instance out for good; resolves when the registry knows. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wanted = false;
    this.#work = this.#work.then(() => this.#settle());
    await this.#work;
  }

  async #settle(): Promise<void> {
    const { id, service, host, port } = this.#instance;
    try {
      if (this.#wanted && this.#registration === undefined) {
        this.#registration = await this.#registry.register(this.#instance);
        this.#log.info("registered", { id, service, address: `${host}:${port}` });
      } else if (!this.#wanted && this.#registration !== undefined) {
        const registration = this.#registration;
        this.#registration = undefined;
        await registration.deregister();
        this.#log.info("deregistered", { id, service });
      }
    } catch (error) {
      this.#log.error("the registry did not take a change", { id, service, error });
    }
  }
}
