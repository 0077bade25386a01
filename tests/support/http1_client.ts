// An Http1ClientConnection whose upstream is made of memory and played by the test.
import type { ProxyError } from "../../sidecar/errors.ts";
import type { Interim, Request, Response } from "../../sidecar/http/message.ts";
import { type ClientLimits, Http1ClientConnection } from "../../sidecar/http1/client_connection.ts";
import { LIMITS } from "./http1_cases/case.ts";
import { MemoryTransport, quiet } from "./memory_transport.ts";
import { requestOf, textOf } from "./messages.ts";

const CLIENT_LIMITS: ClientLimits = {
  ...LIMITS,
  headBytes: 4096,
  idleTimeoutMs: 60_000,
  tunnelIdleTimeoutMs: 3_600_000,
};

/** What became of one exchange. */
export interface Sent {
  /** The response, once its head is there. */
  response?: Response;
  /** Its whole body, once it was read. */
  text?: string;
  /** What `send`, or reading the body, threw. */
  error?: ProxyError;
  readonly interims: Interim[];
}

export class ClientTest {
  readonly transport = new MemoryTransport();
  readonly connection: Http1ClientConnection;
  /** How often the connection said that it is free again, that it is gone, and that it became a tunnel. */
  idles = 0;
  closes = 0;
  tunnels = 0;

  constructor(limits: Partial<ClientLimits> = {}) {
    this.connection = new Http1ClientConnection(this.transport, { ...CLIENT_LIMITS, ...limits }, {
      onIdle: () => void this.idles++,
      onTunnel: () => void this.tunnels++,
      onClosed: () => void this.closes++,
    });
  }

  /** Begins an exchange and reads the response to its end, unless `isBodyRead` is false. */
  async begin(parts: Partial<Request> = {}, isBodyRead = true): Promise<Sent> {
    const sent: Sent = { interims: [] };
    const run = async () => {
      try {
        const request = requestOf(parts);
        const onInterim = (interim: Interim) => void sent.interims.push(interim);
        sent.response = await this.connection.send(request, onInterim);
        if (isBodyRead) sent.text = await textOf(sent.response.body);
      } catch (error) {
        sent.error = error as ProxyError;
      }
    };
    run();
    await quiet(this.transport);
    return sent;
  }

  /** The upstream sends. */
  async answer(data: string): Promise<void> {
    this.transport.send(data);
    await quiet(this.transport);
  }

  /** The upstream closes its side. */
  async end(): Promise<void> {
    this.transport.end();
    await quiet(this.transport);
  }

  /** A whole exchange; the response's body. */
  async exchange(answer: string, parts: Partial<Request> = {}): Promise<Sent> {
    const sent = await this.begin(parts);
    await this.answer(answer);
    return sent;
  }

  async sweep(...times: readonly number[]): Promise<void> {
    for (const time of times) {
      await quiet(this.transport);
      this.connection.sweep(time);
    }
    await quiet(this.transport);
  }
}
