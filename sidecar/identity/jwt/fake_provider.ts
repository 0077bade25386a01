// An identity provider of a test: what it publishes now, how it answers, and how often it was asked.
import type { FetchedJson } from "./remote_keys.ts";

export class FakeProvider {
  keys: readonly object[] = [];
  maxAgeMs: number | undefined = undefined;
  isDown = false;
  fetches = 0;
  /** What was asked and waits, while answers are held. */
  #held: (() => void)[] | undefined;

  /** From now on answers wait for `release`. Each says what was published when it was asked. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const answer of held) answer();
  }

  readonly fetchJson = (_url: string, signal: AbortSignal): Promise<FetchedJson> => {
    this.fetches++;
    const { isDown, keys, maxAgeMs } = this;
    const answer = (): FetchedJson => {
      if (isDown) throw new Error("connection refused");
      return { value: { keys }, maxAgeMs };
    };
    const held = this.#held;
    if (held === undefined) return Promise.resolve().then(answer);
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      held.push(() => resolve(Promise.resolve().then(answer)));
    });
  };
}
