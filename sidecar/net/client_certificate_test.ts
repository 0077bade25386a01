import { assertEquals } from "@std/assert";
import {
  type LeafOptions,
  NAME_TAGS,
  rawNames,
  TestAuthority,
} from "../../tests/support/certificates.ts";
import { Certificate } from "./certificate.ts";
import { describeClient } from "./client_certificate.ts";

/** What is told of a client, but for the hash. */
async function told(options: LeafOptions): Promise<string> {
  const authority = await TestAuthority.root("clients");
  const leaf = new Certificate((await authority.issue(options)).certificatePem);
  const [hash, ...rest] = describeClient(leaf).split(";");
  assertEquals(hash, `Hash=${leaf.fingerprint.replaceAll(":", "").toLowerCase()}`);
  assertEquals(/^Hash=[0-9a-f]{64}$/.test(hash!), true);
  return rest.join(";");
}

Deno.test("describeClient tells subject and names in the order that Envoy has", async () => {
  const subject = [["O", "Acme"], ["CN", "alice"]] as const;
  const names = { uris: ["https://a.example/1"], dns: ["a.example", "*.b.example"] };
  assertEquals(
    await told({ subject, ...names }),
    'Subject="CN=alice,O=Acme";URI=https://a.example/1;DNS=a.example;DNS=*.b.example',
  );
  assertEquals(await told({}), 'Subject="CN=leaf"');
});

Deno.test("describeClient lets no name forge another, whatever an authority signed", async () => {
  const subject = [["CN", 'alice,O=Admins";URI=spiffe://a/b;Subject="CN=root']] as const;
  assertEquals(
    await told({ subject }),
    'Subject="CN=alice\\2CO\\3DAdmins\\22\\3BURI\\3Dspiffe://a/b\\3BSubject\\3D\\22CN\\3Droot"',
  );
  const forged = rawNames(
    { tag: NAME_TAGS.uri, text: "https://a/;DNS=admin.example,Hash=00" },
    { tag: NAME_TAGS.uri, text: 'https://a/";DNS="admin.example' },
    { tag: NAME_TAGS.dns, text: "a\\" },
  );
  assertEquals(
    await told({ rawNames: forged }),
    'Subject="CN=leaf";URI="https://a/;DNS=admin.example,Hash=00"',
  );
});

Deno.test("describeClient tells 16 names of a kind and no more", async () => {
  const dns = Array.from({ length: 40 }, (_, i) => `n${i}.example`);
  assertEquals((await told({ dns })).split("DNS=").length - 1, 16);
});
