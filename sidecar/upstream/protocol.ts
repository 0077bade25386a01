// Which version of HTTP an endpoint is spoken to in.
import { isGrpcRequest } from "../grpc/media_type.ts";
import type { Request } from "../http/message.ts";
import type { Cluster, Endpoint } from "../snapshot/snapshot.ts";

export type Protocol = "http1" | "http2";

/** What an endpoint announces under this key of its metadata: the versions it takes, with commas between them. */
export const PROTOCOLS_META = "protocols";

/** Whether an endpoint announced HTTP/2. */
export function announcesHttp2({ meta }: Endpoint): boolean {
  return (meta[PROTOCOLS_META] ?? "").split(",").includes("http2");
}

/** An endpoint whose inbound port takes mTLS announces this key, with any value. */
export const MTLS_META = "mtls";

/** Whether an endpoint announced that it takes mTLS. */
export function announcesMtls({ meta }: Endpoint): boolean {
  return meta[MTLS_META] !== undefined;
}

/**
 * As policy says; `auto` takes HTTP/2 where the endpoint announced it, and for gRPC, which knows nothing else.
 * An upgrade goes by HTTP/1.1 unless policy says otherwise: a tunnel is best off on a connection of its own.
 */
export function chooseProtocol(
  cluster: Cluster,
  announcesHttp2: boolean,
  request: Request,
): Protocol {
  if (cluster.protocol === "http1" || cluster.protocol === "http2") return cluster.protocol;
  if (request.upgrade !== undefined) return "http1";
  return announcesHttp2 || isGrpcRequest(request) ? "http2" : "http1";
}
