// A network of a test's own: a namespace that the machine reaches by one cable, which can be cut. Needs root.
import { findProgram, isInstalled } from "../../../deploy/servers.ts";

/** Tests of it are skipped where iproute2 is not installed, and where nobody may make a namespace. */
export const NEEDS_NAMESPACES = { ignore: !isInstalled("ip") || Deno.uid() !== 0 };

/** Of the addresses that RFC 2544 has for tests between networks. */
function addresses(): readonly [outside: string, inside: string] {
  const [third = 0, fourth = 0] = crypto.getRandomValues(new Uint8Array(2));
  const base = fourth & 0b1111_1100;
  return [`198.18.${third}.${base + 1}`, `198.18.${third}.${base + 2}`];
}

export class NetworkNamespace implements AsyncDisposable {
  /** The address in it. */
  readonly inside: string;
  /** What comes before a command that is to run in it. */
  readonly within: readonly string[];
  readonly #name: string;
  readonly #outside: string;

  private constructor(name: string, outside: string, inside: string) {
    this.#name = name;
    this.#outside = outside;
    this.inside = inside;
    this.within = [findProgram("ip")!, "netns", "exec", name];
  }

  static async make(): Promise<NetworkNamespace> {
    const id = crypto.randomUUID().slice(0, 8);
    const [outside, inside] = addresses();
    const namespace = new NetworkNamespace(`mesh-${id}`, outside, inside);
    try {
      await namespace.#connect(`mesh-${id}-o`, `mesh-${id}-i`);
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw error;
    }
    return namespace;
  }

  async #connect(outer: string, inner: string): Promise<void> {
    await ip("netns", "add", this.#name);
    await ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", this.#name);
    await ip("address", "add", `${this.#outside}/30`, "dev", outer);
    await ip("link", "set", outer, "up");
    await this.#ip("link", "set", "lo", "up");
    await this.#ip("address", "add", `${this.inside}/30`, "dev", inner);
    await this.#ip("link", "set", inner, "up");
  }

  /** From now on nothing that is sent out of it arrives, and nobody is told. */
  async cut(): Promise<void> {
    await this.#ip("route", "add", "blackhole", `${this.#outside}/32`);
  }

  async heal(): Promise<void> {
    await this.#ip("route", "delete", "blackhole", `${this.#outside}/32`);
  }

  /** With the namespace go its end of the cable and the other one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await ip("netns", "delete", this.#name).catch(() => {}); // it was never made
  }

  #ip(...args: string[]): Promise<void> {
    return ip("-netns", this.#name, ...args);
  }
}

async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(findProgram("ip")!, { args }).output();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
