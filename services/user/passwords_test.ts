import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { scryptSync } from "node:crypto";
import { hashPassword, verifyPassword } from "./passwords.ts";

Deno.test("verifyPassword accepts the password that was hashed and no other", async () => {
  const hash = await hashPassword("correct horse");
  assertEquals(await verifyPassword("correct horse", hash), true);
  assertEquals(await verifyPassword("correct horsE", hash), false);
  assertEquals(await verifyPassword("", hash), false);
});

Deno.test("hashPassword salts each hash and names its parameters in it", async () => {
  const [one, other] = [await hashPassword("same"), await hashPassword("same")];
  assertNotEquals(one, other);
  assertMatch(one, /^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
});

Deno.test("verifyPassword goes by the parameters in the hash, so that old hashes stay valid", async () => {
  const salt = new TextEncoder().encode("0123456789abcdef");
  const key = scryptSync("password", salt, 32, { N: 16, r: 8, p: 1 }).toString("base64");
  const hash = `$scrypt$ln=4,r=8,p=1$${btoa("0123456789abcdef")}$${key}`;
  assert(await verifyPassword("password", hash));
});

Deno.test("verifyPassword takes a password however its accents are composed", async () => {
  assert(await verifyPassword("cafe\u0301-cafe\u0301", await hashPassword("caf\u00e9-caf\u00e9")));
});

Deno.test("verifyPassword says no where there is no hash, and throws on one it cannot read", async () => {
  assertEquals(await verifyPassword("anything", null), false);
  await assertRejects(() => verifyPassword("anything", "plain"), Error, "unknown format");
});
