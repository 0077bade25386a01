// Keeps this instance in the registry exactly while its app is well and nobody keeps it out or is stopping it.
import type { Logger } from "../telemetry/log.ts";
import type { Instance, Registration, Registry } from "./registry/registry.ts";

/** Changes are done one after the other; the last wish counts. */
export class Registrar {
  readonly #registry: Registry;
  readonly #instance: Instance;
  readonly #log: Logger;
  #isHealthy = false;
  #isInMaintenance = false;
  #isStopped = false;
  #registration: Registration | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(registry: Registry, instance: Instance, log: Logger) {
    this.#registry = registry;
    this.#instance = instance;
    this.#log = log;
  }

  get isRegistered(): boolean {
    return this.#registration !== undefined && isKnown(this.#registration);
  }

  setHealthy(isHealthy: boolean): void {
    this.#isHealthy = isHealthy;
    this.#settleSoon();
  }

  get isInMaintenance(): boolean {
    return this.#isInMaintenance;
  }

  /** An operator keeps the instance out, or lets it in again. Resolves when the registry knows. */
  async setMaintenance(isOn: boolean): Promise<void> {
    this.#isInMaintenance = isOn;
    this.#settleSoon();
    await this.#work;
  }

  /** Takes the instance out for good; resolves when the registry knows. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#settleSoon();
    await this.#work;
  }

  get #wanted(): boolean {
    return this.#isHealthy && !this.#isInMaintenance && !this.#isStopped;
  }

  #settleSoon(): void {
    this.#work = this.#work.then(() => this.#settle());
  }

  async #settle(): Promise<void> {
    const { id, service, host, port } = this.#instance;
    try {
      if (this.#wanted && this.#registration === undefined) {
        this.#registration = await this.#registry.register(this.#instance);
        const message = isKnown(this.#registration) ? "registered" : "not registered yet";
        this.#log.info(message, { id, service, address: `${host}:${port}` });
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

/** Most registries have taken what they have answered. */
function isKnown(registration: Registration): boolean {
  return registration.isKnown?.() ?? true;
}
