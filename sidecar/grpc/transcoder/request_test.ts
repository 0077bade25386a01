import { assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../../errors.ts";
import type { Request } from "../../http/message.ts";
import { bytesOf, PiecesBody, utf8Body } from "../test_messages.ts";
import { utf8Bytes } from "../../lib/bytes.ts";
import { requestOf } from "../../../tests/support/messages.ts";
import { bindingOf, messagesOf, NAME, restRequest, send, transcoder } from "./test_service.ts";

function toGrpc(line: string, request: Request, maxMessageBytes = 1000): Promise<Request> {
  const sender = transcoder({ maxMessageBytes });
  return sender.request(bindingOf(sender, line), request);
}

Deno.test("the request is a POST to the method's path, without what described the JSON", async () => {
  const request = restRequest("{}", {
    "content-type": "application/json",
    "content-length": "2",
    "accept": "application/json",
    "accept-encoding": "gzip",
    "grpc-accept-encoding": "gzip",
    "grpc-timeout": "3S",
    "authorization": "Bearer x",
    "x-user-id": "7",
  });
  const grpc = await toGrpc("POST /test.Test/Bare", request);
  assertEquals([grpc.method, grpc.target, grpc.form, grpc.acceptsTrailers], [
    "POST",
    "/test.Test/Bare",
    "origin",
    true,
  ]);
  assertEquals([...grpc.headers], [
    ["host", "a"],
    ["grpc-timeout", "3S"],
    ["authorization", "Bearer x"],
    ["x-user-id", "7"],
    ["content-type", "application/grpc"],
  ]);
  assertEquals(grpc.body.length, 5);
});

Deno.test("the body of a rule without one is not wanted", async () => {
  const body = new PiecesBody([utf8Bytes("{}")]);
  const grpc = await toGrpc("GET /one/a/b", requestOf({ body }));
  assertEquals(body.isCancelled, true);
  assertEquals(await messagesOf(grpc, NAME), [{ name: "a", other: "b" }]);
});

Deno.test("a blank body is an empty message", async () => {
  for (const body of ["", " \n", "\ufeff"]) {
    assertEquals(await messagesOf(await send("POST /test.Test/Bare", body), NAME), [{}]);
  }
});

Deno.test("a body that is too long, encoded or no UTF-8 is refused", async () => {
  const line = "POST /test.Test/Bare";
  const long = utf8Body(`{"name":"${"x".repeat(1000)}"}`, 100);
  const tooLong = await assertRejects(() => toGrpc(line, requestOf({ body: long })), ProxyError);
  assertEquals([tooLong.kind, long.isCancelled], ["payload-too-large", true]);
  const zipped = restRequest("x", { "content-encoding": "gzip" });
  await assertRejects(() => toGrpc(line, zipped), ProxyError, `content-encoding "gzip"`);
  const latin = requestOf({ body: new PiecesBody([new Uint8Array([0x22, 0xff, 0x22])]) });
  await assertRejects(() => toGrpc(line, latin), ProxyError, "not UTF-8");
});

Deno.test("a client stream takes lines or one array, whatever the pieces", async () => {
  const wanted = [{ name: "ü", other: "o" }, { tags: ["a", "b"], other: "o" }];
  const bodies = [
    '{"name":"ü"}\n{"tags":["a","b"]}\n',
    '{"name":"ü"}\n{"tags":["a","b"]}',
    '[{"name":"ü"},{"tags":["a","b"]}]',
  ];
  for (const text of bodies) {
    for (let size = 1; size <= text.length; size++) {
      const grpc = await toGrpc("POST /up/o", requestOf({ body: utf8Body(text, size) }));
      assertEquals(await messagesOf(grpc, NAME), wanted);
    }
  }
});

Deno.test("a client stream may be empty", async () => {
  for (const text of ["", "[]", "\n\n"]) {
    const grpc = await toGrpc("POST /both", requestOf({ body: utf8Body(text) }));
    assertEquals((await bytesOf(grpc.body)).length, 0, text);
  }
});

Deno.test("a client stream reads no further than it is read", async () => {
  const body = new PiecesBody([utf8Bytes('{"name":"a"}\n'), utf8Bytes('{"name":"b"}\n')]);
  const grpc = await toGrpc("POST /both", requestOf({ body }));
  assertEquals(body.left, 2);
  await grpc.body.pull();
  assertEquals(grpc.body.take()?.length, 8);
  assertEquals(body.left, 1);
  grpc.body.cancel();
  assertEquals(body.isCancelled, true);
});

Deno.test("a client stream throws where an item is wrong, and its sender is cancelled", async () => {
  const cases: [string, string][] = [
    ['{"name":"a"}\n{"nope":1}\n{}', "nope: unknown field"],
    ['[{"name":"a"},{"name":5}]', "name: "],
    ['{"name":"a"}\nx\n', "the body is no JSON"],
    ['[{"name":"a"}', "the array of messages has no end"],
  ];
  for (const [text, message] of cases) {
    const body = utf8Body(`${text}${" ".repeat(50)}`, 20);
    const grpc = await toGrpc("POST /both", requestOf({ body }));
    const error = await assertRejects(() => bytesOf(grpc.body), ProxyError, message);
    assertEquals(error.kind, "bad-request");
    assertEquals(body.isEnded, true);
  }
  const long = await toGrpc("POST /both", requestOf({ body: utf8Body("[" + " ".repeat(2000)) }));
  const error = await assertRejects(() => bytesOf(long.body), ProxyError);
  assertEquals(error.kind, "payload-too-large");
});

Deno.test("a client stream passes on that its sender broke off", async () => {
  const gone = new ProxyError("downstream-gone", "gone", { side: "downstream" });
  const body = new PiecesBody([utf8Bytes("{}\n"), gone]);
  const grpc = await toGrpc("POST /both", requestOf({ body }));
  assertEquals(await assertRejects(() => bytesOf(grpc.body), ProxyError), gone);
});
