// Whatever a client or an upstream sends, transcoding makes an answer of it or throws a ProxyError of the right side.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ProxyError } from "../../errors.ts";
import { FieldList } from "../../http/fields.ts";
import { bytesOf, cut, PiecesBody, trailersOf, utf8Body, utf8Of } from "../test_messages.ts";
import { bindingOf, restRequest, transcoder } from "./test_service.ts";

const KNOWN = transcoder();

const LINES = [
  "POST /whole",
  "GET /query/x",
  "PATCH /v1/shelves/a:rename",
  "POST /both",
  "POST /up/x",
];

async function outcome(
  side: "downstream" | "upstream",
  run: () => Promise<unknown>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    assert(error instanceof ProxyError, String(error));
    assertEquals(error.side, side);
  }
}

Deno.test("any target is a binding, other methods, or nothing; any query is taken or refused", async () => {
  const part = fc.constantFrom(
    ..."/v1 /query /one /files /shelves /books : %2F %ff %zz ?aInt32=1 & = ü .".split(" "),
  );
  const target = fc.array(part, { maxLength: 8 }).map((parts) => `/${parts.join("")}`);
  await fc.assert(fc.asyncProperty(target, async (target) => {
    const found = KNOWN.match("GET", target);
    if (found === null || "allow" in found) return;
    await outcome("downstream", () => KNOWN.request(found, restRequest()));
  }));
});

Deno.test("any body is messages, or is refused", async () => {
  const json = fc.oneof(
    fc.json(),
    fc.string({ unit: fc.constantFrom(...'{}[],:"\\ntruefalse01.- aInt32') }),
    fc.record({
      aInt32: fc.jsonValue(),
      inner: fc.jsonValue(),
      any: fc.jsonValue(),
      struct: fc.jsonValue(),
      name: fc.jsonValue(),
    }, { requiredKeys: [] }).map((value) => JSON.stringify(value)),
  );
  const line = fc.constantFrom(...LINES);
  await fc.assert(
    fc.asyncProperty(line, json, fc.integer({ min: 1, max: 20 }), async (line, body, size) => {
      await outcome("downstream", async () => {
        const request = { ...restRequest(), body: utf8Body(body, size) };
        const grpc = await KNOWN.request(bindingOf(KNOWN, line), request);
        await bytesOf(grpc.body);
      });
    }),
  );
});

Deno.test("any response is an answer, or the upstream's fault", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }).map((message) =>
      new Uint8Array([0, 0, 0, 0, message.length, ...message])
    ),
  );
  const line = fc.constantFrom("POST /whole", "GET /down/x", "GET /numbers");
  const parts = [
    line,
    bytes,
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 0, max: 20 }),
  ] as const;
  await fc.assert(fc.asyncProperty(...parts, async (line, bytes, size, status) => {
    await outcome("upstream", async () => {
      const headers = FieldList.of({ "content-type": "application/grpc" });
      const body = new PiecesBody(cut(bytes, size), trailersOf(status));
      const response = { status: 200, headers, body };
      const answer = await KNOWN.response(bindingOf(KNOWN, line), restRequest(), response);
      for (const text of (await utf8Of(answer.body)).split("\n")) if (text !== "") JSON.parse(text);
    });
  }));
});
