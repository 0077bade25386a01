// Waiting for what a test says must come, by asking and never by the clock alone.

/** Longer than anything takes on a busy machine. */
const PATIENCE_MS = 20_000;

/** Resolves to the first value of `ask` that is neither false nor undefined. Rejections count as not yet; the last one is the cause. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  ms = PATIENCE_MS,
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + ms;
  for (;;) {
    let cause: unknown;
    try {
      const value = await ask();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Rejects when `work` takes longer than anything should. */
export async function inTime<T>(what: string, work: Promise<T>, ms = PATIENCE_MS): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
