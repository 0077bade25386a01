// What browsers and REST clients speak, turned into gRPC at the edge and back: gRPC-Web, and JSON by google.api.http.
import { ProxyError } from "../errors.ts";
import { isGrpc, isGrpcWeb, isGrpcWebText } from "../grpc/media_type.ts";
import type { Transcoder } from "../grpc/transcoder/transcoder.ts";
import { fromWebRequest } from "../grpc/web/request.ts";
import { toWebResponse } from "../grpc/web/response.ts";
import { EMPTY_BODY } from "../http/body.ts";
import type { Request, Response } from "../http/message.ts";
import type { Route } from "../snapshot/snapshot.ts";
import type { Exchange } from "./exchange.ts";
import type { Router } from "./pipeline.ts";

/** The request as the upstream is to see it, and what its response becomes. */
export interface Adapter {
  readonly request: Request;
  respond(response: Response): Response | Promise<Response>;
}

/** The transcoder of a route; a promise while its descriptors are being learnt. Throws or rejects with ProxyError. */
export type TranscoderOf = (
  route: Route,
  exchange: Exchange,
) => Transcoder | undefined | Promise<Transcoder | undefined>;

/** Stands behind every rule of the edge: what nobody lets through is not worth translating. */
export class GrpcEdge implements Router {
  readonly #transcoderOf: TranscoderOf;

  constructor(transcoderOf: TranscoderOf) {
    this.#transcoderOf = transcoderOf;
  }

  route(exchange: Exchange): undefined | Promise<undefined> {
    const { request, route } = exchange;
    const contentType = request.headers.get("content-type");
    if (isWeb(contentType)) exchange.adapter = webAdapter(request);
    else if (route?.transcode !== undefined && !isGrpc(contentType)) {
      return this.#transcode(exchange, route);
    }
  }

  async #transcode(exchange: Exchange, route: Route): Promise<undefined> {
    const transcoder = await this.#transcoderOf(route, exchange);
    if (transcoder === undefined) return;
    const { upgrade } = exchange.request;
    // A call is no tunnel: what asks to become one gets an answer, as whoever ignores an upgrade may give (RFC 9110 7.8).
    const request = upgrade === undefined
      ? exchange.request
      : { ...exchange.request, upgrade: undefined, body: EMPTY_BODY };
    const binding = transcoder.match(request.method, request.target);
    if (binding === null) {
      throw new ProxyError("route-not-found", "not found", { side: "downstream" });
    }
    if ("allow" in binding) {
      const allow = binding.allow.join(", ");
      throw new ProxyError("method-not-allowed", `only ${allow}`, {
        side: "downstream",
        fields: { allow },
      });
    }
    exchange.adapter = {
      request: asHttp2(await transcoder.request(binding, request)),
      respond: (response) => transcoder.response(binding, request, response),
    };
  }
}

export function isWeb(contentType: string | undefined): boolean {
  return isGrpcWeb(contentType) || isGrpcWebText(contentType);
}

function webAdapter(request: Request): Adapter {
  return {
    request: asHttp2(fromWebRequest(request)),
    respond: (response) => toWebResponse(request, response),
  };
}

/** gRPC is HTTP/2, whatever brought it. */
function asHttp2(request: Request): Request {
  return { ...request, version: "2" };
}
