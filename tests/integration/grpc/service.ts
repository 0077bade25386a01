// A grpc-js service as a process of its own, so that a test may see it die, or kill it: the service of grpc_app.ts, which
// itself calls "callee" through an outbound port. Prints a line when it listens.
//   deno run --allow-net=127.0.0.1 --allow-env service.ts PORT OUTBOUND_PORT
// Downloads: "hold N" sends N messages and stays open. Unary: "open N" opens N such downloads at the callee and answers when
// each has begun; "ended" answers how many of those have ended; "next" answers the code of a fresh call to the callee.
import { Buffer } from "node:buffer";
import { GrpcApp } from "../support/grpc_app.ts";
import { GrpcCaller } from "../support/grpc_caller.ts";

const [port = 0, outbound = 0] = Deno.args.map(Number);
let caller = new GrpcCaller(outbound);
let ended = 0;

async function open(count: number): Promise<void> {
  const streams = Array.from({ length: count }, () => caller.download("hold 1", { deadline: 0 }));
  for (const stream of streams) {
    await stream.next();
    stream.rest().then(() => ended++);
  }
}

async function callNext(): Promise<number> {
  const { code, details } = await caller.unary("hello");
  // Deno ends a connection that opens with GOAWAY before grpc-js listens, which then holds the dead one for good.
  if (details.startsWith("Failed to start HTTP/2 stream")) {
    caller[Symbol.dispose]();
    caller = new GrpcCaller(outbound);
  }
  return code;
}

async function answer(command: string): Promise<string> {
  if (command.startsWith("open ")) await open(Number(command.slice(5)));
  if (command === "ended") return String(ended);
  return command === "next" ? String(await callNext()) : command;
}

await GrpcApp.listen({
  Unary: async ({ request }, callback) => {
    callback(null, Buffer.from(await answer(String(request))));
  },
  Download: (call) => {
    const count = Number(String(call.request).slice("hold ".length));
    for (let i = 0; i < count; i++) call.write(Buffer.from(String(i)));
  },
}, port);
Deno.stdout.writeSync(new TextEncoder().encode("listens\n"));
