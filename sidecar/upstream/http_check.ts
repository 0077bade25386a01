// One GET on a fresh connection: healthy is a 2xx in time.
import type { Request } from "../http/message.ts";
import { EMPTY_BODY } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import { Http1ClientConnection } from "../http1/client_connection.ts";
import { ProxyError } from "../errors.ts";
import type { Transport } from "../net/transport.ts";
import type { CheckResult } from "./health.ts";
import type { PoolContext } from "./pool.ts";

export interface HttpCheckOptions {
  readonly address: { readonly host: string; readonly port: number };
  readonly path: string;
  readonly timeoutMs: number;
}

/** Never rejects. */
export async function httpCheck(
  options: HttpCheckOptions,
  context: PoolContext,
): Promise<CheckResult> {
  const { address, path, timeoutMs } = options;
  const dial = new AbortController();
  let isLate = false;
  let cut = (): void => {};
  const timeout = context.timeouts.after(timeoutMs, () => {
    isLate = true;
    cut();
  });
  try {
    const { promise: late, reject } = Promise.withResolvers<never>();
    late.catch(() => {});
    cut = () => {
      reject(new Error("late"));
      dial.abort();
    };
    const dialing = context.dial(address, dial.signal);
    // A connection that comes too late is closed when it comes.
    dialing.then((transport) => isLate && transport.close(), () => {});
    const transport = await Promise.race([dialing, late]);
    return await ask(transport, path, address, context, (close) => cut = close);
  } catch (error) {
    if (isLate) {
      return { isHealthy: false, isLate, detail: `no answer within ${timeoutMs} ms` };
    }
    return { isHealthy: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    timeout.clear();
  }
}

async function ask(
  transport: Transport,
  path: string,
  address: { readonly host: string; readonly port: number },
  context: PoolContext,
  onCut: (close: () => void) => void,
): Promise<CheckResult> {
  const connection = new Http1ClientConnection(transport, context.limits, {
    onIdle: () => {},
    onClosed: () => {},
  });
  onCut(() => connection.abort(new ProxyError("deadline", "late", { side: "upstream" })));
  try {
    const response = await connection.send(getRequest(path, address), () => {});
    response.body.cancel();
    const { status } = response;
    return { isHealthy: status >= 200 && status < 300, detail: `${path} answered ${status}` };
  } finally {
    connection.close();
  }
}

function getRequest(
  target: string,
  address: { readonly host: string; readonly port: number },
): Request {
  const authority = `${
    address.host.includes(":") ? `[${address.host}]` : address.host
  }:${address.port}`;
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
