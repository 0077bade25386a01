import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { MemoryIdentityFiles } from "../../tests/support/memory_identity_files.ts";
import { Authority } from "./authority.ts";
import { FileSource } from "./file_source.ts";
import { IdentityError } from "./material.ts";
import { certificatesIn } from "./pem.ts";

const NOW_MS = Date.UTC(2030, 0, 1);
const HOUR_MS = 3_600_000;
const ID = "spiffe://mesh.local/ns/default/svc/a";
const ROOT = await Authority.generate("mesh.local", NOW_MS);
const AUTHORITY = await Authority.load(ROOT, "mesh.local");

async function rig() {
  const files = new MemoryIdentityFiles();
  const clock = { nowMs: NOW_MS };
  const put = async (nowMs = NOW_MS) => {
    const leaf = await AUTHORITY.issue(ID, { nowMs, lifeMs: HOUR_MS });
    files.write("c", leaf.certificatePem);
    files.write("k", leaf.privateKeyPem);
    return leaf;
  };
  const first = await put();
  files.write("t", AUTHORITY.certificatePem);
  const source = new FileSource({
    paths: { certificate: "c", key: "k", trustBundle: "t" },
    workload: { trustDomain: "mesh.local", namespace: "default", service: "a" },
    files,
    epoch: () => clock.nowMs,
  });
  const refusal = async () => (await assertRejects(() => source.issue(), IdentityError)).message;
  return { files, clock, put, first, source, refusal };
}

Deno.test("FileSource reads what the files hold, and the dates of the leaf", async () => {
  const { first, source } = await rig();
  assertEquals(await source.issue(), {
    ...first,
    id: ID,
    trustPem: certificatesIn(AUTHORITY.certificatePem),
  });
});

Deno.test("FileSource gives the same material until a file says something else", async () => {
  const { files, put, source } = await rig();
  const material = await source.issue();
  assertEquals(await source.hasChanged(), false);
  files.write("t", AUTHORITY.certificatePem);
  assertEquals(await source.hasChanged(), true);
  assertStrictEquals(await source.issue(), material, "touched, and nothing else");
  await put();
  assertEquals(await source.hasChanged(), true);
  assert(await source.issue() !== material);
  assertEquals(await source.hasChanged(), false);
});

Deno.test("FileSource takes every root of the trust bundle", async () => {
  const { files, source } = await rig();
  const other = certificatesIn(await Authority.generate("mesh.local", NOW_MS))[0]!;
  files.write("t", `the old one\n${AUTHORITY.certificatePem}the new one\n${other}`);
  assertEquals((await source.issue()).trustPem, [
    ...certificatesIn(AUTHORITY.certificatePem),
    other,
  ]);
});

Deno.test("FileSource reads again what was written meanwhile, and leaves what never stands still", async () => {
  const { files, put, source, refusal } = await rig();
  const next = await put();
  const changes = [() => files.write("c", next.certificatePem)];
  files.onRead = () => changes.pop()?.();
  assertEquals((await source.issue()).privateKeyPem, next.privateKeyPem);
  files.onRead = () => files.write("c", next.certificatePem);
  assertEquals(await refusal(), "c: still being written");
});

Deno.test("FileSource names the file that is missing, empty, expired or too early", async () => {
  const { files, clock, put, refusal } = await rig();
  clock.nowMs = NOW_MS + 2 * HOUR_MS;
  assertEquals(await refusal(), "c: expired at 2030-01-01T01:00:00.000Z");
  clock.nowMs = NOW_MS - HOUR_MS;
  assertEquals(await refusal(), "c: not valid before 2029-12-31T23:59:00.000Z");
  clock.nowMs = NOW_MS;
  files.write("t", "nothing");
  assertEquals(await refusal(), "t: there is no certificate in it");
  await files.remove("k");
  assertEquals(await refusal(), "k: there is no such file");
  files.write("k", "key");
  files.write("c", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  assertEquals(await refusal(), "c: its first certificate cannot be read");
  await put();
});
