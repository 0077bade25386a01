// grpc.health.v1 of one server: serving while the database answers. Whoever watches learns of a change from the next check,
// whoever makes it, and of the stop at once.

import {
  type handleUnaryCall,
  type ServerWritableStream,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

interface HealthRequest {
  readonly service: string;
}

interface HealthResponse {
  readonly status: "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";
}

type Watcher = ServerWritableStream<HealthRequest, HealthResponse>;

interface HealthOptions {
  /** Full names of the services; each is as healthy as the server, whose own name is empty. */
  readonly services: readonly string[];
  /** Rejects when the database does not answer. */
  readonly ping: () => Promise<void>;
}

/** The state behind the service; `handlers` go to the server. */
export class GrpcHealth {
  readonly #names: ReadonlySet<string>;
  readonly #ping: () => Promise<void>;
  /** Every open watch, and whether its service is known. */
  readonly #watchers = new Map<Watcher, boolean>();
  #last: HealthResponse["status"] = "SERVING";
  #isStopping = false;

  constructor({ services, ping }: HealthOptions) {
    this.#names = new Set(["", ...services]);
    this.#ping = ping;
  }

  get handlers(): UntypedServiceImplementation {
    const check: handleUnaryCall<HealthRequest, HealthResponse> = async ({ request }, callback) => {
      if (this.#names.has(request.service)) callback(null, { status: await this.#check() });
      else callback({ code: status.NOT_FOUND, details: "unknown service" });
    };
    return { Check: check, Watch: (call: Watcher) => this.#watch(call) };
  }

  /** Says that no call should come any more, and ends every watch: an open one would hold the server. */
  stop(): void {
    this.#isStopping = true;
    this.#publish("NOT_SERVING");
    for (const watcher of this.#watchers.keys()) watcher.end();
    this.#watchers.clear();
  }

  async #check(): Promise<HealthResponse["status"]> {
    const isWell = await this.#ping().then(() => true, () => false);
    this.#publish(isWell && !this.#isStopping ? "SERVING" : "NOT_SERVING");
    return this.#last;
  }

  #publish(now: HealthResponse["status"]): void {
    if (now === this.#last) return;
    this.#last = now;
    for (const [watcher, isKnown] of this.#watchers) {
      if (isKnown) watcher.write({ status: now });
    }
  }

  async #watch(call: Watcher): Promise<void> {
    const isKnown = this.#names.has(call.request.service);
    // An unknown service keeps its watch by the protocol: elsewhere it may become known. Here none does.
    call.write({ status: isKnown ? await this.#check() : "SERVICE_UNKNOWN" });
    if (this.#isStopping) {
      call.end();
      return;
    }
    if (call.cancelled) return;
    this.#watchers.set(call, isKnown);
    call.once("cancelled", () => this.#watchers.delete(call));
  }
}
