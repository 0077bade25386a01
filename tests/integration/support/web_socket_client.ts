// The runtime's own WebSocket as a test wants it: messages one by one, and how it ended.

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

export type WebSocketData = string | Uint8Array;

export class WebSocketClient {
  /** How it ended; 1006 where nobody said goodbye. */
  readonly closed: Promise<Closing>;
  readonly #socket: WebSocket;
  readonly #messages: WebSocketData[] = [];
  #waiting: PromiseWithResolvers<WebSocketData> | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<Closing>();
    this.closed = promise;
    socket.onmessage = ({ data }) => {
      const message = typeof data === "string" ? data : new Uint8Array(data);
      if (this.#waiting === undefined) this.#messages.push(message);
      else this.#waiting.resolve(message);
      this.#waiting = undefined;
    };
    socket.onclose = ({ code, reason }) => {
      this.#waiting?.reject(new Error(`closed with ${code} ${reason}`));
      resolve({ code, reason });
    };
  }

  /** Rejects when it does not come about. */
  static async open(port: number, path: string): Promise<WebSocketClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    socket.binaryType = "arraybuffer";
    const client = new WebSocketClient(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.onopen = () => resolve();
    socket.onerror = (event) => reject(new Error((event as ErrorEvent).message));
    await promise;
    return client;
  }

  send(data: WebSocketData): void {
    this.#socket.send(data instanceof Uint8Array ? data.slice() : data);
  }

  /** The next message; rejects when there is none. */
  next(): Promise<WebSocketData> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  async ask(data: WebSocketData): Promise<WebSocketData> {
    this.send(data);
    return await this.next();
  }

  /** Says goodbye; resolves when that was answered. */
  async close(code?: number, reason?: string): Promise<Closing> {
    this.#socket.close(code, reason);
    return await this.closed;
  }
}
