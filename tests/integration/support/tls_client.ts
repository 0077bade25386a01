// TLS ends that are not ours and do what they are told: any certificate or none, any version, and no check of the other end.
import { connect, type Socket } from "node:net";
import {
  connect as connectTls,
  type ConnectionOptions,
  createServer,
  type Server,
  type TLSSocket,
} from "node:tls";
import type { TestCertificate } from "../../support/certificates.ts";

export interface StrangerOptions {
  readonly certificate?: TestCertificate | undefined;
  readonly tls?: ConnectionOptions;
}

/** One connection of it, with the TCP socket below. */
export class Stranger implements Disposable {
  readonly socket: TLSSocket;
  readonly underlying: Socket;
  /** Resolves when the connection is closed, whoever closed it. */
  readonly closed: Promise<void>;

  private constructor(socket: TLSSocket, underlying: Socket) {
    this.socket = socket;
    this.underlying = underlying;
    this.closed = new Promise((resolve) => underlying.once("close", () => resolve()));
  }

  /** Resolves when the handshake is done as far as the client can tell; rejects with what the TLS engine says. */
  static async dial(port: number, { certificate, tls }: StrangerOptions = {}): Promise<Stranger> {
    const underlying = connect({ host: "127.0.0.1", port });
    underlying.on("error", () => {});
    const socket = connectTls({
      socket: underlying,
      servername: "callee",
      rejectUnauthorized: false,
      ...certificate &&
        { cert: certificate.certificatePem, key: certificate.privateKeyPem },
      ...tls,
    });
    const stranger = new Stranger(socket, underlying);
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.on("error", reject);
    }).catch((error) => {
      stranger[Symbol.dispose]();
      throw error;
    });
    socket.on("end", () => stranger[Symbol.dispose]());
    socket.resume();
    return stranger;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
    this.underlying.destroy();
  }
}

/** A server that shows what it is given, and asks for nothing. */
export class HostileServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(certificate: TestCertificate): Promise<HostileServer> {
    const server = createServer({
      cert: certificate.certificatePem,
      key: certificate.privateKeyPem,
      ALPNProtocols: ["h2"],
    }, (socket) => {
      socket.on("error", () => {});
      socket.on("end", () => socket.destroy());
      socket.resume();
    });
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new HostileServer(server);
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
