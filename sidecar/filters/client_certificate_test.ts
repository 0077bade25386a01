import { assertEquals } from "@std/assert";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { ClientCertificate } from "./client_certificate.ts";

const CLAIM = 'Hash=00;Subject="CN=admin"';

function told(certificate: string | undefined, headers: Readonly<Record<string, string>>) {
  const peer = { host: "192.0.2.1", port: 1, certificate };
  const exchange = fakeExchange({ listener: "edge", peer, headers });
  new ClientCertificate().onRequest(exchange);
  return ["x-forwarded-client-cert", "x_forwarded_client_cert"].map((name) =>
    exchange.request.headers.get(name)
  );
}

Deno.test("ClientCertificate says what was verified, in place of what is claimed", () => {
  assertEquals(told("Hash=ab", { "x-forwarded-client-cert": CLAIM }), ["Hash=ab", undefined]);
});

Deno.test("ClientCertificate says nothing of a client that showed none, however it claims one", () => {
  const claims = { "x-forwarded-client-cert": CLAIM, "x_forwarded_client_cert": CLAIM };
  assertEquals(told(undefined, claims), [undefined, undefined]);
});
