import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { PeerVerifier } from "../net/peer_verifier.ts";
import { parseRoots, TlsIdentity } from "../net/tls_identity.ts";
import { parseCertificates } from "../net/certificate.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { Authority } from "./authority.ts";
import { IdentityError } from "./material.ts";
import { isWorkloadId } from "./spiffe.ts";

const ID = "spiffe://mesh.local/ns/default/svc/user-service";
const NOW_MS = Date.UTC(2030, 0, 1);
const HOUR_MS = 3_600_000;

async function authority(trustDomain = "mesh.local"): Promise<Authority> {
  return await Authority.load(await Authority.generate(trustDomain, NOW_MS), trustDomain);
}

Deno.test("Authority issues a leaf that our own verifier lets in as client and server", async () => {
  const root = await authority();
  const leaf = await root.issue(ID, { nowMs: NOW_MS, lifeMs: 24 * HOUR_MS });
  const material = { ...leaf, id: ID, trustPem: [root.certificatePem] };
  assertEquals(new TlsIdentity(material).trustDomain, "mesh.local");
  const [certificate] = parseCertificates(leaf.certificatePem);
  const verifier = new PeerVerifier({
    roots: parseRoots(root.certificatePem),
    trustDomain: "mesh.local",
    isValidId: isWorkloadId,
    clock: new FakeClock(NOW_MS),
  });
  const shown = { leaf: certificate!.der, chain: () => [certificate!.der], verdict: undefined };
  assertEquals(verifier.verify(shown, "client").id, ID);
  assertEquals(verifier.verify(shown, "server").id, ID);
});

Deno.test("Authority gives a leaf the life that was asked for, backdated by a minute", async () => {
  const leaf = await (await authority()).issue(ID, { nowMs: NOW_MS, lifeMs: HOUR_MS });
  assertEquals(leaf.notBeforeMs, NOW_MS - 60_000);
  assertEquals(leaf.notAfterMs, NOW_MS + HOUR_MS);
});

Deno.test("Authority issues no leaf that outlives its root", async () => {
  const leaf = await (await authority()).issue(ID, { nowMs: NOW_MS, lifeMs: 1e13 });
  const tenYears = 10 * 365 * 24 * HOUR_MS;
  assertEquals(leaf.notAfterMs, NOW_MS + tenYears);
});

Deno.test("Authority signs for workloads of its own trust domain alone", async () => {
  const root = await authority();
  for (
    const id of [ID.replace("mesh.local", "other.local"), "spiffe://mesh.local", "", `${ID}/x`]
  ) {
    await assertRejects(() => root.issue(id, { nowMs: NOW_MS, lifeMs: HOUR_MS }), IdentityError);
  }
});

Deno.test("Authority refuses a root of another trust domain, and half of one, without quoting the key", async () => {
  const pem = await Authority.generate("mesh.local", NOW_MS);
  const other = await Authority.generate("mesh.local", NOW_MS);
  const keyAt = pem.indexOf("-----BEGIN PRIVATE KEY-----");
  const mixed = pem.slice(0, keyAt) + other.slice(other.indexOf("-----BEGIN PRIVATE KEY-----"));
  const broken = pem.replace(/(KEY-----\n.{20})./, "$1!");
  for (
    const text of ["", pem.slice(0, keyAt), pem.slice(keyAt), pem.slice(0, -60), mixed, broken]
  ) {
    const error = await assertRejects(() => Authority.load(text, "mesh.local"), IdentityError);
    assert(!error.message.includes(pem.slice(keyAt + 30, keyAt + 50)), error.message);
  }
  const error = await assertRejects(() => Authority.load(pem, "shop.example"), IdentityError);
  assertStringIncludes(error.message, "not of shop.example");
});
