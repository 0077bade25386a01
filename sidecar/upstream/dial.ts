// One connection made in time, or given up.
import { ProxyError } from "../errors.ts";
import type { Cancellation } from "../lib/cancellation.ts";
import type { Transport } from "../net/transport.ts";
import type { Address, DialProtocol, PoolContext } from "./pool.ts";

export interface DialOptions {
  readonly cancellation: Cancellation;
  readonly protocol: DialProtocol;
}

/**
 * A connection that comes after the caller left is closed: nobody knows how old it is when it is wanted.
 * Throws ProxyError `connect-failed`, `connect-timeout` or `untrusted-upstream`, or the reason of the cancellation.
 */
export function dialInTime(
  address: Address,
  context: PoolContext,
  { cancellation, protocol }: DialOptions,
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
    context.dial(address, dialing.signal, protocol).then(
      (transport) => end() ? resolve(transport) : transport.close(),
      (error) => fail(dialError(address, error)),
    );
  });
}

/** Somebody else than who was meant: nothing was sent, so another endpoint is as safe as after a refusal. */
function dialError(address: Address, error: unknown): ProxyError {
  if (error instanceof UntrustedPeer) {
    return connectError(address, "untrusted-upstream", "no trusted connection", error);
  }
  return connectError(address, "connect-failed", "no connection", error);
}

/** The other end of a connection did not prove to be who was meant. `message` says what it proved to be. */
export class UntrustedPeer extends Error {
  override readonly name = "UntrustedPeer";
}

function connectError(
  { host, port }: Address,
  kind: "connect-failed" | "connect-timeout" | "untrusted-upstream",
  message: string,
  cause?: unknown,
): ProxyError {
  return new ProxyError(kind, `${message} to ${host}:${port}`, {
    side: "upstream",
    retry: "yes",
    cause,
  });
}
