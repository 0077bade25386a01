import { assertEquals, assertThrows } from "@std/assert";
import { TestAuthority } from "../../tests/support/certificates.ts";
import { TlsIdentity, TlsMaterialError } from "./tls_identity.ts";

const id = "spiffe://mesh.local/ns/default/svc/caller";

Deno.test("TlsIdentity takes a leaf with intermediates and several roots", async () => {
  const [root, other] = [await TestAuthority.root("root"), await TestAuthority.root("other")];
  const leaf = await (await root.intermediate("middle")).issue({ uris: [id] });
  const trustPem = [root.certificatePem, other.certificatePem];
  const identity = new TlsIdentity({ id, ...leaf, trustPem });
  assertEquals([identity.trustDomain, identity.roots.length], ["mesh.local", 2]);
});

Deno.test("TlsIdentity refuses what the engine would take without a word, and never quotes a key", async () => {
  const root = await TestAuthority.root("root");
  const good = { id, ...await root.issue({ uris: [id] }), trustPem: [root.certificatePem] };
  const other = await root.issue({ uris: [id] });
  const notAuthority = await root.intermediate("not a CA", { isCa: false });
  const cases = [
    [{ certificatePem: "garbage" }, "none in the PEM"],
    [{
      certificatePem: good.certificatePem.replace(/[A-Za-z]{8}/, "AAAAAAAA").replace("MII", "AAA"),
    }, "certificate"],
    [{ certificatePem: good.privateKeyPem }, "none in the PEM"],
    [{ privateKeyPem: "garbage secret" }, "cannot be read"],
    [{ privateKeyPem: good.certificatePem }, "cannot be read"],
    [{ privateKeyPem: other.privateKeyPem }, "not that of the certificate"],
    [{ certificatePem: other.certificatePem }, "not that of the certificate"],
    [{ trustPem: [] }, "no root"],
    [{ trustPem: ["garbage"] }, "no certificate in the PEM"],
    [{ trustPem: [root.certificatePem, good.certificatePem] }, "not an authority"],
    [{ trustPem: [notAuthority.certificatePem] }, "not an authority"],
    [{ id: `${id}-other` }, "not for"],
  ] as const;
  for (const [change, message] of cases) {
    const error = assertThrows(
      () => new TlsIdentity({ ...good, ...change }),
      TlsMaterialError,
      message,
    );
    assertEquals(/secret|PRIVATE/.test(error.message), false, error.message);
  }
  const two = await root.issue({ uris: [id, `${id}-other`] });
  assertThrows(() => new TlsIdentity({ ...good, ...two }), TlsMaterialError, "alone");
});
