// A real HTTP server that publishes a JWK Set, may be stopped and started again on its port, and says what was asked of it.
import { freePort } from "./ports.ts";

export class IdentityProvider implements AsyncDisposable {
  readonly port = freePort();
  readonly url = `http://127.0.0.1:${this.port}/jwks.json`;
  keys: readonly object[] = [];
  fetches = 0;
  /** What it says in place of the set. */
  instead: (() => Response | Promise<Response>) | undefined;
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;

  start(): void {
    const options = { hostname: "127.0.0.1", port: this.port, onListen: () => {} };
    this.#server = Deno.serve(options, () => {
      this.fetches++;
      if (this.instead !== undefined) return this.instead();
      const headers = { "cache-control": "max-age=60" };
      return Response.json({ keys: this.keys }, { headers });
    });
  }

  async stop(): Promise<void> {
    await this.#server?.shutdown();
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
