// The app is well when every check that was configured says so.
import { grpcCheck } from "./grpc_check.ts";
import type { CheckResult } from "./health.ts";
import { httpCheck } from "./http_check.ts";
import type { Address, PoolContext } from "./pool.ts";
import { tcpCheck } from "./tcp_check.ts";

/** By GET, by grpc.health.v1, or by a connection to each of its addresses. */
export type AppCheck =
  | { readonly kind: "http"; readonly path: string }
  | { readonly kind: "grpc"; readonly service: string }
  | { readonly kind: "tcp" };

export interface CheckedApp {
  readonly http?: Address;
  readonly grpc?: Address;
  readonly health: { readonly checks: readonly AppCheck[]; readonly timeoutMs: number };
}

/** The first complaint, or what they all say. Never rejects. */
export async function checkApp(app: CheckedApp, context: PoolContext): Promise<CheckResult> {
  const { checks, timeoutMs } = app.health;
  const results = await Promise.all(checks.flatMap((check) => {
    if (check.kind === "http") {
      return httpCheck({ address: app.http!, path: check.path, timeoutMs }, context);
    }
    if (check.kind === "grpc") {
      return grpcCheck({ address: app.grpc!, service: check.service, timeoutMs }, context);
    }
    return [app.http, app.grpc].filter((address) => address !== undefined)
      .map((address) => tcpCheck({ address, timeoutMs }, context));
  }));
  return results.find(({ isHealthy }) => !isHealthy) ?? {
    isHealthy: true,
    detail: results.map(({ detail }) => detail).join("; "),
  };
}
