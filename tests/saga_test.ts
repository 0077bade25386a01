// The whole of a checkout under every fault there is: calls that are refused, answered too late, carried out late or twice, and a
// process that dies between any two steps. Whatever happens, in the end the databases of orders and payments agree.
import { assert, assertEquals } from "@std/assert";
import type { DatabaseSync } from "node:sqlite";
import { migrate } from "../services/lib/migrations.ts";
import { openDatabase } from "../services/lib/sqlite.ts";
import { checkOut, type CheckoutOutcome, type CheckoutParts } from "../services/order/checkout.ts";
import { recoverOrders } from "../services/order/recovery.ts";
import { type OrderStore, SqliteOrderStore } from "../services/order/store.ts";
import type { CallFailure, Upstreams } from "../services/order/upstreams.ts";
import { maxAmount, takePayment } from "../services/payment/payments.ts";
import { SqlitePaymentStore } from "../services/payment/store.ts";
import { seeded } from "../sidecar/upstream/balancer/test_candidates.ts";

const RUNS = 1000;
const TIMEOUT: CallFailure = { kind: "failed", reason: "timeout" };
const REFUSED: CallFailure = { kind: "failed", reason: "unreachable" };

/** The process has died: nothing that it would have done happens. */
class Crash extends Error {}

interface Told {
  readonly key: string | null;
  readonly outcome: CheckoutOutcome;
}

/** Both services with their databases, and a network between them that does its worst until `isCalm`. */
class World {
  isCalm = false;
  readonly told: Told[] = [];
  readonly orders: SqliteOrderStore;
  readonly payments: SqlitePaymentStore;
  readonly #databases: readonly DatabaseSync[];
  readonly #random: () => number;
  /** Calls that a network carries out when nobody waits for them any more. */
  readonly #late: (() => Promise<unknown>)[] = [];
  #now = Date.UTC(2026, 0, 1);
  #ids = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
    const open = (service: string) => {
      const database = openDatabase(":memory:");
      migrate(database, new URL(`../services/${service}/migrations/`, import.meta.url));
      return database;
    };
    const [orders, payments] = [open("order"), open("payment")];
    this.#databases = [orders, payments];
    this.orders = new SqliteOrderStore(orders);
    this.payments = new SqlitePaymentStore(payments);
  }

  /** One life of the order service; it may end at any step. */
  process(): CheckoutParts {
    let isDead = false;
    /** Runs a step, and dies before it, after it, or not. */
    const step = async <T>(run: () => Promise<T>): Promise<T> => {
      const fate = this.isCalm ? 1 : this.#random();
      if (isDead || fate < 0.03) {
        isDead = true;
        throw new Crash();
      }
      const result = await run();
      if (fate < 0.06) {
        isDead = true;
        throw new Crash();
      }
      return result;
    };
    const { orders } = this;
    const store: OrderStore = {
      insert: (...args) => step(() => orders.insert(...args)),
      findByKey: (...args) => step(() => orders.findByKey(...args)),
      settle: (...args) => step(() => orders.settle(...args)),
      stale: (...args) => step(() => orders.stale(...args)),
      beginCancel: (...args) => step(() => orders.beginCancel(...args)),
      endCancel: (...args) => step(() => orders.endCancel(...args)),
      find: (...args) => orders.find(...args),
      list: (...args) => orders.list(...args),
      ping: () => orders.ping(),
      close: () => Promise.resolve(),
    };
    const upstreams: Upstreams = {
      findUser: () => step(() => this.#call(() => Promise.resolve({ kind: "found" as const }))),
      pay: ({ orderId, userId, amount }) =>
        step(() =>
          this.#call(async () => {
            const request = { orderId, userId, amount, currency: "EUR", idempotencyKey: orderId };
            const parts = {
              store: this.payments,
              now: () => new Date(0),
              newId: () => `p${++this.#ids}`,
            };
            const outcome = await takePayment(parts, request);
            if (outcome.kind === "key-reused") throw new Error("one order asked for two amounts");
            if (outcome.kind === "declined") return { kind: "declined" as const };
            return { kind: outcome.kind, paymentId: outcome.payment.id };
          })
        ),
      refund: (paymentId) =>
        step(() =>
          this.#call(async () => {
            await this.payments.refund(paymentId);
            return { kind: "refunded" as const };
          })
        ),
    };
    return {
      store,
      upstreams,
      now: () => new Date(this.#now += 10),
      newId: () => `o${++this.#ids}`,
    };
  }

  async #call<T>(carryOut: () => Promise<T>): Promise<T | CallFailure> {
    await Promise.resolve();
    const fate = this.isCalm ? 1 : this.#random();
    if (fate < 0.1) return REFUSED;
    if (fate < 0.2) {
      await carryOut();
      return TIMEOUT;
    }
    if (fate < 0.3) {
      this.#late.push(carryOut);
      return TIMEOUT;
    }
    if (fate < 0.4) await carryOut();
    return await carryOut();
  }

  /** Some of what was on its way arrives. */
  async deliver(share: number): Promise<void> {
    for (const call of this.#late.splice(0)) {
      if (this.#random() < share) await call();
      else this.#late.push(call);
    }
  }

  /** A caller asks, and comes again with its key where it was told of a failure or of nothing. */
  async customer(): Promise<void> {
    const key = this.#random() < 0.7 ? `k${Math.floor(this.#random() * 4)}` : null;
    const unitPrice = this.#random() < 0.2 ? maxAmount + 1 : 500;
    const items = [{ sku: "book", quantity: 1, unitPrice }];
    const cart = { userId: "alice", items, total: unitPrice };
    for (let tries = 0; tries < 3; tries++) {
      const outcome = await checkOut(this.process(), cart, {}, key).catch((error) => {
        if (error instanceof Crash) return undefined;
        throw error;
      });
      if (outcome !== undefined) this.told.push({ key, outcome });
      if (outcome !== undefined && outcome.kind !== "failed") return;
      if (key === null) return;
    }
  }

  async recover(): Promise<void> {
    if (this.isCalm || this.#random() < 0.5) this.#now += 60_000;
    await recoverOrders(this.process()).catch((error) => {
      if (!(error instanceof Crash)) throw error;
    });
  }

  async run(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      await Promise.all([this.customer(), this.customer(), this.recover()]);
      await this.deliver(0.3);
    }
  }

  async settleDown(): Promise<void> {
    this.isCalm = true;
    for (let round = 0; round < 3; round++) await this.recover();
  }

  /** What must be so whenever nothing is pending. */
  async check(): Promise<void> {
    const [orders, payments] = this.#databases;
    const rows = orders!.prepare("select * from orders").all();
    const paid = payments!.prepare("select * from payments").all();
    for (const order of rows) {
      const own = paid.filter((payment) => payment.order_id === order.id);
      assert(own.length <= 1, "an order was paid twice");
      const [payment] = own;
      if (order.status === "confirmed") {
        assertEquals([payment?.status, payment?.id, payment?.amount], [
          "captured",
          order.payment_id,
          order.total,
        ]);
      } else {
        assertEquals(order.status, "rejected", "an order stayed pending");
        assert(payment?.status !== "captured", "money was taken for an order that is none");
      }
    }
    for (const { order_id } of paid) {
      assert(rows.some(({ id }) => id === order_id), "a payment without its order");
    }
    for (const { key, outcome } of this.told) {
      if (outcome.kind !== "confirmed") continue;
      const order = await this.orders.find(outcome.order.id, "alice");
      assertEquals(
        order?.status,
        "confirmed",
        "an order was taken back that was confirmed to its caller",
      );
      const others = this.told.flatMap((told) =>
        key !== null && told.key === key && told.outcome.kind === "confirmed"
          ? [told.outcome.order.id]
          : []
      );
      assert(new Set(others).size <= 1, "one key brought two orders");
    }
  }

  close(): void {
    for (const database of this.#databases) database.close();
  }
}

Deno.test("a checkout neither loses money nor makes an order twice, whatever fails and whenever it dies", async () => {
  const seen: Record<string, number> = {};
  for (let seed = 1; seed <= RUNS; seed++) {
    const world = new World(seed);
    try {
      await world.run();
      await world.settleDown();
      await world.check();
      // What a network held back until now finds its key taken.
      await world.deliver(1);
      await world.check();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    } finally {
      for (const { outcome: { kind } } of world.told) seen[kind] = (seen[kind] ?? 0) + 1;
      world.close();
    }
  }
  for (const kind of ["confirmed", "declined", "cancelled", "failed", "key-reused"]) {
    assert((seen[kind] ?? 0) > 50, `${kind}: ${seen[kind]}`);
  }
});
