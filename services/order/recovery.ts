// Orders that stayed pending: a call failed and its effect is unknown, or the process died. They are undone: nobody is waiting for
// them any more but callers who come again with their key, and those are told.
import type { Log } from "../lib/log.ts";
import type { CheckoutParts } from "./checkout.ts";
import type { Order } from "./store.ts";

/** Longer than a checkout can take: three calls of three seconds. */
const staleMs = 30_000;
const everyMs = 5_000;
/** Undone in one go. */
const maxAtOnce = 50;

/** Undoes what stayed pending; answers with how many orders could not be undone yet. Rejects when the store does. */
export async function recoverOrders({ store, upstreams, now }: CheckoutParts): Promise<number> {
  const before = new Date(now().getTime() - staleMs).toISOString();
  let left = 0;
  for (const order of await store.stale(before, maxAtOnce)) {
    // From here on nobody can confirm it.
    if (!await store.beginCancel(order.id)) continue;
    if (await giveBack(order, upstreams)) await store.endCancel(order.id);
    else left++;
  }
  return left;
}

/**
 * Whether the money is where it was. The payment is asked for once more, under its key: that tells what became of it, and a call of
 * the first time that arrives even later finds the key taken.
 */
async function giveBack(
  { id, userId, total }: Order,
  upstreams: CheckoutParts["upstreams"],
): Promise<boolean> {
  const payment = await upstreams.pay({ orderId: id, userId, amount: total }, {});
  if (payment.kind === "failed") return false;
  if (payment.kind !== "captured") return true;
  return (await upstreams.refund(payment.paymentId, {})).kind === "refunded";
}

/** Looks for such orders at once and every few seconds, one round at a time, until it is stopped. */
export class Recovery {
  readonly #parts: CheckoutParts;
  readonly #log: Log;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void>;
  #isStopped = false;

  constructor(parts: CheckoutParts, log: Log) {
    this.#parts = parts;
    this.#log = log;
    this.#round = this.#run();
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #run(): Promise<void> {
    try {
      const left = await recoverOrders(this.#parts);
      if (left > 0) this.#log("info", "orders could not be undone yet", { orders: left });
    } catch (error) {
      this.#log("error", "looking for stale orders failed", { error: String(error) });
    }
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#round = this.#run(), everyMs);
  }
}
