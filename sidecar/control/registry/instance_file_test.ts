import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Instance } from "./registry.ts";
import { fileNameOf, isTemporary, keyIn, keyOf, parseFile, serialize } from "./instance_file.ts";

const INSTANCE: Instance = {
  id: "user-1",
  service: "user-service",
  host: "10.0.0.1",
  port: 15106,
  tags: ["v1"],
  meta: { zone: "a" },
};
const FIELDS = { pid: 7, nonce: "n", since: 5, heartbeat: 6, sequence: 0 };
const NAME = fileNameOf(INSTANCE.service, INSTANCE.id);

function encode(document: unknown): Uint8Array<ArrayBuffer> {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return new TextEncoder().encode(text);
}

function reasonFor(document: unknown): string {
  const parsed = parseFile(encode(document), NAME);
  return parsed.ok ? "" : parsed.reason;
}

Deno.test("parseFile gives back what serialize wrote", () => {
  const text = serialize({ instance: INSTANCE, ...FIELDS });
  assertEquals(parseFile(encode(text), NAME), {
    ok: true,
    announcement: { instance: INSTANCE, ...FIELDS },
  });
});

Deno.test("parseFile refuses every document cut short", () => {
  const bytes = encode(serialize({ instance: INSTANCE, ...FIELDS }).trimEnd());
  for (let length = 0; length < bytes.length; length++) {
    assertEquals(parseFile(bytes.slice(0, length), NAME), { ok: false, reason: "not JSON" });
  }
});

Deno.test("parseFile names the first thing wrong and trusts no field", () => {
  const with_ = (change: object) => ({
    version: 1,
    instance: { ...INSTANCE, ...change },
    ...FIELDS,
  });
  assertEquals(reasonFor([]), "not version 1");
  assertEquals(reasonFor({ ...with_({}), version: 2 }), "not version 1");
  assertEquals(reasonFor({ version: 1 }), "instance: expected an object");
  assertEquals(reasonFor(with_({ id: 3 })), "instance: no id or service");
  for (const host of ["", "a b", "a/b", "a\nb", "me@x", "h".repeat(254), null]) {
    assertEquals(reasonFor(with_({ host })), "instance.host: expected a name or an address");
  }
  for (const port of [0, 65536, -1, 1.5, "80", null]) {
    assertEquals(reasonFor(with_({ port })), "instance.port: expected 1 to 65535");
  }
  assertEquals(reasonFor(with_({ tags: [1] })), "instance.tags: expected texts");
  assertEquals(reasonFor(with_({ meta: { a: 1 } })), "instance.meta: expected an object of texts");
  assertEquals(reasonFor(with_({ meta: [] })), "instance.meta: expected an object of texts");
  assertEquals(reasonFor({ ...with_({}), nonce: "" }), "nonce: expected a text");
  assert(reasonFor({ ...with_({}), heartbeat: "now" }).startsWith("pid, since"));
});

Deno.test("parseFile refuses a document under another instance's name, bad UTF-8 and more than 64 KiB", () => {
  const bytes = encode(serialize({ instance: INSTANCE, ...FIELDS }));
  assertEquals(parseFile(bytes, fileNameOf("user-service", "user-2")).ok, false);
  assertEquals(parseFile(new Uint8Array([0x22, 0xff, 0x22]), NAME).ok, false);
  const spaces = new Uint8Array(65 * 1024).fill(0x20);
  spaces.set(bytes);
  assertEquals(parseFile(spaces, NAME), { ok: false, reason: "more than 65536 bytes" });
});

Deno.test("fileNameOf lets no name leave the directory, hide, or meet another", () => {
  const names = [
    fileNameOf("../..", "/etc/passwd"),
    fileNameOf("a", "b@c"),
    fileNameOf("a@b", "c"),
    fileNameOf("User", "x"),
    fileNameOf("user", "x"),
    fileNameOf(".user", "x"),
    fileNameOf("a\0b", "ü"),
    fileNameOf("%75ser", "x"),
  ];
  assertEquals(names, [
    "%2e.%2f..@%2fetc%2fpasswd.json",
    "a@b%40c.json",
    "a%40b@c.json",
    "%55ser@x.json",
    "user@x.json",
    "%2euser@x.json",
    "a%00b@%c3%bc.json",
    "%2575ser@x.json",
  ]);
});

Deno.test("fileNameOf refuses what no file system takes", () => {
  assertThrows(() => fileNameOf("s", "x".repeat(240)), RangeError);
});

Deno.test("keyIn finds the service of our own names only", () => {
  assertEquals(keyIn(fileNameOf("My.Service", "x")), keyOf("My.Service"));
  for (const foreign of ["README.md", "a.json", ".a@b.json", "a@b.json.tmp", ""]) {
    assertEquals(keyIn(foreign), null);
  }
});

Deno.test("isTemporary knows what an atomic write leaves behind", () => {
  assert(isTemporary(`.${NAME}.0123abcd.tmp`));
  for (const other of [NAME, `.${NAME}.swp`, ".x.tmp", `${NAME}.0123abcd.tmp`]) {
    assert(!isTemporary(other));
  }
});
