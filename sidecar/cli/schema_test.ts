import { assertEquals } from "@std/assert";
import { bootstrapJsonSchema, policyJsonSchema } from "../config/json_schema.ts";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";

async function schema(...args: string[]): Promise<unknown> {
  const host = new FakeHost();
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  assertEquals(await runCli(["schema", ...args], { host, start }), 0);
  return JSON.parse(host.stdout);
}

Deno.test("schema prints the bootstrap's JSON Schema unless told otherwise", async () => {
  assertEquals(await schema(), bootstrapJsonSchema());
  assertEquals(await schema("bootstrap"), bootstrapJsonSchema());
  assertEquals(await schema("policy"), policyJsonSchema());
});
