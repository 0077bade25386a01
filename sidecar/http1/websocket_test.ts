import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { requestOf } from "../../tests/support/messages.ts";
import { ProxyError } from "../errors.ts";
import { FieldList } from "../http/fields.ts";
import { acceptOf, acceptWebSocket, askForWebSocket, checkAccepted } from "./websocket.ts";

/** RFC 6455 1.3. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

function fields(about: Readonly<Record<string, string>> = {}): FieldList {
  return FieldList.of({ host: "a", ...about });
}

Deno.test("acceptOf answers the sample key of RFC 6455", () => {
  assertEquals(acceptOf(KEY), ACCEPT);
});

Deno.test("askForWebSocket makes a key of 16 bytes for a client of HTTP/2, another each time", () => {
  const keys = [1, 2].map(() => {
    const headers = fields();
    const asked = askForWebSocket(requestOf({ version: "2", headers }));
    assertMatch(headers.get("sec-websocket-key") ?? "", /^[A-Za-z0-9+/]{22}==$/);
    assertEquals(headers.get("sec-websocket-version"), "13");
    assertEquals(asked, { key: headers.get("sec-websocket-key"), isOurs: true });
    return asked!.key;
  });
  assertEquals(keys[0] === keys[1], false);
});

Deno.test("askForWebSocket keeps its key when the same request is sent again", () => {
  const request = requestOf({ version: "2", headers: fields() });
  assertEquals(askForWebSocket(request), askForWebSocket(request));
});

Deno.test("askForWebSocket keeps the version that an HTTP/2 client asks for", () => {
  const headers = fields({ "sec-websocket-version": "14" });
  askForWebSocket(requestOf({ version: "2", headers }));
  assertEquals(headers.get("sec-websocket-version"), "14");
});

Deno.test("askForWebSocket takes an HTTP/1.1 client's key, and makes none up where it forgot", () => {
  const headers = fields({ "sec-websocket-key": KEY });
  assertEquals(askForWebSocket(requestOf({ headers })), { key: KEY, isOurs: false });
  const without = fields();
  assertEquals(askForWebSocket(requestOf({ headers: without })), undefined);
  assertEquals(without.has("sec-websocket-key"), false);
});

Deno.test("checkAccepted passes the answer to a client's key on and keeps the one to ours", () => {
  const answer = () => fields({ "sec-websocket-accept": ACCEPT });
  const [theirs, ours] = [answer(), answer()];
  checkAccepted(theirs, { key: KEY, isOurs: false });
  checkAccepted(ours, { key: KEY, isOurs: true });
  assertEquals(theirs.get("sec-websocket-accept"), ACCEPT);
  assertEquals(ours.has("sec-websocket-accept"), false);
});

Deno.test("checkAccepted refuses a 101 that does not answer the key", () => {
  for (const about of [{}, { "sec-websocket-accept": acceptOf("another") }]) {
    for (const isOurs of [true, false]) {
      const error = assertThrows(() => checkAccepted(fields(about), { key: KEY, isOurs }));
      assertEquals((error as ProxyError).kind, "upstream-protocol");
    }
  }
});

Deno.test("acceptWebSocket answers a client's key where the upstream had none, and only there", () => {
  const silent = fields();
  acceptWebSocket(fields({ "sec-websocket-key": KEY }), silent);
  assertEquals(silent.get("sec-websocket-accept"), ACCEPT);
  const answered = fields({ "sec-websocket-accept": "from the upstream" });
  acceptWebSocket(fields({ "sec-websocket-key": KEY }), answered);
  assertEquals(answered.get("sec-websocket-accept"), "from the upstream");
  const other = fields();
  acceptWebSocket(fields(), other);
  assertEquals(other.has("sec-websocket-accept"), false);
});
