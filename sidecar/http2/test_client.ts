// An Http2ClientConnection whose upstream is made of frames and played by the test.
import type { ProxyError } from "../errors.ts";
import type { Interim, Request, Response } from "../http/message.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { requestOf, textOf } from "../../tests/support/messages.ts";
import { Http2ClientConnection } from "./client_connection.ts";
import { DEFAULT_HTTP2_LIMITS, type Http2Limits } from "./limits.ts";
import { settings, SETTINGS_ACK, TestPeer } from "./test_peer.ts";

/** What became of one exchange. */
export interface Sent {
  readonly turn: number;
  response?: Response;
  /** The whole body, once it was read. */
  text?: string;
  error?: ProxyError;
  readonly interims: Interim[];
}

export class ClientTest {
  readonly server = new TestPeer();
  readonly connection: Http2ClientConnection;
  /** What the connection told of itself. */
  readonly events: string[] = [];

  constructor(limits: Partial<Http2Limits> = {}) {
    const all = { ...DEFAULT_HTTP2_LIMITS, ...limits };
    this.connection = new Http2ClientConnection(this.server.transport, all, {
      onFree: () => void this.events.push("free"),
      onGoaway: () => void this.events.push("goaway"),
      onClosed: () => void this.events.push("closed"),
    });
  }

  /** One whose server has said hello, with these settings. */
  static async open(
    limits?: Partial<Http2Limits>,
    ...pairs: readonly (readonly [number, number])[]
  ): Promise<ClientTest> {
    const client = new ClientTest(limits);
    await client.server.send(settings(...pairs), SETTINGS_ACK);
    client.events.length = 0;
    return client;
  }

  /** Begins an exchange and reads the response to its end, unless `isBodyRead` is false. */
  begin(parts: Partial<Request> = {}, isBodyRead = true): Sent {
    const sent: Sent = { turn: this.connection.nextTurn, interims: [] };
    const run = async () => {
      try {
        const onInterim = (interim: Interim) => void sent.interims.push(interim);
        sent.response = await this.connection.send(requestOf(parts), onInterim);
        if (isBodyRead) sent.text = await textOf(sent.response.body);
      } catch (error) {
        sent.error = error as ProxyError;
      }
    };
    run();
    return sent;
  }

  /** Sweeps at each of these times. */
  async sweep(...times: readonly number[]): Promise<string[]> {
    for (const time of times) {
      await quiet(this.server.transport);
      this.connection.sweep(time);
    }
    return await this.server.said();
  }
}
