// What is answered in place of an upstream that cannot: what policy wrote, another service, or the last good answer.
import { ProxyError } from "../errors.ts";
import type { ExchangeView } from "../filters/filter.ts";
import { isGrpcRequest } from "../grpc/media_type.ts";
import { type Request, type Response, textResponse } from "../http/message.ts";
import type { Clock } from "../lib/clock.ts";
import type { FallbackCause, FallbackSettings } from "../snapshot/resilience_settings.ts";
import type { Cluster } from "../snapshot/snapshot.ts";
import { breakageOf } from "../upstream/failures.ts";
import { LastGood } from "./last_good.ts";

/** Says that an answer is not that of the service that was asked, and why. */
const FIELD = "x-mesh-fallback";

export interface FallbackParts {
  readonly clock: Clock;
  /** Asks another service, without a fallback of its own. */
  readonly ask: (exchange: ExchangeView, cluster: Cluster, request: Request) => Promise<Response>;
}

export class Fallbacks {
  readonly #parts: FallbackParts;
  readonly #lastGood = new LastGood();

  constructor(parts: FallbackParts) {
    this.#parts = parts;
  }

  /** `answer`, or what policy has for its failure; gRPC calls fail as ever: their callers want a message and not a page. */
  async guard(
    exchange: ExchangeView,
    cluster: Cluster,
    request: Request,
    answer: Promise<Response>,
  ): Promise<Response> {
    const { fallback } = cluster;
    if (fallback === undefined || isGrpcRequest(request)) return await answer;
    let response: Response;
    try {
      response = await answer;
    } catch (error) {
      const other = await this.#instead(exchange, cluster, request, fallback, causeOf(error));
      if (other === undefined) throw error;
      return other;
    }
    const cause = response.status >= 500 ? "5xx" : undefined;
    const other = await this.#instead(exchange, cluster, request, fallback, cause);
    if (other === undefined) return this.#keep(cluster, request, response, fallback);
    response.body.cancel();
    return other;
  }

  #keep(
    { name }: Cluster,
    request: Request,
    response: Response,
    { answer }: FallbackSettings,
  ): Response {
    if (answer.kind !== "last-good") return response;
    return this.#lastGood.keep(name, request, response, this.#parts.clock.now());
  }

  async #instead(
    exchange: ExchangeView,
    { name }: Cluster,
    request: Request,
    { on, answer }: FallbackSettings,
    cause: FallbackCause | undefined,
  ): Promise<Response | undefined> {
    if (cause === undefined || !on.includes(cause)) return undefined;
    const response = answer.kind === "static"
      ? staticAnswer(answer)
      : answer.kind === "last-good"
      ? this.#lastGood.find(name, request, answer.maxAgeMs, this.#parts.clock.now())
      : await this.#ofService(exchange, answer.service, request);
    response?.headers.set(FIELD, cause);
    return response;
  }

  /** Only with a body that can be sent again: the first service may have had part of it. */
  async #ofService(
    exchange: ExchangeView,
    service: string,
    request: Request,
  ): Promise<Response | undefined> {
    const cluster = exchange.snapshot.clusters.get(service);
    const isWhole = request.body.isEnded && request.method !== "CONNECT";
    if (cluster === undefined || !isWhole) return undefined;
    try {
      return await this.#parts.ask(exchange, cluster, request);
    } catch (error) {
      if (error instanceof ProxyError) return undefined; // the first failure is the news
      throw error;
    }
  }
}

function causeOf(error: unknown): FallbackCause | undefined {
  if (!(error instanceof ProxyError)) return undefined;
  const { kind } = error;
  if (kind === "breaker-open" || kind === "no-endpoints" || kind === "overloaded") return kind;
  return breakageOf(error);
}

function staticAnswer(
  { status, headers, body }: Extract<FallbackSettings["answer"], { kind: "static" }>,
): Response {
  const response = textResponse(status, body, contentTypeOf(body));
  for (const [name, value] of headers) response.headers.set(name, value);
  return response;
}

function contentTypeOf(body: string): string {
  try {
    JSON.parse(body);
    return "application/json";
  } catch {
    return "text/plain; charset=utf-8";
  }
}
