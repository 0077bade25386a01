// One connection made in time, or given up.
import { ProxyError } from "../errors.ts";
import type { Cancellation } from "../lib/cancellation.ts";
import type { Transport } from "../net/transport.ts";
import type { Address, PoolContext } from "./pool.ts";

/**
 * A connection that comes after the caller left is closed: nobody knows how old it is when it is wanted.
 * Throws ProxyError `connect-failed` or `connect-timeout`, or the reason of the cancellation.
 */
export function dialInTime(
  address: Address,
  context: PoolContext,
  cancellation: Cancellation,
): Promise<Transport> {
  const { limits: { connectTimeoutMs }, timeouts } = context;
  return new Promise((resolve, reject) => {
    const dialing = new AbortController();
    let isOver = false;
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      timeout.clear();
      cancellation.off(onCancel);
      return true;
    };
    const fail = (error: Error): void => {
      if (!end()) return;
      reject(error);
      dialing.abort();
    };
    const onCancel = (reason: Error): void => fail(reason);
    const timeout = timeouts.after(connectTimeoutMs, () => {
      fail(connectError(address, "connect-timeout", `no connection within ${connectTimeoutMs} ms`));
    });
    cancellation.onCancel(onCancel);
    context.dial(address, dialing.signal).then(
      (transport) => end() ? resolve(transport) : transport.close(),
      (error) => fail(connectError(address, "connect-failed", "no connection", error)),
    );
  });
}

function connectError(
  { host, port }: Address,
  kind: "connect-failed" | "connect-timeout",
  message: string,
  cause?: unknown,
): ProxyError {
  return new ProxyError(kind, `${message} to ${host}:${port}`, {
    side: "upstream",
    retry: "yes",
    cause,
  });
}
