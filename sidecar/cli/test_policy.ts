// What the tests of `sidecar policy` share.
import { assertEquals } from "@std/assert";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";

export const KEY = "/mesh/policy/orders";
export const GOOD = "upstreams:\n  users: { timeout: 2s }\n";
export const BETTER = "upstreams:\n  users: { timeout: 3s }\n";

/** Resolves when it is so; a command takes turns of the real event loop to be loaded. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5000 && !isSo(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** How a command ended, and what it printed. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A host with two policies in its files and an etcd in memory. */
export function rig() {
  const host = new FakeHost();
  host.variables.set("USER", "ann");
  host.files.set("good.yaml", GOOD);
  host.files.set("better.yaml", BETTER);
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  const begin = async (...args: string[]): Promise<Ended> => {
    const code = await runCli(args, { host, start });
    const { stdout: out, stderr: err } = host;
    host.stdout = host.stderr = "";
    assertEquals(host.etcd.connections, 0);
    return { code, out, err };
  };
  const policy = (...args: string[]) => begin("policy", ...args);
  const put = (file: string, ...more: string[]) => policy("put", "orders", file, "--yes", ...more);
  /** An instance says what it made of a revision. */
  const says = (id: string, revision: string | number, error: string | null = null, more = {}) =>
    host.etcd.put(
      `/mesh/status/orders/${id}`,
      JSON.stringify({
        revision: String(revision),
        accepted: error === null,
        error,
        since: "2026-01-01T00:00:00.000Z",
        ...more,
      }),
    );
  return { host, begin, policy, put, says };
}
