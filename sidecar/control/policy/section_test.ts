import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Policy } from "../../config/bootstrap.ts";
import { SectionPolicySource } from "./section.ts";
import type { PolicyUpdate } from "./source.ts";

Deno.test("SectionPolicySource reports its policy once, before start resolves", async () => {
  const policy: Policy = { upstreams: new Map(), inbound: { timeoutMs: 15_000 } };
  const source = new SectionPolicySource(policy);
  const updates: PolicyUpdate[] = [];
  await source.start({
    update: (update) => updates.push(update),
    problem: ({ error }) => {
      throw error;
    },
  });
  await source.close();
  await source.close();
  assertEquals(updates.map((update) => update.revision), ["bootstrap"]);
  assertStrictEquals(updates[0]?.policy, policy);
});
