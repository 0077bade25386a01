// What Linux says of processes and cores. Read by `cat`: Deno lets only --allow-all read /proc itself.

/** Ticks of the times in /proc a second: fixed at 100 for user space on every Linux. */
const TICKS_PER_SECOND = 100;
const PAGE_KIB = 4;

/** One line of /proc/PID/stat. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of all its threads, those that ended included. */
  readonly cpuMs: number;
  readonly rssMiB: number;
}

/** Reads a line of /proc/PID/stat (proc_pid_stat(5)). The name stands in brackets and may hold anything. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const [, parent, , , , , , , , , , user, system] = fields;
  const pages = fields[21];
  return {
    pid: parseInt(line),
    parent: Number(parent),
    cpuMs: (Number(user) + Number(system)) * 1000 / TICKS_PER_SECOND,
    rssMiB: Number(pages) * PAGE_KIB / 1024,
  };
}

/** The sums over the trees of processes that begin at `roots`. */
export async function readUsage(
  roots: readonly number[],
): Promise<{ readonly cpuMs: number; readonly rssMiB: number }> {
  const lines = await shell("cat /proc/[0-9]*/stat 2>/dev/null || true");
  const members = treeOf(roots, lines.trim().split("\n").map(parseStat));
  return {
    cpuMs: members.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    rssMiB: members.reduce((sum, { rssMiB }) => sum + rssMiB, 0),
  };
}

/** The processes among `all` that are `roots` or descend from them. */
export function treeOf(roots: readonly number[], all: readonly ProcessStat[]): ProcessStat[] {
  const members = all.filter(({ pid }) => roots.includes(pid));
  for (const member of members) {
    // Appending to what is being walked: children's children are found the same way.
    members.push(...all.filter(({ parent }) => parent === member.pid));
  }
  return members;
}

/** How long `core` has been busy with anything, since boot. */
export async function readCoreBusyMs(core: number): Promise<number> {
  const text = await shell("cat /proc/stat");
  const line = text.split("\n").find((line) => line.startsWith(`cpu${core} `)) ?? "";
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(" ").slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) * 1000 / TICKS_PER_SECOND;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
}

export async function describeMachine(): Promise<Machine> {
  const cpu = await shell("grep -m1 'model name' /proc/cpuinfo || uname -m");
  const memory = await shell("grep MemTotal /proc/meminfo");
  return {
    cpu: cpu.slice(cpu.indexOf(":") + 1).trim(),
    cores: navigator.hardwareConcurrency,
    memoryGiB: Math.round(parseInt(memory.replace(/\D+/, "")) / 2 ** 20),
    kernel: (await shell("uname -sr")).trim(),
  };
}

/** The first line that `command` prints on either stream, for versions. */
export async function firstLine(command: string): Promise<string> {
  return (await shell(`${command} 2>&1 || true`)).split("\n")[0]!.trim();
}

async function shell(command: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", command], stderr: "inherit" })
    .output();
  return new TextDecoder().decode(stdout);
}
