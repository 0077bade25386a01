import { assert, assertEquals, assertThrows } from "@std/assert";
import { NAME_TAGS, rawNames, TestAuthority } from "../../tests/support/certificates.ts";
import { DerError } from "./der.ts";
import { dnsSansOf, uriSansOf } from "./uri_san.ts";

const ID = "spiffe://mesh.local/ns/default/svc/caller";

function derOf(pem: string): Uint8Array {
  const [, body = ""] = /-----BEGIN CERTIFICATE-----([^-]+)/.exec(pem) ?? [];
  return Uint8Array.from(atob(body.replaceAll(/\s/g, "")), (char) => char.charCodeAt(0));
}

async function certificate(...args: Parameters<TestAuthority["issue"]>): Promise<Uint8Array> {
  const root = await TestAuthority.root("root");
  return derOf((await root.issue(...args)).certificatePem);
}

Deno.test("uriSansOf reads every URI name, in order, and no other kind", async () => {
  const uris = [ID, "https://example.com/"];
  const der = await certificate({ uris, dns: ["a.example", "b.example"], ips: ["192.0.2.1"] });
  assertEquals(uriSansOf(der), uris);
  assertEquals(dnsSansOf(der), ["a.example", "b.example"]);
});

Deno.test("uriSansOf finds nothing in a certificate without names", async () => {
  assertEquals(uriSansOf(await certificate()), []);
});

Deno.test("uriSansOf is not deceived by a name that holds the text of another", async () => {
  const der = await certificate({
    rawNames: rawNames(
      { tag: NAME_TAGS.dns, text: `x, URI:${ID}` },
      { tag: NAME_TAGS.uri, text: `${ID},URI:${ID}` },
    ),
  });
  assertEquals(uriSansOf(der), [`${ID},URI:${ID}`]);
  assertThrows(() => dnsSansOf(der), DerError, "not printable");
});

Deno.test("uriSansOf refuses control characters, blanks, NUL and bytes above ASCII", async () => {
  for (const bad of ["\0", "\n", " ", "\x7f", "\u00e9"]) {
    const der = await certificate({ rawNames: rawNames({ tag: NAME_TAGS.uri, text: ID + bad }) });
    assertThrows(() => uriSansOf(der), DerError, "not printable");
  }
});

Deno.test("uriSansOf reads long names", async () => {
  const long = ID + "x".repeat(300);
  assertEquals(uriSansOf(await certificate({ uris: [long] })), [long]);
});

Deno.test("uriSansOf throws DerError, and nothing else, on a certificate cut at any offset", async () => {
  const der = await certificate({ uris: [ID] });
  for (let end = 0; end < der.length; end++) {
    assertThrows(() => uriSansOf(der.subarray(0, end)), DerError);
  }
  assertThrows(() => uriSansOf(new Uint8Array([...der, 0])), DerError, "behind the end");
});

Deno.test("uriSansOf reads a certificate with any byte changed, or throws DerError", async () => {
  const der = await certificate({ uris: [ID], dns: ["a.example"] });
  let refused = 0;
  for (let i = 0; i < der.length; i++) {
    for (const bit of [0x01, 0x20, 0x80, 0xff]) {
      const changed = der.slice();
      changed[i]! ^= bit;
      try {
        uriSansOf(changed);
      } catch (error) {
        assert(error instanceof DerError, `byte ${i} ^ ${bit}: ${error}`);
        refused++;
      }
    }
  }
  assert(refused > 100, `${refused} refused`);
});

Deno.test("uriSansOf refuses bytes behind the list of names", async () => {
  const trailing = new Uint8Array([...rawNames({ tag: NAME_TAGS.uri, text: ID }), 0]);
  const der = await certificate({ rawNames: trailing });
  assertThrows(() => uriSansOf(der), DerError, "behind the end");
});
