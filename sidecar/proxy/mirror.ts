// Copies of some requests, sent to another service as well: fire and forget. Nobody waits for them, and nothing that becomes of them
// reaches the client.
import type { ExchangeView } from "../filters/filter.ts";
import { BytesBody, readBody } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import type { Incoming, Request, Response } from "../http/message.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import type { MirrorSettings } from "../snapshot/resilience_settings.ts";
import type { Cluster } from "../snapshot/snapshot.ts";
import { Exchange } from "./exchange.ts";

/** Marks a copy, so that a service can tell, and no copy is copied. */
const FIELD = "x-mesh-mirror";
/** As for a request that may be sent again. */
const MAX_BYTES = 65_536;
/** Copies under way: a service that is slow to answer them must not cost memory. */
const MAX_IN_FLIGHT = 100;

export interface MirrorParts {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly send: (exchange: ExchangeView, cluster: Cluster, request: Request) => Promise<Response>;
  readonly onMirrored: (to: string, result: "answered" | "failed" | "skipped") => void;
}

export class Mirror {
  readonly #parts: MirrorParts;
  #inFlight = 0;

  constructor(parts: MirrorParts) {
    this.#parts = parts;
  }

  /** The request as it is to go on: its body may have been looked at. */
  copy(exchange: ExchangeView, request: Request, { to, share }: MirrorSettings): Request {
    const { random, onMirrored } = this.#parts;
    if (request.headers.has(FIELD) || request.upgrade !== undefined || random() >= share) {
      return request;
    }
    const whole = request.body.whole();
    const cluster = exchange.snapshot.clusters.get(to);
    if (whole === undefined) {
      onMirrored(to, "skipped");
      return request;
    }
    if (cluster === undefined || whole.length > MAX_BYTES || this.#inFlight >= MAX_IN_FLIGHT) {
      onMirrored(to, "skipped");
    } else void this.#send(exchange, cluster, copyOf(request, whole.slice()));
    return { ...request, body: new BytesBody(whole) };
  }

  async #send(original: ExchangeView, cluster: Cluster, request: Request): Promise<void> {
    const { clock, send, onMirrored } = this.#parts;
    const incoming = detached(request, original.incoming.peer);
    const exchange = new Exchange(incoming, original.listener, original.snapshot, clock.now());
    this.#inFlight++;
    try {
      const response = await send(exchange, cluster, request);
      await readBody(response.body, MAX_BYTES);
      onMirrored(cluster.name, "answered");
    } catch {
      // Whatever it is, it is no matter of the client's; the metric tells.
      onMirrored(cluster.name, "failed");
    } finally {
      this.#inFlight--;
      exchange.release();
    }
  }
}

function copyOf(request: Request, bytes: Uint8Array): Request {
  const headers = new FieldList();
  for (const [name, value] of request.headers) headers.append(name.toLowerCase(), value);
  headers.set(FIELD, "1");
  return { ...request, headers, body: new BytesBody(bytes) };
}

/** Nobody is there to be told anything, or to call it off. */
function detached(request: Request, peer: Incoming["peer"]): Incoming {
  return {
    request,
    peer,
    cancellation: new Cancellation(),
    context: undefined,
    sendInterim: () => {},
  };
}
