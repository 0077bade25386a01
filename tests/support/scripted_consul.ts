// Consul as its registry sees it: queries that wait until the test answers them, and an agent's entries in memory.
import {
  type AgentEntry,
  type ConsulApi,
  ConsulError,
  type EntryDocument,
  type PassingAnswer,
  type PassingQuery,
  type ServiceEntry,
} from "../../sidecar/control/registry/consul/api.ts";

interface Waiting {
  readonly query: PassingQuery;
  readonly resolve: (answer: PassingAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** One instance as health/service shows it; its id names its port. */
export function entry(port: number, more: Partial<ServiceEntry["Service"]> = {}): ServiceEntry {
  return {
    Node: { Node: "node-1", Address: "10.0.0.1" },
    Service: {
      ID: `a-${port}`,
      Service: "a",
      Address: "10.0.0.2",
      Port: port,
      Tags: null,
      Meta: null,
      CreateIndex: port,
      ...more,
    },
  };
}

export class ScriptedConsul implements ConsulApi {
  /** Every query so far. */
  readonly queries: PassingQuery[] = [];
  readonly entries = new Map<string, EntryDocument>();
  readonly critical = new Set<string>();
  /** What was asked of the agent, in order. */
  readonly calls: string[] = [];
  /** Set: everything but queries fails with it. */
  failure: string | undefined;
  #waiting: Waiting | undefined;

  passing(query: PassingQuery, cut: AbortSignal): Promise<PassingAnswer> {
    this.queries.push(query);
    return new Promise((resolve, reject) => {
      this.#waiting = { query, resolve, reject };
      cut.addEventListener("abort", () => reject(new ConsulError("cut")));
    });
  }

  /** The query that waits now. */
  get last(): PassingQuery {
    return this.queries.at(-1)!;
  }

  answer(index: number, ports: readonly number[], knowsLeader = true): void {
    this.answerWith({ index, entries: ports.map((port) => entry(port)), knowsLeader });
  }

  answerWith(answer: PassingAnswer): void {
    this.#take().resolve(answer);
  }

  fail(message = "connection refused"): void {
    this.#take().reject(new ConsulError(message));
  }

  #take(): Waiting {
    const waiting = this.#waiting;
    if (waiting === undefined) throw new Error("nobody asks");
    this.#waiting = undefined;
    return waiting;
  }

  register(document: EntryDocument): Promise<void> {
    return this.#do(`register ${document.id}`, () => {
      this.entries.set(document.id, document);
      this.critical.delete(document.id);
    });
  }

  deregister(id: string): Promise<void> {
    return this.#do(`deregister ${id}`, () => void this.entries.delete(id));
  }

  entry(id: string): Promise<AgentEntry | null> {
    return this.#do(`entry ${id}`, () => {
      const found = this.entries.get(id);
      if (found === undefined) return null;
      const isCritical = this.critical.has(id);
      const { address, port, meta } = found;
      return { isCritical, detail: "no route", address: `${address}:${port}`, meta };
    });
  }

  pass(id: string): Promise<void> {
    return this.#do(`pass ${id}`, () => {
      if (!this.entries.has(id)) throw new ConsulError("unknown check", 404);
    });
  }

  probe(): Promise<void> {
    return this.#do("probe", () => {});
  }

  close(): void {}

  async #do<T>(call: string, run: () => T): Promise<T> {
    await Promise.resolve();
    if (this.failure !== undefined) throw new ConsulError(this.failure);
    this.calls.push(call);
    return run();
  }
}
