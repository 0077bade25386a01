// Orders as they are kept. The interface is asynchronous so that a database across a network can stand behind it.
// deno-lint-ignore-file require-await -- async turns a throw of the synchronous database into a rejection.

import type { DatabaseSync } from "node:sqlite";
import type { Page } from "../lib/fields.ts";
import { inTransaction, pingDatabase } from "../lib/sqlite.ts";

/** One line of an order. */
export interface OrderItem {
  readonly sku: string;
  readonly quantity: number;
  /** In minor units. */
  readonly unitPrice: number;
}

/** pending: the payment was asked for and its answer has not been seen. */
export type OrderStatus = "pending" | "confirmed" | "rejected";

/** An order as its owner sees it; the fields stand in the order in which they are answered. */
export interface Order {
  readonly id: string;
  readonly userId: string;
  readonly items: readonly OrderItem[];
  /** In minor units. */
  readonly total: number;
  readonly status: OrderStatus;
  /** Null until the payment has been captured. */
  readonly paymentId: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** How a pending order ended. */
export type Settlement =
  | { readonly status: "confirmed"; readonly paymentId: string }
  | { readonly status: "rejected"; readonly paymentId: null };

/** An order with what its owner is not shown. */
export interface KeptOrder {
  readonly order: Order;
  /** It is being undone: nobody can confirm it any more. */
  readonly isCancelling: boolean;
  /** Why it was rejected. */
  readonly ending: "declined" | "cancelled" | null;
}

/** The orders; what each implementation must keep stands in store_contract.ts. */
export interface OrderStore {
  /** Keeps the order, or answers with the one that its user kept under the same key before; a null key is never the same. */
  insert(order: Order, idempotencyKey: string | null): Promise<KeptOrder>;
  /** The order that the user kept under the key. */
  findByKey(userId: string, idempotencyKey: string): Promise<KeptOrder | null>;
  /** Ends a pending order. True where it has ended so, now or before; false where it is being cancelled or has ended otherwise. */
  settle(id: string, settlement: Settlement): Promise<boolean>;
  /** Pending orders that are being cancelled, or were made before then (ISO 8601, UTC); the oldest first. */
  stale(before: string, limit: number): Promise<Order[]>;
  /** From now on a pending order can only be cancelled; false where it is not pending any more. */
  beginCancel(id: string): Promise<boolean>;
  /** Ends an order that is being cancelled. */
  endCancel(id: string): Promise<void>;
  /** The user's own order; null when there is none, or it is somebody else's. */
  find(id: string, userId: string): Promise<Order | null>;
  /** The user's orders, newest first. */
  list(userId: string, page: Page): Promise<{ orders: Order[]; total: number }>;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

type Row = Record<string, unknown>;

/** Orders in a SQLite file that has been migrated; closing the store closes the database. */
export class SqliteOrderStore implements OrderStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async insert(order: Order, idempotencyKey: string | null): Promise<KeptOrder> {
    return inTransaction(this.#database, () => {
      // The unique key decides, not a look beforehand: of two equal requests at once one inserts and both read it.
      const { changes } = this.#database.prepare(
        `insert into orders (id, user_id, total, status, payment_id, created_at, idempotency_key)
         values (?, ?, ?, ?, ?, ?, ?) on conflict (user_id, idempotency_key) do nothing`,
      ).run(
        order.id,
        order.userId,
        order.total,
        order.status,
        order.paymentId,
        order.createdAt,
        idempotencyKey,
      );
      if (changes === 0) return this.#byKey(order.userId, idempotencyKey)!;
      this.#insertItems(order);
      return { order, isCancelling: false, ending: null };
    });
  }

  async findByKey(userId: string, idempotencyKey: string): Promise<KeptOrder | null> {
    return this.#byKey(userId, idempotencyKey);
  }

  async settle(id: string, { status, paymentId }: Settlement): Promise<boolean> {
    return inTransaction(this.#database, () => {
      this.#database.prepare(
        `update orders set status = ?, payment_id = ?, ending = iif(? = 'rejected', 'declined', null)
         where id = ? and status = 'pending' and is_cancelling = 0`,
      ).run(status, paymentId, status, id);
      const row = this.#database
        .prepare("select status, payment_id, ending from orders where id = ?").get(id);
      if (row === undefined) throw new Error(`no order ${id}`);
      return row.status === status && row.payment_id === paymentId && row.ending !== "cancelled";
    });
  }

  async stale(before: string, limit: number): Promise<Order[]> {
    const rows = this.#database.prepare(
      `select * from orders where status = 'pending' and (is_cancelling = 1 or created_at < ?)
       order by created_at limit ?`,
    ).all(before, limit);
    return rows.map((row) => this.#toOrder(row));
  }

  async beginCancel(id: string): Promise<boolean> {
    const { changes } = this.#database
      .prepare("update orders set is_cancelling = 1 where id = ? and status = 'pending'").run(id);
    return changes === 1;
  }

  async endCancel(id: string): Promise<void> {
    this.#database.prepare(
      `update orders set status = 'rejected', is_cancelling = 0, ending = 'cancelled'
       where id = ? and status = 'pending' and is_cancelling = 1`,
    ).run(id);
  }

  async find(id: string, userId: string): Promise<Order | null> {
    const row = this.#database
      .prepare("select * from orders where id = ? and user_id = ?")
      .get(id, userId);
    return row === undefined ? null : this.#toOrder(row);
  }

  async list(
    userId: string,
    { page, pageSize }: Page,
  ): Promise<{ orders: Order[]; total: number }> {
    const rows = this.#database
      .prepare("select * from orders where user_id = ? order by seq desc limit ? offset ?")
      .all(userId, pageSize, (page - 1) * pageSize);
    const counted = this.#database
      .prepare("select count(*) as total from orders where user_id = ?")
      .get(userId);
    return { orders: rows.map((row) => this.#toOrder(row)), total: Number(counted?.total) };
  }

  async ping(): Promise<void> {
    pingDatabase(this.#database);
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #byKey(userId: string, idempotencyKey: string | null): KeptOrder | null {
    const row = this.#database
      .prepare("select * from orders where user_id = ? and idempotency_key = ?")
      .get(userId, idempotencyKey);
    if (row === undefined) return null;
    const { ending } = row;
    return {
      order: this.#toOrder(row),
      isCancelling: row.is_cancelling === 1,
      ending: ending === "declined" || ending === "cancelled" ? ending : null,
    };
  }

  #insertItems({ id, items }: Order): void {
    const insert = this.#database.prepare(
      `insert into order_items (order_id, position, sku, quantity, unit_price)
       values (?, ?, ?, ?, ?)`,
    );
    for (const [position, { sku, quantity, unitPrice }] of items.entries()) {
      insert.run(id, position, sku, quantity, unitPrice);
    }
  }

  #toOrder(row: Row): Order {
    const id = String(row.id);
    const items = this.#database
      .prepare("select * from order_items where order_id = ? order by position")
      .all(id);
    return {
      id,
      userId: String(row.user_id),
      items: items.map(toItem),
      total: Number(row.total),
      status: toStatus(row.status),
      paymentId: row.payment_id === null ? null : String(row.payment_id),
      createdAt: String(row.created_at),
    };
  }
}

function toItem(row: Row): OrderItem {
  return {
    sku: String(row.sku),
    quantity: Number(row.quantity),
    unitPrice: Number(row.unit_price),
  };
}

function toStatus(value: unknown): OrderStatus {
  if (value === "pending" || value === "confirmed" || value === "rejected") return value;
  throw new Error(`unknown order status: ${String(value)}`);
}
