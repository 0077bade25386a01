import { assertEquals, assertRejects } from "@std/assert";
import { HttpError } from "./answers.ts";
import { maxBodyBytes, readJson } from "./body.ts";

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://service/", {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
}

async function refusal(request: Request): Promise<[number, string]> {
  const error = await assertRejects(() => readJson(request), HttpError);
  return [error.status, error.message];
}

/** A body without a length, in chunks of 64 KiB; counts what was asked for. */
function endless(): { body: ReadableStream<Uint8Array>; pulled: () => number } {
  let bytes = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      bytes += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  return { body, pulled: () => bytes };
}

Deno.test("readJson reads JSON whatever the parameters of its content type", async () => {
  const request = post('{"name":"Zoë"}', { "content-type": "Application/JSON; charset=utf-8" });
  assertEquals(await readJson(request), { name: "Zoë" });
});

Deno.test("readJson answers 415 to any other content type and to a content encoding", async () => {
  const wrongType: [number, string] = [415, "content-type must be application/json"];
  assertEquals(await refusal(post("{}", { "content-type": "text/plain" })), wrongType);
  assertEquals(await refusal(post("{}", { "content-type": "application/jsonp" })), wrongType);
  assertEquals(
    await refusal(new Request("http://service/", { method: "POST", body: new Uint8Array(2) })),
    wrongType,
  );
  assertEquals(await refusal(post("{}", { "content-encoding": "gzip" })), [
    415,
    "content-encoding is not supported",
  ]);
});

Deno.test("readJson answers 400 to what is not JSON, to no body and to bytes that are not UTF-8", async () => {
  const invalid: [number, string] = [400, "invalid JSON"];
  assertEquals(await refusal(post('{"name":')), invalid);
  assertEquals(await refusal(post("")), invalid);
  assertEquals(await refusal(post(new Uint8Array([0x22, 0xff, 0x22]))), invalid);
  assertEquals(await refusal(post(new Uint8Array([0x22, 0xe2, 0x82]))), invalid);
});

Deno.test("readJson takes a body of exactly 1 MiB and answers 413 to one byte more", async () => {
  const largest = JSON.stringify("x".repeat(maxBodyBytes - 2));
  assertEquals(await readJson(post(largest)), JSON.parse(largest));
  assertEquals(await refusal(post(largest + " ")), [413, "request body too large"]);
});

Deno.test("readJson answers 413 by the announced length without reading the body", async () => {
  const { body } = endless();
  const request = post(body, { "content-length": String(maxBodyBytes + 1) });
  assertEquals(await refusal(request), [413, "request body too large"]);
  assertEquals(request.bodyUsed, false);
});

Deno.test("readJson stops pulling a body without a length once it is over the bound", async () => {
  const { body, pulled } = endless();
  assertEquals(await refusal(post(body)), [413, "request body too large"]);
  assertEquals(pulled() <= maxBodyBytes + 3 * 65_536, true);
});
