// Part of the composition root: what an edge does as the policy in force says, beside its routes: CORS and login.
import { signerOf } from "./app_jwt.ts";
import { Cors } from "./filters/cors.ts";
import { Live } from "./filters/live.ts";
import type { Clock } from "./lib/clock.ts";
import type { Forwarder } from "./proxy/forward.ts";
import { LiveRouter } from "./proxy/live_router.ts";
import { Login, type Sign } from "./proxy/login.ts";
import type { CorsSettings, LoginSettings, SigningSettings } from "./snapshot/edge_settings.ts";

export interface EdgePartsOptions {
  readonly clock: Clock;
  readonly forwarder: Forwarder;
}

/** Keys of the last login stay beside those of the one in force: exchanges that began under it end under it. */
const MAX_SIGNERS = 2;

export class EdgeParts {
  readonly cors: Live<CorsSettings, Cors>;
  readonly login: LiveRouter<LoginSettings>;
  readonly #signers = new Map<string, Promise<Sign>>();

  constructor({ clock, forwarder }: EdgePartsOptions) {
    this.cors = new Live({
      name: "cors",
      settingsOf: ({ edge }) => edge?.cors,
      make: (settings) => new Cors(settings),
    });
    this.login = new LiveRouter(({ edge }) => edge?.login, (settings) => {
      const sign: Sign = async (claims) => await (await this.#signer(settings.signing))(claims);
      return new Login({ ...settings, sign, clock, forwarder });
    });
  }

  /** Reads the key that a login signs with. Rejects with an error for the operator. */
  async prepare(login: LoginSettings | undefined): Promise<void> {
    if (login !== undefined) await this.#signer(login.signing);
  }

  #signer(signing: SigningSettings): Promise<Sign> {
    const key = JSON.stringify(signing);
    const known = this.#signers.get(key);
    if (known !== undefined) return known;
    const signer = signerOf(signing);
    this.#signers.set(key, signer);
    signer.catch(() => this.#signers.delete(key));
    for (const oldest of this.#signers.keys()) {
      if (this.#signers.size <= MAX_SIGNERS) break;
      this.#signers.delete(oldest);
    }
    return signer;
  }
}
