// Are the demo's ports free, and if not, who has them? Who is found out from /proc, through cat and find: Deno itself
// opens /proc to programs with every permission only.
import type { Address } from "../../sidecar/config/bootstrap.ts";
import { attempt } from "../build/command.ts";
import type { Port, Program } from "./plan.ts";

/** A port that somebody else listens on. */
export interface TakenPort {
  readonly program: string;
  readonly port: Port;
  /** `node (process 4711)`, where it can be seen. */
  readonly owner: string | undefined;
}

/** The ports that cannot be listened on now, in the order of `programs`. */
export async function takenPorts(programs: readonly Program[]): Promise<TakenPort[]> {
  const wanted = programs.flatMap(({ name, ports }) =>
    ports.map((port) => ({ program: name, port }))
  );
  const taken = wanted.filter(({ port }) => !isFree(port.address));
  return await Promise.all(taken.map(async ({ program, port }) => ({
    program,
    port,
    owner: await ownerOf(port.address.port).catch(() => undefined),
  })));
}

function isFree({ host, port }: Address): boolean {
  try {
    Deno.listen({ hostname: host, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

async function ownerOf(port: number): Promise<string | undefined> {
  const inode = listeningInode(await read("cat", ["/proc/net/tcp", "/proc/net/tcp6"]), port);
  if (inode === undefined) return undefined;
  const link = `socket:[[]${inode}[]]`;
  // Other users' processes cannot be looked into: find says so on stderr and goes on.
  const args = ["/proc", "-maxdepth", "3", "-path", "/proc/[0-9]*/fd/*", "-lname", link];
  const pid = /^\/proc\/(\d+)\//.exec(await read("find", [...args, "-print", "-quit"]))?.[1];
  if (pid === undefined) return undefined;
  const name = (await read("cat", [`/proc/${pid}/comm`])).trim();
  return `${name} (process ${pid})`;
}

/** proc(5): `sl local_address rem_address st ... uid timeout inode`, addresses in hexadecimal, state 0A listens. */
function listeningInode(table: string, port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const fields = table.split("\n").map((line) => line.trim().split(/\s+/))
    .find(([, local, , state]) => local?.endsWith(suffix) && state === "0A");
  return fields?.[9];
}

async function read(program: string, args: readonly string[]): Promise<string> {
  return (await attempt(program, args, { timeoutMs: 2000 })).stdout;
}
