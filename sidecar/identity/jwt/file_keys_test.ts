import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, settle } from "../../../tests/support/fake_clock.ts";
import { MemoryLog } from "../../../tests/support/memory_log.ts";
import { pemOf, tokenKey } from "../../../tests/support/token_keys.ts";
import { documentOfPem, FileKeys } from "./file_keys.ts";

const K1 = (await tokenKey("ES256", "k1")).jwk;
const K2 = (await tokenKey("EdDSA", "k2")).jwk;

function rig(text: string | undefined) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const file = { text };
  let changes = 0;
  const source = new FileKeys({
    path: "keys.json",
    form: "jwks",
    readText: () =>
      file.text === undefined ? Promise.reject(new Error("gone")) : Promise.resolve(file.text),
    clock,
    log: log.logger,
    onChanged: () => changes++,
  });
  const kids = () => source.current?.keys.map(({ kid }) => kid).join(" ");
  return { clock, log, file, source, kids, changes: () => changes };
}

function setOf(...keys: object[]): string {
  return JSON.stringify({ keys });
}

Deno.test("FileKeys follows its file, and retires what has left it", async () => {
  const { clock, file, source, kids, changes } = rig(setOf(K1));
  assertEquals(await source.seek("k1"), "found");
  const [first] = source.current!.keys;
  file.text = setOf(K1, K2);
  await clock.advance(2_000);
  assertEquals([kids(), changes(), first!.isRetired], ["k1 k2", 2, false]);
  file.text = setOf(K2);
  await clock.advance(2_000);
  assertEquals([kids(), changes(), first!.isRetired], ["k2", 3, true]);
  source.close();
  assertEquals(clock.pending, 0);
});

Deno.test("FileKeys keeps its keys while the file is gone, half written or empty, and says so once", async () => {
  const { clock, log, file, source, kids } = rig(setOf(K1));
  await settle();
  for (const text of [undefined, "", "{", '{"keys":[]}', '{"keys":{}}', "x".repeat(2_000_000)]) {
    file.text = text;
    await clock.advance(4_000);
    assertEquals(kids(), "k1", text?.slice(0, 20));
  }
  assertEquals(log.messages("warn").length, 5, "once a problem");
  assert(source.failures > 5);
  file.text = setOf(K2);
  await clock.advance(2_000);
  assertEquals([kids(), source.failures], ["k2", 0]);
});

Deno.test("FileKeys waits for its first reading, and for a file that comes later", async () => {
  const { clock, file, source } = rig(undefined);
  assertEquals(await source.seek("k1"), "unavailable");
  file.text = setOf(K1);
  await clock.advance(2_000);
  assertEquals([await source.seek("k2"), source.current?.keys.length], ["absent", 1]);
});

Deno.test("FileKeys never repeats what stands in its file", async () => {
  const { log, source } = rig("k1: a secret, and no JSON");
  await source.seek("x");
  assertEquals(log.lines.length, 1);
  assert(!JSON.stringify(log.lines).includes("secret, and"));
});

Deno.test("documentOfPem reads a public key of every kind, and nothing private", async () => {
  for (const alg of ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]) {
    const { publicKey, privateKey, jwk } = await tokenKey(alg);
    const { kid: _, ...bare } = jwk;
    if (alg !== "PS256") {
      assertEquals(await documentOfPem(await pemOf(publicKey)), { keys: [bare] });
    }
    await assertRejects(
      async () => await documentOfPem(await pemOf(privateKey)),
      Error,
      "PUBLIC KEY",
    );
  }
  for (const text of ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]) {
    await assertRejects(() => documentOfPem(text), Error, "not a public key");
  }
});
