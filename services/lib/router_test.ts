import { assertEquals, assertStringIncludes } from "@std/assert";
import { HttpError, json } from "./answers.ts";
import { InvalidRequest } from "./fields.ts";
import { type Call, createHandler } from "./router.ts";

interface Line {
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function build(options: { isDown?: boolean } = {}) {
  const lines: Line[] = [];
  const echo = ({ id }: Call) => Promise.resolve(json(200, { id }));
  const handler = createHandler({
    service: "test-service",
    ping: () => options.isDown ? Promise.reject(new Error("no database")) : Promise.resolve(),
    log: (_level, message, details = {}) => lines.push({ message, details }),
    routes: [
      { method: "GET", path: "/things", handle: echo },
      { method: "POST", path: "/things", handle: echo },
      { method: "GET", path: "/things/:id", handle: echo },
      { method: "POST", path: "/things/:id/undo", handle: echo },
      { method: "GET", path: "/bug", handle: () => Promise.reject(new Error("secret detail")) },
      {
        method: "GET",
        path: "/throw",
        handle: () => {
          throw new TypeError("at once");
        },
      },
      {
        method: "POST",
        path: "/form",
        handle: () => Promise.reject(new InvalidRequest({ name: "is missing" })),
      },
      { method: "GET", path: "/teapot", handle: () => Promise.reject(new HttpError(418, "tea")) },
    ],
  });
  const ask = async (path: string, init: RequestInit = {}): Promise<[number, unknown]> => {
    const response = await handler(new Request(`http://service${path}`, init));
    return [response.status, await response.json()];
  };
  return { handler, ask, lines };
}

Deno.test("router hands a route the decoded id of its path", async () => {
  const { ask } = build();
  assertEquals(await ask("/things"), [200, { id: "" }]);
  assertEquals(await ask("/things/a%2Fb%20c?x=1"), [200, { id: "a/b c" }]);
  assertEquals(await ask("/things/7/undo", { method: "POST" }), [200, { id: "7" }]);
});

Deno.test("router answers 404 to a path that is unknown, has an empty id or cannot be decoded", async () => {
  const { ask } = build();
  for (const path of ["/", "/thing", "/things/", "/things/%ff", "/things/1/2", "//things"]) {
    assertEquals(await ask(path), [404, { error: "not found" }]);
  }
});

Deno.test("router answers 405 with every method that the path knows", async () => {
  const { handler } = build();
  const response = await handler(new Request("http://service/things", { method: "DELETE" }));
  assertEquals(response.status, 405);
  assertEquals(response.headers.get("allow"), "GET, HEAD, POST");
  assertEquals(await response.json(), { error: "method not allowed" });
});

Deno.test("router answers HEAD as it answers GET", async () => {
  const { handler } = build();
  const response = await handler(new Request("http://service/things/7", { method: "HEAD" }));
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
});

Deno.test("router answers health by whether the database answers", async () => {
  const service = "test-service";
  assertEquals(await build().ask("/health"), [200, { status: "ok", service }]);
  assertEquals(await build({ isDown: true }).ask("/health"), [503, {
    status: "unavailable",
    service,
  }]);
});

Deno.test("router answers 400 with the problems of an invalid request and does not log it", async () => {
  const { ask, lines } = build();
  const fields = { name: "is missing" };
  assertEquals(await ask("/form", { method: "POST" }), [400, { error: "invalid request", fields }]);
  assertEquals(lines, []);
});

Deno.test("router shows an HttpError to the caller and does not log it", async () => {
  const { ask, lines } = build();
  assertEquals(await ask("/teapot"), [418, { error: "tea" }]);
  assertEquals(lines, []);
});

Deno.test("router hides any other error and logs it with the request id", async () => {
  const { ask, lines } = build();
  const headers = { "x-request-id": "r-1" };
  assertEquals(await ask("/bug?token=x", { headers }), [500, { error: "internal error" }]);
  assertEquals(await ask("/throw"), [500, { error: "internal error" }]);
  const [first, second] = lines.map(({ details }) => details);
  assertEquals([first?.requestId, first?.method, first?.path], ["r-1", "GET", "/bug"]);
  assertStringIncludes(String(first?.error), "secret detail");
  assertEquals(second?.requestId, null);
});
