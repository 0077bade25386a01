// Memory of other processes, as the system counts it.
import { assertEquals } from "@std/assert";
import type { TestProcess } from "./processes.ts";

const SAMPLE_MS = 100;

/** Resident memory in MB, by proc(5); Deno itself may not look there without every permission. */
export async function residentMb(processes: readonly TestProcess[]): Promise<number[]> {
  const args = processes.map(({ pid }) => `/proc/${pid}/status`);
  const { stdout } = await new Deno.Command("cat", { args }).output();
  const lines = new TextDecoder().decode(stdout).matchAll(/^VmRSS:\s+(\d+) kB$/gm);
  const sizes = [...lines].map(([, kb]) => Number(kb) * 1024 / 1e6);
  assertEquals(sizes.length, processes.length, "a process has ended");
  return sizes;
}

/** The highest of each while `work` is under way. */
export async function peaksDuring(
  processes: readonly TestProcess[],
  work: Promise<unknown>,
): Promise<number[]> {
  const peaks = await residentMb(processes);
  let isOver = false;
  const done = work.finally(() => isOver = true);
  while (!isOver) {
    const sizes = await residentMb(processes);
    sizes.forEach((size, index) => peaks[index] = Math.max(peaks[index]!, size));
    await soonest(done, SAMPLE_MS);
  }
  await done;
  return peaks;
}

/** Resolves after `ms`, or when `work` ends before; leaves no timer. */
async function soonest(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
