// An app on the runtime's own HTTP server, which nobody of the project wrote: WebSockets that echo, and events by hand.

export type Event = string;

export interface WebSocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** One stream of Server-Sent Events, as its app holds it. */
export interface EventStream {
  send(event: Event): void;
  end(): void;
  /** The client has left. */
  readonly cancelled: Promise<void>;
}

const ENCODER = new TextEncoder();

/** `/ws` echoes, and closes with 4001 when it is told `bye`; `/events` is fed by the test. */
export class WebApp implements AsyncDisposable {
  readonly port: number;
  /** How WebSockets ended, as the app saw it. */
  readonly ends: WebSocketEnd[] = [];
  /** WebSockets open right now. */
  open = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #stream: PromiseWithResolvers<EventStream> = Promise.withResolvers();

  constructor() {
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
    this.port = this.#server.addr.port;
  }

  /** The stream of the next client that asks for events. */
  async nextStream(): Promise<EventStream> {
    const stream = await this.#stream.promise;
    this.#stream = Promise.withResolvers();
    return stream;
  }

  #answer(request: Request): Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/ws") return this.#echo(request);
    if (pathname === "/events") return this.#events();
    return new Response("ok");
  }

  #echo(request: Request): Response {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.open++;
    socket.onmessage = ({ data }) => {
      if (data === "bye") socket.close(4001, "as you wish");
      else socket.send(data);
    };
    socket.onclose = ({ code, reason }) => {
      this.open--;
      this.ends.push({ code, reason });
    };
    return response;
  }

  #events(): Response {
    const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#stream.resolve({
          send: (event) => controller.enqueue(ENCODER.encode(`data: ${event}\n\n`)),
          end: () => controller.close(),
          cancelled,
        });
      },
      cancel: () => cancel(),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
