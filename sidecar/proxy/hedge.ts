// A second attempt beside a first that is slow: whichever answers first counts, the other one is called off
// (Dean and Barroso, "The Tail at Scale", 2013).
import type { Response } from "../http/message.ts";
import type { Timeouts } from "../lib/timeouts.ts";
import type { Attempts } from "./attempts.ts";

export interface HedgeOptions {
  readonly afterMs: number;
  readonly timeouts: Timeouts;
  readonly first: Attempts;
  /** The second attempt; undefined where its budget allows none. */
  readonly second: () => Attempts | undefined;
}

/** Resolves with the first answer; rejects when all that began have failed. */
export function hedged({ afterMs, timeouts, first, second }: HedgeOptions): Promise<Response> {
  return new Promise((resolve, reject) => {
    const running = new Set<Attempts>();
    let isOver = false;
    const begin = (attempts: Attempts): void => {
      running.add(attempts);
      attempts.run().then((response) => won(attempts, response), (error) => lost(attempts, error));
    };
    const won = (attempts: Attempts, response: Response): void => {
      running.delete(attempts);
      if (isOver) {
        response.body.cancel();
        return attempts.letGo();
      }
      isOver = true;
      timer.clear();
      attempts.hold();
      for (const loser of running) loser.abandon();
      resolve(response);
    };
    const lost = (attempts: Attempts, error: unknown): void => {
      running.delete(attempts);
      if (isOver || running.size > 0) return;
      isOver = true;
      timer.clear();
      reject(error);
    };
    const timer = timeouts.after(afterMs, () => {
      if (isOver) return;
      const other = second();
      if (other !== undefined) begin(other);
    });
    begin(first);
  });
}
