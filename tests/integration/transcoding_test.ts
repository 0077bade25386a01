// REST and JSON at a real gateway, gRPC at a service that somebody else wrote (grpc-js): by .proto files, by a descriptor set,
// and by what the service says of itself.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Buffer } from "node:buffer";
import { Metadata, status } from "@grpc/grpc-js";
import { join } from "node:path";
import { ROOT } from "../../deploy/build/bundle.ts";
import { DescriptorPool } from "../../sidecar/grpc/descriptors.ts";
import { GrpcApp } from "./support/grpc_app.ts";
import { freePort } from "./support/ports.ts";
import { TestProcess } from "./support/processes.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { Workspace } from "./support/workspace.ts";

const PROTO = `syntax = "proto3";
package test;
import "google/api/annotations.proto";
message Text { string text = 1; int64 count = 2; }
service Calls {
  rpc Unary(Text) returns (Text) {
    option (google.api.http) = { get: "/texts/{text}" additional_bindings { post: "/texts" body: "*" } };
  }
  rpc Download(Text) returns (stream Text) { option (google.api.http) = { get: "/texts/{text}/all" }; }
  rpc Upload(stream Text) returns (Text) { option (google.api.http) = { post: "/texts:join" body: "*" }; }
}`;

/** A test.Text with that text. */
function message(text: string): Buffer {
  return Buffer.from([10, text.length, ...Buffer.from(text)]);
}

function textIn(bytes: Buffer): string {
  return bytes.subarray(2, 2 + (bytes[1] ?? 0)).toString();
}

function failure(code: status, details: string) {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}

function listen(): Promise<GrpcApp> {
  return GrpcApp.listen({
    Unary: ({ request }, callback) => {
      if (textIn(request) === "nobody") callback(failure(status.NOT_FOUND, "no such text"));
      else callback(null, request);
    },
    Download: (call) => {
      const text = textIn(call.request);
      if (text === "nobody") {
        call.emit("error", failure(status.NOT_FOUND, "no such text"));
        return;
      }
      call.write(message(`${text}1`));
      call.write(message(`${text}2`));
      if (text === "bad") call.emit("error", failure(status.DATA_LOSS, "the rest is lost"));
      else call.end();
    },
    Upload: (call, callback) => {
      const texts: string[] = [];
      call.on("data", (bytes: Buffer) => void texts.push(textIn(bytes)));
      call.on("end", () => callback(null, message(texts.join("+"))));
    },
  });
}

/** A gateway in front of a gRPC server on `port`. */
async function startGateway(
  workspace: Workspace,
  port: number,
  transcode: unknown,
  rewrite?: string,
) {
  const bind = freePort();
  const match = { path: rewrite === undefined ? "/*" : "/api/*" };
  const route = { match, to: "texts", transcode, ...(rewrite === undefined ? {} : { rewrite }) };
  const gateway = await TestSidecar.start(workspace, {
    service: "gateway",
    config: {
      registry: { static: { texts: [`127.0.0.1:${port}`] } },
      gateway: { bind: `127.0.0.1:${bind}`, routes: [route] },
    },
  });
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${bind}${path}`, init);
    const type = response.headers.get("content-type");
    return {
      status: response.status,
      type,
      text: await response.text(),
      headers: response.headers,
    };
  };
  return { ask, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

Deno.test("a gateway speaks JSON for a gRPC service that it knows by a .proto file", async (t) => {
  await using workspace = new Workspace();
  using app = await listen();
  await workspace.write("texts.proto", PROTO);
  await using gateway = await startGateway(workspace, app.port, { proto: "texts.proto" });
  const { ask } = gateway;
  const post = (body: string) => ({ method: "POST", body });

  await t.step("path, query and body become the message; a 64-bit number is a text", async () => {
    const { status, type, text } = await ask("/texts/hello?count=7");
    assertEquals([status, type, text], [200, "application/json", '{"text":"hello","count":"7"}']);
    const posted = await ask("/texts", post('{"text":"hi","count":"9007199254740993"}'));
    assertEquals(posted.text, '{"text":"hi","count":"9007199254740993"}');
  });

  await t.step("a field that does not exist is refused by its name", async () => {
    const { status, text } = await ask("/texts", post('{"txet":"hi"}'));
    assertEquals(status, 400);
    assertStringIncludes(text, "txet");
  });

  await t.step("an error of the service is google.rpc.Status with its HTTP status", async () => {
    const { status, text } = await ask("/texts/nobody");
    assertEquals([status, JSON.parse(text)], [404, {
      code: 5,
      message: "no such text",
      details: [],
    }]);
  });

  await t.step("what no rule takes is not found, and another method not allowed", async () => {
    assertEquals((await ask("/elsewhere")).status, 404);
    const { status, headers } = await ask("/texts/hello", { method: "DELETE" });
    assertEquals([status, headers.get("allow")], [405, "GET"]);
  });

  await t.step("a stream is a line of JSON a message", async () => {
    const { type, text } = await ask("/texts/a/all");
    assertEquals([type, text], ["application/x-ndjson", '{"text":"a1"}\n{"text":"a2"}\n']);
  });

  await t.step(
    "an error behind messages is the last line, and one before them the status",
    async () => {
      const { status, text } = await ask("/texts/bad/all");
      const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
      const error = { code: 15, message: "the rest is lost", details: [] };
      assertEquals([status, lines.at(-1)], [200, { error }]);
      assertEquals((await ask("/texts/nobody/all")).status, 404);
    },
  );

  await t.step("a client of server-sent events gets those", async () => {
    const { type, text } = await ask("/texts/a/all", { headers: { accept: "text/event-stream" } });
    assertEquals([type, text], [
      "text/event-stream",
      'data: {"text":"a1"}\n\ndata: {"text":"a2"}\n\n',
    ]);
  });

  await t.step("lines of JSON become a stream of messages", async () => {
    const { status, text } = await ask("/texts:join", post('{"text":"a"}\n{"text":"b"}\n'));
    assertEquals([status, text], [200, '{"text":"a+b"}']);
  });

  await t.step("gRPC-Web reaches the same methods, in binary and in text", async () => {
    const framed = new Uint8Array([0, 0, 0, 0, 4, ...message("hi")]);
    const binary = await ask("/test.Calls/Unary", {
      method: "POST",
      body: framed,
      headers: { "content-type": "application/grpc-web+proto" },
    });
    assertEquals(binary.type, "application/grpc-web+proto");
    assertStringIncludes(binary.text, "hi");
    assertStringIncludes(binary.text, "grpc-status:0");
    const text = await ask("/test.Calls/Download", {
      method: "POST",
      body: btoa(String.fromCharCode(...framed)),
      headers: { "content-type": "application/grpc-web-text" },
    });
    const said = text.text.match(/[^=]+=*/g)!.map(atob).join("");
    assert(said.includes("hi1") && said.includes("hi2") && said.includes("grpc-status:0"), said);
  });
});

Deno.test("a gateway knows a gRPC service by a descriptor set", async () => {
  await using workspace = new Workspace();
  using app = await listen();
  const pool = await DescriptorPool.ofProtos(new Map([["texts.proto", PROTO]]), () => undefined);
  const file = [...pool.registry.files].map(({ proto }) => proto);
  const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
  await Deno.writeFile(join(workspace.path, "texts.pb"), set);
  const transcode = { descriptorSet: "texts.pb", emitDefaults: true };
  await using gateway = await startGateway(workspace, app.port, transcode, "/*");
  const { status, text } = await gateway.ask("/api/texts/hello");
  assertEquals([status, text], [200, '{"text":"hello","count":"0"}']);
});

Deno.test("a gateway knows a gRPC service by what it says of itself", async () => {
  await using workspace = new Workspace();
  const [port, grpcPort] = [freePort(), freePort()];
  const flags = ["--allow-net=127.0.0.1", "--allow-read", "--allow-env", "--quiet", "--no-prompt"];
  await using service = new TestProcess({
    command: Deno.execPath(),
    args: [
      "run",
      ...flags,
      "services/payment/main.ts",
      `--port=${port}`,
      `--grpc-port=${grpcPort}`,
      "--database-file=:memory:",
    ],
    cwd: ROOT,
  });
  await until("the service listens for gRPC", () => {
    if (service.hasExited) throw new Error(service.lines.join("\n"));
    return service.lines.some((line) => line.includes('"protocol":"grpc"'));
  });
  await using gateway = await startGateway(workspace, grpcPort, { reflection: true });
  const body = JSON.stringify({ orderId: "o1", userId: "alice", amount: "1999" });
  const made = await gateway.ask("/payments", { method: "POST", body });
  assertEquals(made.status, 200, made.text);
  const { id, amount, status } = JSON.parse(made.text);
  assertEquals([amount, status], ["1999", "CAPTURED"]);
  const refunded = await gateway.ask(`/payments/${id}:refund`, { method: "POST" });
  assertEquals([refunded.status, JSON.parse(refunded.text).status], [200, "REFUNDED"]);
  const missing = await gateway.ask("/payments/nobody");
  assertEquals([missing.status, JSON.parse(missing.text).code], [404, 5]);
});

Deno.test("a gateway whose schema makes no sense does not start, and says where", async () => {
  await using workspace = new Workspace();
  await workspace.write("bad.proto", PROTO.replace('get: "/texts/{text}"', 'get: "/texts/{none}"'));
  const gateway = {
    bind: `127.0.0.1:${freePort()}`,
    routes: [{ match: { path: "/*" }, to: "texts", transcode: { proto: "bad.proto" } }],
  };
  await using sidecar = await TestSidecar.spawn(workspace, {
    service: "gateway",
    config: { registry: { static: {} }, gateway },
  });
  await until("it has ended", () => sidecar.process.hasExited);
  assertStringIncludes(sidecar.process.lines.join("\n"), "bad.proto:7:");
});
