// Which version of HTTP an endpoint is spoken to in.
import type { Request } from "../http/message.ts";
import type { Cluster, Endpoint } from "../snapshot/snapshot.ts";

export type Protocol = "http1" | "http2";

/** What an endpoint announces under this key of its metadata: the versions it takes, with commas between them. */
export const PROTOCOLS_META = "protocols";

const speaksHttp2 = new WeakMap<Endpoint, boolean>();

/**
 * As policy says; `auto` takes HTTP/2 where the endpoint announced it, and for gRPC, which knows nothing else.
 * An upgrade goes by HTTP/1.1 unless policy says otherwise: a tunnel is best off on a connection of its own.
 */
export function chooseProtocol(cluster: Cluster, endpoint: Endpoint, request: Request): Protocol {
  if (cluster.protocol === "http1" || cluster.protocol === "http2") return cluster.protocol;
  if (request.upgrade !== undefined) return "http1";
  return announcesHttp2(endpoint) || isGrpc(request) ? "http2" : "http1";
}

function announcesHttp2(endpoint: Endpoint): boolean {
  let answer = speaksHttp2.get(endpoint);
  if (answer === undefined) {
    answer = (endpoint.meta[PROTOCOLS_META] ?? "").split(",").includes("http2");
    speaksHttp2.set(endpoint, answer);
  }
  return answer;
}

/** Only HTTP/2 brings gRPC; what we make of another protocol's request says that it is HTTP/2 too. */
function isGrpc(request: Request): boolean {
  return request.version === "2" &&
    request.headers.get("content-type")?.startsWith("application/grpc") === true;
}
