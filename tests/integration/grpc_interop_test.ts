// grpc-js at both ends of the usual road: every kind of call arrives as it was sent, and ends as it ended.
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { Metadata, type ServerUnaryCall, status } from "@grpc/grpc-js";
import { failure, GrpcApp, type GrpcHandlers } from "./support/grpc_app.ts";
import { GrpcCaller, statusOf, textOf } from "./support/grpc_caller.ts";
import { Road } from "./support/grpc_mesh.ts";
import { inTime } from "./support/until.ts";
import { Workspace } from "./support/workspace.ts";

/** What the app does with the one message of a unary call, by its text. */
type Answer = GrpcHandlers["Unary"];

class App {
  /** By text of the request; everything else is echoed. */
  readonly answers = new Map<string, NonNullable<Answer>>();
  readonly cancelled = Promise.withResolvers<void>();
  readonly streamCancelled = Promise.withResolvers<void>();
  last: ServerUnaryCall<Buffer, Buffer> | undefined;

  readonly handlers: GrpcHandlers = {
    Unary: (call, callback) => {
      this.last = call;
      const answer = this.answers.get(String(call.request));
      if (answer === undefined) callback(null, call.request);
      else answer(call, callback);
    },
    Download: (call) => {
      const [kind, count] = String(call.request).split(" ");
      for (let i = 0; i < Number(count); i++) call.write(Buffer.from(String(i)));
      call.once("cancelled", () => this.streamCancelled.resolve());
      if (kind === "all") call.end();
    },
    Upload: async (call, callback) => {
      let sum = 0;
      if (call.metadata.get("x-refuse").length > 0) {
        return callback(failure(status.PERMISSION_DENIED, "not from you"));
      }
      for await (const message of call) sum += Number(message);
      callback(null, Buffer.from(String(sum)));
    },
    Chat: (call) => {
      call.on("data", (message: Buffer) => {
        if (String(message) !== "fail") call.write(Buffer.from(`re: ${message}`));
        else call.emit("error", failure(status.DATA_LOSS, "lost the rest"));
      });
      call.on("end", () => {
        call.write(Buffer.from("you ended"));
        call.end();
      });
    },
  };
}

Deno.test("grpc-js calls grpc-js through two sidecars", async (t) => {
  const app = new App();
  await using workspace = new Workspace();
  using server = await GrpcApp.listen(app.handlers);
  await using road = await Road.start(workspace, server.port);
  using caller = new GrpcCaller(road.port);

  await t.step("a unary call is answered, also with an empty message", async () => {
    const ending = await caller.unary("hello");
    assertEquals([statusOf(ending), textOf(ending)], [[0, "OK"], "hello"]);
    assertEquals((await caller.unary("")).messages, [Buffer.alloc(0)]);
  });

  await t.step("a server stream arrives whole and in order", async () => {
    const ending = await caller.download("all 1000").rest();
    assertEquals(ending.code, status.OK);
    assertEquals(ending.messages.map(Number), Array.from({ length: 1000 }, (_, i) => i));
    assertEquals(statusOf(await caller.download("all 0").rest()), [0, "OK"]);
  });

  await t.step("a client stream arrives whole", async () => {
    const { call, end } = caller.upload();
    for (let i = 1; i <= 1000; i++) call.write(Buffer.from(String(i)));
    call.end();
    assertEquals(textOf(await end), "500500");
    const empty = caller.upload();
    empty.call.end();
    assertEquals(textOf(await empty.end), "0");
  });

  await t.step(
    "a dialogue goes turn by turn, and the app still speaks when the caller has ended",
    async () => {
      const chat = caller.chat();
      for (let turn = 0; turn < 50; turn++) {
        chat.call.write(Buffer.from(String(turn)));
        assertEquals(String(await chat.next()), `re: ${turn}`);
      }
      chat.call.end();
      assertEquals(String(await chat.next()), "you ended");
      assertEquals((await chat.rest()).code, status.OK);
    },
  );

  await t.step("metadata goes both ways, with binary and repeated values", async () => {
    const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    app.answers.set("metadata", ({ metadata }, callback) => {
      const trailers = new Metadata();
      for (const value of metadata.get("x-many")) trailers.add("x-back", value);
      callback(null, Buffer.from("ok"), trailers);
    });
    app.answers.set("headers", (call, callback) => {
      const headers = new Metadata();
      headers.set("x-head-bin", call.metadata.get("x-one-bin")[0]!);
      call.sendMetadata(headers);
      const trailers = new Metadata();
      trailers.set("x-tail-bin", binary);
      callback(null, Buffer.from("ok"), trailers);
    });
    const metadata = new Metadata();
    metadata.add("x-many", "one");
    metadata.add("x-many", "two, three");
    metadata.add("x-one-bin", binary);
    metadata.add("x-one-bin", Buffer.from("second"));
    const back = await caller.unary("metadata", { metadata });
    assertEquals(app.last?.metadata.get("x-one-bin"), [binary, Buffer.from("second")]);
    assertEquals(back.trailers.get("x-back").join(", "), "one, two, three");
    const both = await caller.unary("headers", { metadata });
    assertEquals(both.headers?.get("x-head-bin"), [binary]);
    assertEquals(both.trailers.get("x-tail-bin"), [binary]);
  });

  await t.step("every status arrives with its words, whatever their alphabet", async () => {
    const words = "Größe 100 % – 測試 🦕\n\ttab";
    for (let code = 1; code <= 16; code++) {
      app.answers.set(`status ${code}`, (_, callback) => {
        const trailers = new Metadata();
        trailers.set("x-detail-bin", Buffer.from(words));
        callback({ ...failure(code, words), metadata: trailers });
      });
      const ending = await caller.unary(`status ${code}`);
      assertEquals(statusOf(ending), [code, words]);
      assertEquals(ending.trailers.get("x-detail-bin"), [Buffer.from(words)]);
    }
  });

  await t.step("an error behind messages comes behind them", async () => {
    const chat = caller.chat();
    // grpc-js lets an error overtake what was not read; that it stays behind on the way is for the client in Python to show.
    for (const text of ["one", "two"]) {
      chat.call.write(Buffer.from(text));
      assertEquals(String(await chat.next()), `re: ${text}`);
    }
    chat.call.write(Buffer.from("fail"));
    const ending = await chat.rest();
    assertEquals(statusOf(ending), [status.DATA_LOSS, "lost the rest"]);
    assertEquals(textOf(ending), "re: one,re: two");
  });

  await t.step(
    "a refusal before the caller has ended reaches it, and the connection is none the worse",
    async () => {
      const metadata = new Metadata();
      metadata.set("x-refuse", "yes");
      const uploads = Array.from({ length: 50 }, () => caller.upload({ metadata }));
      for (const { call } of uploads) call.write(Buffer.from("1"));
      for (const { end } of uploads) {
        assertEquals(statusOf(await end), [status.PERMISSION_DENIED, "not from you"]);
      }
      assertEquals(textOf(await caller.unary("next")), "next");
    },
  );

  await t.step("an unknown method is the app's to refuse", async () => {
    const { code } = await caller.unary("", {}, "/test.Calls/Nothing");
    assertEquals(code, status.UNIMPLEMENTED);
  });

  await t.step("the app sees the caller's deadline, less what the way took", async () => {
    const deadline = Date.now() + 5000;
    let seen = 0;
    app.answers.set("deadline", (call, callback) => {
      seen = Number(call.getDeadline());
      callback(null, Buffer.from("ok"));
    });
    assertEquals((await caller.unary("deadline", { deadline })).code, status.OK);
    // grpc-js sends whole milliseconds, rounded up; its server counts from when it reads them.
    assertLess(seen, deadline + 50);
    assertGreater(seen, deadline - 2000);
  });

  await t.step("a deadline that passes ends the call at both ends", async () => {
    app.answers.set("never", (call) => call.once("cancelled", () => app.cancelled.resolve()));
    const { code } = await caller.unary("never", { deadline: Date.now() + 300 });
    assertEquals(code, status.DEADLINE_EXCEEDED);
    await inTime("the end at the app", app.cancelled.promise);
  });

  await t.step("a caller that cancels ends the call at the app", async () => {
    const stream = caller.download("hold 3");
    for (let i = 0; i < 3; i++) assertEquals(Number(await stream.next()), i);
    stream.call.cancel();
    assertEquals((await stream.end).code, status.CANCELLED);
    await inTime("the end at the app", app.streamCancelled.promise);
  });

  await t.step("1,000 calls at once are all answered, each with its own", async () => {
    const texts = Array.from({ length: 1000 }, (_, i) => `call ${i}`);
    const endings = await Promise.all(texts.map((text) => caller.unary(text)));
    assertEquals(endings.map(textOf), texts);
  });

  await t.step("8 MiB in one message go both ways", async () => {
    const large = Buffer.alloc(8 << 20, "0123456789abcdef-");
    const ending = await caller.unary(large);
    assertEquals(ending.code, status.OK);
    assert(ending.messages[0]?.equals(large));
  });
});
