// One GET on a fresh connection: healthy is a 2xx in time.
import type { Request } from "../http/message.ts";
import { EMPTY_BODY } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import { Http1ClientConnection } from "../http1/client_connection.ts";
import { ProxyError } from "../errors.ts";
import { formatAddress } from "../net/tcp.ts";
import { checkInTime } from "./check.ts";
import type { CheckResult } from "./health.ts";
import type { Address, PoolContext } from "./pool.ts";

export interface HttpCheckOptions {
  readonly address: Address;
  readonly path: string;
  readonly timeoutMs: number;
  /** Whom it is for; default: the address. */
  readonly authority?: string;
}

/** Never rejects. */
export function httpCheck(options: HttpCheckOptions, context: PoolContext): Promise<CheckResult> {
  const { address, path, timeoutMs, authority = formatAddress(address) } = options;
  return checkInTime(address, timeoutMs, context, async (transport, onCut) => {
    const connection = new Http1ClientConnection(transport, context.limits, {
      onIdle: () => {},
      onTunnel: () => {},
      onClosed: () => {},
    });
    onCut(() => connection.abort(new ProxyError("deadline", "late", { side: "upstream" })));
    try {
      const response = await connection.send(getRequest(path, authority), () => {});
      response.body.cancel();
      const { status } = response;
      return { isHealthy: status >= 200 && status < 300, detail: `${path} answered ${status}` };
    } finally {
      connection.close();
    }
  });
}

function getRequest(target: string, authority: string): Request {
  return {
    method: "GET",
    form: "origin",
    scheme: "http",
    authority,
    target,
    version: "1.1",
    headers: FieldList.of({ "host": authority, "user-agent": "sidecar-health" }),
    body: EMPTY_BODY,
    upgrade: undefined,
    acceptsTrailers: false,
  };
}
