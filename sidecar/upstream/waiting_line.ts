// Exchanges that wait for a connection, first come first served, their number bounded.
import { ProxyError } from "../errors.ts";
import type { Cancellation } from "../lib/cancellation.ts";

interface Waiter<Connection> {
  /** False when it has left meanwhile. */
  readonly give: (connection: Connection) => boolean;
  readonly fail: (error: Error) => void;
}

export class WaitingLine<Connection> {
  readonly #most: number;
  readonly #waiters: Waiter<Connection>[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /** Rejects with ProxyError `overloaded` when the line is full, or with the reason of the cancellation. */
  join(cancellation: Cancellation): Promise<Connection> {
    if (this.#waiters.length >= this.#most) {
      return Promise.reject(
        new ProxyError("overloaded", `${this.#most} requests wait for a connection already`, {
          side: "local",
        }),
      );
    }
    return new Promise((resolve, reject) => {
      let hasLeft = false;
      const leave = (reason: Error): void => {
        hasLeft = true;
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        reject(reason);
      };
      const waiter: Waiter<Connection> = {
        give: (connection) => {
          if (hasLeft) return false;
          cancellation.off(leave);
          resolve(connection);
          return true;
        },
        fail: (error) => {
          cancellation.off(leave);
          reject(error);
        },
      };
      this.#waiters.push(waiter);
      cancellation.onCancel(leave);
    });
  }

  /** The first in line, who is out of it now; undefined when nobody waits. */
  next(): Waiter<Connection> | undefined {
    return this.#waiters.length === 0 ? undefined : this.#waiters.shift();
  }

  /** Sends everybody away. */
  failAll(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.fail(error);
  }
}
