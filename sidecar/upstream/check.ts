// One question to the app on a fresh connection, answered in time or not at all.
import type { Transport } from "../net/transport.ts";
import type { CheckResult } from "./health.ts";
import type { Address, PoolContext } from "./pool.ts";

/**
 * Asks over a connection of its own. `onCut` is told how to break off. The result is what makes the app well or not;
 * a throw means that it is not.
 */
export type Ask = (
  transport: Transport,
  onCut: (cut: () => void) => void,
) => Promise<CheckResult>;

/** Never rejects. */
export async function checkInTime(
  address: Address,
  timeoutMs: number,
  context: PoolContext,
  ask: Ask,
): Promise<CheckResult> {
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
    const dialing = context.dial(address, dial.signal, "tcp");
    // A connection that comes too late is closed when it comes.
    dialing.then((transport) => isLate && transport.close(), () => {});
    const transport = await Promise.race([dialing, late]);
    return await ask(transport, (close) => cut = close);
  } catch (error) {
    if (isLate) {
      return { isHealthy: false, isLate, detail: `no answer within ${timeoutMs} ms` };
    }
    return { isHealthy: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    timeout.clear();
  }
}
