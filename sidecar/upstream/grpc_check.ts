// One grpc.health.v1 Check on a fresh connection: healthy is SERVING in time.
import { ProxyError } from "../errors.ts";
import { encodeMessage, MessageDecoder } from "../grpc/framing.ts";
import { decodeHealthResponse, encodeHealthRequest, HEALTH_CHECK_PATH } from "../grpc/health.ts";
import { decodeGrpcMessage, grpcName, parseGrpcCode } from "../grpc/status.ts";
import { serializeGrpcTimeout } from "../grpc/timeout.ts";
import { BytesBody, readBody } from "../http/body.ts";
import { FieldList, type Fields } from "../http/fields.ts";
import type { Request, Response } from "../http/message.ts";
import { Http2ClientConnection } from "../http2/client_connection.ts";
import { formatAddress } from "../net/tcp.ts";
import { checkInTime } from "./check.ts";
import type { CheckResult } from "./health.ts";
import type { Address, PoolContext } from "./pool.ts";

/** An answer is a few bytes. */
const MAX_ANSWER_BYTES = 4096;

export interface GrpcCheckOptions {
  readonly address: Address;
  /** As in the .proto file; empty asks for the server as a whole. */
  readonly service: string;
  readonly timeoutMs: number;
}

/** Never rejects. */
export function grpcCheck(options: GrpcCheckOptions, context: PoolContext): Promise<CheckResult> {
  const { address, timeoutMs } = options;
  return checkInTime(address, timeoutMs, context, async (transport, onCut) => {
    const connection = new Http2ClientConnection(transport, context.limits.http2, {
      onFree: () => {},
      onGoaway: () => {},
      onClosed: () => {},
    });
    onCut(() => connection.abort(new ProxyError("deadline", "late", { side: "upstream" })));
    try {
      return await judge(await connection.send(checkRequest(options), () => {}));
    } finally {
      connection.close();
    }
  });
}

async function judge(response: Response): Promise<CheckResult> {
  const bytes = await readBody(response.body, MAX_ANSWER_BYTES);
  const failure = failureIn(response, response.body.trailers ?? response.headers);
  if (failure !== undefined) return { isHealthy: false, detail: failure };
  const decoder = new MessageDecoder({ maxBytes: MAX_ANSWER_BYTES, side: "upstream", flags: 0 });
  decoder.feed(bytes ?? new Uint8Array());
  const message = decoder.next();
  if (message === undefined) return { isHealthy: false, detail: "no answer to a health check" };
  const status = decodeHealthResponse(message.bytes);
  return { isHealthy: status === "serving", detail: `grpc.health.v1 says ${status}` };
}

/** What went wrong with the call; undefined when it succeeded. */
function failureIn({ status }: Response, trailers: Fields): string | undefined {
  const code = trailers.get("grpc-status");
  if (code === "0") return undefined;
  if (code === undefined) return `a health check was answered with HTTP ${status}`;
  const message = decodeGrpcMessage(trailers.get("grpc-message") ?? "");
  return `a health check was answered with ${grpcName(parseGrpcCode(code))}: ${message}`;
}

function checkRequest({ address, service, timeoutMs }: GrpcCheckOptions): Request {
  const body = new BytesBody(encodeMessage(encodeHealthRequest(service)));
  return {
    method: "POST",
    form: "origin",
    scheme: "http",
    authority: formatAddress(address),
    target: HEALTH_CHECK_PATH,
    version: "2",
    headers: FieldList.of({
      "content-type": "application/grpc",
      "user-agent": "sidecar-health",
      "grpc-timeout": serializeGrpcTimeout(timeoutMs),
    }),
    body,
    upgrade: undefined,
    acceptsTrailers: true,
  };
}
