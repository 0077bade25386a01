// A connection, made and closed: for apps whose word for being well is that they listen.
import { formatAddress } from "../net/tcp.ts";
import { checkInTime } from "./check.ts";
import type { CheckResult } from "./health.ts";
import type { Address, PoolContext } from "./pool.ts";

export interface TcpCheckOptions {
  readonly address: Address;
  readonly timeoutMs: number;
}

/** Never rejects. */
export function tcpCheck(
  { address, timeoutMs }: TcpCheckOptions,
  context: PoolContext,
): Promise<CheckResult> {
  return checkInTime(address, timeoutMs, context, (transport) => {
    transport.close();
    return Promise.resolve({ isHealthy: true, detail: `${formatAddress(address)} listens` });
  });
}
