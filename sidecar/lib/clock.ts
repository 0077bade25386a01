// Time as a dependency: what is handed in wherever something waits, expires or stamps.

/** Two readings of time and two kinds of timer. Disposing a timer stops it; it may be disposed twice. */
export interface Clock {
  /** Milliseconds that only go forward; for durations. */
  now(): number;
  /** Milliseconds since 1970; may step either way. For what others read, never for durations. */
  epoch(): number;
  after(ms: number, callback: () => void): Disposable;
  every(ms: number, callback: () => void): Disposable;
}

/** What a 32-bit timer takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, MAX_TIMER_MS));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every(ms, callback) {
    const timer = setInterval(callback, Math.min(ms, MAX_TIMER_MS));
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};

/** Resolves when so much time has passed. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
