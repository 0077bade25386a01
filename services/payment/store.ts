// Payments as they are kept. The interface is asynchronous so that a database across a network can stand behind it.
// deno-lint-ignore-file require-await -- async turns a throw of the synchronous database into a rejection.

import type { DatabaseSync } from "node:sqlite";
import { pingDatabase } from "../lib/sqlite.ts";

/** A payment starts as captured or declined; only a captured one can be refunded. */
export type PaymentStatus = "captured" | "declined" | "refunded";

/** A payment as others see it; the fields stand in the order in which they are answered. */
export interface Payment {
  readonly id: string;
  readonly orderId: string;
  readonly userId: string;
  /** In minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly status: PaymentStatus;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** The payments; what each implementation must keep stands in store_contract.ts. */
export interface PaymentStore {
  /** Keeps the payment, or answers with the one that was kept under the same key before; a null key is never the same. */
  record(payment: Payment, idempotencyKey: string | null): Promise<Payment>;
  find(id: string): Promise<Payment | null>;
  /** Turns a captured payment into a refunded one; answers with the payment as it is then, null when there is none. */
  refund(id: string): Promise<Payment | null>;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

type Row = Record<string, unknown>;

/** Payments in a SQLite file that has been migrated; closing the store closes the database. */
export class SqlitePaymentStore implements PaymentStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async record(payment: Payment, idempotencyKey: string | null): Promise<Payment> {
    const { id, orderId, userId, amount, currency, status, createdAt } = payment;
    // The unique key decides, not a look beforehand: of two equal requests at once one inserts and both read it.
    const { changes } = this.#database.prepare(
      `insert into payments
         (id, order_id, user_id, amount, currency, status, created_at, idempotency_key)
       values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (idempotency_key) do nothing`,
    ).run(id, orderId, userId, amount, currency, status, createdAt, idempotencyKey);
    if (changes === 1) return payment;
    const earlier = this.#one("select * from payments where idempotency_key = ?", idempotencyKey);
    if (earlier === null) throw new Error("a payment was neither kept nor found");
    return earlier;
  }

  async find(id: string): Promise<Payment | null> {
    return this.#one("select * from payments where id = ?", id);
  }

  async refund(id: string): Promise<Payment | null> {
    this.#database
      .prepare("update payments set status = 'refunded' where id = ? and status = 'captured'")
      .run(id);
    return this.#one("select * from payments where id = ?", id);
  }

  async ping(): Promise<void> {
    pingDatabase(this.#database);
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #one(sql: string, value: string | null): Payment | null {
    const row: Row | undefined = this.#database.prepare(sql).get(value);
    return row === undefined ? null : toPayment(row);
  }
}

function toPayment(row: Row): Payment {
  return {
    id: String(row.id),
    orderId: String(row.order_id),
    userId: String(row.user_id),
    amount: Number(row.amount),
    currency: String(row.currency),
    status: toStatus(row.status),
    createdAt: String(row.created_at),
  };
}

function toStatus(value: unknown): PaymentStatus {
  if (value === "captured" || value === "declined" || value === "refunded") return value;
  throw new Error(`unknown payment status: ${String(value)}`);
}
