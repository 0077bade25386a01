// Many small asynchronous jobs, a few at a time.

/** File operations under way at once: enough to hide their latency, few enough to leave the thread pool to others. */
const LANES = 16;

/** Runs `job` for every item and resolves when all have ended. The job must not throw. */
export async function inLanes<T>(
  items: readonly T[],
  job: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const lane = async () => {
    for (const item of rest) await job(item);
  };
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane));
}
