import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MemoryIdentityFiles } from "../../tests/support/memory_identity_files.ts";
import { Authority } from "./authority.ts";
import type { IdentityFiles } from "./files_io.ts";
import { IdentityError } from "./material.ts";
import { SelfSigned } from "./self_signed.ts";

const NOW_MS = Date.UTC(2030, 0, 1);

function source(files: IdentityFiles, service = "user-service"): SelfSigned {
  return new SelfSigned({
    directory: "ca",
    workload: { trustDomain: "mesh.local", namespace: "default", service },
    lifeMs: 3_600_000,
    files,
    epoch: () => NOW_MS,
  });
}

Deno.test("SelfSigned: of many that start at once one makes the root and all trust it", async () => {
  const files = new MemoryIdentityFiles();
  const names = ["a", "b", "c", "d", "e", "f"];
  const materials = await Promise.all(names.map((name) => source(files, name).issue()));
  const [first] = materials;
  for (const material of materials) assertEquals(material.trustPem, first!.trustPem);
  assertEquals(new Set(materials.map(({ certificatePem }) => certificatePem)).size, names.length);
  assertEquals(materials.map(({ id }) => id.split("/").at(-1)), names);
});

Deno.test("SelfSigned never replaces a root that is broken: it says which file", async () => {
  const files = new MemoryIdentityFiles();
  files.write("ca/root.pem", "garbage");
  const error = await assertRejects(() => source(files).issue(), IdentityError);
  assertStringIncludes(error.message, "ca/root.pem: ");
  assertEquals(files.texts.get("ca/root.pem"), "garbage");
});

Deno.test("SelfSigned trusts the roots of trust.pem as well, and tells when they change", async () => {
  const files = new MemoryIdentityFiles();
  const own = source(files);
  const before = await own.issue();
  assertEquals(await own.hasChanged(), false);
  const next = await Authority.generate("mesh.local", NOW_MS);
  files.write("ca/trust.pem", next.slice(0, next.indexOf("-----BEGIN PRIVATE KEY-----")));
  assertEquals(await own.hasChanged(), true);
  const after = await own.issue();
  assertEquals(after.trustPem.length, 2);
  assertEquals(after.trustPem[0], before.trustPem[0]);
  assertEquals(await own.hasChanged(), false);
});

Deno.test("SelfSigned signs with the new root once root.pem is replaced", async () => {
  const files = new MemoryIdentityFiles();
  const own = source(files);
  const before = await own.issue();
  files.write("ca/root.pem", await Authority.generate("mesh.local", NOW_MS));
  assertEquals(await own.hasChanged(), true);
  const after = await own.issue();
  assertNotEquals(after.trustPem[0], before.trustPem[0]);
});
