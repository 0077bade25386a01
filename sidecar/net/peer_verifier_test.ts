import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { TestAuthority } from "../../tests/support/certificates.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { type Certificate, parseCertificates, type Purpose } from "./certificate.ts";
import { PeerVerifier } from "./peer_verifier.ts";
import { PeerError } from "./trust_path.ts";

const ID = "spiffe://mesh.local/ns/default/svc/caller";
const HOUR_MS = 3_600_000;

function verifierOf(roots: readonly TestAuthority[], clock = new FakeClock(Date.now())) {
  return new PeerVerifier({
    roots: roots.flatMap(({ certificatePem }) => parseCertificates(certificatePem)),
    trustDomain: "mesh.local",
    isValidId: (uri) => uri.startsWith("spiffe://"),
    clock,
  });
}

function derOf(pem: string): Uint8Array[] {
  return parseCertificates(pem).map(({ der }) => der);
}

/** What a handshake would bring to light. */
function show(chain: string | readonly Uint8Array[], verdict?: string) {
  const ders = typeof chain === "string" ? derOf(chain) : chain;
  return { leaf: ders[0], chain: () => ders, verdict };
}

function reasonOf(verifier: PeerVerifier, pem: string, purpose: Purpose = "client"): string {
  return assertThrows(() => verifier.verify(show(pem), purpose), PeerError).reason;
}

Deno.test("PeerVerifier knows a peer again, and looks at the clock each time", async () => {
  const root = await TestAuthority.root("root");
  const notAfter = new Date(Date.now() + HOUR_MS);
  const { certificatePem } = await root.issue({ uris: [ID], notAfter });
  const clock = new FakeClock(Date.now());
  const verifier = verifierOf([root], clock);
  const peer = verifier.verify(show(certificatePem), "client");
  assertEquals(peer.id, ID);
  assertStrictEquals(verifier.verify(show(certificatePem), "client"), peer);
  clock.stepEpoch(HOUR_MS + 1000);
  assertEquals(reasonOf(verifier, certificatePem), "expired");
  assert(verifier.isTrusted(peer), "an open connection is not closed for its date");
  clock.stepEpoch(-3 * 24 * HOUR_MS);
  assertEquals(reasonOf(verifier, certificatePem), "not-yet-valid");
});

Deno.test("PeerVerifier remembers what a certificate is good for, not that it is good", async () => {
  const root = await TestAuthority.root("root");
  const { certificatePem } = await root.issue({ uris: [ID], usages: ["client"] });
  const verifier = verifierOf([root]);
  verifier.verify(show(certificatePem), "client");
  assertEquals(reasonOf(verifier, certificatePem, "server"), "no-server-auth");
});

Deno.test("PeerVerifier takes the engine's no when it has none of its own", async () => {
  const root = await TestAuthority.root("root");
  const { certificatePem } = await root.issue({ uris: [ID] });
  const shown = show(certificatePem, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  const error = assertThrows(() => verifierOf([root]).verify(shown, "client"), PeerError);
  assertEquals([error.reason, error.message.includes(shown.verdict!)], ["unknown-ca", true]);
});

Deno.test("PeerVerifier finds the path whatever the order, and with a root of the same name that signed nothing", async () => {
  const [root, twin] = [await TestAuthority.root("root"), await TestAuthority.root("root")];
  const lower = await (await root.intermediate("upper")).intermediate("lower");
  const [leaf, ...rest] = derOf((await lower.issue({ uris: [ID] })).certificatePem);
  const chain = [leaf!, ...rest.reverse()];
  assertEquals(verifierOf([twin, root]).verify(show(chain), "client").id, ID);
  const error = assertThrows(
    () => verifierOf([twin]).verify(show(chain), "client"),
    PeerError,
  );
  assertEquals(error.reason, "unknown-ca");
});

Deno.test("PeerVerifier trusts a peer only while a root does", async () => {
  const [root, other] = [await TestAuthority.root("root"), await TestAuthority.root("other")];
  const { certificatePem } = await (await root.intermediate("middle")).issue({ uris: [ID] });
  const peer = verifierOf([root]).verify(show(certificatePem), "client");
  assert(verifierOf([other, root]).isTrusted(peer));
  assert(!verifierOf([other]).isTrusted(peer));
});

Deno.test("PeerVerifier refuses a certificate that cannot be read, and an authority as a peer", async () => {
  const root = await TestAuthority.root("root");
  const garbage = show([new Uint8Array([0x30, 3, 1, 2, 3])]);
  const error = assertThrows(() => verifierOf([root]).verify(garbage, "client"), PeerError);
  assertEquals(error.reason, "bad-identity");
  const { certificatePem } = await root.intermediate("authority");
  assertEquals(reasonOf(verifierOf([root]), certificatePem), "bad-identity");
});

Deno.test("PeerVerifier spends a bounded number of signatures on a chain made to be searched", async () => {
  const root = await TestAuthority.root("root");
  const evil = await TestAuthority.root("same");
  // Each of these signs each other: 8 of one name make a search without end.
  const crowd: Certificate[] = [];
  let next = evil;
  for (let i = 0; i < 8; i++) {
    next = await next.again();
    crowd.push(...parseCertificates(next.certificatePem));
  }
  const [leaf] = derOf((await next.issue({ uris: [ID] })).certificatePem);
  const chain = [leaf!, ...crowd.map(({ der }) => der)];
  const started = performance.now();
  const error = assertThrows(
    () => verifierOf([root]).verify(show(chain), "client"),
    PeerError,
  );
  assertEquals(error.reason, "unknown-ca");
  assert(performance.now() - started < 500, "16 signatures and no more");
});
