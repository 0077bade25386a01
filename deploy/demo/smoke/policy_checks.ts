// Policy that is pushed through etcd while the mesh runs.
import { join } from "node:path";
import { ROOT } from "../../build/bundle.ts";
import { attempt } from "../../build/command.ts";
import { SIDECAR } from "../plan.ts";
import { type Check, expectAnswer, Mismatch, type Session } from "./check.ts";

/** Calls of the gateway to the user service fail in a way that nothing else does. */
const FAULT = "upstreams: { user-service: { fault: { abort: { status: 418, percent: 100% } } } }\n";

export const POLICY_CHECKS: readonly Check[] = [
  {
    name: "a policy pushed through etcd is acknowledged and in force, and a rollback too",
    async run(session) {
      const { client } = session;
      const token = await client.login("alice");
      const file = join(ROOT, ".mesh", "demo", "fault.yaml");
      await Deno.writeTextFile(file, FAULT);
      await change(session, ["put", "gateway", file]);
      expectAnswer(await client.send("/api/users/123", { token }), 418);
      await change(session, ["rollback", "gateway"]);
      const { status } = await client.send("/api/users/123", { token });
      if (status === 418) throw new Mismatch("no fault after the rollback", "418");
    },
  },
  {
    name: "a policy that no instance would take is refused before it is pushed",
    async run({ etcd }) {
      const file = join(ROOT, ".mesh", "demo", "broken.yaml");
      await Deno.writeTextFile(file, "upstreams: { user-service: { timeuot: 3s } }\n");
      const put = ["policy", "put", "gateway", file, "--yes", "--etcd", etcd!];
      const { code, stderr } = await attempt(SIDECAR, put);
      if (code !== 65 || !stderr.includes('did you mean "timeout"')) {
        throw new Mismatch("65 and a hint", `${code} ${stderr}`);
      }
    },
  },
];

async function change({ etcd }: Session, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await attempt(SIDECAR, [
    "policy",
    ...args,
    "--yes",
    "--etcd",
    etcd!,
  ]);
  if (code !== 0) throw new Mismatch("every instance to accept", `${code} ${stdout}${stderr}`);
}
